// Orders of freeing that could go wrong: handles that are freed while they are used, calls within
// calls in one environment, other threads.

#include "check.h"
#include <pthread.h>

static precast_runtime *runtime;
static precast_module *module;
static precast_imports *imports;
static precast_instance *instance;
static precast_function *run;
static precast_env *env;
static int left;

static void finalize(void *user) { (*(int *)user)--; }

static void *other_thread(void *unused) {
    (void)unused;
    // This report is the thread's own.
    precast_error report = {.size = sizeof report};
    precast_value value = i32(1);
    check(precast_function_call(run, NULL, NULL, 0, NULL, 0, &report) == PRECAST_BUSY);
    precast_memory *memory = NULL;
    check(precast_instance_memory(instance, "memory", &memory, &report) == PRECAST_OK);
    check(precast_memory_read(memory, 0, &value, 4, &report) == PRECAST_BUSY);
    precast_memory_free(memory);
    return NULL;
}

// Called in the middle of a call: lets go of everything that the call needs.
static precast_status let_go(void *user, precast_caller *caller, const precast_value *params, size_t param_count,
                             precast_value *results, size_t result_count) {
    (void)user, (void)params, (void)param_count, (void)results, (void)result_count;

    // The environment serves one call.
    is(PRECAST_BUSY, precast_function_call(run, env, NULL, 0, NULL, 0, told()));
    is(PRECAST_BUSY, precast_env_measure_stack(env, told()));

    pthread_t thread;
    check(pthread_create(&thread, NULL, other_thread, NULL) == 0);
    pthread_join(thread, NULL);

    precast_runtime_free(runtime);
    precast_module_free(module);
    precast_imports_free(imports);
    precast_instance_free(instance);
    precast_function_free(run);
    precast_env_free(env);
    // What is in use is still there, and known to be freed.
    is(PRECAST_INVALID_HANDLE, precast_function_call(run, NULL, NULL, 0, NULL, 0, told()));
    is(PRECAST_INVALID_HANDLE, precast_env_measure_stack(env, told()));
    precast_env_free(env);
    precast_function_free(run);

    // The caller is there all the same.
    char text[6] = "";
    ok(precast_caller_read(caller, 16, text, 5, told()));
    check(strcmp(text, "hello") == 0);
    return PRECAST_OK;
}

static void prepare(void) {
    runtime = new_runtime();
    module = load(runtime, "caller");
    left++;
    ok(precast_imports_new(runtime, &imports, told()));
    ok(precast_imports_define_host_function(imports, "host", "probe", NULL, 0, NULL, 0, let_go, &left, finalize,
                                            told()));
    ok(precast_instance_new(module, imports, NULL, NULL, &instance, told()));
    run = function_of(instance, "run");
    ok(precast_env_new_stack(runtime, 0, &env, told()));
}

// Every order in which five handles can be freed.
static void permute(int *order, int count) {
    if (count < 5) {
        for (int next = 0; next < 5; next++) {
            bool taken = false;
            for (int i = 0; i < count; i++)
                taken |= order[i] == next;
            order[count] = next;
            if (!taken)
                permute(order, count + 1);
        }
        return;
    }
    prepare();
    precast_env_free(env);
    for (int i = 0; i < 5; i++) {
        switch (order[i]) {
        case 0:
            precast_runtime_free(runtime);
            break;
        case 1:
            precast_module_free(module);
            break;
        case 2:
            precast_imports_free(imports);
            break;
        case 3:
            precast_instance_free(instance);
            break;
        default:
            precast_function_free(run);
        }
    }
    check(left == 0);
}

// Imports that a start function's host function frees and changes.
static precast_status change(void *user, precast_caller *caller, const precast_value *params, size_t param_count,
                             precast_value *results, size_t result_count) {
    (void)user, (void)caller, (void)params, (void)param_count, (void)results, (void)result_count;
    is(PRECAST_BUSY, precast_imports_define_host_function(imports, "host", "probe", NULL, 0, NULL, 0, change,
                                                          NULL, NULL, told()));
    precast_imports_free(imports);
    precast_module_free(module);
    precast_runtime_free(runtime);
    return PRECAST_OK;
}

void test_order(void) {
    prepare();
    ok(precast_function_call(run, env, NULL, 0, NULL, 0, told()));
    check(left == 0);

    int order[5];
    permute(order, 0);

    runtime = new_runtime();
    module = load(runtime, "starts");
    ok(precast_imports_new(runtime, &imports, told()));
    ok(precast_imports_define_host_function(imports, "host", "probe", NULL, 0, NULL, 0, change, NULL, NULL, told()));
    instance = NULL;
    ok(precast_instance_new(module, imports, NULL, NULL, &instance, told()));
    precast_instance_free(instance);
}
