// Instances: imports by their place, exports, and why there is none.

#include "check.h"

static wasm_module_t *load(wasm_store_t *store, const char *name) {
    wasm_byte_vec_t bytes = artifact(name);
    wasm_module_t *module = wasm_module_new(store, &bytes);
    wasm_byte_vec_delete(&bytes);
    check(module != NULL);
    return module;
}

// A program that has everything from another one.
static void test_linked(void) {
    struct standard standard = make_standard();
    wasm_module_t *module = load(standard.store, "importer");
    wasm_extern_t *items[] = {
        find(&standard, "negate"), find(&standard, "memory"), find(&standard, "functions"),
        find(&standard, "number"), find(&standard, "error"),
    };
    wasm_extern_vec_t imports = WASM_ARRAY_VEC(items), exports;
    wasm_instance_t *instance = wasm_instance_new(standard.store, module, &imports, NULL);
    wasm_module_delete(module);
    wasm_instance_exports(instance, &exports);
    wasm_instance_delete(instance);
    check(exports.size == 4);
    wasm_val_t given[] = {WASM_I32_VAL(9)}, got[] = {WASM_INIT_VAL};
    wasm_val_vec_t args = WASM_ARRAY_VEC(given), none = WASM_EMPTY_VEC, results = WASM_ARRAY_VEC(got);
    check(wasm_func_call(wasm_extern_as_func(exports.data[0]), &args, &results) == NULL && got[0].of.i32 == -9);
    wasm_memory_data(wasm_extern_as_memory(find(&standard, "memory")))[9] = 99;
    check(wasm_func_call(wasm_extern_as_func(exports.data[1]), &args, &results) == NULL && got[0].of.i32 == 99);
    check(wasm_func_call(wasm_extern_as_func(exports.data[2]), &none, &results) == NULL && got[0].of.f32 == 1.5f);
    check(traps_with(wasm_func_call(wasm_extern_as_func(exports.data[3]), &none, &results), "exception"));
    // A tag is passed on, and has no name of its own.
    check(wasm_extern_kind(items[4]) == WASM_EXTERN_TAG && wasm_extern_as_func(items[4]) == NULL);
    delete_standard(&standard);
    check(wasm_func_call(wasm_extern_as_func(exports.data[0]), &args, &results) == NULL && got[0].of.i32 == -9);
    wasm_extern_vec_delete(&exports);
}

static void test_refusals(void) {
    struct standard standard = make_standard();
    wasm_store_t *store = standard.store;
    wasm_extern_t *items[] = {
        wasm_func_as_extern(standard.first),
        wasm_func_as_extern(standard.first),
        wasm_global_as_extern(standard.counter),
        wasm_func_as_extern(standard.keep),
    };
    wasm_extern_vec_t imports = WASM_ARRAY_VEC(items);
    wasm_trap_t *trap = NULL;
    check(wasm_instance_new(store, standard.module, &imports, &trap) == NULL);
    check(traps_with(trap, "`host` `twice`"));
    check(tells(store, "incompatible import"));
    check(wasm_instance_new(store, standard.module, &imports, NULL) == NULL);
    items[1] = NULL;
    check(wasm_instance_new(store, standard.module, &imports, &trap) == NULL);
    check(traps_with(trap, "import 1"));
    imports.size = 3;
    check(wasm_instance_new(store, standard.module, &imports, &trap) == NULL);
    check(traps_with(trap, "has 4, and 3 were passed"));
    check(wasm_instance_new(store, standard.module, NULL, &trap) == NULL);
    check(traps_with(trap, "has 4, and 0 were passed"));
    check(wasm_instance_new(store, NULL, &imports, &trap) == NULL);
    check(traps_with(trap, "module"));
    trap = nonsense();
    check(wasm_instance_new(NULL, standard.module, &imports, &trap) == NULL && trap == NULL);

    // Neither modules nor imports of another store.
    wasm_store_t *other = wasm_store_new(standard.engine);
    check(wasm_instance_new(other, standard.module, &imports, &trap) == NULL);
    check(traps_with(trap, "none of this store"));
    wasm_shared_module_t *shared = wasm_module_share(standard.module);
    wasm_module_t *module = wasm_module_obtain(other, shared);
    wasm_shared_module_delete(shared);
    items[1] = wasm_func_as_extern(standard.second);
    imports.size = 4;
    check(wasm_instance_new(other, module, &imports, &trap) == NULL);
    check(traps_with(trap, "import 0 is nothing of this store"));
    wasm_module_delete(module);
    wasm_store_delete(other);

    module = load(store, "start");
    wasm_extern_vec_t none = WASM_EMPTY_VEC;
    check(wasm_instance_new(store, module, &none, &trap) == NULL);
    wasm_frame_t *frame = wasm_trap_origin(trap);
    check(wasm_frame_func_index(frame) == 0 && wasm_frame_instance(frame) == NULL);
    wasm_frame_delete(frame);
    check(traps_with(trap, "unreachable"));
    wasm_module_delete(module);
    wasm_extern_vec_t exports;
    wasm_instance_exports(NULL, &exports);
    check(exports.size == 0);
    wasm_instance_exports((wasm_instance_t *)standard.module, &exports);
    check(exports.size == 0);
    wasm_instance_exports(standard.instance, NULL);
    delete_standard(&standard);
}

// As many as memory would not hold if they stayed.
static void test_many(void) {
    struct standard standard = make_standard();
    wasm_extern_t *items[] = {
        wasm_func_as_extern(standard.first),
        wasm_func_as_extern(standard.second),
        wasm_global_as_extern(standard.counter),
        wasm_func_as_extern(standard.keep),
    };
    // What imports a global lives as long as that, so this one is for each its own.
    wasm_extern_vec_t imports = WASM_ARRAY_VEC(items);
    wasm_globaltype_t *type = wasm_global_type(standard.counter);
    int finalized = 0;
    for (int i = 0; i < 100; i++) {
        wasm_val_t value = i64(i);
        wasm_global_t *counter = wasm_global_new(standard.store, type, &value);
        items[2] = wasm_global_as_extern(counter);
        wasm_instance_t *instance = wasm_instance_new(standard.store, standard.module, &imports, NULL);
        wasm_instance_set_host_info_with_finalizer(instance, &finalized, count);
        wasm_global_delete(counter);
        wasm_instance_delete(instance);
    }
    check(finalized == 100);
    wasm_globaltype_delete(type);
    delete_standard(&standard);
}

void test_instances(void) {
    test_linked();
    test_refusals();
    test_many();
}
