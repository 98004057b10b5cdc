// Globals: read and changed from both sides.

#include "check.h"

void test_globals(void) {
    struct standard standard = make_standard();
    wasm_store_t *store = standard.store;
    wasm_val_t value, got[1] = {none()};
    wasm_val_vec_t args = WASM_EMPTY_VEC, results = WASM_ARRAY_VEC(got);
    wasm_global_get(standard.counter, &value);
    check(value.kind == WASM_I64 && value.of.i64 == 40);
    check(wasm_func_call(func(&standard, "count"), &args, &results) == NULL && got[0].of.i64 == 41);
    wasm_global_get(standard.counter, &value);
    check(value.of.i64 == 41);
    value = i64(7);
    wasm_global_set(standard.counter, &value);
    check(wasm_func_call(func(&standard, "count"), &args, &results) == NULL && got[0].of.i64 == 8);

    // Neither another type nor a constant.
    value = i32(1);
    wasm_global_set(standard.counter, &value);
    check(tells(store, "not of the type"));
    wasm_global_t *fixed = wasm_extern_as_global(find(&standard, "fixed"));
    wasm_global_set(fixed, &value);
    check(tells(store, "immutable"));
    wasm_global_get(fixed, &value);
    check(value.kind == WASM_I32 && value.of.i32 == 7);
    wasm_global_set(fixed, NULL);
    wasm_global_set(NULL, &value);
    wasm_global_get(fixed, NULL);
    wasm_global_get(nonsense(), &value);
    check(value.kind == WASM_EXTERNREF && value.of.ref == NULL);

    wasm_globaltype_t *type = wasm_global_type(wasm_extern_as_global(find(&standard, "number")));
    check(wasm_globaltype_mutability(type) == WASM_VAR);
    check(wasm_valtype_kind(wasm_globaltype_content(type)) == WASM_F32);
    wasm_val_t number = WASM_F32_VAL(0.25f);
    wasm_global_t *made = wasm_global_new(store, type, &number);
    wasm_global_get(made, &value);
    check(value.kind == WASM_F32 && value.of.f32 == 0.25f);
    wasm_global_delete(made);
    check(wasm_global_new(store, type, NULL) == NULL);
    value = i64(1);
    check(wasm_global_new(store, type, &value) == NULL);
    check(tells(store, "not of the type"));
    check(wasm_global_new(store, NULL, &number) == NULL);
    check(wasm_global_new(NULL, type, &number) == NULL);
    wasm_globaltype_delete(type);
    check(wasm_global_type(NULL) == NULL);

    // References in globals.
    wasm_global_t *object = wasm_extern_as_global(find(&standard, "object"));
    wasm_global_get(object, &value);
    check(value.kind == WASM_EXTERNREF && value.of.ref == NULL);
    wasm_foreign_t *foreign = wasm_foreign_new(store);
    value.of.ref = wasm_foreign_as_ref(foreign);
    wasm_global_set(object, &value);
    wasm_foreign_delete(foreign);
    wasm_global_get(object, &value);
    check(wasm_ref_as_foreign(value.of.ref) != NULL);
    wasm_val_delete(&value);
    type = wasm_globaltype_new(wasm_valtype_new_funcref(), WASM_VAR);
    wasm_val_t reference = {.kind = WASM_FUNCREF, .of = {.ref = wasm_func_as_ref(func(&standard, "negate"))}};
    made = wasm_global_new(store, type, &reference);
    wasm_global_get(made, &value);
    check(value.kind == WASM_FUNCREF && wasm_ref_same(value.of.ref, reference.of.ref));
    wasm_val_delete(&value);
    wasm_global_delete(made);
    // No program is there whose code could call it.
    reference.of.ref = wasm_func_as_ref(standard.keep);
    wasm_func_t *lonely = wasm_func_copy(standard.keep);
    check(wasm_global_new(store, type, &reference) == NULL);
    check(tells(store, "--host-references"));
    wasm_func_delete(lonely);
    wasm_globaltype_delete(type);
    delete_standard(&standard);
}
