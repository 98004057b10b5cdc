// Tables: of instances, and made by the host.

#include "check.h"

void test_table(void) {
    precast_runtime *runtime = new_runtime();
    precast_instance *instance = instance_of(runtime, "basic");
    precast_table *table = NULL;
    ok(precast_instance_table(instance, "table", &table, told()));
    uint64_t size = 0, previous = 0;
    ok(precast_table_size(table, &size, told()));
    check(size == 4);
    null(precast_table_size(table, NULL, told()));
    null(precast_table_size(NULL, &size, told()));

    precast_value value;
    ok(precast_table_get(table, 0, &value, told()));
    check(value.kind == PRECAST_FUNCREF && value.of.function != NULL);
    precast_value numbers[2] = {i32(5), i32(6)};
    ok(precast_function_call(value.of.function, NULL, numbers, 2, numbers, 1, told()));
    check(numbers[0].of.i32 == 11);
    ok(precast_table_set(table, 3, &value, told()));
    ok(precast_table_grow(table, 2, &value, &previous, told()));
    check(previous == 4);
    precast_function_free(value.of.function);
    ok(precast_table_get(table, 5, &value, told()));
    check(value.of.function != NULL);
    precast_function_free(value.of.function);
    ok(precast_table_get(table, 1, &value, told()));
    check(value.kind == PRECAST_FUNCREF && value.of.function == NULL);
    is(PRECAST_CANNOT_GROW, precast_table_grow(table, 1000, &value, NULL, told()));
    is(PRECAST_OUT_OF_BOUNDS, precast_table_get(table, 6, &value, told()));
    is(PRECAST_OUT_OF_BOUNDS, precast_table_get(table, UINT64_MAX, &value, told()));
    is(PRECAST_OUT_OF_BOUNDS, precast_table_set(table, 6, &value, told()));
    value = i32(1);
    is(PRECAST_TYPE_MISMATCH, precast_table_set(table, 0, &value, told()));
    is(PRECAST_TYPE_MISMATCH, precast_table_grow(table, 1, &value, NULL, told()));
    null(precast_table_get(table, 0, NULL, told()));
    null(precast_table_get(NULL, 0, &value, told()));
    null(precast_table_set(table, 0, NULL, told()));
    null(precast_table_set(NULL, 0, &value, told()));
    null(precast_table_grow(table, 1, NULL, NULL, told()));
    null(precast_table_grow(NULL, 1, &value, NULL, told()));
    precast_table_free(table);

    precast_table_options options = {.size = sizeof options, .minimum = 2, .maximum = 3};
    precast_value number = {.kind = PRECAST_EXTERNREF, .of = {.external = 8}};
    ok(precast_table_new(runtime, &options, &number, &table, told()));
    ok(precast_table_get(table, 1, &value, told()));
    check(value.kind == PRECAST_EXTERNREF && value.of.external == 8);
    number.of.external = 0;
    ok(precast_table_grow(table, 1, &number, &previous, told()));
    ok(precast_table_get(table, 2, &value, told()));
    check(value.of.external == 0);
    precast_table_free(table);
    table = NULL;
    options.maximum = 1;
    is(PRECAST_INVALID_ARGUMENT, precast_table_new(runtime, &options, &number, &table, told()));
    options.maximum = 3;
    value = i32(0);
    is(PRECAST_TYPE_MISMATCH, precast_table_new(runtime, &options, &value, &table, told()));
    null(precast_table_new(runtime, NULL, &number, &table, told()));
    null(precast_table_new(runtime, &options, NULL, &table, told()));
    null(precast_table_new(NULL, &options, &number, &table, told()));
    null(precast_table_new(runtime, &options, &number, NULL, told()));
    check(table == NULL);
    precast_table_free(NULL);
    precast_table_free(nonsense());
    precast_instance_free(instance);
    precast_runtime_free(runtime);
}
