// Calls: values of every kind, wrong ones, traps and what is told of them.

#include "check.h"

static void kinds(precast_instance *instance) {
    precast_function *all = function_of(instance, "all");
    precast_value values[6] = {i32(-5), i64(-6), {.kind = PRECAST_F32, .of = {.f32 = 1.5f}},
                               {.kind = PRECAST_F64, .of = {.f64 = -2.5}},
                               {.kind = PRECAST_V128, .of = {.v128 = {1, 2, 3}}},
                               {.kind = PRECAST_EXTERNREF, .of = {.external = 77}}};
    precast_value results[6];
    ok(precast_function_call(all, NULL, values, 6, results, 6, told()));
    check(results[0].kind == PRECAST_EXTERNREF && results[0].of.external == 77);
    check(results[1].kind == PRECAST_V128 && memcmp(results[1].of.v128, values[4].of.v128, 16) == 0);
    check(results[2].kind == PRECAST_F64 && results[2].of.f64 == -2.5);
    check(results[3].kind == PRECAST_F32 && results[3].of.f32 == 1.5f);
    check(results[4].kind == PRECAST_I64 && results[4].of.i64 == -6);
    check(results[5].kind == PRECAST_I32 && results[5].of.i32 == -5);

    precast_value_kind params[6], returned[6];
    precast_signature signature = {.size = sizeof signature,
                                   .params = params,
                                   .param_capacity = 6,
                                   .results = returned,
                                   .result_capacity = 6};
    ok(precast_function_signature(all, &signature, told()));
    check(signature.param_count == 6 && signature.result_count == 6);
    check(params[4] == PRECAST_V128 && returned[0] == PRECAST_EXTERNREF);
    signature.result_capacity = 5;
    is(PRECAST_BUFFER_TOO_SMALL, precast_function_signature(all, &signature, told()));
    precast_signature numbers = {.size = sizeof numbers};
    ok(precast_function_signature(all, &numbers, told()));
    check(numbers.param_count == 6 && numbers.result_count == 6);
    null(precast_function_signature(all, NULL, told()));
    null(precast_function_signature(NULL, &numbers, told()));
    precast_function_free(all);

    // More values than have room without a block.
    precast_function *many = function_of(instance, "many");
    precast_value twenty[20];
    for (int i = 0; i < 20; i++)
        twenty[i] = i32(i);
    ok(precast_function_call(many, NULL, twenty, 20, twenty, 1, told()));
    check(twenty[0].of.i32 == 19);
    precast_function_free(many);
}

static void references(precast_instance *instance) {
    // A reference to a function goes out and comes in.
    precast_function *give = function_of(instance, "give");
    precast_function *take = function_of(instance, "take");
    precast_value reference[2];
    ok(precast_function_call(give, NULL, NULL, 0, reference, 1, told()));
    check(reference[0].kind == PRECAST_FUNCREF && reference[0].of.function != NULL);
    precast_value numbers[2] = {i32(3), i32(4)};
    ok(precast_function_call(reference[0].of.function, NULL, numbers, 2, numbers, 1, told()));
    check(numbers[0].of.i32 == 7);
    reference[1] = i32(8);
    precast_value sum;
    ok(precast_function_call(take, NULL, reference, 2, &sum, 1, told()));
    check(sum.of.i32 == 16);
    precast_function_free(reference[0].of.function);
    reference[0].of.function = NULL;
    is(PRECAST_TRAP, precast_function_call(take, NULL, reference, 2, &sum, 1, told()));
    reference[0].of.function = nonsense();
    is(PRECAST_INVALID_HANDLE, precast_function_call(take, NULL, reference, 2, &sum, 1, told()));
    precast_function_free(give);
    precast_function_free(take);
}

static void traps(precast_instance *instance) {
    precast_function *divide = function_of(instance, "divide");
    precast_value values[2] = {i32(1), i32(0)};
    is(PRECAST_TRAP, precast_function_call(divide, NULL, values, 2, values, 1, told()));
    check(failure.trap_code == PRECAST_TRAP_INTEGER_DIVIDE_BY_ZERO);
    check(tells("integer divide by zero"));
    check(tells("basic!quotient"));
    check(values[0].of.i32 == 1);
    check(failure.frame_count == 2 && failure.frames_are_missing == 0);
    check(text_is(frames[0].module_name, "basic") && text_is(frames[0].function_name, "quotient"));
    check(text_is(frames[1].function_name, "divide") && frames[1].function_index != frames[0].function_index);
    check(frames[0].wasm_offset > frames[0].body_offset && frames[0].wasm_offset != UINT32_MAX);
    check(!frames[0].calls_host && text_is(frames[0].import_name, NULL));

    // Room for one, and for none.
    told();
    precast_frame one[2] = {{.function_index = 1}, {.function_index = 4711}};
    failure.frames = one;
    failure.frame_capacity = 1;
    precast_status status = precast_function_call(divide, NULL, values, 2, values, 1, &failure);
    check(status == PRECAST_TRAP && failure.frame_count == 2 && one[1].function_index == 4711);
    check(text_is(one[0].function_name, "quotient"));
    failure.frames = NULL;
    failure.frame_capacity = 0;
    status = precast_function_call(divide, NULL, values, 2, values, 1, &failure);
    check(status == PRECAST_TRAP && failure.frame_count == 2);

    // It stays usable.
    values[1] = i32(1);
    ok(precast_function_call(divide, NULL, values, 2, values, 1, told()));
    check(values[0].of.i32 == 1);
    precast_function_free(divide);

    precast_function *recurse = function_of(instance, "recurse");
    is(PRECAST_TRAP, precast_function_call(recurse, NULL, NULL, 0, NULL, 0, told()));
    check(failure.trap_code == PRECAST_TRAP_STACK_OVERFLOW && failure.frame_count > 2);
    precast_function_free(recurse);
    precast_function *outside = function_of(instance, "load");
    values[0] = i32(-4);
    is(PRECAST_TRAP, precast_function_call(outside, NULL, values, 1, values, 1, told()));
    check(failure.trap_code == PRECAST_TRAP_MEMORY_OUT_OF_BOUNDS);
    precast_function_free(outside);
}

static void exceptions(precast_runtime *runtime) {
    precast_instance *instance = instance_of(runtime, "throw");
    precast_function *throws = function_of(instance, "throws");
    precast_value value = i32(9);
    is(PRECAST_EXCEPTION, precast_function_call(throws, NULL, &value, 1, NULL, 0, told()));
    check(tells("exception"));
    check(tells("i32 9"));
    check(failure.frame_count == 1 && text_is(frames[0].function_name, "throws"));
    precast_function_free(throws);
    precast_instance_free(instance);
}

void test_function(void) {
    precast_runtime *runtime = new_runtime();
    precast_instance *instance = instance_of(runtime, "basic");
    kinds(instance);
    references(instance);
    traps(instance);
    exceptions(runtime);

    precast_function *add = function_of(instance, "add");
    precast_value values[2] = {i32(1), i32(2)};
    is(PRECAST_TYPE_MISMATCH, precast_function_call(add, NULL, values, 1, values, 1, told()));
    check(tells("(i32, i32) -> (i32)"));
    is(PRECAST_TYPE_MISMATCH, precast_function_call(add, NULL, values, 2, values, 0, told()));
    is(PRECAST_TYPE_MISMATCH, precast_function_call(add, NULL, values, SIZE_MAX, values, 1, told()));
    is(PRECAST_TYPE_MISMATCH, precast_function_call(add, NULL, values, 2, values, SIZE_MAX, told()));
    values[1] = i64(2);
    is(PRECAST_TYPE_MISMATCH, precast_function_call(add, NULL, values, 2, values, 1, told()));
    values[1].kind = 12345;
    is(PRECAST_INVALID_ARGUMENT, precast_function_call(add, NULL, values, 2, values, 1, told()));
    null(precast_function_call(add, NULL, NULL, 2, values, 1, told()));
    null(precast_function_call(add, NULL, values, 2, NULL, 1, told()));
    null(precast_function_call(NULL, NULL, values, 2, values, 1, told()));
    values[1] = i32(2);
    is(PRECAST_INVALID_HANDLE,
       precast_function_call(add, (precast_env *)instance, values, 2, values, 1, told()));
    is(PRECAST_INVALID_HANDLE,
       precast_function_call((precast_function *)instance, NULL, values, 2, values, 1, told()));
    check(values[0].of.i32 == 1);

    precast_function *same = NULL;
    ok(precast_function_clone(add, &same, told()));
    check(same != add);
    null(precast_function_clone(NULL, &same, told()));
    null(precast_function_clone(add, NULL, told()));
    precast_function_free(add);
    precast_instance_free(instance);
    precast_runtime_free(runtime);
    // What is left of it all still works.
    ok(precast_function_call(same, NULL, values, 2, values, 1, told()));
    check(values[0].of.i32 == 3);
    precast_function_free(same);
    precast_function_free(NULL);
    precast_function_free(nonsense());
}
