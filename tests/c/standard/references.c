// References: which are the same, what they carry, what they can be called, and how long they are there.

#include "check.h"

// Of an object that C holds, in all its names; `item` is whether the store has to remember it.
#define REFERENCE(name, object)                                                                                        \
    do {                                                                                                               \
        wasm_##name##_t *copy = wasm_##name##_copy(object);                                                            \
        check(copy != NULL && wasm_##name##_same(copy, object));                                                       \
        check(!wasm_##name##_same(object, NULL) && !wasm_##name##_same(NULL, NULL));                                   \
        check(wasm_##name##_get_host_info(copy) == NULL);                                                              \
        int info = 0;                                                                                                  \
        wasm_##name##_set_host_info(object, &info);                                                                    \
        check(wasm_##name##_get_host_info(copy) == &info);                                                             \
        wasm_##name##_set_host_info_with_finalizer(copy, &info, count);                                                \
        check(wasm_##name##_get_host_info(object) == &info && info == 0);                                              \
        wasm_##name##_set_host_info(copy, NULL);                                                                       \
        check(wasm_##name##_get_host_info(object) == NULL && info == 1);                                               \
        wasm_##name##_delete(copy);                                                                                    \
        check(wasm_##name##_copy(NULL) == NULL);                                                                       \
        check(wasm_##name##_copy(nonsense()) == NULL);                                                                 \
        check(wasm_##name##_get_host_info(NULL) == NULL);                                                              \
        wasm_##name##_set_host_info(NULL, &info);                                                                      \
        wasm_##name##_set_host_info_with_finalizer(nonsense(), &info, count);                                          \
        wasm_##name##_delete(NULL);                                                                                    \
        wasm_##name##_delete(nonsense());                                                                              \
        check(info == 1);                                                                                              \
    } while (0)

// The ways from and to a reference without a kind.
#define CASTS(name, object, other)                                                                                     \
    do {                                                                                                               \
        wasm_ref_t *lent = wasm_##name##_as_ref(object);                                                                \
        check(lent != NULL && wasm_##name##_as_ref_const(object) == lent);                                               \
        check(wasm_ref_as_##name(lent) == (object) && wasm_ref_as_##name##_const(lent) == (object));                     \
        check(wasm_ref_as_##name(other) == NULL && wasm_ref_as_##name##_const(other) == NULL);                         \
        check(wasm_##name##_as_ref(NULL) == NULL && wasm_##name##_as_ref_const(nonsense()) == NULL);                   \
        check(wasm_ref_as_##name(NULL) == NULL && wasm_ref_as_##name##_const(nonsense()) == NULL);                     \
    } while (0)

// The ways from and to what is imported and exported.
#define ITEMS(name, object, other, number)                                                                             \
    do {                                                                                                               \
        wasm_extern_t *item = wasm_##name##_as_extern(object);                                                         \
        check(item != NULL && wasm_##name##_as_extern_const(object) == item);                                          \
        check(wasm_extern_kind(item) == number);                                                                       \
        check(wasm_extern_as_##name(item) == (object) && wasm_extern_as_##name##_const(item) == (object));             \
        check(wasm_extern_as_##name(other) == NULL && wasm_extern_as_##name##_const(other) == NULL);                   \
        check(wasm_##name##_as_extern(NULL) == NULL && wasm_##name##_as_extern_const(nonsense()) == NULL);             \
        check(wasm_extern_as_##name(NULL) == NULL && wasm_extern_as_##name##_const(nonsense()) == NULL);               \
    } while (0)

static void test_names(void) {
    struct standard standard = make_standard();
    wasm_name_t message;
    wasm_name_new_from_string_nt(&message, "words");
    wasm_trap_t *trap = wasm_trap_new(standard.store, &message);
    wasm_name_delete(&message);
    wasm_foreign_t *foreign = wasm_foreign_new(standard.store);
    wasm_func_t *function = func(&standard, "negate");
    wasm_global_t *global = standard.counter;
    wasm_table_t *table = wasm_extern_as_table(find(&standard, "functions"));
    wasm_memory_t *memory = wasm_extern_as_memory(find(&standard, "memory"));
    wasm_extern_t *tag = find(&standard, "error");
    wasm_ref_t *ref = wasm_foreign_as_ref(foreign);

    REFERENCE(ref, ref);
    REFERENCE(trap, trap);
    REFERENCE(foreign, foreign);
    REFERENCE(module, standard.module);
    REFERENCE(func, function);
    REFERENCE(global, global);
    REFERENCE(table, table);
    REFERENCE(memory, memory);
    REFERENCE(extern, tag);
    REFERENCE(instance, standard.instance);
    CASTS(trap, trap, ref);
    CASTS(foreign, foreign, wasm_trap_as_ref(trap));
    CASTS(module, standard.module, ref);
    CASTS(func, function, wasm_table_as_ref(table));
    CASTS(global, global, ref);
    CASTS(table, table, ref);
    CASTS(memory, memory, ref);
    CASTS(extern, tag, ref);
    CASTS(instance, standard.instance, ref);
    ITEMS(func, function, tag, WASM_EXTERN_FUNC);
    ITEMS(global, global, tag, WASM_EXTERN_GLOBAL);
    ITEMS(table, table, tag, WASM_EXTERN_TABLE);
    ITEMS(memory, memory, tag, WASM_EXTERN_MEMORY);
    check(wasm_extern_kind(tag) == WASM_EXTERN_TAG);
    check(wasm_extern_kind(NULL) == 0);
    check(wasm_func_as_extern((wasm_func_t *)foreign) == NULL);

    check(wasm_table_grow(table, 1, NULL) && wasm_memory_grow(memory, 1));
    wasm_externtype_t *type = wasm_extern_type(wasm_table_as_extern(table));
    check(wasm_tabletype_limits(wasm_externtype_as_tabletype(type))->min == 5);
    wasm_externtype_delete(type);
    type = wasm_extern_type(wasm_memory_as_extern(memory));
    check(wasm_memorytype_limits(wasm_externtype_as_memorytype(type))->min == 2);
    wasm_externtype_delete(type);
    type = wasm_extern_type(tag);
    check(wasm_externtype_kind(type) == WASM_EXTERN_TAG);
    wasm_externtype_delete(type);
    type = wasm_extern_type(wasm_func_as_extern(function));
    check(wasm_externtype_kind(type) == WASM_EXTERN_FUNC);
    wasm_externtype_delete(type);
    type = wasm_extern_type(wasm_global_as_extern(global));
    check(wasm_externtype_kind(type) == WASM_EXTERN_GLOBAL);
    wasm_externtype_delete(type);
    check(wasm_extern_type(NULL) == NULL);
    check(wasm_foreign_new(NULL) == NULL);
    wasm_trap_delete(trap);
    wasm_foreign_delete(foreign);
    delete_standard(&standard);
}

// Who is finalized when.
static void test_lives(void) {
    struct standard standard = make_standard();
    int memory_gone = 0, object_gone = 0, module_gone = 0, lonely_gone = 0, instance_gone = 0;
    wasm_memory_set_host_info_with_finalizer(wasm_extern_as_memory(find(&standard, "memory")), &memory_gone, count);
    wasm_module_set_host_info_with_finalizer(standard.module, &module_gone, count);
    wasm_instance_set_host_info_with_finalizer(standard.instance, &instance_gone, count);
    wasm_foreign_t *object = wasm_foreign_new(standard.store), *lonely = wasm_foreign_new(standard.store);
    wasm_foreign_set_host_info_with_finalizer(object, &object_gone, count);
    wasm_foreign_set_host_info_with_finalizer(lonely, &lonely_gone, count);
    wasm_val_t value = WASM_REF_VAL(wasm_foreign_as_ref(object));
    wasm_global_set(wasm_extern_as_global(find(&standard, "object")), &value);
    wasm_foreign_delete(object);
    // Nobody else has it.
    wasm_foreign_delete(lonely);
    check(lonely_gone == 1 && object_gone == 0);
    wasm_module_t *module = wasm_module_copy(standard.module);
    wasm_module_delete(module);
    check(module_gone == 0);

    // Exports that are asked for again are the same, with their info.
    wasm_extern_vec_delete(&standard.exports);
    wasm_instance_exports(standard.instance, &standard.exports);
    check(wasm_memory_get_host_info(wasm_extern_as_memory(find(&standard, "memory"))) == &memory_gone);
    check(memory_gone == 0);
    wasm_global_get(wasm_extern_as_global(find(&standard, "object")), &value);
    check(wasm_ref_get_host_info(value.of.ref) == &object_gone);
    wasm_val_delete(&value);

    // A store goes with the last of its objects.
    wasm_func_t *last = wasm_func_copy(func(&standard, "negate"));
    delete_standard(&standard);
    check(module_gone == 1 && instance_gone == 1 && memory_gone == 0 && object_gone == 0);
    wasm_func_delete(last);
    check(memory_gone == 1 && object_gone == 1);
}

void test_references(void) {
    test_names();
    test_lives();
}
