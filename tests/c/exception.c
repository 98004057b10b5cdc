// Exceptions: caught by the host, made by it, thrown by its functions, and referred to.

#include "check.h"

static precast_tag *signal_tag;

static precast_status raise_signal(void *user, precast_caller *caller, const precast_value *params,
                                   size_t param_count, precast_value *results, size_t result_count) {
    (void)user, (void)param_count, (void)results, (void)result_count;
    if (params[0].of.i32 == 0)
        return PRECAST_OK;
    precast_value values[2] = {params[0], i64(100)};
    precast_exception *exception = NULL;
    ok(precast_exception_new(signal_tag, values, 2, &exception, told()));
    check(precast_caller_throw(NULL, exception) == PRECAST_NULL_ARGUMENT);
    check(precast_caller_throw(caller, NULL) == PRECAST_NULL_ARGUMENT);
    check(precast_caller_throw(caller, nonsense()) == PRECAST_INVALID_HANDLE);
    precast_status status = precast_caller_throw(caller, exception);
    precast_exception_free(exception);
    return status;
}

static void tags(precast_runtime *runtime) {
    const precast_value_kind kinds[2] = {PRECAST_I32, PRECAST_I64};
    ok(precast_tag_new(runtime, kinds, 2, &signal_tag, told()));
    precast_value_kind params[2];
    precast_signature signature = {.size = sizeof signature, .params = params, .param_capacity = 2};
    ok(precast_tag_signature(signal_tag, &signature, told()));
    check(signature.param_count == 2 && signature.result_count == 0 && params[1] == PRECAST_I64);
    null(precast_tag_signature(NULL, &signature, told()));
    null(precast_tag_signature(signal_tag, NULL, told()));

    const precast_value_kind wrong = (precast_value_kind)1;
    precast_tag *other = NULL;
    is(PRECAST_INVALID_ARGUMENT, precast_tag_new(runtime, &wrong, 1, &other, told()));
    null(precast_tag_new(NULL, kinds, 2, &other, told()));
    null(precast_tag_new(runtime, NULL, 2, &other, told()));
    null(precast_tag_new(runtime, kinds, 2, NULL, told()));
    check(other == NULL);
    ok(precast_tag_new(runtime, kinds, 2, &other, told()));
    bool is_same = true;
    ok(precast_tag_is_same(signal_tag, other, &is_same, told()));
    check(!is_same);
    ok(precast_tag_is_same(other, other, &is_same, told()));
    check(is_same);
    null(precast_tag_is_same(NULL, other, &is_same, told()));
    null(precast_tag_is_same(other, NULL, &is_same, told()));
    null(precast_tag_is_same(other, other, NULL, told()));
    precast_tag_free(other);
    precast_tag_free(NULL);
    precast_tag_free(nonsense());
}

static void caught_by_host(precast_instance *instance) {
    precast_function *throws = function_of(instance, "throws");
    precast_value value = i32(9);
    precast_exception *exception = NULL;
    told()->exception = &exception;
    precast_status status = precast_function_call(throws, NULL, &value, 1, NULL, 0, &failure);
    check(status == PRECAST_EXCEPTION && exception != NULL);
    check(tells("error"));
    check(failure.frame_count == 1);

    size_t count = 0;
    precast_value values[2];
    ok(precast_exception_values(exception, values, 2, &count, told()));
    check(count == 1 && values[0].kind == PRECAST_I32 && values[0].of.i32 == 9);
    ok(precast_exception_values(exception, NULL, 0, &count, told()));
    check(count == 1);
    null(precast_exception_values(exception, NULL, 1, &count, told()));
    null(precast_exception_values(exception, values, 2, NULL, told()));
    null(precast_exception_values(NULL, values, 2, &count, told()));

    precast_tag *error_tag = NULL, *tag = NULL;
    ok(precast_instance_tag(instance, "error", &error_tag, told()));
    ok(precast_exception_tag(exception, &tag, told()));
    bool is_same = false;
    ok(precast_tag_is_same(tag, error_tag, &is_same, told()));
    check(is_same);
    null(precast_exception_tag(NULL, &tag, told()));
    null(precast_exception_tag(exception, NULL, told()));
    precast_tag_free(tag);
    tag = NULL;
    is(PRECAST_NOT_FOUND, precast_instance_tag(instance, "missing", &tag, told()));
    is(PRECAST_TYPE_MISMATCH, precast_instance_tag(instance, "memory", &tag, told()));
    null(precast_instance_tag(instance, NULL, &tag, told()));
    null(precast_instance_tag(instance, "error", NULL, told()));
    null(precast_instance_tag(NULL, "error", &tag, told()));
    check(tag == NULL);

    // A trap is no exception.
    precast_function *again = function_of(instance, "again");
    value.kind = PRECAST_EXNREF;
    value.of.exception = NULL;
    precast_exception *none = exception;
    told()->exception = &none;
    status = precast_function_call(again, NULL, &value, 1, NULL, 0, &failure);
    check(status == PRECAST_TRAP && none == NULL);

    // The same exception goes in and comes out.
    value.of.exception = exception;
    told()->exception = &none;
    status = precast_function_call(again, NULL, &value, 1, NULL, 0, &failure);
    check(status == PRECAST_EXCEPTION && none != NULL);
    precast_exception_free(none);
    precast_exception_free(exception);

    precast_function *reference = function_of(instance, "reference");
    ok(precast_function_call(reference, NULL, NULL, 0, &value, 1, told()));
    check(value.kind == PRECAST_EXNREF && value.of.exception != NULL);
    ok(precast_exception_values(value.of.exception, values, 2, &count, told()));
    check(values[0].of.i32 == 5);
    precast_exception_free(value.of.exception);
    precast_function_free(reference);
    precast_function_free(again);
    precast_function_free(throws);
    precast_tag_free(error_tag);
}

static void made_by_host(void) {
    precast_exception *exception = NULL;
    precast_value values[2] = {i32(1), i64(2)};
    is(PRECAST_TYPE_MISMATCH, precast_exception_new(signal_tag, values, 1, &exception, told()));
    values[1] = i32(2);
    is(PRECAST_TYPE_MISMATCH, precast_exception_new(signal_tag, values, 2, &exception, told()));
    null(precast_exception_new(signal_tag, NULL, 2, &exception, told()));
    null(precast_exception_new(signal_tag, values, 2, NULL, told()));
    null(precast_exception_new(NULL, values, 2, &exception, told()));
    check(exception == NULL);
    precast_exception_free(NULL);
    precast_exception_free(nonsense());
}

void test_exception(void) {
    precast_runtime *runtime = new_runtime();
    tags(runtime);
    precast_imports *imports = NULL;
    ok(precast_imports_new(runtime, &imports, told()));
    ok(precast_imports_define_tag(imports, "host", "signal", signal_tag, told()));
    null(precast_imports_define_tag(NULL, "host", "signal", signal_tag, told()));
    null(precast_imports_define_tag(imports, NULL, "signal", signal_tag, told()));
    null(precast_imports_define_tag(imports, "host", NULL, signal_tag, told()));
    null(precast_imports_define_tag(imports, "host", "signal", NULL, told()));
    const precast_value_kind number = PRECAST_I32;
    ok(precast_imports_define_host_function(imports, "host", "raise", &number, 1, NULL, 0, raise_signal, NULL,
                                            NULL, told()));
    precast_module *module = load(runtime, "exception");
    precast_instance *instance = NULL;
    ok(precast_instance_new(module, imports, NULL, NULL, &instance, told()));

    precast_function *catches = function_of(instance, "catches");
    precast_value value = i32(0);
    ok(precast_function_call(catches, NULL, &value, 1, &value, 1, told()));
    check(value.of.i64 == -1);
    value = i32(11);
    ok(precast_function_call(catches, NULL, &value, 1, &value, 1, told()));
    check(value.of.i64 == 111);
    precast_function_free(catches);
    caught_by_host(instance);
    made_by_host();
    precast_tag_free(signal_tag);
    precast_instance_free(instance);
    precast_module_free(module);
    precast_imports_free(imports);
    precast_runtime_free(runtime);
}
