// Functions: those of programs and those of the host, with all kinds of values, and what does not fit.

#include "check.h"

static void test_programs(const struct standard *standard) {
    wasm_func_t *numbers = func(standard, "numbers");
    check(wasm_func_param_arity(numbers) == 4 && wasm_func_result_arity(numbers) == 4);
    wasm_val_t given[] = {WASM_I32_VAL(-1), WASM_I64_VAL(INT64_MIN), WASM_F32_VAL(0.5f), WASM_F64_VAL(-2.25)};
    wasm_val_t got[5];
    wasm_val_vec_t args = WASM_ARRAY_VEC(given), results = WASM_ARRAY_VEC(got);
    got[4] = i32(77);
    check(wasm_func_call(numbers, &args, &results) == NULL);
    check(got[0].kind == WASM_F64 && got[0].of.f64 == -2.25);
    check(got[1].kind == WASM_F32 && got[1].of.f32 == 0.5f);
    check(got[2].kind == WASM_I64 && got[2].of.i64 == INT64_MIN);
    check(got[3].kind == WASM_I32 && got[3].of.i32 == -1);
    check(got[4].of.i32 == 77);
    // Less room than results.
    got[1] = i32(78);
    results.size = 1;
    check(wasm_func_call(numbers, &args, &results) == NULL);
    check(got[0].of.f64 == -2.25 && got[1].of.i32 == 78);
    check(wasm_func_call(numbers, &args, NULL) == NULL);

    wasm_val_t twelve[12], back[12];
    for (int i = 0; i < 12; i++)
        twelve[i] = i32(i);
    wasm_val_vec_t many_args = WASM_ARRAY_VEC(twelve), many_results = WASM_ARRAY_VEC(back);
    check(wasm_func_call(func(standard, "many"), &many_args, &many_results) == NULL);
    for (int i = 0; i < 12; i++)
        check(back[i].of.i32 == 11 - i);

    check(traps_with(wasm_func_call(numbers, NULL, &results), "takes 4"));
    args.size = 3;
    check(traps_with(wasm_func_call(numbers, &args, &results), "takes 4, and 3 were passed"));
    args.size = 4;
    given[0].kind = WASM_I64;
    check(traps_with(wasm_func_call(numbers, &args, &results), "not of the type"));
    given[0].kind = 77;
    check(traps_with(wasm_func_call(numbers, &args, &results), "not of the type"));
    check(wasm_func_call(NULL, &args, &results) == NULL);
    check(wasm_func_call(nonsense(), &args, &results) == NULL);
    check(wasm_func_call((const wasm_func_t *)find(standard, "memory"), &args, &results) == NULL);

    wasm_functype_t *type = wasm_func_type(numbers);
    check(wasm_functype_params(type)->size == 4 && wasm_functype_results(type)->size == 4);
    wasm_functype_delete(type);
    check(wasm_func_type(NULL) == NULL);
    check(wasm_func_param_arity(NULL) == 0 && wasm_func_result_arity(nonsense()) == 0);
}

static void test_through_programs(const struct standard *standard) {
    wasm_val_t given[2] = {i32(21)}, got[1] = {none()};
    wasm_val_vec_t args = {1, given}, results = WASM_ARRAY_VEC(got);
    check(wasm_func_call(func(standard, "first"), &args, &results) == NULL && got[0].of.i32 == 42);
    given[0] = i64(1ll << 40);
    check(wasm_func_call(func(standard, "second"), &args, &results) == NULL && got[0].of.i64 == 2ll << 40);
    // Without a program in between, and through its export.
    given[0] = i32(4);
    check(wasm_func_call(standard->first, &args, &results) == NULL && got[0].of.i32 == 8);
    check(wasm_func_call(func(standard, "again"), &args, &results) == NULL && got[0].of.i32 == 8);
    check(wasm_func_same(standard->first, func(standard, "again")));
    check(!wasm_func_same(standard->first, standard->second));

    // Objects go through and come back; a function can be one.
    wasm_foreign_t *object = wasm_foreign_new(standard->store);
    given[0].kind = WASM_EXTERNREF;
    given[0].of.ref = wasm_foreign_as_ref(object);
    given[1].kind = WASM_FUNCREF;
    given[1].of.ref = NULL;
    args.size = 2;
    check(wasm_func_call(func(standard, "keep"), &args, &results) == NULL);
    check(got[0].kind == WASM_EXTERNREF && wasm_ref_same(got[0].of.ref, given[0].of.ref));
    check(wasm_foreign_same(wasm_ref_as_foreign(got[0].of.ref), object));
    wasm_val_delete(&got[0]);
    wasm_foreign_delete(object);
    given[0].of.ref = NULL;
    given[1].of.ref = wasm_func_as_ref(func(standard, "negate"));
    // The way to write a reference calls all of them external.
    given[1].kind = WASM_EXTERNREF;
    check(wasm_func_call(func(standard, "keep"), &args, &results) == NULL);
    check(wasm_func_same(wasm_ref_as_func(got[0].of.ref), func(standard, "negate")));
    wasm_val_delete(&got[0]);
    // A function of the host's that no program imports.
    given[1].of.ref = wasm_func_as_ref(standard->keep);
    check(wasm_func_call(func(standard, "keep"), &args, &results) == NULL);
    check(wasm_func_same(wasm_ref_as_func(got[0].of.ref), standard->keep));
    wasm_val_delete(&got[0]);
    given[1].of.ref = wasm_extern_as_ref(find(standard, "memory"));
    check(traps_with(wasm_func_call(func(standard, "keep"), &args, &results), "not of the type"));
    given[1].of.ref = nonsense();
    check(traps_with(wasm_func_call(func(standard, "keep"), &args, &results), "not of the type"));
    wasm_store_t *other = wasm_store_new(standard->engine);
    given[1].of.ref = NULL;
    given[0].of.ref = wasm_foreign_as_ref(wasm_foreign_new(other));
    check(traps_with(wasm_func_call(func(standard, "keep"), &args, &results), "another store"));
    check(traps_with(wasm_func_call(standard->keep, &args, &results), "another store"));
    wasm_ref_delete(given[0].of.ref);
    wasm_store_delete(other);

    args.size = 0;
    check(wasm_func_call(func(standard, "give"), &args, &results) == NULL);
    check(got[0].kind == WASM_FUNCREF && wasm_func_same(wasm_ref_as_func(got[0].of.ref), standard->first));
    wasm_val_delete(&got[0]);
}

static wasm_trap_t *add(void *env, const wasm_val_vec_t *args, wasm_val_vec_t *results) {
    results->data[0].of.i32 = args->data[0].of.i32 + *(int *)env;
    return NULL;
}

static wasm_trap_t *wrong_kind(const wasm_val_vec_t *args, wasm_val_vec_t *results) {
    (void)args;
    results->data[0] = i64(1);
    return NULL;
}

static wasm_trap_t *no_trap(const wasm_val_vec_t *args, wasm_val_vec_t *results) {
    (void)args;
    (void)results;
    return nonsense();
}

static const struct standard *current;

// Calls a program while one is running, and deletes what is being called.
static wasm_trap_t *nested(void *env, const wasm_val_vec_t *args, wasm_val_vec_t *results) {
    if (args->data[0].of.i32 == 0) {
        wasm_func_delete(*(wasm_func_t **)env);
        return NULL;
    }
    wasm_val_t given[] = {WASM_I32_VAL(args->data[0].of.i32 - 1), WASM_I32_VAL(0)};
    wasm_val_vec_t more = WASM_ARRAY_VEC(given);
    wasm_trap_t *trap = wasm_func_call(func(current, "indirect"), &more, results);
    if (!trap)
        results->data[0].of.i32++;
    return trap;
}

static void test_host(const struct standard *standard) {
    wasm_store_t *store = standard->store;
    wasm_functype_t *type = unary(WASM_I32, WASM_I32);
    int five = 5, finalized = 0;
    wasm_val_t given[] = {WASM_I32_VAL(3), WASM_I32_VAL(0)}, got[] = {WASM_INIT_VAL};
    wasm_val_vec_t args = {1, given}, indirect = WASM_ARRAY_VEC(given), results = WASM_ARRAY_VEC(got);
    wasm_func_t *plus = wasm_func_new_with_env(store, type, add, &five, NULL);
    check(wasm_func_call(plus, &args, &results) == NULL && got[0].of.i32 == 8);
    wasm_func_delete(plus);
    plus = wasm_func_new_with_env(store, type, add, &finalized, count);
    wasm_func_delete(plus);
    check(finalized == 1);

    // By a table, without an import.
    wasm_table_t *table = wasm_extern_as_table(find(standard, "functions"));
    wasm_func_t *wrong = wasm_func_new(store, type, wrong_kind);
    check(traps_with(wasm_func_call(wrong, &args, &results), "not of the type"));
    check(wasm_table_set(table, 0, wasm_func_as_ref(wrong)));
    check(traps_with(wasm_func_call(func(standard, "indirect"), &indirect, &results), "not of the type"));
    wasm_func_delete(wrong);
    wrong = wasm_func_new(store, type, no_trap);
    check(traps_with(wasm_func_call(wrong, &args, &results), "no trap"));
    wasm_func_delete(wrong);

    wasm_func_t *self = wasm_func_new_with_env(store, type, nested, &self, NULL);
    check(wasm_table_set(table, 0, wasm_func_as_ref(self)));
    current = standard;
    check(wasm_func_call(self, &args, &results) == NULL && got[0].of.i32 == 3);

    check(wasm_func_new(NULL, type, wrong_kind) == NULL);
    check(wasm_func_new(store, NULL, wrong_kind) == NULL);
    check(tells(store, "type"));
    check(wasm_func_new(store, type, NULL) == NULL);
    check(tells(store, "no function"));
    check(wasm_func_new_with_env(store, type, NULL, &five, NULL) == NULL);
    wasm_limits_t limits = {1, 1};
    wasm_memorytype_t *memory = wasm_memorytype_new(&limits);
    check(wasm_func_new(store, (wasm_functype_t *)memory, wrong_kind) == NULL);
    wasm_memorytype_delete(memory);
    wasm_functype_delete(type);
}

void test_functions(void) {
    struct standard standard = make_standard();
    test_programs(&standard);
    test_through_programs(&standard);
    test_host(&standard);
    delete_standard(&standard);
}
