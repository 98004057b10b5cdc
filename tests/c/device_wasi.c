// Programs of WASI on a device: what they reach of the platform, and what they are told.

#include "check.h"

enum { ENOSYS = 52 };

// What the platform was asked for, and what it has.
static struct {
    char output[64];
    size_t length;
    uint32_t stream;
    int yields;
    bool is_broken;
} device;

static intptr_t write_output(void *user, uint32_t stream, const void *bytes, size_t length) {
    check(user == &device);
    device.stream = stream;
    if (device.is_broken || device.length + length > sizeof device.output)
        return -5;
    memcpy(device.output + device.length, bytes, length);
    device.length += length;
    return (intptr_t)length;
}

static bool monotonic(void *user, uint64_t *time) {
    check(user == &device);
    *time = 1234567890123;
    return !device.is_broken;
}

static bool wall_clock(void *user, uint64_t *time) {
    check(user == &device);
    *time = 1500000000000000000;
    return !device.is_broken;
}

static bool fill(void *user, void *bytes, size_t length) {
    check(user == &device);
    memset(bytes, 3, length);
    return !device.is_broken;
}

static void yield_now(void *user) {
    check(user == &device);
    device.yields++;
}

static precast_instance *instantiate(precast_runtime *runtime, const char *name,
                                     const precast_device_wasi *wasi) {
    precast_module *module = load(runtime, name);
    precast_imports *imports = NULL;
    precast_instance *instance = NULL;
    ok(precast_imports_new_for_module(module, &imports, told()));
    ok(precast_device_wasi_define(wasi, imports, module, told()));
    null(precast_device_wasi_define(NULL, imports, module, told()));
    null(precast_device_wasi_define(wasi, NULL, module, told()));
    null(precast_device_wasi_define(wasi, imports, NULL, told()));
    is(PRECAST_INVALID_HANDLE, precast_device_wasi_define(nonsense(), imports, module, told()));
    ok(precast_instance_new(module, imports, NULL, NULL, &instance, told()));
    precast_imports_free(imports);
    precast_module_free(module);
    return instance;
}

static precast_value call(precast_instance *instance, const char *name, precast_value value,
                          size_t count) {
    precast_function *function = function_of(instance, name);
    ok(precast_function_call(function, NULL, &value, count, &value, 1, told()));
    precast_function_free(function);
    return value;
}

// The program writes its arguments, its environment and its input, and ends with their number.
static void strings(precast_runtime *runtime, const precast_device_wasi *wasi) {
    precast_instance *instance = instantiate(runtime, "wasi", wasi);
    precast_function *start = function_of(instance, "_start");
    memset(&device, 0, sizeof device);
    is(PRECAST_EXIT, precast_function_call(start, NULL, NULL, 0, NULL, 0, told()));
    check(failure.exit_code == 2);
    check(device.stream == 1);
    check(device.length == 8 + 4 + 11);
    check(memcmp(device.output, "program\0one\0NAME=value", 23) == 0);
    precast_function_free(start);
    precast_instance_free(instance);
}

void test_device_wasi(void) {
    precast_platform platform = {.size = sizeof platform,
                                 .user = &device,
                                 .yield_now = yield_now,
                                 .monotonic_time = monotonic,
                                 .wall_clock_time = wall_clock,
                                 .random = fill,
                                 .write = write_output};
    ok(precast_platform_install(&platform, told()));
    precast_runtime *runtime = new_runtime();

    static const char *const args[] = {"program", "one"};
    static const char *const environment[] = {"NAME=value"};
    static const char *const missing[] = {"program", NULL};
    precast_device_wasi *wasi = NULL;
    null(precast_device_wasi_new(NULL, args, 2, environment, 1, &wasi, told()));
    null(precast_device_wasi_new(runtime, NULL, 2, environment, 1, &wasi, told()));
    null(precast_device_wasi_new(runtime, args, 2, NULL, 1, &wasi, told()));
    null(precast_device_wasi_new(runtime, args, 2, environment, 1, NULL, told()));
    null(precast_device_wasi_new(runtime, missing, 2, environment, 1, &wasi, told()));
    null(precast_device_wasi_new(runtime, args, 2, missing + 1, 1, &wasi, told()));
    is(PRECAST_INVALID_HANDLE, precast_device_wasi_new(nonsense(), args, 2, environment, 1, &wasi, told()));
    check(wasi == NULL);
    ok(precast_device_wasi_new(runtime, args, 2, environment, 1, &wasi, told()));
    strings(runtime, wasi);
    precast_device_wasi_free(wasi);

    // Nothing is said, and the handle goes before what it was for.
    ok(precast_device_wasi_new(runtime, NULL, 0, NULL, 0, &wasi, told()));
    precast_instance *instance = instantiate(runtime, "device_wasi", wasi);
    precast_device_wasi_free(wasi);
    precast_device_wasi_free(NULL);
    check(call(instance, "time", i32(0), 1).of.i64 == 1500000000000000000);
    check(call(instance, "time", i32(1), 1).of.i64 == 1234567890123);
    check(call(instance, "random", i32(0), 0).of.i32 == 300);
    check(call(instance, "yield", i32(0), 0).of.i32 == 0);
    check(device.yields == 1);
    check(call(instance, "open", i32(0), 0).of.i32 == ENOSYS);
    device.is_broken = true;
    check(call(instance, "time", i32(0), 1).of.i64 == -ENOSYS);
    check(call(instance, "time", i32(1), 1).of.i64 == -ENOSYS);
    check(call(instance, "random", i32(0), 0).of.i32 == -ENOSYS);
    precast_instance_free(instance);

    // Without functions there is nothing to reach.
    precast_platform none = {.size = sizeof none};
    ok(precast_platform_install(&none, told()));
    ok(precast_device_wasi_new(runtime, args, 2, NULL, 0, &wasi, told()));
    instance = instantiate(runtime, "device_wasi", wasi);
    check(call(instance, "time", i32(1), 1).of.i64 == -ENOSYS);
    check(call(instance, "random", i32(0), 0).of.i32 == -ENOSYS);
    precast_instance_free(instance);
    precast_device_wasi_free(wasi);
    precast_runtime_free(runtime);
}
