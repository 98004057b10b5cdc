// A runtime in a region of the host's: all of it is taken from there and given back.

#include "check.h"

static _Alignas(16) unsigned char pool[256 << 10];

void test_pool(void) {
    precast_runtime *runtime = NULL;
    for (int round = 0; round < 2; round++) {
        // The second time in the same region.
        ok(precast_runtime_new_pool(pool, sizeof pool, NULL, &runtime, told()));
        precast_pool_usage usage = {.size = sizeof usage};
        ok(precast_runtime_pool_usage(runtime, &usage, told()));
        size_t free_before = usage.free;
        check(usage.capacity <= sizeof pool && usage.free < usage.capacity);

        precast_instance *instance = instance_of(runtime, "explicit");
        precast_function *add = function_of(instance, "add");
        precast_env *env = NULL;
        ok(precast_env_new_stack(runtime, 32 << 10, &env, told()));
        precast_value values[2] = {i32(20), i32(22)};
        ok(precast_function_call(add, env, values, 2, values, 1, told()));
        check(values[0].of.i32 == 42);
        ok(precast_runtime_pool_usage(runtime, &usage, told()));
        check(usage.peak > 65536 && usage.free + 65536 < free_before);

        // One byte less is a clean error, and the runtime stays usable.
        precast_env *large = NULL;
        is(PRECAST_OUT_OF_MEMORY, precast_env_new_stack(runtime, usage.largest_free + 1, &large, told()));
        check(large == NULL);
        ok(precast_function_call(add, env, values, 2, values, 1, told()));

        precast_env_free(env);
        precast_function_free(add);
        precast_instance_free(instance);
        ok(precast_runtime_pool_usage(runtime, &usage, told()));
        check(usage.free == free_before);
        precast_runtime_free(runtime);
    }

    // Guard pages are not a pool's.
    ok(precast_runtime_new_pool(pool, sizeof pool, NULL, &runtime, told()));
    precast_module *module = NULL;
    if (has_faults)
        is(PRECAST_INCOMPATIBLE,
           precast_module_load_file_unverified(runtime, path_of("basic"), &module, told()));
    precast_runtime_free(runtime);
    precast_runtime_options options = {.size = sizeof options, .platform_mappings = 1};
    ok(precast_runtime_new_pool(pool, sizeof pool, &options, &runtime, told()));
    precast_instance *instance = instance_of(runtime, "basic");
    precast_instance_free(instance);
    precast_runtime_free(runtime);

    // The smallest pool, found by asking.
    runtime = NULL;
    for (size_t bytes = 0; bytes < 4096 && !runtime; bytes += 16) {
        precast_status status = precast_runtime_new_pool(pool, bytes, NULL, &runtime, told());
        check(status == PRECAST_OK || status == PRECAST_OUT_OF_MEMORY);
    }
    check(runtime != NULL);
    is(PRECAST_OUT_OF_MEMORY,
       precast_module_load_file_unverified(runtime, path_of("explicit"), &module, told()));
    precast_runtime_free(runtime);

    null(precast_runtime_new_pool(NULL, 4096, NULL, &runtime, told()));
    null(precast_runtime_new_pool(pool, sizeof pool, NULL, NULL, told()));
    is(PRECAST_INVALID_ARGUMENT, precast_runtime_new_pool(pool, SIZE_MAX, NULL, &runtime, told()));
}
