// Runtimes on the system's allocator and on functions of the host; the pool has a file of its own.

// For anonymous mappings.
#define _DEFAULT_SOURCE

#include "check.h"
#include <sys/mman.h>

static size_t blocks, bytes, refused_category = PRECAST_CATEGORY_COUNT;

static void *allocate(void *user, uint32_t category, size_t size, size_t alignment) {
    check(user == &blocks);
    if (category == refused_category)
        return NULL;
    void *block = aligned_block(size, alignment);
    blocks += block != NULL;
    bytes += size;
    return block;
}

static void release(void *user, uint32_t category, void *block, size_t size, size_t alignment) {
    (void)category, (void)alignment;
    check(user == &blocks);
    blocks--;
    bytes -= size;
    free(block);
}

static void *reallocate(void *user, uint32_t category, void *block, size_t old_size, size_t new_size,
                        size_t alignment) {
    void *moved = allocate(user, category, new_size, alignment);
    if (moved) {
        memcpy(moved, block, old_size < new_size ? old_size : new_size);
        release(user, category, block, old_size, alignment);
    }
    return moved;
}

static void *zeroed(void *user, uint32_t category, size_t size, size_t alignment) {
    void *block = allocate(user, category, size, alignment);
    if (block)
        memset(block, 0, size);
    return block;
}

// Code in blocks of the host's.

static int mapped, protected_blocks, flushed;

static void *map(void *user, size_t size, size_t alignment) {
    check(user == &mapped && alignment <= 4096);
    void *block = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    mapped += block != MAP_FAILED;
    return block == MAP_FAILED ? NULL : block;
}

static int32_t protect(void *user, void *block, size_t size) {
    check(user == &mapped);
    protected_blocks++;
    return mprotect(block, size, PROT_READ | PROT_EXEC) == 0 ? 0 : 1;
}

static void flush(void *user, void *block, size_t size) {
    (void)block, (void)size;
    check(user == &mapped);
    flushed++;
}

static void unmap(void *user, void *block, size_t size) {
    check(user == &mapped);
    mapped--;
    munmap(block, size);
}

static void code(void) {
    precast_code_memory memory = {.size = sizeof memory,
                                  .user = &mapped,
                                  .map = map,
                                  .protect = protect,
                                  .flush = flush,
                                  .unmap = unmap};
    precast_runtime_options options = {.size = sizeof options, .code_memory = &memory};
    precast_runtime *runtime = NULL;
    ok(precast_runtime_new(&options, &runtime, told()));
    precast_instance *instance = instance_of(runtime, "explicit");
    check(mapped == 1 && protected_blocks == 1 && flushed == 1);
    precast_function *add = function_of(instance, "add");
    precast_value values[2] = {i32(1), i32(2)};
    ok(precast_function_call(add, NULL, values, 2, values, 1, told()));
    check(values[0].of.i32 == 3);
    precast_function_free(add);
    precast_instance_free(instance);
    check(mapped == 0);
    precast_runtime_free(runtime);
    memory.flush = NULL;
    null(precast_runtime_new(&options, &runtime, told()));
    check(tells("`flush`"));
    memory.size = 0;
    is(PRECAST_INVALID_ARGUMENT, precast_runtime_new(&options, &runtime, told()));
}

static void functions(void) {
    precast_allocator allocator = {.size = sizeof allocator,
                                   .user = &blocks,
                                   .allocate = allocate,
                                   .reallocate = reallocate,
                                   .free = release,
                                   .allocate_zeroed = zeroed};
    precast_runtime *runtime = NULL;
    ok(precast_runtime_new_custom(&allocator, NULL, &runtime, told()));
    check(blocks > 0 && bytes > 0);
    precast_instance *instance = instance_of(runtime, "explicit");
    precast_function *add = function_of(instance, "add");
    precast_value values[2] = {i32(1), i32(2)};
    ok(precast_function_call(add, NULL, values, 2, values, 1, told()));
    check(values[0].of.i32 == 3);
    // The runtime's handle goes first.
    precast_runtime_free(runtime);
    precast_instance_free(instance);
    check(blocks > 0);
    precast_function_free(add);
    check(blocks == 0 && bytes == 0);

    // Refusals come out as what they are.
    for (uint32_t category = 0; category < PRECAST_CATEGORY_COUNT; category++) {
        refused_category = category;
        precast_module *module = NULL;
        instance = NULL;
        runtime = NULL;
        precast_status status = precast_runtime_new_custom(&allocator, NULL, &runtime, told());
        if (!status)
            status = precast_module_load_file_unverified(runtime, path_of("explicit"), &module, told());
        if (!status)
            status = precast_instance_new(module, NULL, NULL, NULL, &instance, told());
        check(status == PRECAST_OK || status == PRECAST_OUT_OF_MEMORY);
        check(status == PRECAST_OK || (runtime == NULL || module == NULL || instance == NULL));
        precast_instance_free(instance);
        precast_module_free(module);
        precast_runtime_free(runtime);
        check(blocks == 0 && bytes == 0);
    }
    refused_category = PRECAST_CATEGORY_COUNT;

    // Only linear memories.
    precast_runtime_options options = {.size = sizeof options, .linear_memory = &allocator};
    ok(precast_runtime_new(&options, &runtime, told()));
    instance = instance_of(runtime, "explicit");
    check(blocks == 1 && bytes == 65536);
    precast_instance_free(instance);
    precast_runtime_free(runtime);
    check(blocks == 0);

    null(precast_runtime_new_custom(NULL, NULL, &runtime, told()));
    null(precast_runtime_new_custom(&allocator, NULL, NULL, told()));
    allocator.free = NULL;
    null(precast_runtime_new_custom(&allocator, NULL, &runtime, told()));
    check(tells("`free`"));
    null(precast_runtime_new(&options, &runtime, told()));
    allocator.size = 0;
    is(PRECAST_INVALID_ARGUMENT, precast_runtime_new_custom(&allocator, NULL, &runtime, told()));
}

void test_runtime(void) {
    precast_runtime *runtime = NULL;
    ok(precast_runtime_new(NULL, &runtime, told()));
    precast_runtime_free(runtime);
    precast_runtime_free(NULL);
    // No handle: left alone.
    precast_runtime_free(nonsense());

    null(precast_runtime_new(NULL, NULL, told()));
    check(tells("`runtime`"));

    // Not at an address where a pointer can be.
    char raw[2 * sizeof(void *)];
    precast_runtime **crooked = (precast_runtime **)(void *)(raw + ((uintptr_t)raw % 2 == 0));
    is(PRECAST_INVALID_ARGUMENT, precast_runtime_new(NULL, crooked, told()));

    // Options of a newer header: fine, as long as what is not known is zero.
    struct {
        precast_runtime_options known;
        uint64_t later[2];
    } newer = {.known = {.size = sizeof newer}};
    ok(precast_runtime_new(&newer.known, &runtime, told()));
    precast_runtime_free(runtime);
    newer.later[1] = 1;
    is(PRECAST_UNKNOWN_OPTION, precast_runtime_new(&newer.known, &runtime, told()));
    // Of an older one.
    newer.known.size = sizeof(size_t);
    ok(precast_runtime_new(&newer.known, &runtime, told()));
    precast_runtime_free(runtime);
    newer.known.size = 1;
    is(PRECAST_INVALID_ARGUMENT, precast_runtime_new(&newer.known, &runtime, told()));

    // What the device may not be asked for.
    precast_runtime_options options = {.size = sizeof options, .no_guard_pages = 1, .no_signals = 1};
    precast_module *module = NULL;
    ok(precast_runtime_new(&options, &runtime, told()));
    if (has_faults)
        is(PRECAST_INCOMPATIBLE,
           precast_module_load_file_unverified(runtime, path_of("basic"), &module, told()));
    check(module == NULL);
    precast_runtime_free(runtime);

    functions();
    code();
}
