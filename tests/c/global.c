// Globals: of instances, and made by the host.

#include "check.h"

void test_global(void) {
    precast_runtime *runtime = new_runtime();
    precast_instance *instance = instance_of(runtime, "basic");
    precast_global *counter = NULL, *fixed = NULL, *global = NULL;
    ok(precast_instance_global(instance, "counter", &counter, told()));
    ok(precast_instance_global(instance, "fixed", &fixed, told()));

    precast_value value;
    ok(precast_global_get(counter, &value, told()));
    check(value.kind == PRECAST_I64 && value.of.i64 == 5);
    value = i64(-1);
    ok(precast_global_set(counter, &value, told()));
    precast_value back;
    ok(precast_global_get(counter, &back, told()));
    check(back.of.i64 == -1);
    is(PRECAST_TYPE_MISMATCH, precast_global_set(fixed, &value, told()));
    value = i32(1);
    is(PRECAST_TYPE_MISMATCH, precast_global_set(counter, &value, told()));
    value.kind = 0;
    is(PRECAST_INVALID_ARGUMENT, precast_global_set(counter, &value, told()));
    null(precast_global_set(counter, NULL, told()));
    null(precast_global_set(NULL, &value, told()));
    null(precast_global_get(counter, NULL, told()));
    null(precast_global_get(NULL, &value, told()));
    is(PRECAST_INVALID_HANDLE, precast_global_get((precast_global *)instance, &value, told()));

    precast_value_kind kind = 0;
    bool is_mutable = false;
    ok(precast_global_type(counter, &kind, &is_mutable, told()));
    check(kind == PRECAST_I64 && is_mutable);
    ok(precast_global_type(fixed, NULL, &is_mutable, told()));
    check(!is_mutable);
    ok(precast_global_type(fixed, NULL, NULL, told()));
    null(precast_global_type(NULL, &kind, &is_mutable, told()));
    precast_global_free(counter);
    precast_global_free(fixed);

    // A reference to a function has a handle of its own.
    precast_function *add = function_of(instance, "add");
    value.kind = PRECAST_FUNCREF;
    value.of.function = add;
    ok(precast_global_new(runtime, &value, true, &global, told()));
    ok(precast_global_get(global, &back, told()));
    check(back.kind == PRECAST_FUNCREF && back.of.function != NULL && back.of.function != add);
    precast_function_free(back.of.function);
    value.of.function = NULL;
    ok(precast_global_set(global, &value, told()));
    ok(precast_global_get(global, &back, told()));
    check(back.of.function == NULL);
    precast_global_free(global);
    precast_function_free(add);

    value = i32(3);
    ok(precast_global_new(runtime, &value, false, &global, told()));
    is(PRECAST_TYPE_MISMATCH, precast_global_set(global, &value, told()));
    precast_global_free(global);
    global = NULL;
    value.kind = 99;
    is(PRECAST_INVALID_ARGUMENT, precast_global_new(runtime, &value, false, &global, told()));
    value.kind = PRECAST_EXNREF;
    value.of.exception = nonsense();
    is(PRECAST_INVALID_HANDLE, precast_global_new(runtime, &value, false, &global, told()));
    null(precast_global_new(runtime, NULL, false, &global, told()));
    null(precast_global_new(NULL, &value, false, &global, told()));
    null(precast_global_new(runtime, &value, false, NULL, told()));
    check(global == NULL);
    precast_global_free(NULL);
    precast_global_free(nonsense());
    precast_instance_free(instance);
    precast_runtime_free(runtime);
}
