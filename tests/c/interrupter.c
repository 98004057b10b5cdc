// Stopping code from another thread.

#include "check.h"
#include <pthread.h>

static void *interrupt(void *interrupter) {
    precast_error report = {.size = sizeof report};
    if (precast_interrupter_interrupt(interrupter, &report) != PRECAST_OK)
        abort();
    return NULL;
}

void test_interrupter(void) {
    precast_runtime *runtime = new_runtime();
    precast_instance *instance = instance_of(runtime, "loop");
    precast_function *forever = function_of(instance, "forever");
    precast_interrupter *interrupter = NULL;
    ok(precast_interrupter_new(instance, &interrupter, told()));
    bool is_interrupted = true;
    ok(precast_interrupter_is_interrupted(interrupter, &is_interrupted, told()));
    check(!is_interrupted);
    pthread_t thread;
    check(pthread_create(&thread, NULL, interrupt, interrupter) == 0);
    is(PRECAST_TRAP, precast_function_call(forever, NULL, NULL, 0, NULL, 0, told()));
    check(failure.trap_code == PRECAST_TRAP_INTERRUPTED);
    pthread_join(thread, NULL);
    ok(precast_interrupter_is_interrupted(interrupter, &is_interrupted, told()));
    check(is_interrupted);
    precast_function *one = function_of(instance, "one");
    precast_value value;
    is(PRECAST_TRAP, precast_function_call(one, NULL, NULL, 0, &value, 1, told()));
    ok(precast_interrupter_clear(interrupter, told()));
    ok(precast_function_call(one, NULL, NULL, 0, &value, 1, told()));
    check(value.of.i32 == 1);

    null(precast_interrupter_interrupt(NULL, told()));
    null(precast_interrupter_clear(NULL, told()));
    null(precast_interrupter_is_interrupted(NULL, &is_interrupted, told()));
    null(precast_interrupter_is_interrupted(interrupter, NULL, told()));
    null(precast_interrupter_new(instance, NULL, told()));
    precast_interrupter *none = NULL;
    null(precast_interrupter_new(NULL, &none, told()));
    is(PRECAST_INVALID_HANDLE, precast_interrupter_interrupt((precast_interrupter *)instance, told()));

    // It does not keep the instance, and does nothing then.
    precast_function_free(one);
    precast_function_free(forever);
    precast_instance_free(instance);
    precast_runtime_free(runtime);
    ok(precast_interrupter_interrupt(interrupter, told()));
    ok(precast_interrupter_is_interrupted(interrupter, &is_interrupted, told()));
    check(!is_interrupted);
    precast_interrupter_free(interrupter);
    precast_interrupter_free(NULL);
    precast_interrupter_free(nonsense());
}
