// Loading from everywhere, trust, and what can be known of a module.

#include "check.h"

static void sources(void) {
    precast_runtime *runtime = new_runtime();
    precast_module *module = NULL;
    size_t length;
    unsigned char *bytes = read_artifact("basic", &length);

    // Copied: the bytes are ours again.
    ok(precast_module_load_unverified(runtime, bytes, length, &module, told()));
    memset(bytes, 0xff, length);
    precast_artifact_usage usage = {.size = sizeof usage};
    ok(precast_module_artifact_usage(module, &usage, told()));
    check(usage.owned > 0 && usage.borrowed == 0 && usage.owned + usage.released == length);
    null(precast_module_artifact_usage(NULL, &usage, told()));
    null(precast_module_artifact_usage(module, NULL, told()));
    precast_instance *instance = NULL;
    ok(precast_instance_new(module, NULL, NULL, NULL, &instance, told()));
    precast_instance_free(instance);
    precast_module_free(module);

    // Damaged, cut short, nothing.
    module = NULL;
    is(PRECAST_MALFORMED, precast_module_load_unverified(runtime, bytes, length, &module, told()));
    free(bytes);
    bytes = read_artifact("basic", &length);
    is(PRECAST_MALFORMED, precast_module_load_unverified(runtime, bytes, length - 1, &module, told()));
    is(PRECAST_MALFORMED, precast_module_load_unverified(runtime, bytes, 0, &module, told()));
    null(precast_module_load_unverified(runtime, NULL, length, &module, told()));
    null(precast_module_load_unverified(NULL, bytes, length, &module, told()));
    null(precast_module_load_unverified(runtime, bytes, length, NULL, told()));
    is(PRECAST_INVALID_ARGUMENT,
       precast_module_load_unverified(runtime, bytes, SIZE_MAX, &module, told()));
    is(PRECAST_INVALID_HANDLE,
       precast_module_load_unverified(nonsense(), bytes, length, &module, told()));
    check(module == NULL);

    // In place: the bytes stay ours, and are lent.
    ok(precast_module_load_in_place_unverified(runtime, bytes, length, &module, told()));
    ok(precast_module_artifact_usage(module, &usage, told()));
    check(usage.borrowed > 0 && usage.owned == 0);
    precast_module_free(module);
    module = NULL;
    null(precast_module_load_in_place_unverified(runtime, NULL, length, &module, told()));
    is(PRECAST_INVALID_ARGUMENT,
       precast_module_load_in_place_unverified(runtime, bytes, SIZE_MAX, &module, told()));

    // A file.
    ok(precast_module_load_file_unverified(runtime, path_of("basic"), &module, told()));
    ok(precast_module_artifact_usage(module, &usage, told()));
    check(usage.mapped > 0);
    precast_module_free(module);
    module = NULL;
    is(PRECAST_SYSTEM_ERROR,
       precast_module_load_file_unverified(runtime, path_of("missing"), &module, told()));
    check(failure.os_error == 2);
    null(precast_module_load_file_unverified(runtime, NULL, &module, told()));
    null(precast_module_load_file_unverified(runtime, path_of("basic"), NULL, told()));
    check(module == NULL);

    free(bytes);
    precast_runtime_free(runtime);
}

static void trust(void) {
    precast_runtime *runtime = new_runtime();
    precast_module *module = NULL;
    size_t length, key_length, plain_length;
    unsigned char *bytes = read_artifact("signed", &length);
    unsigned char *plain = read_artifact("basic", &plain_length);
    precast_key keys[2];
    memset(keys, 0, sizeof keys);
    unsigned char *key = read_artifact("key", &key_length);
    check(key_length == 32);
    memcpy(keys[1].bytes, key, 32);

    ok(precast_module_load(runtime, bytes, length, keys, 2, &module, told()));
    precast_module_free(module);
    ok(precast_module_load_in_place(runtime, bytes, length, keys, 2, &module, told()));
    precast_module_free(module);
    ok(precast_module_load_file(runtime, path_of("signed"), keys, 2, &module, told()));
    precast_module_free(module);
    // Signed, and nobody asks.
    ok(precast_module_load_unverified(runtime, bytes, length, &module, told()));
    precast_module_free(module);

    module = NULL;
    is(PRECAST_UNTRUSTED, precast_module_load(runtime, bytes, length, keys, 1, &module, told()));
    is(PRECAST_UNTRUSTED, precast_module_load(runtime, bytes, length, NULL, 0, &module, told()));
    is(PRECAST_UNTRUSTED, precast_module_load(runtime, plain, plain_length, keys, 2, &module, told()));
    is(PRECAST_UNTRUSTED, precast_module_load_in_place(runtime, plain, plain_length, keys, 2, &module, told()));
    is(PRECAST_UNTRUSTED, precast_module_load_file(runtime, path_of("basic"), keys, 2, &module, told()));
    bytes[length / 2] ^= 1;
    precast_status status = precast_module_load(runtime, bytes, length, keys, 2, &module, told());
    check(status == PRECAST_UNTRUSTED);
    null(precast_module_load(runtime, bytes, length, NULL, 2, &module, told()));
    null(precast_module_load(runtime, NULL, length, keys, 2, &module, told()));
    null(precast_module_load(runtime, bytes, length, keys, 2, NULL, told()));
    is(PRECAST_INVALID_ARGUMENT, precast_module_load(runtime, bytes, length, keys, SIZE_MAX, &module, told()));
    null(precast_module_load_in_place(runtime, NULL, length, keys, 2, &module, told()));
    null(precast_module_load_in_place(runtime, bytes, length, NULL, 2, &module, told()));
    null(precast_module_load_file(runtime, NULL, keys, 2, &module, told()));
    null(precast_module_load_file(runtime, path_of("signed"), NULL, 2, &module, told()));
    check(module == NULL);

    free(key);
    free(plain);
    free(bytes);
    precast_runtime_free(runtime);
}

static void names(void) {
    precast_runtime *runtime = new_runtime();
    precast_module *module = load(runtime, "basic");
    precast_text name;
    ok(precast_module_name(module, &name, told()));
    check(text_is(name, "basic"));
    null(precast_module_name(NULL, &name, told()));
    null(precast_module_name(module, NULL, told()));
    ok(precast_module_function_name(module, 0, &name, told()));
    check(text_is(name, "add"));
    ok(precast_module_function_name(module, 100000, &name, told()));
    check(text_is(name, NULL));
    null(precast_module_function_name(module, 0, NULL, told()));
    null(precast_module_function_name(NULL, 0, &name, told()));

    const void *contents = NULL;
    size_t length = 0;
    ok(precast_module_custom_section(module, "note", 0, &contents, &length, told()));
    check(length == 5 && memcmp(contents, "first", 5) == 0);
    ok(precast_module_custom_section(module, "note", 1, &contents, &length, told()));
    check(length == 6 && memcmp(contents, "second", 6) == 0);
    is(PRECAST_NOT_FOUND, precast_module_custom_section(module, "note", 2, &contents, &length, told()));
    is(PRECAST_NOT_FOUND, precast_module_custom_section(module, "missing", 0, &contents, &length, told()));
    null(precast_module_custom_section(module, NULL, 0, &contents, &length, told()));
    null(precast_module_custom_section(module, "note", 0, NULL, &length, told()));
    null(precast_module_custom_section(module, "note", 0, &contents, NULL, told()));
    null(precast_module_custom_section(NULL, "note", 0, &contents, &length, told()));

    size_t count = 7;
    ok(precast_module_import_count(module, &count, told()));
    check(count == 0);
    null(precast_module_import_count(module, NULL, told()));
    null(precast_module_import_count(NULL, &count, told()));
    ok(precast_module_export_count(module, &count, told()));
    check(count >= 6);
    null(precast_module_export_count(module, NULL, told()));
    null(precast_module_export_count(NULL, &count, told()));
    precast_extern_kind kind;
    ok(precast_module_export(module, 0, &name, &kind, told()));
    check(text_is(name, "add") && kind == PRECAST_EXTERN_FUNCTION);
    is(PRECAST_NOT_FOUND, precast_module_export(module, count, &name, &kind, told()));
    null(precast_module_export(module, 0, NULL, &kind, told()));
    null(precast_module_export(module, 0, &name, NULL, told()));
    null(precast_module_export(NULL, 0, &name, &kind, told()));

    precast_stack_depth depth = {.size = sizeof depth};
    ok(precast_module_stack_depth(module, "add", &depth, told()));
    check(depth.bytes > 0 && depth.region > depth.bytes && depth.unbounded_function == UINT32_MAX);
    ok(precast_module_stack_depth(module, "recurse", &depth, told()));
    check(depth.bytes == 0 && depth.unbounded_function != UINT32_MAX);
    is(PRECAST_NOT_FOUND, precast_module_stack_depth(module, "missing", &depth, told()));
    is(PRECAST_NOT_FOUND, precast_module_stack_depth(module, "memory", &depth, told()));
    null(precast_module_stack_depth(module, NULL, &depth, told()));
    null(precast_module_stack_depth(module, "add", NULL, told()));
    null(precast_module_stack_depth(NULL, "add", &depth, told()));
    precast_module_free(module);

    // Imports, with their types.
    module = load(runtime, "host");
    ok(precast_module_import_count(module, &count, told()));
    check(count == 8);
    precast_item item = {.size = sizeof item};
    precast_value_kind params[4], results[4];
    precast_signature signature = {.size = sizeof signature,
                                   .params = params,
                                   .param_capacity = 4,
                                   .results = results,
                                   .result_capacity = 4};
    ok(precast_module_import(module, 0, &item, &signature, told()));
    check(text_is(item.module, "host") && text_is(item.name, "mix") && item.kind == PRECAST_EXTERN_FUNCTION);
    check(signature.param_count == 4 && signature.result_count == 1);
    check(params[0] == PRECAST_I32 && params[1] == PRECAST_I64 && params[2] == PRECAST_F32 &&
          params[3] == PRECAST_F64 && results[0] == PRECAST_F64);
    signature.param_capacity = 3;
    is(PRECAST_BUFFER_TOO_SMALL, precast_module_import(module, 0, &item, &signature, told()));
    check(signature.param_count == 4);
    signature.params = NULL;
    null(precast_module_import(module, 0, &item, &signature, told()));
    ok(precast_module_import(module, 0, &item, NULL, told()));
    is(PRECAST_NOT_FOUND, precast_module_import(module, count, &item, NULL, told()));
    null(precast_module_import(module, 0, NULL, NULL, told()));
    null(precast_module_import(NULL, 0, &item, NULL, told()));
    item.size = 0;
    is(PRECAST_INVALID_ARGUMENT, precast_module_import(module, 0, &item, NULL, told()));
    precast_module_free(module);
    precast_module_free(NULL);
    precast_module_free(nonsense());
    precast_runtime_free(runtime);
}

void test_module(void) {
    sources();
    trust();
    names();
}
