// Instances and what they export.

#include "check.h"

static int refused;

static void growth_failed(void *user, uint32_t memory, uint64_t pages, uint64_t limit) {
    check(user == &refused && memory == 0 && pages == 3 && limit == 2);
    refused++;
}

static void exports(precast_instance *instance) {
    precast_item item = {.size = sizeof item};
    precast_value_kind kinds[20];
    precast_signature signature = {.size = sizeof signature, .params = kinds, .param_capacity = 20};
    size_t seen[5] = {0};
    size_t index = 0;
    for (;; index++) {
        precast_status status = precast_instance_export(instance, index, &item, &signature, told());
        if (status == PRECAST_NOT_FOUND)
            break;
        ok(status);
        check(item.kind < 5);
        check(text_is(item.module, NULL));
        seen[item.kind]++;
        // Only the function of the right kind takes it.
        precast_function *function = NULL;
        precast_memory *memory = NULL;
        precast_global *global = NULL;
        precast_table *table = NULL;
        is(item.kind == PRECAST_EXTERN_FUNCTION ? PRECAST_OK : PRECAST_TYPE_MISMATCH,
           precast_instance_function_at(instance, index, &function, told()));
        is(item.kind == PRECAST_EXTERN_MEMORY ? PRECAST_OK : PRECAST_TYPE_MISMATCH,
           precast_instance_memory_at(instance, index, &memory, told()));
        is(item.kind == PRECAST_EXTERN_GLOBAL ? PRECAST_OK : PRECAST_TYPE_MISMATCH,
           precast_instance_global_at(instance, index, &global, told()));
        is(item.kind == PRECAST_EXTERN_TABLE ? PRECAST_OK : PRECAST_TYPE_MISMATCH,
           precast_instance_table_at(instance, index, &table, told()));
        if (item.kind == PRECAST_EXTERN_MEMORY)
            check(item.minimum == 1 && item.maximum == 4 && item.page_size_log2 == 16);
        if (item.kind == PRECAST_EXTERN_TABLE)
            check(item.minimum == 4 && item.value_kind == PRECAST_FUNCREF);
        precast_function_free(function);
        precast_memory_free(memory);
        precast_global_free(global);
        precast_table_free(table);
    }
    check(seen[PRECAST_EXTERN_FUNCTION] > 3 && seen[PRECAST_EXTERN_MEMORY] == 1);
    check(seen[PRECAST_EXTERN_GLOBAL] == 2 && seen[PRECAST_EXTERN_TABLE] == 1);
    null(precast_instance_export(NULL, 0, &item, NULL, told()));
    null(precast_instance_export(instance, 0, NULL, NULL, told()));

    precast_function *function = NULL;
    precast_memory *memory = NULL;
    precast_global *global = NULL;
    precast_table *table = NULL;
    is(PRECAST_NOT_FOUND, precast_instance_function_at(instance, index, &function, told()));
    is(PRECAST_NOT_FOUND, precast_instance_memory_at(instance, index, &memory, told()));
    is(PRECAST_NOT_FOUND, precast_instance_global_at(instance, index, &global, told()));
    is(PRECAST_NOT_FOUND, precast_instance_table_at(instance, index, &table, told()));
    null(precast_instance_function_at(NULL, 0, &function, told()));
    null(precast_instance_memory_at(NULL, 0, &memory, told()));
    null(precast_instance_global_at(NULL, 0, &global, told()));
    null(precast_instance_table_at(NULL, 0, &table, told()));
    null(precast_instance_function_at(instance, 0, NULL, told()));
    null(precast_instance_memory_at(instance, 0, NULL, told()));
    null(precast_instance_global_at(instance, 0, NULL, told()));
    null(precast_instance_table_at(instance, 0, NULL, told()));

    ok(precast_instance_memory(instance, "memory", &memory, told()));
    ok(precast_instance_global(instance, "counter", &global, told()));
    ok(precast_instance_table(instance, "table", &table, told()));
    precast_memory_free(memory);
    precast_global_free(global);
    precast_table_free(table);
    memory = NULL, global = NULL, table = NULL;
    is(PRECAST_NOT_FOUND, precast_instance_function(instance, "missing", &function, told()));
    is(PRECAST_NOT_FOUND, precast_instance_memory(instance, "missing", &memory, told()));
    is(PRECAST_NOT_FOUND, precast_instance_global(instance, "missing", &global, told()));
    is(PRECAST_NOT_FOUND, precast_instance_table(instance, "missing", &table, told()));
    is(PRECAST_TYPE_MISMATCH, precast_instance_function(instance, "memory", &function, told()));
    is(PRECAST_TYPE_MISMATCH, precast_instance_memory(instance, "add", &memory, told()));
    is(PRECAST_TYPE_MISMATCH, precast_instance_global(instance, "add", &global, told()));
    is(PRECAST_TYPE_MISMATCH, precast_instance_table(instance, "add", &table, told()));
    is(PRECAST_INVALID_ARGUMENT, precast_instance_function(instance, "\xff", &function, told()));
    null(precast_instance_function(instance, NULL, &function, told()));
    null(precast_instance_memory(instance, NULL, &memory, told()));
    null(precast_instance_global(instance, NULL, &global, told()));
    null(precast_instance_table(instance, NULL, &table, told()));
    null(precast_instance_function(instance, "add", NULL, told()));
    null(precast_instance_memory(instance, "memory", NULL, told()));
    null(precast_instance_global(instance, "counter", NULL, told()));
    null(precast_instance_table(instance, "table", NULL, told()));
    null(precast_instance_function(NULL, "add", &function, told()));
    null(precast_instance_memory(NULL, "memory", &memory, told()));
    null(precast_instance_global(NULL, "counter", &global, told()));
    null(precast_instance_table(NULL, "table", &table, told()));
    is(PRECAST_INVALID_HANDLE, precast_instance_function(nonsense(), "add", &function, told()));
    check(!function && !memory && !global && !table);
}

void test_instance(void) {
    precast_runtime *runtime = new_runtime();
    precast_module *module = load(runtime, "basic");
    precast_instance *instance = NULL;
    ok(precast_instance_new(module, NULL, NULL, NULL, &instance, told()));
    exports(instance);

    precast_module *same = NULL;
    ok(precast_instance_module(instance, &same, told()));
    precast_text name;
    ok(precast_module_name(same, &name, told()));
    check(text_is(name, "basic"));
    precast_module_free(same);
    null(precast_instance_module(NULL, &same, told()));
    null(precast_instance_module(instance, NULL, told()));
    precast_instance_free(instance);

    // The main memory.
    precast_memory *main_memory = NULL;
    uint64_t pages = 0;
    ok(precast_instance_new(module, NULL, NULL, NULL, &instance, told()));
    ok(precast_instance_main_memory(instance, &main_memory, told()));
    ok(precast_memory_size(main_memory, &pages, NULL, told()));
    check(pages == 1);
    precast_memory_free(main_memory);
    main_memory = NULL;
    null(precast_instance_main_memory(instance, NULL, told()));
    null(precast_instance_main_memory(NULL, &main_memory, told()));
    precast_instance_free(instance);
    instance = instance_of(runtime, "loop");
    is(PRECAST_NOT_FOUND, precast_instance_main_memory(instance, &main_memory, told()));
    check(main_memory == NULL);
    precast_instance_free(instance);

    // Options.
    precast_memory *memory = NULL;
    precast_growth_observer observer = {.size = sizeof observer, .user = &refused, .failed = growth_failed};
    precast_instance_options options = {
        .size = sizeof options, .limit_memory = 1, .max_memory_pages = 2, .growth_observer = &observer};
    refused = 0;
    ok(precast_instance_new(module, NULL, &options, NULL, &instance, told()));
    ok(precast_instance_memory(instance, "memory", &memory, told()));
    ok(precast_memory_grow(memory, 1, NULL, told()));
    check(refused == 0);
    is(PRECAST_CANNOT_GROW, precast_memory_grow(memory, 1, NULL, told()));
    check(refused == 1);
    observer.failed = NULL;
    is(PRECAST_CANNOT_GROW, precast_memory_grow(memory, 1, NULL, told()));
    precast_memory_free(memory);
    precast_instance_free(instance);
    options.size = 2;
    instance = NULL;
    is(PRECAST_INVALID_ARGUMENT, precast_instance_new(module, NULL, &options, NULL, &instance, told()));

    null(precast_instance_new(NULL, NULL, NULL, NULL, &instance, told()));
    null(precast_instance_new(module, NULL, NULL, NULL, NULL, told()));
    is(PRECAST_INVALID_HANDLE,
       precast_instance_new(module, (precast_imports *)runtime, NULL, NULL, &instance, told()));
    is(PRECAST_INVALID_HANDLE,
       precast_instance_new(module, NULL, NULL, (precast_env *)runtime, &instance, told()));
    is(PRECAST_INVALID_HANDLE,
       precast_instance_new((precast_module *)runtime, NULL, NULL, NULL, &instance, told()));
    precast_module_free(module);

    // A start function that traps, and one in an environment.
    module = load(runtime, "start");
    is(PRECAST_TRAP, precast_instance_new(module, NULL, NULL, NULL, &instance, told()));
    check(failure.trap_code == PRECAST_TRAP_UNREACHABLE && failure.frame_count == 1);
    check(text_is(frames[0].function_name, "begin") && text_is(frames[0].module_name, "start"));
    precast_env *env = NULL;
    ok(precast_env_new_stack(runtime, 0, &env, told()));
    is(PRECAST_TRAP, precast_instance_new(module, NULL, NULL, env, &instance, told()));
    precast_env_free(env);
    precast_module_free(module);

    // Imports that are missing.
    module = load(runtime, "host");
    is(PRECAST_LINK_ERROR, precast_instance_new(module, NULL, NULL, NULL, &instance, told()));
    check(tells("`host` `mix`"));
    check(instance == NULL);
    precast_module_free(module);
    precast_instance_free(NULL);
    precast_instance_free(nonsense());
    precast_runtime_free(runtime);
}
