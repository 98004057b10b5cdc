// Loads a module and calls a function of it.
//
//   precast compile hello.wat -o hello.precast && ./hello hello.precast

#include <precast.h>
#include <stdio.h>

int main(int argc, char **argv) {
    const char *path = argc > 1 ? argv[1] : "hello.precast";

    // What goes wrong is told in memory of ours. Zero is the start of everything else.
    char message[256];
    precast_error error = {
        .size = sizeof error, .message = message, .message_capacity = sizeof message};

    precast_runtime *runtime = NULL;
    precast_module *module = NULL;
    precast_instance *instance = NULL;
    precast_function *add = NULL;
    int32_t sum = 0;

    // The file is what we have compiled ourselves: nobody needs to sign it.
    precast_status status = precast_runtime_new(NULL, &runtime, &error);
    if (!status)
        status = precast_module_load_file_unverified(runtime, path, &module, &error);
    if (!status)
        status = precast_instance_new(module, NULL, NULL, NULL, &instance, &error);
    if (!status)
        status = precast_instance_function(instance, "add", &add, &error);
    if (!status) {
        precast_value numbers[2] = {{.kind = PRECAST_I32, .of.i32 = 40},
                                    {.kind = PRECAST_I32, .of.i32 = 2}};
        status = precast_function_call(add, NULL, numbers, 2, numbers, 1, &error);
        sum = numbers[0].of.i32;
    }

    if (status)
        fprintf(stderr, "%s: %s\n", precast_status_message(status), message);
    else
        printf("40 + 2 = %d\n", (int)sum);

    // Handles keep what they need: any order is right, and null is no handle.
    precast_runtime_free(runtime);
    precast_module_free(module);
    precast_instance_free(instance);
    precast_function_free(add);
    return status ? 1 : 0;
}
