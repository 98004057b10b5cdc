// Linear memories: of instances, and made by the host.

#include "check.h"

static void access(precast_memory *memory) {
    char text[16] = "0123456789";
    ok(precast_memory_write(memory, 100, text, 11, told()));
    char back[16] = "";
    ok(precast_memory_read(memory, 100, back, 11, told()));
    check(strcmp(back, text) == 0);
    ok(precast_memory_read(memory, 65536, back, 0, told()));
    ok(precast_memory_write(memory, 65536, NULL, 0, told()));
    is(PRECAST_OUT_OF_BOUNDS, precast_memory_write(memory, 65530, text, 11, told()));
    is(PRECAST_OUT_OF_BOUNDS, precast_memory_read(memory, 65530, back, 11, told()));
    is(PRECAST_OUT_OF_BOUNDS, precast_memory_read(memory, UINT64_MAX, back, 11, told()));
    null(precast_memory_read(memory, 0, NULL, 1, told()));
    null(precast_memory_write(memory, 0, NULL, 1, told()));
    null(precast_memory_read(NULL, 0, back, 1, told()));
    null(precast_memory_write(NULL, 0, back, 1, told()));
    is(PRECAST_INVALID_ARGUMENT, precast_memory_read(memory, 0, back, SIZE_MAX, told()));
    is(PRECAST_INVALID_ARGUMENT, precast_memory_write(memory, 0, back, SIZE_MAX, told()));

    ok(precast_memory_check(memory, 0, 65536, told()));
    ok(precast_memory_check(memory, 65536, 0, told()));
    is(PRECAST_OUT_OF_BOUNDS, precast_memory_check(memory, 1, 65536, told()));
    is(PRECAST_OUT_OF_BOUNDS, precast_memory_check(memory, UINT64_MAX, 2, told()));
    null(precast_memory_check(NULL, 0, 1, told()));

    void *pointer = NULL;
    ok(precast_memory_pointer(memory, 100, 11, &pointer, told()));
    check(memcmp(pointer, text, 11) == 0);
    uint64_t address = 0;
    ok(precast_memory_address(memory, (char *)pointer + 3, &address, told()));
    check(address == 103);
    is(PRECAST_NOT_FOUND, precast_memory_address(memory, text, &address, told()));
    is(PRECAST_NOT_FOUND, precast_memory_address(memory, NULL, &address, told()));
    null(precast_memory_address(memory, pointer, NULL, told()));
    null(precast_memory_address(NULL, pointer, &address, told()));
    pointer = NULL;
    is(PRECAST_OUT_OF_BOUNDS, precast_memory_pointer(memory, 65535, 2, &pointer, told()));
    null(precast_memory_pointer(memory, 0, 1, NULL, told()));
    null(precast_memory_pointer(NULL, 0, 1, &pointer, told()));
    check(pointer == NULL);

    uint64_t length = 0;
    ok(precast_memory_text_length(memory, 100, &length, told()));
    check(length == 10);
    memset(text, 'x', sizeof text);
    ok(precast_memory_write(memory, 65536 - 16, text, 16, told()));
    is(PRECAST_OUT_OF_BOUNDS, precast_memory_text_length(memory, 65530, &length, told()));
    is(PRECAST_OUT_OF_BOUNDS, precast_memory_text_length(memory, 70000, &length, told()));
    null(precast_memory_text_length(memory, 100, NULL, told()));
    null(precast_memory_text_length(NULL, 100, &length, told()));
}

static void sizes(precast_memory *memory) {
    uint64_t pages = 0, previous = 0;
    size_t bytes = 0;
    ok(precast_memory_size(memory, &pages, &bytes, told()));
    check(pages == 1 && bytes == 65536);
    ok(precast_memory_size(memory, NULL, NULL, told()));
    null(precast_memory_size(NULL, &pages, &bytes, told()));
    ok(precast_memory_grow(memory, 2, &previous, told()));
    check(previous == 1);
    is(PRECAST_CANNOT_GROW, precast_memory_grow(memory, 100, &previous, told()));
    is(PRECAST_CANNOT_GROW, precast_memory_grow(memory, UINT64_MAX, NULL, told()));
    ok(precast_memory_size(memory, &pages, NULL, told()));
    check(pages == 3);
    null(precast_memory_grow(NULL, 1, &previous, told()));
    // The result's place is seen before anything happens.
    is(PRECAST_INVALID_ARGUMENT, precast_memory_grow(memory, 1, (uint64_t *)((char *)&pages + 1), told()));
    ok(precast_memory_size(memory, &pages, NULL, told()));
    check(pages == 3);
}

void test_memory(void) {
    precast_runtime *runtime = new_runtime();
    precast_instance *instance = instance_of(runtime, "basic");
    precast_memory *memory = NULL;
    ok(precast_instance_memory(instance, "memory", &memory, told()));
    // The memory keeps its instance.
    precast_instance_free(instance);
    access(memory);
    sizes(memory);
    precast_memory_free(memory);

    precast_memory_options options = {.size = sizeof options, .minimum = 1, .maximum = 3};
    ok(precast_memory_new(runtime, &options, &memory, told()));
    access(memory);
    sizes(memory);
    precast_memory_free(memory);
    options.is_shared = 1;
    ok(precast_memory_new(runtime, &options, &memory, told()));
    access(memory);
    sizes(memory);
    precast_memory_free(memory);
    memory = NULL;

    options.maximum = UINT64_MAX;
    is(PRECAST_INVALID_ARGUMENT, precast_memory_new(runtime, &options, &memory, told()));
    options.is_shared = 0;
    options.maximum = 0;
    is(PRECAST_INVALID_ARGUMENT, precast_memory_new(runtime, &options, &memory, told()));
    options.minimum = 1 << 20;
    options.maximum = 1 << 20;
    is(PRECAST_INVALID_ARGUMENT, precast_memory_new(runtime, &options, &memory, told()));
    null(precast_memory_new(runtime, NULL, &memory, told()));
    null(precast_memory_new(NULL, &options, &memory, told()));
    null(precast_memory_new(runtime, &options, NULL, told()));
    check(memory == NULL);
    precast_memory_free(NULL);
    precast_memory_free(nonsense());
    precast_runtime_free(runtime);
}
