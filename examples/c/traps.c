// What can be known of a program that stopped: why, and which functions were active.
//
//   precast compile traps.wat -o traps.precast && ./traps traps.precast

#include <precast.h>
#include <stdio.h>

static void print(precast_text text) { printf("%.*s", (int)text.length, text.length ? text.data : ""); }

int main(int argc, char **argv) {
    const char *path = argc > 1 ? argv[1] : "traps.precast";
    char message[512] = "";
    precast_frame frames[8];
    precast_error error = {.size = sizeof error,
                           .message = message,
                           .message_capacity = sizeof message,
                           .frames = frames,
                           .frame_capacity = 8};
    precast_runtime *runtime = NULL;
    precast_module *module = NULL;
    precast_instance *instance = NULL;
    precast_function *average = NULL;
    precast_status status = precast_runtime_new(NULL, &runtime, &error);
    if (!status)
        status = precast_module_load_file_unverified(runtime, path, &module, &error);
    if (!status)
        status = precast_instance_new(module, NULL, NULL, NULL, &instance, &error);
    if (!status)
        status = precast_instance_function(instance, "average", &average, &error);
    if (status) {
        fprintf(stderr, "%s\n", message);
        return 1;
    }

    // The average of no numbers.
    precast_value values[2] = {{.kind = PRECAST_I32}, {.kind = PRECAST_I32}};
    status = precast_function_call(average, NULL, values, 2, values, 1, &error);
    if (status == PRECAST_TRAP) {
        print(precast_trap_message(error.trap_code));
        printf("\n");
        for (size_t i = 0; i < error.frame_count && i < error.frame_capacity; i++) {
            printf("  %zu: ", i);
            print(frames[i].module_name);
            printf("!");
            print(frames[i].function_name);
            printf(", function %u, ", (unsigned)frames[i].function_index);
            printf("%u bytes into its body\n", (unsigned)(frames[i].wasm_offset - frames[i].body_offset));
        }
    }

    // The instance stays usable.
    values[0].of.i32 = 12;
    values[1].of.i32 = 4;
    status = precast_function_call(average, NULL, values, 2, values, 1, &error);
    if (!status)
        printf("12 / 4 = %d\n", (int)values[0].of.i32);

    precast_function_free(average);
    precast_instance_free(instance);
    precast_module_free(module);
    precast_runtime_free(runtime);
    return status ? 1 : 0;
}
