// Types: what they are made of, and what is refused.

#include "check.h"

static void test_value_types(void) {
    static const wasm_valkind_t kinds[] = {WASM_I32, WASM_I64, WASM_F32, WASM_F64, WASM_EXTERNREF, WASM_FUNCREF};
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        wasm_valtype_t *type = wasm_valtype_new(kinds[i]);
        check(wasm_valtype_kind(type) == kinds[i]);
        wasm_valtype_t *copy = wasm_valtype_copy(type);
        check(copy != type && wasm_valtype_kind(copy) == kinds[i]);
        check(wasm_valtype_is_num(type) == (i < 4) && wasm_valtype_is_ref(type) == (i >= 4));
        check(wasm_valkind_is_num(kinds[i]) != wasm_valkind_is_ref(kinds[i]));
        wasm_valtype_delete(copy);
        wasm_valtype_delete(type);
    }
    check(wasm_valtype_new(4) == NULL);
    check(wasm_valtype_new(130) == NULL);
    check(wasm_valtype_copy(NULL) == NULL);
    check(wasm_valtype_copy(nonsense()) == NULL);
    check(wasm_valtype_kind(NULL) == 0);
    wasm_valtype_delete(NULL);
    wasm_valtype_delete(nonsense());
    check(WASM_ANYREF == WASM_EXTERNREF);
}

static void test_function_types(void) {
    wasm_functype_t *types[] = {
        wasm_functype_new_0_0(),
        wasm_functype_new_1_0(wasm_valtype_new_i32()),
        wasm_functype_new_2_0(wasm_valtype_new_i32(), wasm_valtype_new_i64()),
        wasm_functype_new_3_0(wasm_valtype_new_i32(), wasm_valtype_new_i64(), wasm_valtype_new_f32()),
        wasm_functype_new_0_1(wasm_valtype_new_f64()),
        wasm_functype_new_1_1(wasm_valtype_new_i32(), wasm_valtype_new_f64()),
        wasm_functype_new_2_1(wasm_valtype_new_i32(), wasm_valtype_new_i64(), wasm_valtype_new_f64()),
        wasm_functype_new_3_1(wasm_valtype_new_i32(), wasm_valtype_new_i64(), wasm_valtype_new_f32(),
                              wasm_valtype_new_f64()),
        wasm_functype_new_0_2(wasm_valtype_new_f64(), wasm_valtype_new_funcref()),
        wasm_functype_new_1_2(wasm_valtype_new_i32(), wasm_valtype_new_f64(), wasm_valtype_new_funcref()),
        wasm_functype_new_2_2(wasm_valtype_new_i32(), wasm_valtype_new_i64(), wasm_valtype_new_f64(),
                              wasm_valtype_new_funcref()),
        wasm_functype_new_3_2(wasm_valtype_new_i32(), wasm_valtype_new_i64(), wasm_valtype_new_f32(),
                              wasm_valtype_new_f64(), wasm_valtype_new_funcref()),
    };
    static const wasm_valkind_t expected[][3] = {{WASM_I32, WASM_I64, WASM_F32}, {WASM_F64, WASM_FUNCREF}};
    for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
        wasm_functype_t *copy = wasm_functype_copy(types[i]);
        wasm_functype_delete(types[i]);
        const wasm_valtype_vec_t *params = wasm_functype_params(copy);
        const wasm_valtype_vec_t *results = wasm_functype_results(copy);
        check(params->size == i % 4 && results->size == i / 4);
        for (size_t j = 0; j < params->size; j++)
            check(wasm_valtype_kind(params->data[j]) == expected[0][j]);
        for (size_t j = 0; j < results->size; j++)
            check(wasm_valtype_kind(results->data[j]) == expected[1][j]);
        wasm_functype_delete(copy);
    }
    // Vectors are taken, whatever is in them.
    wasm_valtype_vec_t params, results;
    wasm_valtype_vec_new_uninitialized(&params, 1);
    wasm_valtype_vec_new_empty(&results);
    check(wasm_functype_new(&params, &results) == NULL);
    check(params.size == 0 && params.data == NULL);
    wasm_functype_t *type = wasm_functype_new(NULL, NULL);
    check(wasm_functype_params(type)->size == 0);
    check(wasm_functype_params(NULL) == NULL);
    check(wasm_functype_results(nonsense()) == NULL);
    check(wasm_functype_copy(NULL) == NULL);
    // Under the name of another kind.
    void *other = type;
    check(wasm_globaltype_content(other) == NULL);
    check(wasm_globaltype_mutability(other) == WASM_CONST);
    check(wasm_tabletype_element(other) == NULL);
    check(wasm_tabletype_limits(other) == NULL);
    check(wasm_memorytype_limits(other) == NULL);
    check(wasm_tagtype_functype(other) == NULL);
    wasm_functype_delete(type);
    wasm_functype_delete(NULL);
}

static void test_other_types(void) {
    wasm_limits_t limits = {2, 5};
    wasm_globaltype_t *global = wasm_globaltype_new(wasm_valtype_new_externref(), WASM_VAR);
    wasm_tabletype_t *table = wasm_tabletype_new(wasm_valtype_new_funcref(), &limits);
    wasm_memorytype_t *memory = wasm_memorytype_new(&limits);
    wasm_tagtype_t *tag = wasm_tagtype_new(wasm_functype_new_1_0(wasm_valtype_new_i32()));
    wasm_functype_t *function = wasm_functype_new_0_0();

    wasm_globaltype_t *global_copy = wasm_globaltype_copy(global);
    wasm_tabletype_t *table_copy = wasm_tabletype_copy(table);
    wasm_memorytype_t *memory_copy = wasm_memorytype_copy(memory);
    wasm_tagtype_t *tag_copy = wasm_tagtype_copy(tag);
    wasm_globaltype_delete(global);
    wasm_tabletype_delete(table);
    wasm_memorytype_delete(memory);
    wasm_tagtype_delete(tag);
    check(wasm_valtype_kind(wasm_globaltype_content(global_copy)) == WASM_EXTERNREF);
    check(wasm_globaltype_mutability(global_copy) == WASM_VAR);
    check(wasm_valtype_kind(wasm_tabletype_element(table_copy)) == WASM_FUNCREF);
    check(wasm_tabletype_limits(table_copy)->min == 2 && wasm_tabletype_limits(table_copy)->max == 5);
    check(wasm_memorytype_limits(memory_copy)->min == 2 && wasm_memorytype_limits(memory_copy)->max == 5);
    check(wasm_functype_params(wasm_tagtype_functype(tag_copy))->size == 1);

    wasm_externtype_t *types[] = {
        wasm_functype_as_externtype(function),       wasm_globaltype_as_externtype(global_copy),
        wasm_tabletype_as_externtype(table_copy),    wasm_memorytype_as_externtype(memory_copy),
        wasm_tagtype_as_externtype(tag_copy),
    };
    const wasm_externtype_t *constants[] = {
        wasm_functype_as_externtype_const(function),       wasm_globaltype_as_externtype_const(global_copy),
        wasm_tabletype_as_externtype_const(table_copy),    wasm_memorytype_as_externtype_const(memory_copy),
        wasm_tagtype_as_externtype_const(tag_copy),
    };
    for (size_t i = 0; i < 5; i++) {
        check(types[i] != NULL && constants[i] == types[i]);
        check(wasm_externtype_kind(types[i]) == i);
        check((wasm_externtype_as_functype(types[i]) != NULL) == (i == WASM_EXTERN_FUNC));
        check((wasm_externtype_as_globaltype(types[i]) != NULL) == (i == WASM_EXTERN_GLOBAL));
        check((wasm_externtype_as_tabletype(types[i]) != NULL) == (i == WASM_EXTERN_TABLE));
        check((wasm_externtype_as_memorytype(types[i]) != NULL) == (i == WASM_EXTERN_MEMORY));
        check((wasm_externtype_as_tagtype(types[i]) != NULL) == (i == WASM_EXTERN_TAG));
        check((wasm_externtype_as_functype_const(types[i]) != NULL) == (i == WASM_EXTERN_FUNC));
        check((wasm_externtype_as_globaltype_const(types[i]) != NULL) == (i == WASM_EXTERN_GLOBAL));
        check((wasm_externtype_as_tabletype_const(types[i]) != NULL) == (i == WASM_EXTERN_TABLE));
        check((wasm_externtype_as_memorytype_const(types[i]) != NULL) == (i == WASM_EXTERN_MEMORY));
        check((wasm_externtype_as_tagtype_const(types[i]) != NULL) == (i == WASM_EXTERN_TAG));
        wasm_externtype_t *copy = wasm_externtype_copy(types[i]);
        check(wasm_externtype_kind(copy) == i);
        wasm_externtype_delete(copy);
    }
    check(wasm_functype_as_externtype(NULL) == NULL);
    check(wasm_externtype_as_functype(NULL) == NULL);
    check(wasm_externtype_as_functype(nonsense()) == NULL);
    check(wasm_functype_as_externtype((wasm_functype_t *)types[1]) == NULL);
    check(wasm_externtype_kind(NULL) == 0);
    check(wasm_externtype_copy(nonsense()) == NULL);
    for (size_t i = 0; i < 5; i++)
        wasm_externtype_delete(types[i]);

    // What is given away is gone also if nothing comes of it.
    check(wasm_globaltype_new(NULL, WASM_VAR) == NULL);
    check(wasm_tabletype_new(NULL, &limits) == NULL);
    check(wasm_tabletype_new(wasm_valtype_new_funcref(), NULL) == NULL);
    check(wasm_memorytype_new(NULL) == NULL);
    check(wasm_tagtype_new(NULL) == NULL);
    check(wasm_tagtype_new((wasm_functype_t *)wasm_memorytype_new(&limits)) == NULL);
    wasm_globaltype_delete(NULL);
    wasm_tabletype_delete(nonsense());
    wasm_memorytype_delete(NULL);
    wasm_tagtype_delete(NULL);
    wasm_externtype_delete(NULL);
}

static bool name_is(const wasm_name_t *name, const char *text) {
    return name->size == strlen(text) && (!name->size || memcmp(name->data, text, name->size) == 0);
}

static void test_names(void) {
    wasm_name_t module, name;
    wasm_name_new_from_string(&module, "module");
    wasm_name_new_from_string(&name, "name");
    wasm_importtype_t *import = wasm_importtype_new(&module, &name, wasm_functype_as_externtype(unary(WASM_I32, WASM_I64)));
    check(module.size == 0 && name.data == NULL);
    wasm_importtype_t *import_copy = wasm_importtype_copy(import);
    wasm_importtype_delete(import);
    check(name_is(wasm_importtype_module(import_copy), "module"));
    check(name_is(wasm_importtype_name(import_copy), "name"));
    check(wasm_externtype_kind(wasm_importtype_type(import_copy)) == WASM_EXTERN_FUNC);
    wasm_importtype_delete(import_copy);

    wasm_name_new_from_string(&name, "other");
    wasm_exporttype_t *export = wasm_exporttype_new(&name, wasm_functype_as_externtype(unary(WASM_I32, WASM_I64)));
    wasm_exporttype_t *export_copy = wasm_exporttype_copy(export);
    wasm_exporttype_delete(export);
    check(name_is(wasm_exporttype_name(export_copy), "other"));
    check(wasm_externtype_kind(wasm_exporttype_type(export_copy)) == WASM_EXTERN_FUNC);
    wasm_exporttype_delete(export_copy);

    wasm_name_new_from_string(&name, "other");
    check(wasm_importtype_new(NULL, &name, NULL) == NULL && name.size == 0);
    check(wasm_exporttype_new(NULL, nonsense()) == NULL);
    check(wasm_importtype_copy(NULL) == NULL && wasm_exporttype_copy(NULL) == NULL);
    check(wasm_importtype_module(NULL) == NULL && wasm_importtype_name(NULL) == NULL);
    check(wasm_importtype_type(nonsense()) == NULL);
    check(wasm_exporttype_name(nonsense()) == NULL && wasm_exporttype_type(NULL) == NULL);
    wasm_importtype_delete(NULL);
    wasm_exporttype_delete(NULL);
}

void test_types(void) {
    test_value_types();
    test_function_types();
    test_other_types();
    test_names();
}
