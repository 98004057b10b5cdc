// How much memory an artifact will take: the pool of that size is enough, and nothing smaller is.

#include "check.h"

static _Alignas(16) unsigned char pool[256 << 10];

// Loads and instantiates in a pool of so many bytes, and holds as many handles as the plan is for.
static precast_status run_in(size_t bytes, const void *artifact, size_t length) {
    precast_runtime *runtime = NULL;
    precast_module *module = NULL;
    precast_imports *imports = NULL;
    precast_instance *instance = NULL;
    precast_env *env = NULL;
    precast_function *add = NULL, *divide = NULL;
    precast_status status = precast_runtime_new_pool(pool, bytes, NULL, &runtime, told());
    if (!status)
        status = precast_module_load_in_place_unverified(runtime, artifact, length, &module, told());
    if (!status)
        status = precast_imports_new_for_module(module, &imports, told());
    if (!status)
        status = precast_instance_new(module, imports, NULL, NULL, &instance, told());
    if (!status)
        status = precast_env_new_stack(runtime, 16 << 10, &env, told());
    if (!status)
        status = precast_instance_function(instance, "add", &add, told());
    if (!status)
        status = precast_instance_function(instance, "divide", &divide, told());
    precast_value values[2] = {i32(1), i32(1)};
    if (!status)
        status = precast_function_call(add, env, values, 2, values, 1, told());
    precast_function_free(add);
    precast_function_free(divide);
    precast_env_free(env);
    precast_instance_free(instance);
    precast_imports_free(imports);
    precast_module_free(module);
    precast_runtime_free(runtime);
    return status;
}

void test_plan(void) {
    size_t length;
    void *artifact = read_artifact("explicit", &length);
    precast_plan plan = {.size = sizeof plan};
    precast_plan_options options = {
        .size = sizeof options, .env_has_stack = 1, .stack_size = 16 << 10, .export_handles = 2};
    ok(precast_plan_memory(artifact, length, &options, &plan, told()));
    check(plan.categories[PRECAST_CATEGORY_LINEAR_MEMORY] == 65536);
    check(plan.pool > 65536 + (16 << 10) && plan.pool < sizeof pool);
    check(plan.runtime && plan.module && plan.instance > 65536 && plan.execution >= 16 << 10);
    ok(run_in(plan.pool, artifact, length));
    is(PRECAST_OUT_OF_MEMORY, run_in(plan.pool - 16, artifact, length));

    // What the guide says of a handle.
    precast_plan_options handles = {.size = sizeof handles, .export_handles = 0};
    ok(precast_plan_memory(artifact, length, &handles, &plan, told()));
    size_t without = plan.pool;
    handles.export_handles = 10;
    ok(precast_plan_memory(artifact, length, &handles, &plan, told()));
    check(plan.pool > without && plan.pool - without <= 10 * 16 * sizeof(void *));

    ok(precast_plan_memory(artifact, length, NULL, &plan, told()));
    size_t smaller = plan.pool;
    precast_instance_options instance = {.size = sizeof instance, .heap_size = 65536};
    options.env_has_stack = 0;
    options.export_handles = 0;
    options.instance = &instance;
    ok(precast_plan_memory(artifact, length, &options, &plan, told()));
    check(plan.pool > smaller + 65536);
    options.no_pool = 1;
    options.copied = 1;
    ok(precast_plan_memory(artifact, length, &options, &plan, told()));
    check(plan.pool == 0 && plan.categories[PRECAST_CATEGORY_ARTIFACT] > 0);

    is(PRECAST_MALFORMED, precast_plan_memory(artifact, 10, NULL, &plan, told()));
    null(precast_plan_memory(NULL, length, NULL, &plan, told()));
    null(precast_plan_memory(artifact, length, NULL, NULL, told()));
    options.size = 0;
    is(PRECAST_INVALID_ARGUMENT, precast_plan_memory(artifact, length, &options, &plan, told()));
    free(artifact);
    artifact = read_artifact("basic", &length);
    if (has_faults)
        is(PRECAST_INCOMPATIBLE, precast_plan_memory(artifact, length, NULL, &plan, told()));
    free(artifact);
}
