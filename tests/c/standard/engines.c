// Engines, configurations and stores: in any order of deletion, and with keys.

#include "check.h"

void test_engines(void) {
    wasm_config_delete(wasm_config_new());
    wasm_config_delete(NULL);
    wasm_config_delete(nonsense());
    wasm_engine_delete(NULL);
    wasm_store_delete(NULL);
    wasm_store_delete(nonsense());
    check(wasm_engine_new_with_config(NULL) == NULL);
    check(wasm_store_new(NULL) == NULL);
    check(wasm_store_new(nonsense()) == NULL);
    wasm_engine_t *engine = wasm_engine_new_with_config(wasm_config_new());
    wasm_store_t *store = wasm_store_new(engine);
    check(engine != NULL && store != NULL);
    wasm_engine_delete(engine);
    check(precast_wasm_last_error(store, NULL, 0) == 0);
    check(precast_wasm_last_error(NULL, NULL, 0) == 0);

    // Objects keep their store, and it them.
    wasm_foreign_t *object = wasm_foreign_new(store);
    wasm_store_delete(store);
    wasm_foreign_t *copy = wasm_foreign_copy(object);
    wasm_foreign_delete(object);
    check(wasm_foreign_same(copy, copy));
    wasm_foreign_delete(copy);

    // Whoever has keys takes what one of them has signed.
    wasm_byte_vec_t key = artifact("key"), signature = artifact("signed-importer"), plain = artifact("importer");
    check(key.size == sizeof(precast_key));
    wasm_config_t *config = wasm_config_new();
    check(precast_wasm_config_set_keys(config, (const precast_key *)key.data, 1));
    check(!precast_wasm_config_set_keys(NULL, NULL, 0));
    check(!precast_wasm_config_set_keys(config, NULL, 1));
    engine = wasm_engine_new_with_config(config);
    store = wasm_store_new(engine);
    check(wasm_module_new(store, &plain) == NULL);
    check(tells(store, "sign"));
    check(!wasm_module_validate(store, &plain));
    wasm_module_t *module = wasm_module_new(store, &signature);
    check(module != NULL);
    wasm_module_delete(module);
    wasm_store_delete(store);
    wasm_engine_delete(engine);
    wasm_byte_vec_delete(&key);
    wasm_byte_vec_delete(&signature);
    wasm_byte_vec_delete(&plain);
}
