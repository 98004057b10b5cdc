// A program that switches a lamp and reads a sensor: functions of the host, with checked types, that
// read and write the program's memory.
//
//   precast compile thermostat.wat -o thermostat.precast && ./host-functions thermostat.precast

#include <precast.h>
#include <stdio.h>

// The board, as far as there is one.
struct board {
    int32_t temperature;
    int lamp;
};

// `board.temperature () -> i32`
static precast_status temperature(void *user, precast_caller *caller, const precast_value *params,
                                  size_t param_count, precast_value *results, size_t result_count) {
    (void)caller, (void)params, (void)param_count, (void)result_count;
    struct board *board = user;
    results[0].of.i32 = board->temperature;
    board->temperature += 3;
    return PRECAST_OK;
}

// `board.lamp (i32) -> ()`: the program says whether the lamp is on. There are two states.
static precast_status lamp(void *user, precast_caller *caller, const precast_value *params,
                           size_t param_count, precast_value *results, size_t result_count) {
    (void)param_count, (void)results, (void)result_count;
    struct board *board = user;
    if (params[0].of.i32 != 0 && params[0].of.i32 != 1)
        return precast_caller_fail(caller, "a lamp is on or off");
    board->lamp = params[0].of.i32;
    printf("lamp %s\n", board->lamp ? "on" : "off");
    return PRECAST_OK;
}

// `board.say (i32, i32) -> ()`: the address and the length of a text. The library looks whether the
// range is in the program's memory.
static precast_status say(void *user, precast_caller *caller, const precast_value *params,
                          size_t param_count, precast_value *results, size_t result_count) {
    (void)user, (void)param_count, (void)results, (void)result_count;
    uint32_t address = (uint32_t)params[0].of.i32;
    uint32_t length = (uint32_t)params[1].of.i32;
    void *text = NULL;
    precast_status status = precast_caller_pointer(caller, address, length, &text, NULL);
    if (!status)
        printf("%.*s\n", (int)length, (const char *)text);
    return status;
}

static precast_status define(precast_imports *imports, struct board *board, precast_error *error) {
    const precast_value_kind numbers[2] = {PRECAST_I32, PRECAST_I32};
    precast_status status = precast_imports_define_host_function(
        imports, "board", "temperature", NULL, 0, numbers, 1, temperature, board, NULL, error);
    if (!status)
        status = precast_imports_define_host_function(imports, "board", "lamp", numbers, 1, NULL, 0, lamp,
                                                      board, NULL, error);
    if (!status)
        status = precast_imports_define_host_function(imports, "board", "say", numbers, 2, NULL, 0, say,
                                                      board, NULL, error);
    return status;
}

int main(int argc, char **argv) {
    const char *path = argc > 1 ? argv[1] : "thermostat.precast";
    char message[256] = "";
    precast_error error = {
        .size = sizeof error, .message = message, .message_capacity = sizeof message};
    struct board board = {.temperature = 15};

    precast_runtime *runtime = NULL;
    precast_module *module = NULL;
    precast_imports *imports = NULL;
    precast_instance *instance = NULL;
    precast_function *tick = NULL, *wrong = NULL;
    precast_status status = precast_runtime_new(NULL, &runtime, &error);
    if (!status)
        status = precast_module_load_file_unverified(runtime, path, &module, &error);
    if (!status)
        status = precast_imports_new_for_module(module, &imports, &error);
    if (!status)
        status = define(imports, &board, &error);
    if (!status)
        status = precast_instance_new(module, imports, NULL, NULL, &instance, &error);
    if (!status)
        status = precast_instance_function(instance, "tick", &tick, &error);
    if (!status)
        status = precast_instance_function(instance, "wrong", &wrong, &error);
    for (int i = 0; i < 3 && !status; i++)
        status = precast_function_call(tick, NULL, NULL, 0, NULL, 0, &error);
    if (!status) {
        // What a host function says goes to whoever made the call.
        precast_function_call(wrong, NULL, NULL, 0, NULL, 0, &error);
        printf("%s\n", message);
    } else {
        fprintf(stderr, "%s\n", message);
    }

    precast_function_free(wrong);
    precast_function_free(tick);
    precast_instance_free(instance);
    precast_imports_free(imports);
    precast_module_free(module);
    precast_runtime_free(runtime);
    return status ? 1 : 0;
}
