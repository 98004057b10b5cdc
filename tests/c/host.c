// Host functions: values of every kind in and out, and every way to end a call.

#include "check.h"

static int calls, finalized;
static precast_instance *current;
static precast_status answer;

static void finalize(void *user) { *(int *)user += 1; }

#define HOST(name)                                                                                    \
    static precast_status name(void *user, precast_caller *caller, const precast_value *params,       \
                               size_t param_count, precast_value *results, size_t result_count)

#define UNUSED (void)user, (void)caller, (void)params, (void)param_count, (void)results, (void)result_count

HOST(mix) {
    UNUSED;
    calls++;
    check(user == &calls && param_count == 4 && result_count == 1);
    check(params[0].kind == PRECAST_I32 && params[1].kind == PRECAST_I64);
    check(params[2].kind == PRECAST_F32 && params[3].kind == PRECAST_F64);
    check(results[0].kind == PRECAST_F64 && results[0].of.f64 == 0);
    results[0].of.f64 =
        params[0].of.i32 + (double)params[1].of.i64 + (double)params[2].of.f32 + params[3].of.f64;
    return PRECAST_OK;
}

HOST(wrong) {
    UNUSED;
    results[0] = i64(1);
    return PRECAST_OK;
}

HOST(ends) {
    UNUSED;
    switch (params[0].of.i32) {
    case 0:
        return precast_caller_trap(caller, PRECAST_TRAP_UNREACHABLE);
    case 1:
        return precast_caller_exit(caller, 42);
    case 2: {
        char text[] = "the valve is stuck";
        precast_status status = precast_caller_fail(caller, text);
        memset(text, 'x', sizeof text - 1);
        return status;
    }
    case 3:
        return PRECAST_NOT_FOUND;
    case 4:
        // What was said for another status does not count.
        precast_caller_exit(caller, 3);
        return PRECAST_BUSY;
    case 5:
        return (precast_status)-7;
    case 6:
        precast_caller_exit(caller, 3);
        return PRECAST_OK;
    case 7:
        check(precast_caller_trap(caller, 0) == PRECAST_INVALID_ARGUMENT);
        check(precast_caller_trap(caller, 5000) == PRECAST_INVALID_ARGUMENT);
        check(precast_caller_trap(NULL, PRECAST_TRAP_UNREACHABLE) == PRECAST_NULL_ARGUMENT);
        check(precast_caller_exit(NULL, 0) == PRECAST_NULL_ARGUMENT);
        check(precast_caller_fail(NULL, "text") == PRECAST_NULL_ARGUMENT);
        check(precast_caller_fail(caller, NULL) == PRECAST_NULL_ARGUMENT);
        check(precast_caller_fail(caller, "\xff") == PRECAST_INVALID_ARGUMENT);
        check(precast_caller_exit((precast_caller *)current, 0) == PRECAST_INVALID_HANDLE);
        return PRECAST_OK;
    default:
        return answer;
    }
}

// Calls back what it is given.
HOST(back) {
    UNUSED;
    precast_function *function = params[0].of.function;
    if (!function)
        return PRECAST_OK;
    precast_value number = params[1];
    precast_status status = precast_caller_call(caller, function, &number, 1, &number, 1, told());
    if (!status)
        results[0] = number;
    return status;
}

HOST(identity) {
    UNUSED;
    // A reference that goes out stays ours, here the library's.
    results[0] = params[0];
    return PRECAST_OK;
}

static void define(precast_imports *imports, const char *name, const precast_value_kind *params, size_t count,
                   precast_value_kind result, precast_host_function function) {
    ok(precast_imports_define_host_function(imports, "host", name, params, count, &result, 1, function, &calls,
                                            NULL, told()));
}

static void end_in(precast_function *end, int32_t how, precast_status expected) {
    precast_value value = i32(how);
    is(expected, precast_function_call(end, NULL, &value, 1, &value, 1, told()));
}

static void endings(precast_function *end) {
    end_in(end, 0, PRECAST_TRAP);
    check(failure.trap_code == PRECAST_TRAP_UNREACHABLE && failure.frame_count == 1);
    check(frames[0].calls_host == 1 && text_is(frames[0].function_name, "end"));
    check(text_is(frames[0].import_module, "host") && text_is(frames[0].import_name, "ends"));
    end_in(end, 1, PRECAST_EXIT);
    check(failure.exit_code == 42);
    end_in(end, 2, PRECAST_HOST_ERROR);
    check(tells("the valve is stuck"));
    end_in(end, 3, PRECAST_HOST_ERROR);
    check(tells("not found"));
    end_in(end, 4, PRECAST_HOST_ERROR);
    check(tells("in use"));
    end_in(end, 5, PRECAST_HOST_ERROR);
    check(tells("unknown status"));
    end_in(end, 6, PRECAST_OK);
    end_in(end, 7, PRECAST_OK);
}

static void call_backs(precast_instance *instance) {
    precast_function *through = function_of(instance, "through");
    precast_value values[2] = {i32(0), i32(5)};
    ok(precast_function_call(through, NULL, values, 2, values, 1, told()));
    check(values[0].of.i32 == 10);
    // A function that traps: what comes out is its trap, with all frames.
    values[0] = i32(1);
    values[1] = i32(0);
    is(PRECAST_TRAP, precast_function_call(through, NULL, values, 2, values, 1, told()));
    check(failure.trap_code == PRECAST_TRAP_INTEGER_DIVIDE_BY_ZERO && failure.frame_count == 2);
    check(text_is(frames[0].function_name, "inverse") && text_is(frames[1].function_name, "through"));
    check(frames[1].calls_host == 1 && text_is(frames[1].import_name, "back"));
    // Null.
    values[0] = i32(2);
    ok(precast_function_call(through, NULL, values, 2, values, 1, told()));
    check(values[0].of.i32 == 0);
    precast_function_free(through);
}

void test_host(void) {
    precast_runtime *runtime = new_runtime();
    precast_module *module = load(runtime, "host");
    precast_imports *imports = NULL;
    ok(precast_imports_new_for_module(module, &imports, told()));
    const precast_value_kind numbers[4] = {PRECAST_I32, PRECAST_I64, PRECAST_F32, PRECAST_F64};
    const precast_value_kind reference[2] = {PRECAST_FUNCREF, PRECAST_I32};
    define(imports, "mix", numbers, 4, PRECAST_F64, mix);
    define(imports, "wrong", NULL, 0, PRECAST_I32, wrong);
    define(imports, "ends", numbers, 1, PRECAST_I32, ends);
    define(imports, "back", reference, 2, PRECAST_I32, back);
    define(imports, "identity", reference, 1, PRECAST_FUNCREF, identity);
    precast_memory_options options = {.size = sizeof options, .minimum = 1, .maximum = 2};
    precast_memory *memory = NULL;
    ok(precast_memory_new(runtime, &options, &memory, told()));
    ok(precast_imports_define_memory(imports, "host", "memory", memory, told()));
    precast_memory_free(memory);
    precast_value seven = i32(7);
    precast_global *global = NULL;
    ok(precast_global_new(runtime, &seven, false, &global, told()));
    ok(precast_imports_define_global(imports, "host", "global", global, told()));
    precast_global_free(global);
    precast_table_options table_options = {.size = sizeof table_options, .minimum = 4, .maximum = UINT64_MAX};
    precast_value null_function = {.kind = PRECAST_FUNCREF};
    precast_table *table = NULL;
    ok(precast_table_new(runtime, &table_options, &null_function, &table, told()));
    ok(precast_imports_define_table(imports, "host", "table", table, told()));
    precast_table_free(table);

    precast_instance *instance = NULL;
    ok(precast_instance_new(module, imports, NULL, NULL, &instance, told()));
    current = instance;
    precast_value result;
    precast_function *function = function_of(instance, "call_mix");
    ok(precast_function_call(function, NULL, NULL, 0, &result, 1, told()));
    check(calls == 1 && result.of.f64 == 1 + 2 + 3.5 + 4.5);
    precast_function_free(function);

    function = function_of(instance, "call_wrong");
    is(PRECAST_HOST_ERROR, precast_function_call(function, NULL, NULL, 0, &result, 1, told()));
    check(tells("wrong type"));
    precast_function_free(function);

    function = function_of(instance, "call_identity");
    ok(precast_function_call(function, NULL, NULL, 0, &result, 1, told()));
    check(result.of.i32 == 8);
    precast_function_free(function);

    function = function_of(instance, "end");
    endings(function);
    precast_function_free(function);
    call_backs(instance);
    precast_instance_free(instance);

    // The type is another one.
    instance = NULL;
    define(imports, "mix", numbers, 3, PRECAST_F64, mix);
    is(PRECAST_LINK_ERROR, precast_instance_new(module, imports, NULL, NULL, &instance, told()));
    check(tells("(i32, i64, f32) -> (f64)") && tells("(i32, i64, f32, f64) -> (f64)"));
    check(instance == NULL);

    // The function is there for as long as somebody can call it.
    ok(precast_imports_define_host_function(imports, "host", "mix", numbers, 4, numbers + 3, 1, mix, &finalized,
                                            finalize, told()));
    ok(precast_instance_new(module, imports, NULL, NULL, &instance, told()));
    precast_imports_free(imports);
    precast_module_free(module);
    precast_runtime_free(runtime);
    check(finalized == 0);
    precast_instance_free(instance);
    check(finalized == 1);
}
