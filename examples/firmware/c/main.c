// Firmware in C around `libprecast.a`: modules that are linked in, in pools of fixed size, with functions of
// the board, a trap, and a program of WASI.

#include <precast.h>

#include "board.h"
#include "faults.h"
#include "faults_memory.h"
#include "greeting.h"
#include "greeting_memory.h"
#include "thermostat.h"
#include "thermostat_memory.h"

// The handles that C holds, and what a trap tells, are in the pool, too; the plan is without them.
#define HANDLES 1024
// What the build told `precast memory`.
#define STACK 5120

static uint64_t thermostat_pool[(PRECAST_THERMOSTAT_POOL_BYTES + HANDLES + 7) / 8];
static uint64_t faults_pool[(PRECAST_FAULTS_POOL_BYTES + HANDLES + 7) / 8];
// The functions of WASI are the host's, which the plan does not know.
static uint64_t greeting_pool[(PRECAST_GREETING_POOL_BYTES + 2 * HANDLES + 7) / 8];

static char message[256];

static void print(const char *text) {
    size_t length = 0;
    while (text[length])
        length++;
    board_write(text, length);
}

static void print_number(int32_t number) {
    char digits[11];
    size_t at = sizeof digits;
    uint32_t rest = number < 0 ? 0u - (uint32_t)number : (uint32_t)number;
    do
        digits[--at] = (char)('0' + rest % 10);
    while (rest /= 10);
    if (number < 0)
        digits[--at] = '-';
    board_write(digits + at, sizeof digits - at);
}

// Tenths of a degree.
static void print_degrees(int32_t tenths) {
    print_number(tenths / 10);
    print(".");
    print_number(tenths % 10);
}

static precast_error no_error(void) {
    return (precast_error){
        .size = sizeof(precast_error), .message = message, .message_capacity = sizeof message};
}

// The functions of the board. The room is played: it gets warmer while the heater's pin is set.

static int32_t room = 195;

static precast_status set_pin(void *user, precast_caller *caller, const precast_value *params,
                              size_t param_count, precast_value *results, size_t result_count) {
    (void)user, (void)param_count, (void)results, (void)result_count;
    uint32_t pin = (uint32_t)params[0].of.i32;
    if (pin > 1)
        return precast_caller_fail(caller, "no such pin");
    uint8_t others = (uint8_t)(board_pins() & ~(1u << pin));
    board_set_pins((uint8_t)(params[1].of.i32 ? others | 1u << pin : others));
    return PRECAST_OK;
}

static precast_status pin(void *user, precast_caller *caller, const precast_value *params,
                          size_t param_count, precast_value *results, size_t result_count) {
    (void)user, (void)param_count, (void)result_count;
    uint32_t number = (uint32_t)params[0].of.i32;
    if (number > 1)
        return precast_caller_fail(caller, "no such pin");
    results[0].of.i32 = board_pins() >> number & 1;
    return PRECAST_OK;
}

static precast_status temperature(void *user, precast_caller *caller, const precast_value *params,
                                  size_t param_count, precast_value *results,
                                  size_t result_count) {
    (void)user, (void)caller, (void)params, (void)param_count, (void)result_count;
    results[0].of.i32 = room;
    room += board_pins() & 1 ? 8 : -3;
    return PRECAST_OK;
}

static precast_status log_temperature(void *user, precast_caller *caller,
                                      const precast_value *params, size_t param_count,
                                      precast_value *results, size_t result_count) {
    (void)user, (void)caller, (void)param_count, (void)results, (void)result_count;
    print("thermostat: ");
    print_degrees(params[0].of.i32);
    print(params[1].of.i32 ? ", heater on\n" : ", heater off\n");
    return PRECAST_OK;
}

// What a pool was used for at most.
static void report(const char *name, const precast_runtime *runtime, size_t planned) {
    precast_pool_usage usage = {.size = sizeof usage};
    if (precast_runtime_pool_usage(runtime, &usage, NULL))
        return;
    print(name);
    print(": ");
    print_number((int32_t)planned);
    print(" bytes of pool were planned\n");
    print(name);
    print(": ");
    print_number((int32_t)usage.peak);
    print(" bytes of pool were used at most, with handles\n");
}

static precast_status run_thermostat(precast_error *error) {
    static const precast_value_kind numbers[] = {PRECAST_I32, PRECAST_I32};
    precast_runtime *runtime = NULL;
    precast_module *module = NULL;
    precast_imports *imports = NULL;
    precast_instance *instance = NULL;
    precast_env *env = NULL;
    precast_function *run = NULL;

    precast_status status = precast_runtime_new_pool(thermostat_pool, sizeof thermostat_pool, NULL,
                                                     &runtime, error);
    if (!status)
        status = precast_module_from_static(runtime, &precast_module_thermostat, &module, error);
    if (!status)
        status = precast_imports_new_for_module(module, &imports, error);
    if (!status)
        status = precast_imports_define_host_function(imports, "board", "set_pin", numbers, 2,
                                                      NULL, 0, set_pin, NULL, NULL, error);
    if (!status)
        status = precast_imports_define_host_function(imports, "board", "pin", numbers, 1, numbers,
                                                      1, pin, NULL, NULL, error);
    if (!status)
        status = precast_imports_define_host_function(imports, "board", "temperature", NULL, 0,
                                                      numbers, 1, temperature, NULL, NULL, error);
    if (!status)
        status = precast_imports_define_host_function(imports, "board", "log", numbers, 2, NULL, 0,
                                                      log_temperature, NULL, NULL, error);
    if (!status)
        status = precast_instance_new(module, imports, NULL, NULL, &instance, error);
    if (!status)
        status = precast_env_new_stack(runtime, STACK, &env, error);
    if (!status)
        status = precast_instance_function(instance, "run", &run, error);
    if (!status) {
        // Ten looks, heating below 20 degrees and not above 21.
        precast_value values[3] = {{.kind = PRECAST_I32, .of.i32 = 10},
                                   {.kind = PRECAST_I32, .of.i32 = 200},
                                   {.kind = PRECAST_I32, .of.i32 = 210}};
        status = precast_function_call(run, env, values, 3, values, 1, error);
        if (!status) {
            print("thermostat: at most ");
            print_degrees(values[0].of.i32);
            print("\n");
            report("thermostat", runtime, PRECAST_THERMOSTAT_POOL_BYTES);
        }
    }

    precast_function_free(run);
    precast_env_free(env);
    precast_instance_free(instance);
    precast_imports_free(imports);
    precast_module_free(module);
    precast_runtime_free(runtime);
    return status;
}

static precast_status run_faults(precast_error *error) {
    precast_runtime *runtime = NULL;
    precast_module *module = NULL;
    precast_instance *instance = NULL;
    precast_env *env = NULL;
    precast_function *mean = NULL;

    precast_status status =
        precast_runtime_new_pool(faults_pool, sizeof faults_pool, NULL, &runtime, error);
    if (!status)
        status = precast_module_from_static(runtime, &precast_module_faults, &module, error);
    if (!status)
        status = precast_instance_new(module, NULL, NULL, NULL, &instance, error);
    if (!status)
        status = precast_env_new_stack(runtime, STACK, &env, error);
    if (!status)
        status = precast_instance_function(instance, "mean", &mean, error);
    // The mean of no numbers traps; the instance is called again afterwards.
    for (int32_t count = 0; !status && count <= 4; count += 4) {
        precast_value value = {.kind = PRECAST_I32, .of.i32 = count};
        status = precast_function_call(mean, env, &value, 1, &value, 1, error);
        print("faults: the mean of ");
        print_number(count);
        print(" numbers: ");
        if (status == PRECAST_TRAP) {
            print(message);
            status = PRECAST_OK;
        } else if (!status) {
            print_number(value.of.i32);
        }
        print("\n");
    }
    if (!status)
        report("faults", runtime, PRECAST_FAULTS_POOL_BYTES);

    precast_function_free(mean);
    precast_env_free(env);
    precast_instance_free(instance);
    precast_module_free(module);
    precast_runtime_free(runtime);
    return status;
}

// What programs of WASI reach: the serial port and the timer.

static intptr_t write_out(void *user, uint32_t stream, const void *bytes, size_t length) {
    (void)user, (void)stream;
    board_write(bytes, length);
    return (intptr_t)length;
}

static bool monotonic_time(void *user, uint64_t *time) {
    (void)user;
    *time = board_nanoseconds();
    return true;
}

static precast_status run_greeting(precast_error *error) {
    static const char *const args[] = {"greeting"};
    precast_runtime *runtime = NULL;
    precast_module *module = NULL;
    precast_device_wasi *wasi = NULL;
    precast_imports *imports = NULL;
    precast_instance *instance = NULL;
    precast_env *env = NULL;
    precast_function *start = NULL;

    precast_status status =
        precast_runtime_new_pool(greeting_pool, sizeof greeting_pool, NULL, &runtime, error);
    if (!status)
        status = precast_module_from_static(runtime, &precast_module_greeting, &module, error);
    if (!status)
        status = precast_device_wasi_new(runtime, args, 1, NULL, 0, &wasi, error);
    if (!status)
        status = precast_imports_new_for_module(module, &imports, error);
    if (!status)
        status = precast_device_wasi_define(wasi, imports, module, error);
    if (!status)
        status = precast_instance_new(module, imports, NULL, NULL, &instance, error);
    if (!status)
        status = precast_env_new_stack(runtime, STACK, &env, error);
    if (!status)
        status = precast_instance_function(instance, "_start", &start, error);
    if (!status)
        status = precast_function_call(start, env, NULL, 0, NULL, 0, error);
    if (status == PRECAST_EXIT) {
        print("greeting: ended with ");
        print_number(error->exit_code);
        print("\n");
        status = PRECAST_OK;
    }

    precast_function_free(start);
    precast_env_free(env);
    precast_instance_free(instance);
    precast_imports_free(imports);
    precast_device_wasi_free(wasi);
    precast_module_free(module);
    precast_runtime_free(runtime);
    return status;
}

int main(void) {
    print("hello from C\n");
    precast_platform platform = {
        .size = sizeof platform, .monotonic_time = monotonic_time, .write = write_out};
    if (precast_platform_install(&platform, NULL))
        return 1;
    precast_error error = no_error();
    precast_status status = run_thermostat(&error);
    if (!status)
        status = run_faults(&error);
    if (!status)
        status = run_greeting(&error);
    if (status) {
        print(precast_status_message(status));
        print(": ");
        print(message);
        print("\n");
        return 1;
    }
    print("done\n");
    return 0;
}
