// A module that is linked into the program.

#include "check.h"
#include "linked.h"

void test_static(void) {
    precast_runtime *runtime = new_runtime();
    precast_module *module = NULL;
    ok(precast_module_from_static(runtime, &precast_module_linked, &module, told()));
    precast_instance *instance = NULL;
    ok(precast_instance_new(module, NULL, NULL, NULL, &instance, told()));
    precast_function *add = function_of(instance, "add");
    precast_value values[2] = {i32(-1), i32(3)};
    ok(precast_function_call(add, NULL, values, 2, values, 1, told()));
    check(values[0].of.i32 == 2);
    precast_function_free(add);
    precast_instance_free(instance);
    precast_module_free(module);

    module = NULL;
    is(PRECAST_MALFORMED, precast_module_from_static(runtime, nonsense(), &module, told()));
    null(precast_module_from_static(runtime, NULL, &module, told()));
    null(precast_module_from_static(NULL, &precast_module_linked, &module, told()));
    null(precast_module_from_static(runtime, &precast_module_linked, NULL, told()));
    check(module == NULL);
    precast_runtime_free(runtime);
}
