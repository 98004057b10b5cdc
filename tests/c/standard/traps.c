// Traps: messages, frames, and those that the host makes.

#include "check.h"

static wasm_trap_t *made;

static wasm_trap_t *fails(void *env, const wasm_val_vec_t *args, wasm_val_vec_t *results) {
    (void)args;
    (void)results;
    wasm_message_t message;
    wasm_name_new_from_string_nt(&message, "no more");
    made = wasm_trap_new(env, &message);
    wasm_byte_vec_delete(&message);
    return made;
}

static void test_programs(const struct standard *standard) {
    wasm_val_vec_t none = WASM_EMPTY_VEC;
    wasm_trap_t *trap = wasm_func_call(func(standard, "deep"), &none, NULL);
    wasm_frame_vec_t frames;
    wasm_trap_trace(trap, &frames);
    check(frames.size == 2);
    wasm_frame_t *origin = wasm_trap_origin(trap), *copy = wasm_frame_copy(origin);
    wasm_frame_delete(origin);
    // Imports come first: three functions are imported, and four others come before.
    check(wasm_frame_func_index(copy) == 7 && wasm_frame_func_index(frames.data[0]) == 7);
    check(wasm_frame_func_index(frames.data[1]) == 8);
    check(wasm_frame_module_offset(copy) > wasm_frame_func_offset(copy));
    check(wasm_frame_func_offset(frames.data[1]) > 0);
    check(wasm_instance_same(wasm_frame_instance(copy), standard->instance));
    wasm_frame_delete(copy);
    wasm_frame_vec_delete(&frames);
    check(traps_with(trap, "unreachable"));
    check(traps_with(wasm_func_call(func(standard, "throws"), &none, NULL), "exception"));

    check(wasm_frame_copy(NULL) == NULL && wasm_frame_instance(NULL) == NULL);
    check(wasm_frame_func_index(nonsense()) == 0 && wasm_frame_func_offset(NULL) == 0);
    check(wasm_frame_module_offset(NULL) == 0);
    wasm_frame_delete(NULL);
    check(wasm_trap_origin(NULL) == NULL);
    wasm_trap_trace(NULL, &frames);
    check(frames.size == 0 && frames.data == NULL);
    wasm_message_t message;
    wasm_trap_message(nonsense(), &message);
    check(message.size == 0);
    wasm_trap_message(NULL, NULL);
}

static void test_host(const struct standard *standard) {
    wasm_store_t *store = standard->store;
    wasm_functype_t *type = unary(WASM_I32, WASM_I32);
    wasm_func_t *failing = wasm_func_new_with_env(store, type, fails, store, NULL);
    wasm_functype_delete(type);
    wasm_val_t given[] = {WASM_I32_VAL(1), WASM_I32_VAL(3)}, got[] = {WASM_INIT_VAL};
    wasm_val_vec_t one = {1, given}, two = WASM_ARRAY_VEC(given), results = WASM_ARRAY_VEC(got);
    // Directly, there is no program in it.
    wasm_trap_t *trap = wasm_func_call(failing, &one, &results);
    check(trap == made && wasm_trap_origin(trap) == NULL);
    check(traps_with(trap, "no more"));
    // Through a program, it is the same object, which knows where the program was.
    wasm_table_t *table = wasm_extern_as_table(find(standard, "functions"));
    check(wasm_table_set(table, 3, wasm_func_as_ref(failing)));
    wasm_func_delete(failing);
    trap = wasm_func_call(func(standard, "indirect"), &two, &results);
    check(trap == made && got[0].of.ref == NULL);
    wasm_frame_t *origin = wasm_trap_origin(trap);
    check(wasm_frame_func_index(origin) == 10);
    wasm_frame_delete(origin);
    check(traps_with(trap, "no more"));
    // The next one has nothing to do with it.
    wasm_val_vec_t none = WASM_EMPTY_VEC;
    check(traps_with(wasm_func_call(func(standard, "stop"), &none, NULL), "unreachable"));

    // A message without a zero gets one; no message is an empty one.
    wasm_message_t message;
    wasm_name_new_from_string(&message, "short");
    trap = wasm_trap_new(store, &message);
    wasm_byte_vec_delete(&message);
    wasm_trap_message(trap, &message);
    check(message.size == 6 && strcmp(message.data, "short") == 0);
    wasm_byte_vec_delete(&message);
    wasm_trap_delete(trap);
    trap = wasm_trap_new(store, NULL);
    check(traps_with(trap, ""));
    check(wasm_trap_new(NULL, &message) == NULL);
}

void test_traps(void) {
    struct standard standard = make_standard();
    test_programs(&standard);
    test_host(&standard);
    delete_standard(&standard);
}
