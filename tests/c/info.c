// Versions, words for numbers, and the report of a failure itself.

#include "check.h"

static void reports(void) {
    precast_runtime *runtime = NULL;

    // Nobody asks.
    null(precast_runtime_new(NULL, NULL, NULL));

    // No room for the text, and none for its end.
    precast_error short_one = {.size = sizeof short_one};
    null(precast_runtime_new(NULL, NULL, &short_one));
    check(short_one.status == PRECAST_NULL_ARGUMENT && short_one.message_length > 8);

    // What does not fit is cut, and ends with a zero.
    char few[8];
    memset(few, 'x', sizeof few);
    short_one.message = few;
    short_one.message_capacity = sizeof few;
    null(precast_runtime_new(NULL, NULL, &short_one));
    check(strlen(few) == 7);
    short_one.message_capacity = 1;
    null(precast_runtime_new(NULL, NULL, &short_one));
    check(few[0] == 0);

    // A report of an older header: its end is not touched.
    precast_error older = {.size = offsetof(precast_error, trap_code), .trap_code = 77};
    null(precast_runtime_new(NULL, NULL, &older));
    check(older.status == PRECAST_NULL_ARGUMENT && older.trap_code == 77);

    // One that forgot its size is left alone.
    precast_error none = {.size = 0};
    null(precast_runtime_new(NULL, NULL, &none));
    check(none.status == 0);

    // Success leaves the report as it is.
    short_one.status = 5;
    ok(precast_runtime_new(NULL, &runtime, &short_one));
    check(short_one.status == 5);
    precast_runtime_free(runtime);
}

void test_info(void) {
    check(strchr(precast_version(), '.') != NULL);
    check(strcmp(precast_status_message(PRECAST_TRAP), "trap") == 0);
    check(strcmp(precast_status_message(-1), "unknown status") == 0);
    check(strcmp(precast_status_message(1000), "unknown status") == 0);
    check(text_is(precast_trap_message(PRECAST_TRAP_UNREACHABLE), "unreachable"));
    check(text_is(precast_trap_message(PRECAST_TRAP_INTEGER_DIVIDE_BY_ZERO), "integer divide by zero"));
    check(text_is(precast_trap_message(0), "unknown trap"));
    check(text_is(precast_trap_message(100000), "unknown trap"));
    check(text_is(precast_category_name(PRECAST_CATEGORY_LINEAR_MEMORY), "linear memory"));
    check(text_is(precast_category_name(PRECAST_CATEGORY_COUNT), NULL));
    reports();
}
