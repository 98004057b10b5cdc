// What memory is taken, and where time goes.

#include "check.h"

void test_usage(void) {
    precast_runtime *runtime = new_runtime();
    precast_instance *instance = instance_of(runtime, "explicit");
    precast_usage usage = {.size = sizeof usage};
    ok(precast_runtime_usage(runtime, PRECAST_CATEGORY_LINEAR_MEMORY, &usage, told()));
    check(usage.current == 65536 && usage.peak >= 65536 && usage.blocks == 1);
    // An older header's part.
    precast_usage older = {.size = 2 * sizeof(size_t), .peak = 3};
    ok(precast_runtime_usage(runtime, PRECAST_CATEGORY_LINEAR_MEMORY, &older, told()));
    check(older.size == 2 * sizeof(size_t) && older.current == 65536 && older.peak == 3);
    // A newer header's: what we do not know is zero.
    struct {
        precast_usage known;
        size_t later;
    } newer = {.known = {.size = sizeof newer}, .later = 5};
    ok(precast_runtime_usage(runtime, PRECAST_CATEGORY_LINEAR_MEMORY, &newer.known, told()));
    check(newer.known.current == 65536 && newer.later == 0);
    is(PRECAST_INVALID_ARGUMENT, precast_runtime_usage(runtime, PRECAST_CATEGORY_COUNT, &usage, told()));
    null(precast_runtime_usage(runtime, 0, NULL, told()));
    null(precast_runtime_usage(NULL, 0, &usage, told()));
    usage.size = 3;
    is(PRECAST_INVALID_ARGUMENT, precast_runtime_usage(runtime, 0, &usage, told()));

    precast_pool_usage pool = {.size = sizeof pool};
    is(PRECAST_NOT_FOUND, precast_runtime_pool_usage(runtime, &pool, told()));
    null(precast_runtime_pool_usage(NULL, &pool, told()));

    precast_memory_figures memory = {.size = sizeof memory};
    ok(precast_instance_memory_figures(instance, 0, &memory, told()));
    check(memory.declared_min == 65536 && memory.declared_max == 4 * 65536 && memory.length == 65536);
    check(memory.committed >= 65536 && !memory.is_imported);
    is(PRECAST_NOT_FOUND, precast_instance_memory_figures(instance, 1, &memory, told()));
    null(precast_instance_memory_figures(instance, 0, NULL, told()));
    null(precast_instance_memory_figures(NULL, 0, &memory, told()));
    precast_table_figures table = {.size = sizeof table};
    ok(precast_instance_table_figures(instance, 0, &table, told()));
    check(table.elements == 4 && table.bytes == 4 * sizeof(void *) && table.max_elements == 10);
    is(PRECAST_NOT_FOUND, precast_instance_table_figures(instance, 9, &table, told()));
    null(precast_instance_table_figures(instance, 0, NULL, told()));
    null(precast_instance_table_figures(NULL, 0, &table, told()));

    precast_aux_stack_usage stack = {.size = sizeof stack};
    is(PRECAST_NOT_FOUND, precast_instance_aux_stack(instance, &stack, told()));
    is(PRECAST_UNSUPPORTED, precast_instance_measure_aux_stack(instance, told()));
    size_t count = 1;
    is(PRECAST_UNSUPPORTED, precast_instance_call_profile(instance, NULL, 0, &count, told()));
    precast_instance_free(instance);

    // A program that a compiler of C could have made.
    instance = instance_of(runtime, "stack");
    ok(precast_instance_measure_aux_stack(instance, told()));
    precast_function *use = function_of(instance, "use");
    ok(precast_function_call(use, NULL, NULL, 0, NULL, 0, told()));
    ok(precast_instance_aux_stack(instance, &stack, told()));
    check(stack.base == 4096 && stack.current == 0 && stack.high_water == 32);
    null(precast_instance_aux_stack(instance, NULL, told()));
    null(precast_instance_aux_stack(NULL, &stack, told()));
    null(precast_instance_measure_aux_stack(NULL, told()));
    precast_function_free(use);
    precast_instance_free(instance);

    // One that counts its calls.
    instance = instance_of(runtime, "profile");
    precast_function *divide = function_of(instance, "divide");
    precast_value values[2] = {i32(8), i32(2)};
    for (int i = 0; i < 3; i++)
        ok(precast_function_call(divide, NULL, values, 2, values, 1, told()));
    ok(precast_instance_call_profile(instance, NULL, 0, &count, told()));
    check(count == 2);
    precast_function_calls calls[2];
    is(PRECAST_BUFFER_TOO_SMALL, precast_instance_call_profile(instance, calls, 1, &count, told()));
    ok(precast_instance_call_profile(instance, calls, 2, &count, told()));
    check(calls[0].calls == 3 && calls[1].calls == 3 && calls[0].active == 0);
    check(calls[0].function_index < calls[1].function_index);
    null(precast_instance_call_profile(instance, calls, 2, NULL, told()));
    null(precast_instance_call_profile(instance, NULL, 2, &count, told()));
    null(precast_instance_call_profile(NULL, calls, 2, &count, told()));
    precast_function_free(divide);
    precast_instance_free(instance);
    precast_runtime_free(runtime);
}
