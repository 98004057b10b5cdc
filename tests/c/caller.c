// What a host function can do with the instance that called it.

#include "check.h"

static precast_caller *kept;
static bool interrupted, stopped;
static precast_interrupter *interrupter;

static void memory_of(precast_caller *caller) {
    char bytes[8] = "";
    ok(precast_caller_read(caller, 16, bytes, 6, told()));
    check(strcmp(bytes, "hello") == 0);
    ok(precast_caller_write(caller, 17, "a", 1, told()));
    void *pointer = NULL;
    ok(precast_caller_pointer(caller, 16, 6, &pointer, told()));
    check(strcmp(pointer, "hallo") == 0);
    const char *text = NULL;
    size_t length = 0;
    ok(precast_caller_text(caller, 16, &text, &length, told()));
    check(text == pointer && length == 5);
    precast_memory *memory = NULL;
    ok(precast_caller_memory(caller, &memory, told()));
    ok(precast_memory_read(memory, 16, bytes, 6, told()));
    check(strcmp(bytes, "hallo") == 0);
    precast_memory_free(memory);

    is(PRECAST_OUT_OF_BOUNDS, precast_caller_read(caller, 200000, bytes, 1, told()));
    is(PRECAST_OUT_OF_BOUNDS, precast_caller_write(caller, 200000, bytes, 1, told()));
    is(PRECAST_OUT_OF_BOUNDS, precast_caller_pointer(caller, 200000, 1, &pointer, told()));
    is(PRECAST_OUT_OF_BOUNDS, precast_caller_text(caller, 200000, &text, &length, told()));
    null(precast_caller_read(caller, 0, NULL, 1, told()));
    null(precast_caller_write(caller, 0, NULL, 1, told()));
    null(precast_caller_pointer(caller, 0, 1, NULL, told()));
    null(precast_caller_text(caller, 0, NULL, &length, told()));
    null(precast_caller_text(caller, 0, &text, NULL, told()));
    null(precast_caller_memory(caller, NULL, told()));
    null(precast_caller_read(NULL, 0, bytes, 1, told()));
    null(precast_caller_write(NULL, 0, bytes, 1, told()));
    null(precast_caller_pointer(NULL, 0, 1, &pointer, told()));
    null(precast_caller_text(NULL, 0, &text, &length, told()));
    null(precast_caller_memory(NULL, &memory, told()));
    is(PRECAST_INVALID_HANDLE, precast_caller_read(nonsense(), 0, bytes, 1, told()));
}

static void instance_of_caller(precast_caller *caller) {
    precast_instance *instance = NULL;
    ok(precast_caller_instance(caller, &instance, told()));
    precast_function *twice = function_of(instance, "twice");
    precast_value value = i32(21);
    ok(precast_caller_call(caller, twice, &value, 1, &value, 1, told()));
    check(value.of.i32 == 42);
    // A call that does not go on from here may go on beside it.
    ok(precast_function_call(twice, NULL, &value, 1, &value, 1, told()));
    check(value.of.i32 == 84);
    is(PRECAST_TYPE_MISMATCH, precast_caller_call(caller, twice, &value, 0, &value, 1, told()));
    is(PRECAST_TYPE_MISMATCH, precast_caller_call(caller, twice, &value, 1, &value, 2, told()));
    null(precast_caller_call(caller, twice, NULL, 1, &value, 1, told()));
    null(precast_caller_call(caller, twice, &value, 1, NULL, 1, told()));
    null(precast_caller_call(caller, NULL, &value, 1, &value, 1, told()));
    null(precast_caller_call(NULL, twice, &value, 1, &value, 1, told()));
    is(PRECAST_INVALID_HANDLE,
       precast_caller_call(caller, (precast_function *)instance, &value, 1, &value, 1, told()));
    precast_function_free(twice);
    precast_instance_free(instance);
    null(precast_caller_instance(caller, NULL, told()));
    null(precast_caller_instance(NULL, &instance, told()));
}

static void heap_of(precast_caller *caller) {
    uint64_t address = 0;
    ok(precast_caller_allocate(caller, 100, &address, told()));
    check(address >= 65536);
    ok(precast_caller_write(caller, address, "x", 1, told()));
    ok(precast_caller_release(caller, address, told()));
    is(PRECAST_INVALID_ARGUMENT, precast_caller_release(caller, address, told()));
    is(PRECAST_OUT_OF_MEMORY, precast_caller_allocate(caller, 1 << 20, &address, told()));
    null(precast_caller_allocate(caller, 1, NULL, told()));
    null(precast_caller_allocate(NULL, 1, &address, told()));
    null(precast_caller_release(NULL, address, told()));
}

static precast_status probe(void *user, precast_caller *caller, const precast_value *params, size_t param_count,
                            precast_value *results, size_t result_count) {
    (void)user, (void)params, (void)param_count, (void)results, (void)result_count;
    kept = caller;
    bool is_interrupted = true;
    ok(precast_caller_is_interrupted(caller, &is_interrupted, told()));
    check(!is_interrupted);
    null(precast_caller_is_interrupted(caller, NULL, told()));
    null(precast_caller_is_interrupted(NULL, &is_interrupted, told()));
    if (interrupted) {
        ok(precast_interrupter_interrupt(interrupter, told()));
        ok(precast_caller_is_interrupted(caller, &stopped, told()));
        return PRECAST_OK;
    }
    memory_of(caller);
    instance_of_caller(caller);
    heap_of(caller);
    return PRECAST_OK;
}

void test_caller(void) {
    precast_runtime *runtime = new_runtime();
    precast_module *module = load(runtime, "caller");
    precast_imports *imports = NULL;
    ok(precast_imports_new(runtime, &imports, told()));
    ok(precast_imports_define_host_function(imports, "host", "probe", NULL, 0, NULL, 0, probe, NULL, NULL, told()));
    precast_instance_options options = {.size = sizeof options, .heap_size = 65536};
    precast_instance *instance = NULL;
    ok(precast_instance_new(module, imports, &options, NULL, &instance, told()));
    precast_function *run = function_of(instance, "run");
    ok(precast_function_call(run, NULL, NULL, 0, NULL, 0, told()));
    check(kept != NULL);

    // On a stack of its own.
    precast_env *env = NULL;
    ok(precast_env_new_stack(runtime, 0, &env, told()));
    precast_memory *memory = NULL;
    ok(precast_instance_memory(instance, "memory", &memory, told()));
    ok(precast_memory_write(memory, 17, "e", 1, told()));
    ok(precast_function_call(run, env, NULL, 0, NULL, 0, told()));
    precast_memory_free(memory);
    precast_env_free(env);

    interrupted = true;
    ok(precast_interrupter_new(instance, &interrupter, told()));
    is(PRECAST_TRAP, precast_function_call(run, NULL, NULL, 0, NULL, 0, told()));
    check(stopped && failure.trap_code == PRECAST_TRAP_INTERRUPTED);
    interrupted = false;
    precast_interrupter_free(interrupter);

    precast_function_free(run);
    precast_instance_free(instance);
    precast_imports_free(imports);
    precast_module_free(module);
    precast_runtime_free(runtime);
}
