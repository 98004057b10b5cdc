// Imports: functions of the host with their types, and what instances and the host have.

#include "check.h"

static int finalized;

static void finalize(void *user) { *(int *)user += 1; }

static precast_status nothing(void *user, precast_caller *caller, const precast_value *params,
                              size_t param_count, precast_value *results, size_t result_count) {
    (void)user, (void)caller, (void)params, (void)param_count, (void)results, (void)result_count;
    return PRECAST_OK;
}

// Defines all that the module `sharing` imports, from an instance of `basic`.
static void share(precast_runtime *runtime) {
    precast_instance *library = instance_of(runtime, "basic");
    precast_imports *imports = NULL;
    ok(precast_imports_new(runtime, &imports, told()));
    precast_function *add = function_of(library, "add");
    precast_memory *memory = NULL;
    precast_global *counter = NULL;
    precast_table *table = NULL;
    ok(precast_instance_memory(library, "memory", &memory, told()));
    ok(precast_instance_global(library, "counter", &counter, told()));
    ok(precast_instance_table(library, "table", &table, told()));
    ok(precast_imports_define_function(imports, "library", "add", add, told()));
    ok(precast_imports_define_memory(imports, "library", "memory", memory, told()));
    ok(precast_imports_define_global(imports, "library", "counter", counter, told()));
    ok(precast_imports_define_table(imports, "library", "table", table, told()));

    precast_module *module = load(runtime, "sharing");
    precast_instance *instance = NULL;
    ok(precast_instance_new(module, imports, NULL, NULL, &instance, told()));
    precast_value result;
    precast_function *run = function_of(instance, "run");
    ok(precast_function_call(run, NULL, NULL, 0, &result, 1, told()));
    check(result.of.i32 == 1 + 2 + 5);
    precast_function_free(run);
    precast_instance_free(instance);

    // Everything at once.
    precast_imports *all = NULL;
    ok(precast_imports_new_for_module(module, &all, told()));
    ok(precast_imports_define_instance(all, "library", library, told()));
    ok(precast_instance_new(module, all, NULL, NULL, &instance, told()));
    precast_instance_free(instance);
    instance = NULL;

    // Something else under the name.
    ok(precast_imports_define_global(imports, "library", "add", counter, told()));
    is(PRECAST_LINK_ERROR, precast_instance_new(module, imports, NULL, NULL, &instance, told()));
    check(tells("`library` `add`"));

    null(precast_imports_define_function(imports, "a", "b", NULL, told()));
    null(precast_imports_define_memory(imports, "a", "b", NULL, told()));
    null(precast_imports_define_global(imports, "a", "b", NULL, told()));
    null(precast_imports_define_table(imports, "a", "b", NULL, told()));
    null(precast_imports_define_instance(imports, "a", NULL, told()));
    null(precast_imports_define_function(NULL, "a", "b", add, told()));
    null(precast_imports_define_memory(NULL, "a", "b", memory, told()));
    null(precast_imports_define_global(NULL, "a", "b", counter, told()));
    null(precast_imports_define_table(NULL, "a", "b", table, told()));
    null(precast_imports_define_instance(NULL, "a", library, told()));
    null(precast_imports_define_function(imports, NULL, "b", add, told()));
    null(precast_imports_define_memory(imports, "a", NULL, memory, told()));
    null(precast_imports_define_global(imports, NULL, "b", counter, told()));
    null(precast_imports_define_table(imports, "a", NULL, table, told()));
    null(precast_imports_define_instance(imports, NULL, library, told()));
    is(PRECAST_INVALID_HANDLE,
       precast_imports_define_function(imports, "a", "b", (precast_function *)memory, told()));
    is(PRECAST_INVALID_HANDLE,
       precast_imports_define_memory(imports, "a", "b", (precast_memory *)add, told()));
    is(PRECAST_INVALID_HANDLE,
       precast_imports_define_global(imports, "a", "b", (precast_global *)add, told()));
    is(PRECAST_INVALID_HANDLE,
       precast_imports_define_table(imports, "a", "b", (precast_table *)add, told()));
    is(PRECAST_INVALID_HANDLE,
       precast_imports_define_instance(imports, "a", (precast_instance *)add, told()));

    // Another runtime's.
    precast_runtime *other = new_runtime();
    precast_module *others = load(other, "sharing");
    is(PRECAST_OTHER_RUNTIME, precast_instance_new(others, all, NULL, NULL, &instance, told()));
    precast_module_free(others);
    precast_runtime_free(other);
    check(instance == NULL);

    precast_function_free(add);
    precast_memory_free(memory);
    precast_global_free(counter);
    precast_table_free(table);
    precast_imports_free(imports);
    precast_imports_free(all);
    precast_instance_free(library);
    precast_module_free(module);
}

void test_imports(void) {
    precast_runtime *runtime = new_runtime();
    precast_imports *imports = NULL;
    ok(precast_imports_new(runtime, &imports, told()));
    precast_value_kind kinds[2] = {PRECAST_I32, PRECAST_F64};
    finalized = 0;
    ok(precast_imports_define_host_function(imports, "m", "f", kinds, 2, kinds, 1, nothing, &finalized,
                                            finalize, told()));
    check(finalized == 0);
    // Defining again lets go of what was there.
    ok(precast_imports_define_host_function(imports, "m", "f", NULL, 0, NULL, 0, nothing, &finalized,
                                            finalize, told()));
    check(finalized == 1);
    // So does failing.
    null(precast_imports_define_host_function(imports, "m", "g", NULL, 0, NULL, 0, NULL, &finalized,
                                              finalize, told()));
    check(finalized == 2);
    kinds[1] = (precast_value_kind)4;
    is(PRECAST_INVALID_ARGUMENT,
       precast_imports_define_host_function(imports, "m", "g", kinds, 2, NULL, 0, nothing, NULL, NULL, told()));
    is(PRECAST_INVALID_ARGUMENT,
       precast_imports_define_host_function(imports, "m", "g", NULL, 0, kinds, 2, nothing, NULL, NULL, told()));
    null(precast_imports_define_host_function(imports, "m", "g", NULL, 1, NULL, 0, nothing, NULL, NULL, told()));
    null(precast_imports_define_host_function(imports, NULL, "g", NULL, 0, NULL, 0, nothing, NULL, NULL, told()));
    null(precast_imports_define_host_function(imports, "m", NULL, NULL, 0, NULL, 0, nothing, NULL, NULL, told()));
    null(precast_imports_define_host_function(NULL, "m", "g", NULL, 0, NULL, 0, nothing, NULL, NULL, told()));
    is(PRECAST_INVALID_ARGUMENT, precast_imports_define_host_function(imports, "\xc3", "g", NULL, 0, NULL, 0,
                                                                      nothing, NULL, NULL, told()));
    precast_imports_free(imports);
    check(finalized == 3);

    precast_module *module = load(runtime, "basic");
    imports = NULL;
    null(precast_imports_new(NULL, &imports, told()));
    null(precast_imports_new(runtime, NULL, told()));
    null(precast_imports_new_for_module(NULL, &imports, told()));
    null(precast_imports_new_for_module(module, NULL, told()));
    is(PRECAST_INVALID_HANDLE,
       precast_imports_new_for_module((precast_module *)runtime, &imports, told()));
    check(imports == NULL);
    precast_imports_free(NULL);
    precast_imports_free(nonsense());
    precast_module_free(module);
    share(runtime);
    precast_runtime_free(runtime);
}
