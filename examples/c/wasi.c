// Runs a program of WASI with arguments, and with what it reads; ends with its exit code.
//
//   precast compile ../count.wat -o count.precast && ./wasi count.precast < text

#include <precast.h>
#include <stdio.h>

int main(int argc, char **argv) {
    char message[512] = "";
    precast_error error = {
        .size = sizeof error, .message = message, .message_capacity = sizeof message};
    precast_runtime *runtime = NULL;
    precast_module *module = NULL;
    precast_wasi_config *config = NULL;
    precast_wasi *wasi = NULL;
    precast_imports *imports = NULL;
    precast_instance *instance = NULL;
    int32_t exit_code = 1;
    if (argc < 2) {
        fprintf(stderr, "usage: wasi ARTIFACT ARGUMENT...\n");
        return 2;
    }

    precast_status status = precast_runtime_new(NULL, &runtime, &error);
    if (!status)
        status = precast_module_load_file_unverified(runtime, argv[1], &module, &error);

    // Nothing but what is said here.
    if (!status)
        status = precast_wasi_config_new(&config, &error);
    for (int i = 1; i < argc && !status; i++)
        status = precast_wasi_config_arg(config, argv[i], &error);
    if (!status)
        status = precast_wasi_config_inherit_stdio(config, &error);
    if (!status)
        status = precast_wasi_config_preopen_dir(config, ".", "/", true, &error);

    if (!status)
        status = precast_wasi_new(runtime, config, &wasi, &error);
    if (!status)
        status = precast_imports_new(runtime, &imports, &error);
    if (!status)
        status = precast_wasi_define(wasi, imports, module, &error);
    if (!status)
        status = precast_instance_new(module, imports, NULL, NULL, &instance, &error);
    if (!status)
        status = precast_wasi_run(instance, NULL, &exit_code, &error);
    if (status)
        fprintf(stderr, "%s\n", message);

    precast_instance_free(instance);
    precast_imports_free(imports);
    precast_wasi_free(wasi);
    precast_wasi_config_free(config);
    precast_module_free(module);
    precast_runtime_free(runtime);
    return status ? 1 : exit_code;
}
