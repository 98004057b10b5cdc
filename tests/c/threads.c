// Threads: instances of their own on one shared memory, and handles that several threads use.

#include "check.h"
#include <pthread.h>

#define THREADS 4
#define TIMES 20000

static precast_module *module;
static precast_imports *imports;
static precast_memory *memory;

static void *count(void *wrong) {
    precast_error report = {.size = sizeof report};
    precast_instance *instance = NULL;
    precast_function *add = NULL;
    precast_value times = i32(TIMES);
    int *failures = wrong;
    // Imports are for one thread at a time where they change, and for all where they are used.
    *failures += precast_instance_new(module, imports, NULL, NULL, &instance, &report) != PRECAST_OK;
    *failures += precast_instance_function(instance, "add", &add, &report) != PRECAST_OK;
    for (int i = 0; i < 100; i++) {
        // Handles come and go meanwhile.
        precast_function *same = NULL;
        uint64_t pages = 0;
        *failures += precast_function_clone(add, &same, &report) != PRECAST_OK;
        *failures += precast_memory_size(memory, &pages, NULL, &report) != PRECAST_OK || pages != 1;
        precast_function_free(same);
    }
    *failures += precast_function_call(add, NULL, &times, 1, NULL, 0, &report) != PRECAST_OK;
    precast_function_free(add);
    precast_instance_free(instance);
    return NULL;
}

void test_threads(void) {
    precast_runtime *runtime = new_runtime();
    module = load(runtime, "adder");
    precast_memory_options options = {.size = sizeof options, .minimum = 1, .maximum = 1, .is_shared = 1};
    ok(precast_memory_new(runtime, &options, &memory, told()));
    ok(precast_imports_new_for_module(module, &imports, told()));
    ok(precast_imports_define_memory(imports, "host", "memory", memory, told()));
    precast_runtime_free(runtime);

    pthread_t threads[THREADS];
    int wrong[THREADS] = {0};
    for (int i = 0; i < THREADS; i++)
        check(pthread_create(&threads[i], NULL, count, &wrong[i]) == 0);
    for (int i = 0; i < THREADS; i++) {
        pthread_join(threads[i], NULL);
        check(wrong[i] == 0);
    }
    int32_t sum = 0;
    ok(precast_memory_read(memory, 64, &sum, sizeof sum, told()));
    check(sum == THREADS * TIMES);
    // A shared memory is nobody's alone, but pointers into it can be had.
    void *pointer = NULL;
    ok(precast_memory_pointer(memory, 64, 4, &pointer, told()));
    check(memcmp(pointer, &sum, 4) == 0);
    precast_imports_free(imports);
    precast_module_free(module);
    precast_memory_free(memory);
}
