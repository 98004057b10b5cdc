// Every request for memory may be refused: what was under way ends with a status, nothing is left
// behind, and nothing is half done.

#include "check.h"

static size_t requests, refused, blocks;
static bool refuse_all;

static void *allocate(void *user, uint32_t category, size_t size, size_t alignment) {
    (void)user, (void)category;
    size_t request = requests++;
    if (request == refused || (refuse_all && request > refused))
        return NULL;
    void *block = aligned_block(size, alignment);
    blocks += block != NULL;
    return block;
}

static void release(void *user, uint32_t category, void *block, size_t size, size_t alignment) {
    (void)user, (void)category, (void)size, (void)alignment;
    blocks--;
    free(block);
}

static void *reallocate(void *user, uint32_t category, void *block, size_t old_size, size_t new_size,
                        size_t alignment) {
    void *moved = allocate(user, category, new_size, alignment);
    if (moved) {
        memcpy(moved, block, old_size < new_size ? old_size : new_size);
        release(user, category, block, old_size, alignment);
    }
    return moved;
}

static int finalized;

static void finalize(void *user) { *(int *)user += 1; }

static precast_status raise_signal(void *user, precast_caller *caller, const precast_value *params,
                                   size_t param_count, precast_value *results, size_t result_count) {
    (void)user, (void)params, (void)param_count, (void)results, (void)result_count;
    precast_instance *instance = NULL;
    precast_memory *memory = NULL;
    precast_status status = precast_caller_instance(caller, &instance, NULL);
    if (!status)
        status = precast_caller_memory(caller, &memory, NULL);
    precast_memory_free(memory);
    precast_instance_free(instance);
    return status ? precast_caller_fail(caller, "there is no memory") : PRECAST_OK;
}

// A function of many values, and one that gives a reference to a function.
static precast_status use_values(precast_instance *instance) {
    precast_function *many = NULL, *give = NULL;
    precast_value values[20], reference = {.kind = PRECAST_I32};
    for (int i = 0; i < 20; i++)
        values[i] = i32(i);
    precast_status status = precast_instance_function(instance, "many", &many, told());
    if (!status)
        status = precast_function_call(many, NULL, values, 20, values, 1, told());
    if (!status)
        status = precast_instance_function(instance, "give", &give, told());
    if (!status)
        status = precast_function_call(give, NULL, NULL, 0, &reference, 1, told());
    if (!status) {
        precast_value numbers[2] = {i32(1), i32(2)};
        status = precast_function_call(reference.of.function, NULL, numbers, 2, numbers, 1, told());
    }
    if (reference.kind == PRECAST_FUNCREF)
        precast_function_free(reference.of.function);
    precast_function_free(many);
    precast_function_free(give);
    return status;
}

// A program that throws, with a function and a tag of the host's.
static precast_status use_exceptions(precast_runtime *runtime) {
    const precast_value_kind kinds[2] = {PRECAST_I32, PRECAST_I64};
    precast_tag *tag = NULL;
    precast_module *module = NULL;
    precast_imports *imports = NULL;
    precast_instance *instance = NULL;
    precast_function *catches = NULL, *throws = NULL;
    precast_exception *exception = NULL;
    precast_status status = precast_tag_new(runtime, kinds, 2, &tag, told());
    if (!status)
        status = precast_module_load_file_unverified(runtime, path_of("exception"), &module, told());
    if (!status)
        status = precast_imports_new_for_module(module, &imports, told());
    if (!status)
        status = precast_imports_define_tag(imports, "host", "signal", tag, told());
    if (!status)
        status = precast_imports_define_host_function(imports, "host", "raise", kinds, 1, NULL, 0, raise_signal,
                                                      &finalized, finalize, told());
    if (!status)
        status = precast_instance_new(module, imports, NULL, NULL, &instance, told());
    if (!status)
        status = precast_instance_function(instance, "catches", &catches, told());
    precast_value value = i32(1);
    if (!status)
        status = precast_function_call(catches, NULL, &value, 1, &value, 1, told());
    if (!status)
        status = precast_instance_function(instance, "throws", &throws, told());
    if (!status) {
        value = i32(2);
        told()->exception = &exception;
        status = precast_function_call(throws, NULL, &value, 1, NULL, 0, &failure);
        if (status == PRECAST_EXCEPTION)
            status = PRECAST_OK;
    }
    precast_exception_free(exception);
    precast_function_free(throws);
    precast_function_free(catches);
    precast_instance_free(instance);
    precast_imports_free(imports);
    precast_module_free(module);
    precast_tag_free(tag);
    return status;
}

static precast_status run(void) {
    precast_allocator allocator = {
        .size = sizeof allocator, .allocate = allocate, .reallocate = reallocate, .free = release};
    precast_runtime *runtime = NULL;
    precast_module *module = NULL;
    precast_instance *instance = NULL;
    precast_memory *memory = NULL;
    precast_env *env = NULL;
    precast_interrupter *interrupter = NULL;
    uint64_t address = 0;
    precast_instance_options options = {.size = sizeof options, .heap_size = 65536};
    precast_status status = precast_runtime_new_custom(&allocator, NULL, &runtime, told());
    if (!status)
        status = precast_module_load_file_unverified(runtime, path_of("explicit"), &module, told());
    if (!status)
        status = precast_env_new_stack(runtime, 32 << 10, &env, told());
    if (!status)
        status = precast_instance_new(module, NULL, &options, env, &instance, told());
    if (!status)
        status = precast_instance_memory(instance, "memory", &memory, told());
    if (!status)
        status = precast_memory_grow(memory, 1, NULL, told());
    if (!status)
        status = precast_instance_allocate(instance, env, 100, &address, told());
    if (!status)
        status = precast_interrupter_new(instance, &interrupter, told());
    if (!status)
        status = use_values(instance);
    if (!status)
        status = use_exceptions(runtime);
    precast_interrupter_free(interrupter);
    precast_memory_free(memory);
    precast_instance_free(instance);
    precast_env_free(env);
    precast_module_free(module);
    precast_runtime_free(runtime);
    return status;
}

void test_faults(void) {
    for (int way = 0; way < 2; way++) {
        refuse_all = way == 1;
        for (refused = 0;; refused++) {
            requests = 0;
            finalized = 0;
            precast_status status = run();
            check(blocks == 0);
            check(finalized <= 1);
            if (requests <= refused) {
                // Nothing was refused.
                ok(status);
                check(finalized == 1);
                break;
            }
            // Some refusals only cost a backtrace or a handle that nobody must have.
            check(status == PRECAST_OK || status == PRECAST_OUT_OF_MEMORY || status == PRECAST_CANNOT_GROW ||
                  status == PRECAST_HOST_ERROR || status == PRECAST_TRAP);
        }
        check(refused > 40);
    }
}
