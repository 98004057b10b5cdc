// Execution environments: whose stack calls use.

#include "check.h"

// Valgrind takes a region for the thread's stack while a call runs on it, and what is below the stack
// pointer for gone. It is told that the bytes are still there.
#if defined(__has_include)
#if __has_include(<valgrind/memcheck.h>)
#include <valgrind/memcheck.h>
#endif
#endif
#ifndef VALGRIND_MAKE_MEM_DEFINED
#define VALGRIND_MAKE_MEM_DEFINED(start, bytes) ((void)(start), (void)(bytes))
#endif

static _Alignas(16) unsigned char region[64 << 10];

static void call_in(precast_function *add, precast_env *env) {
    precast_value values[2] = {i32(4), i32(5)};
    ok(precast_function_call(add, env, values, 2, values, 1, told()));
    check(values[0].of.i32 == 9);
}

void test_env(void) {
    precast_runtime *runtime = new_runtime();
    precast_instance *instance = instance_of(runtime, "basic");
    precast_function *add = function_of(instance, "add");
    precast_function *recurse = function_of(instance, "recurse");
    precast_env *env = NULL;
    size_t bytes = 0;

    ok(precast_env_new_caller(runtime, 0, &env, told()));
    call_in(add, env);
    ok(precast_env_measure_stack(env, told()));
    is(PRECAST_UNSUPPORTED, precast_env_stack_high_water(env, &bytes, told()));
    precast_env_free(env);
    ok(precast_env_new_caller(runtime, 64 << 10, &env, told()));
    call_in(add, env);
    precast_env_free(env);

    ok(precast_env_new_stack(runtime, 0, &env, told()));
    call_in(add, env);
    is(PRECAST_TRAP, precast_function_call(recurse, env, NULL, 0, NULL, 0, told()));
    check(failure.trap_code == PRECAST_TRAP_STACK_OVERFLOW);
    call_in(add, env);
    precast_env_free(env);

    ok(precast_env_new_region(runtime, region, sizeof region, &env, told()));
    ok(precast_env_measure_stack(env, told()));
    call_in(add, env);
    (void)VALGRIND_MAKE_MEM_DEFINED(region, sizeof region);
    ok(precast_env_stack_high_water(env, &bytes, told()));
    check(bytes > 0 && bytes < 8192);
    size_t before = bytes;
    is(PRECAST_TRAP, precast_function_call(recurse, env, NULL, 0, NULL, 0, told()));
    (void)VALGRIND_MAKE_MEM_DEFINED(region, sizeof region);
    ok(precast_env_stack_high_water(env, &bytes, told()));
    check(bytes > before && bytes <= sizeof region);
    precast_env_free(env);
    // The region is ours again.
    memset(region, 0xff, sizeof region);

    env = NULL;
    is(PRECAST_STACK_ERROR, precast_env_new_region(runtime, region, 64, &env, told()));
    null(precast_env_new_region(runtime, NULL, sizeof region, &env, told()));
    null(precast_env_new_region(NULL, region, sizeof region, &env, told()));
    null(precast_env_new_region(runtime, region, sizeof region, NULL, told()));
    is(PRECAST_INVALID_ARGUMENT, precast_env_new_region(runtime, region, SIZE_MAX, &env, told()));
    is(PRECAST_OUT_OF_MEMORY, precast_env_new_stack(runtime, SIZE_MAX / 2, &env, told()));
    null(precast_env_new_stack(NULL, 0, &env, told()));
    null(precast_env_new_stack(runtime, 0, NULL, told()));
    null(precast_env_new_caller(NULL, 0, &env, told()));
    null(precast_env_new_caller(runtime, 0, NULL, told()));
    null(precast_env_measure_stack(NULL, told()));
    null(precast_env_stack_high_water(NULL, &bytes, told()));
    check(env == NULL);
    ok(precast_env_new_caller(runtime, 0, &env, told()));
    null(precast_env_stack_high_water(env, NULL, told()));
    precast_env_free(env);
    precast_env_free(NULL);
    precast_env_free(nonsense());

    precast_function_free(recurse);
    precast_function_free(add);
    precast_instance_free(instance);
    precast_runtime_free(runtime);
}
