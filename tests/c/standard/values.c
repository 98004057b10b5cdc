// Values: copied and deleted with their references, and pointers in integers.

#include "check.h"

void test_values(void) {
    wasm_val_t value = WASM_F64_VAL(1.5), copy;
    wasm_val_copy(&copy, &value);
    check(copy.kind == WASM_F64 && copy.of.f64 == 1.5);
    wasm_val_delete(&copy);
    check(copy.of.f64 == 1.5);
    wasm_val_t single = WASM_F32_VAL(2.5f);
    wasm_val_copy(&copy, &single);
    check(copy.kind == WASM_F32 && copy.of.f32 == 2.5f);

    wasm_engine_t *engine = wasm_engine_new();
    wasm_store_t *store = wasm_store_new(engine);
    int finalized = 0;
    wasm_foreign_t *object = wasm_foreign_new(store);
    wasm_foreign_set_host_info_with_finalizer(object, &finalized, count);
    wasm_val_t reference = WASM_REF_VAL(wasm_foreign_as_ref(object));
    wasm_val_copy(&copy, &reference);
    check(copy.kind == WASM_EXTERNREF && wasm_ref_same(copy.of.ref, reference.of.ref));
    wasm_val_delete(&reference);
    check(reference.of.ref == NULL && finalized == 0);
    wasm_val_delete(&copy);
    check(finalized == 1);
    wasm_val_delete(&copy);
    wasm_store_delete(store);
    wasm_engine_delete(engine);

    copy = i32(1);
    wasm_val_copy(&copy, NULL);
    check(copy.kind == WASM_EXTERNREF && copy.of.ref == NULL);
    wasm_val_t wrong = WASM_REF_VAL(nonsense());
    wasm_val_copy(&copy, &wrong);
    check(copy.of.ref == NULL);
    wasm_val_delete(&wrong);
    wasm_val_delete(NULL);
    wasm_val_copy(NULL, &value);

    wasm_val_init_ptr(&value, &copy);
    check(value.kind == (sizeof(void *) == 8 ? WASM_I64 : WASM_I32));
    check(wasm_val_ptr(&value) == &copy);
}
