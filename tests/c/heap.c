// Memory inside of a program's: in the heap that the runtime keeps, and by the program's allocator.

#include "check.h"

static void heap(precast_instance *instance, precast_env *env, bool is_own) {
    uint64_t address = 0, other = 0;
    precast_memory *memory = NULL;
    ok(precast_instance_memory(instance, "memory", &memory, told()));
    ok(precast_instance_allocate(instance, env, 64, &address, told()));
    check(address != 0);
    ok(precast_memory_write(memory, address, "0123456789abcdef", 16, told()));
    ok(precast_instance_duplicate(instance, env, "text", 5, &other, told()));
    check(other >= address + 64 || other + 5 <= address);
    char back[16] = "";
    ok(precast_memory_read(memory, other, back, 5, told()));
    check(strcmp(back, "text") == 0);
    ok(precast_instance_release(instance, env, other, told()));

    ok(precast_instance_reallocate(instance, env, address, 64, 500, &other, told()));
    ok(precast_memory_read(memory, other, back, 16, told()));
    check(memcmp(back, "0123456789abcdef", 16) == 0);
    ok(precast_instance_reallocate(instance, env, other, 500, 4, &address, told()));
    ok(precast_memory_read(memory, address, back, 4, told()));
    check(memcmp(back, "0123", 4) == 0);
    ok(precast_instance_release(instance, env, address, told()));
    if (!is_own)
        is(PRECAST_INVALID_ARGUMENT, precast_instance_release(instance, env, address, told()));

    is(PRECAST_OUT_OF_MEMORY, precast_instance_allocate(instance, env, 1 << 24, &address, told()));
    is(PRECAST_OUT_OF_MEMORY, precast_instance_allocate(instance, env, UINT64_MAX, &address, told()));
    is(PRECAST_INVALID_ARGUMENT, precast_instance_release(instance, env, 0, told()));
    is(PRECAST_INVALID_ARGUMENT, precast_instance_release(instance, env, UINT64_MAX, told()));
    is(PRECAST_INVALID_ARGUMENT, precast_instance_reallocate(instance, env, 0, 1, 2, &address, told()));
    is(PRECAST_INVALID_ARGUMENT, precast_instance_reallocate(instance, env, 16, UINT64_MAX, 2, &address, told()));
    null(precast_instance_allocate(instance, env, 1, NULL, told()));
    null(precast_instance_allocate(NULL, env, 1, &address, told()));
    null(precast_instance_release(NULL, env, 16, told()));
    null(precast_instance_reallocate(instance, env, 16, 1, 2, NULL, told()));
    null(precast_instance_reallocate(NULL, env, 16, 1, 2, &address, told()));
    null(precast_instance_duplicate(instance, env, NULL, 5, &address, told()));
    null(precast_instance_duplicate(instance, env, "text", 5, NULL, told()));
    null(precast_instance_duplicate(NULL, env, "text", 5, &address, told()));
    is(PRECAST_INVALID_HANDLE,
       precast_instance_allocate(instance, (precast_env *)instance, 1, &address, told()));
    precast_memory_free(memory);
}

void test_heap(void) {
    precast_runtime *runtime = new_runtime();
    precast_env *env = NULL;
    ok(precast_env_new_stack(runtime, 0, &env, told()));

    precast_module *module = load(runtime, "basic");
    precast_instance_options options = {.size = sizeof options, .heap_size = 65536};
    precast_instance *instance = NULL;
    ok(precast_instance_new(module, NULL, &options, NULL, &instance, told()));
    heap(instance, NULL, false);
    heap(instance, env, false);
    precast_heap_usage usage = {.size = sizeof usage};
    ok(precast_instance_heap_usage(instance, &usage, told()));
    check(usage.address == 65536 && usage.bytes == 65536 && usage.blocks == 0 && usage.peak > 0);
    null(precast_instance_heap_usage(NULL, &usage, told()));
    null(precast_instance_heap_usage(instance, NULL, told()));
    precast_instance_free(instance);

    // None was asked for, and the program has none.
    uint64_t address;
    ok(precast_instance_new(module, NULL, NULL, NULL, &instance, told()));
    is(PRECAST_NO_HEAP, precast_instance_allocate(instance, NULL, 1, &address, told()));
    is(PRECAST_NO_HEAP, precast_instance_release(instance, NULL, 16, told()));
    is(PRECAST_NO_HEAP, precast_instance_duplicate(instance, NULL, "text", 5, &address, told()));
    is(PRECAST_NO_HEAP, precast_instance_heap_usage(instance, &usage, told()));
    precast_instance_free(instance);
    precast_module_free(module);

    instance = instance_of(runtime, "malloc");
    heap(instance, NULL, true);
    heap(instance, env, true);
    precast_instance_free(instance);
    precast_env_free(env);
    precast_runtime_free(runtime);
}
