// Tables: of functions and of objects, within their limits.

#include "check.h"

void test_tables(void) {
    struct standard standard = make_standard();
    wasm_store_t *store = standard.store;
    wasm_table_t *functions = wasm_extern_as_table(find(&standard, "functions"));
    wasm_table_t *objects = wasm_extern_as_table(find(&standard, "objects"));
    check(wasm_table_size(functions) == 4 && wasm_table_size(objects) == 2);
    check(wasm_table_get(functions, 0) == NULL);
    wasm_ref_t *element = wasm_table_get(functions, 1);
    check(wasm_func_same(wasm_ref_as_func(element), func(&standard, "negate")));
    wasm_ref_delete(element);
    check(wasm_table_get(functions, 4) == NULL);
    check(wasm_table_get(functions, UINT32_MAX) == NULL);
    check(wasm_table_get(NULL, 0) == NULL);

    wasm_val_t given[] = {WASM_I32_VAL(6), WASM_I32_VAL(2)}, got[] = {WASM_INIT_VAL};
    wasm_val_vec_t args = WASM_ARRAY_VEC(given), results = WASM_ARRAY_VEC(got);
    check(traps_with(wasm_func_call(func(&standard, "indirect"), &args, &results), "uninitialized"));
    check(wasm_table_set(functions, 2, wasm_func_as_ref(standard.first)));
    check(wasm_func_call(func(&standard, "indirect"), &args, &results) == NULL && got[0].of.i32 == 12);
    element = wasm_table_get(functions, 2);
    check(wasm_func_same(wasm_ref_as_func(element), standard.first));
    wasm_ref_delete(element);
    check(wasm_table_set(functions, 2, wasm_func_as_ref(standard.second)));
    check(traps_with(wasm_func_call(func(&standard, "indirect"), &args, &results), "indirect call"));
    check(wasm_table_set(functions, 2, NULL));
    check(!wasm_table_set(functions, 4, NULL));
    check(tells(store, "range"));
    check(!wasm_table_set(functions, 0, wasm_table_as_ref(objects)));
    check(tells(store, "type"));
    check(!wasm_table_set(functions, 0, nonsense()));
    check(!wasm_table_set(NULL, 0, NULL));

    check(wasm_table_grow(functions, 2, wasm_func_as_ref(func(&standard, "negate"))));
    check(wasm_table_size(functions) == 6);
    given[1] = i32(5);
    check(wasm_func_call(func(&standard, "indirect"), &args, &results) == NULL && got[0].of.i32 == -6);
    check(!wasm_table_grow(functions, 3, NULL));
    check(tells(store, "limits"));
    check(wasm_table_grow(functions, 0, NULL));
    check(!wasm_table_grow(functions, 1, wasm_table_as_ref(objects)));
    check(!wasm_table_grow(nonsense(), 1, NULL));

    wasm_foreign_t *object = wasm_foreign_new(store);
    check(wasm_table_set(objects, 1, wasm_foreign_as_ref(object)));
    // Any reference is an object.
    check(wasm_table_set(objects, 0, wasm_func_as_ref(standard.first)));
    wasm_foreign_delete(object);
    element = wasm_table_get(objects, 1);
    check(wasm_ref_as_foreign(element) != NULL && wasm_ref_as_func(element) == NULL);
    wasm_ref_delete(element);
    element = wasm_table_get(objects, 0);
    check(wasm_func_same(wasm_ref_as_func(element), standard.first));
    wasm_ref_delete(element);

    wasm_tabletype_t *type = wasm_table_type(functions);
    check(wasm_tabletype_limits(type)->min == 4 && wasm_tabletype_limits(type)->max == 8);
    check(wasm_valtype_kind(wasm_tabletype_element(type)) == WASM_FUNCREF);
    wasm_table_t *made = wasm_table_new(store, type, wasm_func_as_ref(func(&standard, "negate")));
    check(wasm_table_size(made) == 4);
    element = wasm_table_get(made, 3);
    check(wasm_func_same(wasm_ref_as_func(element), func(&standard, "negate")));
    wasm_ref_delete(element);
    wasm_table_delete(made);
    check(wasm_table_new(store, type, wasm_table_as_ref(functions)) == NULL);
    // A function of the host's needs a program with code for it.
    check(wasm_table_new(store, type, wasm_func_as_ref(standard.first)) == NULL);
    check(tells(store, "--host-references"));
    check(wasm_table_new(NULL, type, NULL) == NULL);
    check(wasm_table_new(store, NULL, NULL) == NULL);
    wasm_tabletype_delete(type);
    wasm_limits_t limits = {3, 2};
    type = wasm_tabletype_new(wasm_valtype_new_funcref(), &limits);
    check(wasm_table_new(store, type, NULL) == NULL);
    check(tells(store, "limits"));
    wasm_tabletype_delete(type);
    limits.max = wasm_limits_max_default;
    type = wasm_tabletype_new(wasm_valtype_new_i32(), &limits);
    check(wasm_table_new(store, type, NULL) == NULL);
    wasm_tabletype_delete(type);
    type = wasm_tabletype_new(wasm_valtype_new_externref(), &limits);
    made = wasm_table_new(store, type, NULL);
    check(wasm_table_size(made) == 3 && wasm_table_get(made, 0) == NULL);
    wasm_tabletype_delete(type);
    type = wasm_table_type(made);
    check(wasm_tabletype_limits(type)->max == wasm_limits_max_default);
    wasm_tabletype_delete(type);
    wasm_table_delete(made);
    check(wasm_table_type(NULL) == NULL && wasm_table_size(nonsense()) == 0);
    delete_standard(&standard);
}
