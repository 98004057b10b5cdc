// Threads: each with a store of its own, on one engine, with modules that all of them have.

#include "check.h"
#include <pthread.h>

#define THREADS 4

struct work {
    wasm_engine_t *engine;
    wasm_shared_module_t *module;
    int thread;
    int64_t sum;
};

static wasm_trap_t *pass(void *env, const wasm_val_vec_t *args, wasm_val_vec_t *results) {
    struct work *work = env;
    work->sum += args->data[0].kind == WASM_I32 ? args->data[0].of.i32 : args->data[0].of.i64;
    results->data[0].of.i64 = work->thread;
    return NULL;
}

static wasm_trap_t *no_object(const wasm_val_vec_t *args, wasm_val_vec_t *results) {
    (void)args;
    (void)results;
    return NULL;
}

static void *run(void *argument) {
    struct work *work = argument;
    wasm_store_t *store = wasm_store_new(work->engine);
    wasm_module_t *module = wasm_module_obtain(store, work->module);
    for (int round = 0; round < 20; round++) {
        wasm_functype_t *one = unary(WASM_I32, WASM_I32), *other = unary(WASM_I64, WASM_I64);
        wasm_functype_t *third =
            wasm_functype_new_2_1(wasm_valtype_new_externref(), wasm_valtype_new_funcref(), wasm_valtype_new_externref());
        wasm_func_t *first = wasm_func_new_with_env(store, one, pass, work, NULL);
        wasm_func_t *second = wasm_func_new_with_env(store, other, pass, work, NULL);
        wasm_func_t *keep = wasm_func_new(store, third, no_object);
        wasm_globaltype_t *type = wasm_globaltype_new(wasm_valtype_new_i64(), WASM_VAR);
        wasm_val_t value = WASM_I64_VAL(work->thread);
        wasm_global_t *counter = wasm_global_new(store, type, &value);
        wasm_extern_t *items[] = {
            wasm_func_as_extern(first),
            wasm_func_as_extern(second),
            wasm_global_as_extern(counter),
            wasm_func_as_extern(keep),
        };
        wasm_extern_vec_t imports = WASM_ARRAY_VEC(items), exports;
        wasm_instance_t *instance = wasm_instance_new(store, module, &imports, NULL);
        wasm_instance_exports(instance, &exports);
        wasm_val_t given[] = {WASM_I64_VAL(round)}, got[] = {WASM_INIT_VAL};
        wasm_val_vec_t args = WASM_ARRAY_VEC(given), results = WASM_ARRAY_VEC(got);
        if (wasm_func_call(wasm_extern_as_func(exports.data[1]), &args, &results) || got[0].of.i64 != work->thread)
            work->sum = -1000;
        wasm_extern_vec_delete(&exports);
        wasm_instance_delete(instance);
        wasm_func_delete(first);
        wasm_func_delete(second);
        wasm_func_delete(keep);
        wasm_global_delete(counter);
        wasm_functype_delete(one);
        wasm_functype_delete(other);
        wasm_functype_delete(third);
        wasm_globaltype_delete(type);
    }
    wasm_module_delete(module);
    wasm_store_delete(store);
    return NULL;
}

void test_sharing(void) {
    wasm_engine_t *engine = wasm_engine_new();
    wasm_store_t *store = wasm_store_new(engine);
    wasm_byte_vec_t bytes = artifact("standard");
    wasm_module_t *module = wasm_module_new(store, &bytes);
    wasm_byte_vec_delete(&bytes);
    wasm_shared_module_t *shared = wasm_module_share(module);
    wasm_module_delete(module);
    wasm_store_delete(store);
    pthread_t threads[THREADS];
    struct work work[THREADS];
    for (int i = 0; i < THREADS; i++) {
        struct work one = {engine, shared, i, 0};
        work[i] = one;
        check(pthread_create(&threads[i], NULL, run, &work[i]) == 0);
    }
    for (int i = 0; i < THREADS; i++) {
        check(pthread_join(threads[i], NULL) == 0);
        check(work[i].sum == 190);
    }
    wasm_shared_module_delete(shared);
    wasm_engine_delete(engine);
}
