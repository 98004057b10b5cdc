// Programs of WASI: what they are given, and how they end.

#include "check.h"

static char output[256];
static size_t output_length;

static intptr_t write_output(void *user, const void *bytes, size_t length) {
    check(user == output);
    if (output_length + length > sizeof output)
        return -1;
    memcpy(output + output_length, bytes, length);
    output_length += length;
    return (intptr_t)length;
}

static int32_t run(precast_runtime *runtime, const precast_wasi_config *config, precast_env *env) {
    precast_module *module = load(runtime, "wasi");
    precast_imports *imports = NULL;
    precast_wasi *wasi = NULL;
    precast_instance *instance = NULL;
    ok(precast_imports_new(runtime, &imports, told()));
    ok(precast_wasi_new(runtime, config, &wasi, told()));
    ok(precast_wasi_define(wasi, imports, module, told()));
    null(precast_wasi_define(NULL, imports, module, told()));
    null(precast_wasi_define(wasi, NULL, module, told()));
    null(precast_wasi_define(wasi, imports, NULL, told()));
    precast_wasi_free(wasi);
    ok(precast_instance_new(module, imports, NULL, NULL, &instance, told()));
    int32_t exit_code = -1;
    memset(output, 0, sizeof output);
    output_length = 0;
    ok(precast_wasi_run(instance, env, &exit_code, told()));
    null(precast_wasi_run(NULL, env, &exit_code, told()));
    null(precast_wasi_run(instance, env, NULL, told()));
    precast_instance_free(instance);
    precast_imports_free(imports);
    precast_module_free(module);
    return exit_code;
}

void test_wasi(void) {
    precast_runtime *runtime = new_runtime();
    precast_wasi_config *config = NULL;
    ok(precast_wasi_config_new(&config, told()));
    null(precast_wasi_config_new(NULL, told()));

    // The program writes its arguments, its environment and its input, and ends with their number.
    ok(precast_wasi_config_arg(config, "program", told()));
    ok(precast_wasi_config_arg(config, "one", told()));
    ok(precast_wasi_config_env(config, "NAME", "value", told()));
    ok(precast_wasi_config_stdin_bytes(config, "input", 5, told()));
    ok(precast_wasi_config_stream_function(config, PRECAST_WASI_STDOUT, write_output, output, told()));
    check(run(runtime, config, NULL) == 2);
    check(output_length == 8 + 4 + 11 + 5);
    check(memcmp(output, "program\0one\0NAME=value\0input", 28) == 0);
    // The configuration serves again.
    precast_env *env = NULL;
    ok(precast_env_new_stack(runtime, 0, &env, told()));
    check(run(runtime, config, env) == 2);
    check(output_length == 28);
    precast_env_free(env);

    // Files and directories.
    char path[4200];
    snprintf(path, sizeof path, "%s/wasi-output", folder);
    ok(precast_wasi_config_stream_file(config, PRECAST_WASI_STDOUT, path, told()));
    ok(precast_wasi_config_preopen_dir(config, folder, "/data", true, told()));
    check(run(runtime, config, NULL) == 2);
    FILE *file = fopen(path, "rb");
    char written[64] = "";
    check(file && fread(written, 1, sizeof written, file) == 28);
    if (file)
        fclose(file);
    check(memcmp(written, "program", 8) == 0);
    ok(precast_wasi_config_stream_file(config, PRECAST_WASI_STDIN, path, told()));
    ok(precast_wasi_config_stream_function(config, PRECAST_WASI_STDERR, write_output, output, told()));
    ok(precast_wasi_config_stream_function(config, PRECAST_WASI_STDOUT, write_output, output, told()));
    check(run(runtime, config, NULL) == 2);
    check(output_length == 23 + 28);

    precast_wasi *wasi = NULL;
    ok(precast_wasi_config_stream_file(config, PRECAST_WASI_STDIN, "/nowhere/at/all", told()));
    is(PRECAST_SYSTEM_ERROR, precast_wasi_new(runtime, config, &wasi, told()));
    check(failure.os_error == 2);
    ok(precast_wasi_config_stdin_bytes(config, NULL, 0, told()));
    ok(precast_wasi_config_preopen_dir(config, "/nowhere/at/all", "/", false, told()));
    is(PRECAST_SYSTEM_ERROR, precast_wasi_new(runtime, config, &wasi, told()));
    precast_wasi_config_free(config);

    ok(precast_wasi_config_new(&config, told()));
    ok(precast_wasi_config_inherit_env(config, told()));
    ok(precast_wasi_config_inherit_stdio(config, told()));
    ok(precast_wasi_new(runtime, config, &wasi, told()));
    precast_wasi_free(wasi);
    wasi = NULL;
    ok(precast_wasi_config_env(config, "A=B", "value", told()));
    is(PRECAST_INVALID_ARGUMENT, precast_wasi_new(runtime, config, &wasi, told()));
    null(precast_wasi_new(NULL, config, &wasi, told()));
    null(precast_wasi_new(runtime, NULL, &wasi, told()));
    null(precast_wasi_new(runtime, config, NULL, told()));
    is(PRECAST_INVALID_HANDLE, precast_wasi_new(runtime, (precast_wasi_config *)runtime, &wasi, told()));
    check(wasi == NULL);

    null(precast_wasi_config_arg(NULL, "x", told()));
    null(precast_wasi_config_arg(config, NULL, told()));
    null(precast_wasi_config_env(NULL, "x", "y", told()));
    null(precast_wasi_config_env(config, NULL, "y", told()));
    null(precast_wasi_config_env(config, "x", NULL, told()));
    null(precast_wasi_config_inherit_env(NULL, told()));
    null(precast_wasi_config_inherit_stdio(NULL, told()));
    null(precast_wasi_config_preopen_dir(NULL, "/", "/", true, told()));
    null(precast_wasi_config_preopen_dir(config, NULL, "/", true, told()));
    null(precast_wasi_config_preopen_dir(config, "/", NULL, true, told()));
    is(PRECAST_INVALID_ARGUMENT, precast_wasi_config_preopen_dir(config, "/", "\xff", true, told()));
    null(precast_wasi_config_stdin_bytes(NULL, "x", 1, told()));
    null(precast_wasi_config_stdin_bytes(config, NULL, 1, told()));
    null(precast_wasi_config_stream_file(NULL, PRECAST_WASI_STDOUT, path, told()));
    null(precast_wasi_config_stream_file(config, PRECAST_WASI_STDOUT, NULL, told()));
    is(PRECAST_INVALID_ARGUMENT,
       precast_wasi_config_stream_file(config, (precast_wasi_stream)3, path, told()));
    null(precast_wasi_config_stream_function(NULL, PRECAST_WASI_STDOUT, write_output, NULL, told()));
    null(precast_wasi_config_stream_function(config, PRECAST_WASI_STDOUT, NULL, NULL, told()));
    is(PRECAST_INVALID_ARGUMENT,
       precast_wasi_config_stream_function(config, PRECAST_WASI_STDIN, write_output, NULL, told()));
    is(PRECAST_INVALID_ARGUMENT,
       precast_wasi_config_stream_function(config, (precast_wasi_stream)9, write_output, NULL, told()));
    precast_wasi_config_free(config);
    precast_wasi_config_free(NULL);
    precast_wasi_config_free(nonsense());
    precast_wasi_free(NULL);
    precast_wasi_free(nonsense());

    // What is no program.
    precast_instance *instance = instance_of(runtime, "basic");
    int32_t exit_code;
    is(PRECAST_NOT_FOUND, precast_wasi_run(instance, NULL, &exit_code, told()));
    precast_instance_free(instance);
    precast_runtime_free(runtime);
}
