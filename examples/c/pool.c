// As on a device: a module that is linked into the program, a pool for everything it needs, a stack of
// the program's, no file and nothing from the system's heap.
//
//   precast compile counter.wat --emit object --symbol counter --bounds-checks explicit
//     --traps explicit --stack-checks explicit -o counter.o --emit-header counter.h

#include "counter.h"
#include <precast.h>
#include <stdio.h>

// `precast memory counter.o --alloc pool` says what the module takes; handles come on top.
static _Alignas(16) unsigned char pool[72 << 10];
static _Alignas(16) unsigned char stack[8 << 10];

int main(void) {
    char message[128] = "";
    precast_error error = {
        .size = sizeof error, .message = message, .message_capacity = sizeof message};
    precast_runtime *runtime = NULL;
    precast_module *module = NULL;
    precast_instance *instance = NULL;
    precast_env *env = NULL;
    precast_function *next = NULL;
    precast_value value = {.kind = PRECAST_I32};

    precast_status status = precast_runtime_new_pool(pool, sizeof pool, NULL, &runtime, &error);
    if (!status)
        status = precast_module_from_static(runtime, &precast_module_counter, &module, &error);
    if (!status)
        status = precast_env_new_region(runtime, stack, sizeof stack, &env, &error);
    if (!status)
        status = precast_instance_new(module, NULL, NULL, env, &instance, &error);
    if (!status)
        status = precast_instance_function(instance, "next", &next, &error);
    for (int i = 0; i < 3 && !status; i++)
        status = precast_function_call(next, env, NULL, 0, &value, 1, &error);
    if (status)
        printf("%s\n", message);
    else
        printf("counted to %d\n", (int)value.of.i32);

    // Whatever is asked for beyond the pool is an error, and nothing else changes.
    precast_instance *second = NULL;
    if (!status && precast_instance_new(module, NULL, NULL, env, &second, &error) == PRECAST_OUT_OF_MEMORY)
        printf("%s\n", message);

    precast_pool_usage usage = {.size = sizeof usage};
    if (!status && precast_runtime_pool_usage(runtime, &usage, &error) == PRECAST_OK)
        printf("%s of the pool is free\n", usage.free < 8192 ? "little" : "much");
    precast_function_free(next);
    precast_instance_free(instance);
    precast_env_free(env);
    precast_module_free(module);
    precast_runtime_free(runtime);
    return status ? 1 : 0;
}
