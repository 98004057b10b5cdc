// Modules: loaded, described, refused with a reason, and given back as bytes.

#include "check.h"

static bool name_is(const wasm_name_t *name, const char *text) {
    return name->size == strlen(text) && (!name->size || memcmp(name->data, text, name->size) == 0);
}

static void test_refusals(void) {
    wasm_engine_t *engine = wasm_engine_new();
    wasm_store_t *store = wasm_store_new(engine);
    wasm_byte_vec_t bytes;
    wasm_byte_vec_new(&bytes, 8, "\0asm\1\0\0\0");
    check(wasm_module_new(store, &bytes) == NULL);
    check(tells(store, "precast compile"));
    check(!wasm_module_validate(store, &bytes));
    char text[8];
    size_t length = precast_wasm_last_error(store, text, sizeof text);
    check(length > sizeof text && strlen(text) == sizeof text - 1);
    bytes.data[1] = 'x';
    check(wasm_module_new(store, &bytes) == NULL);
    wasm_byte_vec_delete(&bytes);
    check(wasm_module_new(store, &bytes) == NULL);
    check(wasm_module_new(store, NULL) == NULL);
    check(wasm_module_new(NULL, NULL) == NULL);
    check(!wasm_module_validate(NULL, NULL));
    check(wasm_module_deserialize(store, NULL) == NULL);
    check(wasm_module_deserialize(nonsense(), &bytes) == NULL);
    wasm_importtype_vec_t imports;
    wasm_module_imports(NULL, &imports);
    check(imports.size == 0 && imports.data == NULL);
    wasm_exporttype_vec_t exports;
    wasm_module_exports(nonsense(), &exports);
    check(exports.size == 0 && exports.data == NULL);
    wasm_module_serialize(NULL, &bytes);
    check(bytes.size == 0 && bytes.data == NULL);

    // Vectors of 128 bits are named.
    bytes = artifact("basic");
    check(wasm_module_new(store, &bytes) == NULL);
    check(tells(store, "\"all\"") && tells(store, "v128"));
    wasm_byte_vec_delete(&bytes);
    wasm_store_delete(store);
    wasm_engine_delete(engine);
}

static void test_descriptions(void) {
    wasm_engine_t *engine = wasm_engine_new();
    wasm_store_t *store = wasm_store_new(engine);
    wasm_byte_vec_t bytes = artifact("standard");
    check(wasm_module_validate(store, &bytes));
    wasm_module_t *module = wasm_module_new(store, &bytes);

    wasm_importtype_vec_t imports;
    wasm_module_imports(module, &imports);
    check(imports.size == 4);
    check(name_is(wasm_importtype_module(imports.data[0]), "host"));
    check(name_is(wasm_importtype_name(imports.data[1]), "twice"));
    check(name_is(wasm_importtype_module(imports.data[2]), ""));
    const wasm_functype_t *second = wasm_externtype_as_functype_const(wasm_importtype_type(imports.data[1]));
    check(wasm_valtype_kind(wasm_functype_params(second)->data[0]) == WASM_I64);
    const wasm_globaltype_t *counter = wasm_externtype_as_globaltype_const(wasm_importtype_type(imports.data[2]));
    check(wasm_globaltype_mutability(counter) == WASM_VAR);
    wasm_importtype_vec_delete(&imports);

    wasm_exporttype_vec_t exports;
    wasm_module_exports(module, &exports);
    check(exports.size == 21);
    size_t kinds[5] = {0};
    for (size_t i = 0; i < exports.size; i++) {
        const wasm_externtype_t *type = wasm_exporttype_type(exports.data[i]);
        kinds[wasm_externtype_kind(type)]++;
        const wasm_memorytype_t *memory = wasm_externtype_as_memorytype_const(type);
        if (memory)
            check(wasm_memorytype_limits(memory)->min == 1 && wasm_memorytype_limits(memory)->max == 3);
        const wasm_tagtype_t *tag = wasm_externtype_as_tagtype_const(type);
        if (tag) {
            const wasm_valtype_vec_t *carried = wasm_functype_params(wasm_tagtype_functype(tag));
            check(carried->size == 1 && wasm_valtype_kind(carried->data[0]) == WASM_I32);
        }
    }
    check(kinds[WASM_EXTERN_FUNC] == 14 && kinds[WASM_EXTERN_GLOBAL] == 3 && kinds[WASM_EXTERN_TABLE] == 2);
    check(kinds[WASM_EXTERN_MEMORY] == 1 && kinds[WASM_EXTERN_TAG] == 1);
    wasm_exporttype_vec_delete(&exports);
    wasm_module_imports(module, NULL);
    wasm_module_exports(module, NULL);
    wasm_module_serialize(module, NULL);

    // What comes out is what went in, and can be loaded again.
    wasm_byte_vec_t serialized;
    wasm_module_serialize(module, &serialized);
    check(serialized.size == bytes.size && memcmp(serialized.data, bytes.data, bytes.size) == 0);
    wasm_module_t *again = wasm_module_deserialize(store, &serialized);
    check(again != NULL && !wasm_module_same(module, again));
    wasm_module_delete(again);
    wasm_byte_vec_delete(&serialized);

    // Modules go to stores of the same engine.
    wasm_shared_module_t *shared = wasm_module_share(module);
    wasm_module_delete(module);
    wasm_store_t *other = wasm_store_new(engine);
    wasm_engine_t *stranger = wasm_engine_new();
    wasm_store_t *strange = wasm_store_new(stranger);
    wasm_module_t *obtained = wasm_module_obtain(other, shared);
    check(obtained != NULL);
    check(wasm_module_obtain(strange, shared) == NULL);
    check(tells(strange, "another engine"));
    check(wasm_module_obtain(NULL, shared) == NULL);
    check(wasm_module_obtain(other, NULL) == NULL);
    check(wasm_module_share(NULL) == NULL);
    wasm_shared_module_delete(shared);
    wasm_shared_module_delete(NULL);
    wasm_module_exports(obtained, &exports);
    check(exports.size == 21);
    wasm_exporttype_vec_delete(&exports);
    wasm_module_delete(obtained);
    wasm_store_delete(strange);
    wasm_engine_delete(stranger);
    wasm_store_delete(other);
    wasm_byte_vec_delete(&bytes);
    wasm_store_delete(store);
    wasm_engine_delete(engine);
}

void test_modules(void) {
    test_refusals();
    test_descriptions();
}
