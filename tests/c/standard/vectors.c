// Vectors: made, copied and deleted with their elements; of null, of nothing, of too many.

#include "check.h"

// Vectors of what `make` gives; `is_same` compares an element with its copy.
#define VECTORS_OF(name, make, is_same)                                                                                \
    do {                                                                                                               \
        wasm_##name##_vec_t vector, copy;                                                                              \
        wasm_##name##_vec_new_empty(&vector);                                                                          \
        check(vector.size == 0 && vector.data == NULL);                                                                \
        wasm_##name##_vec_delete(&vector);                                                                             \
        wasm_##name##_vec_new_uninitialized(&vector, 3);                                                               \
        check(vector.size == 3 && vector.data != NULL);                                                                \
        vector.data[1] = make;                                                                                         \
        wasm_##name##_vec_copy(&copy, &vector);                                                                        \
        check(copy.size == 3 && copy.data != vector.data && is_same(vector.data[1], copy.data[1]));                     \
        wasm_##name##_vec_delete(&copy);                                                                               \
        check(copy.size == 0 && copy.data == NULL);                                                                    \
        wasm_##name##_vec_delete(&copy);                                                                               \
        wasm_##name##_vec_delete(&vector);                                                                             \
        wasm_##name##_vec_new_uninitialized(&vector, 2);                                                               \
        vector.data[0] = make;                                                                                         \
        vector.data[1] = make;                                                                                         \
        wasm_##name##_vec_new(&copy, 2, vector.data);                                                                  \
        check(copy.size == 2 && is_same(copy.data[0], copy.data[1]));                                                  \
        memset(vector.data, 0, 2 * sizeof *vector.data);                                                               \
        wasm_##name##_vec_delete(&vector);                                                                             \
        wasm_##name##_vec_delete(&copy);                                                                               \
        wasm_##name##_vec_new_uninitialized(&vector, SIZE_MAX);                                                        \
        check(vector.size == 0 && vector.data == NULL);                                                                \
        wasm_##name##_vec_new(&vector, 0, NULL);                                                                       \
        check(vector.size == 0 && vector.data == NULL);                                                                \
        wasm_##name##_vec_new(&vector, 3, NULL);                                                                       \
        check(vector.size == 0 && vector.data == NULL);                                                                \
        wasm_##name##_vec_copy(&copy, &vector);                                                                        \
        check(copy.size == 0 && copy.data == NULL);                                                                    \
        wasm_##name##_vec_copy(&copy, NULL);                                                                           \
        check(copy.size == 0 && copy.data == NULL);                                                                    \
        wasm_##name##_vec_new_empty(NULL);                                                                             \
        wasm_##name##_vec_new_uninitialized(NULL, 3);                                                                  \
        wasm_##name##_vec_new(NULL, 0, NULL);                                                                          \
        wasm_##name##_vec_copy(NULL, &vector);                                                                         \
        wasm_##name##_vec_delete(NULL);                                                                                \
    } while (0)

#define EQUAL(a, b) ((a) == (b))
#define OTHER(a, b) ((a) != NULL && (b) != NULL && (a) != (b))

static bool same_value(wasm_val_t a, wasm_val_t b) { return a.kind == b.kind && a.of.i64 == b.of.i64; }

static wasm_externtype_t *memory_type(void) {
    wasm_limits_t limits = {1, 2};
    return wasm_memorytype_as_externtype(wasm_memorytype_new(&limits));
}

static wasm_importtype_t *import_type(void) {
    wasm_name_t module, name;
    wasm_name_new_from_string(&module, "module");
    wasm_name_new_from_string(&name, "name");
    return wasm_importtype_new(&module, &name, memory_type());
}

static wasm_exporttype_t *export_type(void) {
    wasm_name_t name;
    wasm_name_new_from_string(&name, "name");
    return wasm_exporttype_new(&name, memory_type());
}

void test_vectors(void) {
    wasm_limits_t limits = {0, wasm_limits_max_default};
    VECTORS_OF(byte, 'x', EQUAL);
    VECTORS_OF(valtype, wasm_valtype_new_f64(), OTHER);
    VECTORS_OF(functype, unary(WASM_I32, WASM_F32), OTHER);
    VECTORS_OF(globaltype, wasm_globaltype_new(wasm_valtype_new_i64(), WASM_CONST), OTHER);
    VECTORS_OF(tabletype, wasm_tabletype_new(wasm_valtype_new_funcref(), &limits), OTHER);
    VECTORS_OF(memorytype, wasm_memorytype_new(&limits), OTHER);
    VECTORS_OF(tagtype, wasm_tagtype_new(wasm_functype_new_1_0(wasm_valtype_new_i32())), OTHER);
    VECTORS_OF(externtype, memory_type(), OTHER);
    VECTORS_OF(importtype, import_type(), OTHER);
    VECTORS_OF(exporttype, export_type(), OTHER);
    VECTORS_OF(val, i64(-7), same_value);

    struct standard standard = make_standard();
    // A copy of a reference is to the same object.
    VECTORS_OF(extern, wasm_extern_copy(standard.exports.data[0]), wasm_extern_same);
    wasm_val_vec_t none = WASM_EMPTY_VEC;
    wasm_trap_t *trap = wasm_func_call(func(&standard, "stop"), &none, NULL);
    VECTORS_OF(frame, wasm_trap_origin(trap), OTHER);
    wasm_trap_delete(trap);
    delete_standard(&standard);

    wasm_name_t name;
    wasm_name_new_from_string(&name, "text");
    check(name.size == 4 && memcmp(name.data, "text", 4) == 0);
    wasm_name_t copy;
    wasm_name_copy(&copy, &name);
    check(copy.size == 4 && memcmp(copy.data, "text", 4) == 0);
    wasm_name_delete(&copy);
    wasm_name_delete(&name);
    wasm_name_new_from_string_nt(&name, "text");
    check(name.size == 5 && name.data[4] == 0);
    // Whoever fills a vector only in part may say so.
    name.size = 2;
    wasm_name_delete(&name);
    wasm_name_new_empty(&name);
    check(name.size == 0);
    wasm_name_new_uninitialized(&name, 3);
    check(name.size == 3);
    wasm_name_delete(&name);
    wasm_name_new(&name, 1, "x");
    check(name.size == 1 && name.data[0] == 'x');
    wasm_name_delete(&name);
}
