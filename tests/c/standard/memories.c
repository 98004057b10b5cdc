// Linear memories: bytes, pages, limits.

#include "check.h"

void test_memories(void) {
    struct standard standard = make_standard();
    wasm_store_t *store = standard.store;
    wasm_memory_t *memory = wasm_extern_as_memory(find(&standard, "memory"));
    check(wasm_memory_size(memory) == 1 && wasm_memory_data_size(memory) == MEMORY_PAGE_SIZE);
    wasm_memory_data(memory)[12] = 34;
    wasm_val_t given[] = {WASM_I32_VAL(12)}, got[] = {WASM_INIT_VAL};
    wasm_val_vec_t args = WASM_ARRAY_VEC(given), results = WASM_ARRAY_VEC(got);
    check(wasm_func_call(func(&standard, "load"), &args, &results) == NULL && got[0].of.i32 == 34);
    given[0] = i32(0x10000);
    check(traps_with(wasm_func_call(func(&standard, "load"), &args, &results), "out of bounds"));
    check(wasm_memory_grow(memory, 2));
    check(wasm_memory_size(memory) == 3 && wasm_memory_data_size(memory) == 3 * MEMORY_PAGE_SIZE);
    check(wasm_memory_data(memory)[12] == 34);
    check(wasm_func_call(func(&standard, "load"), &args, &results) == NULL && got[0].of.i32 == 0);
    check(!wasm_memory_grow(memory, 1));
    check(tells(store, "limits"));
    check(wasm_memory_grow(memory, 0));

    wasm_memorytype_t *type = wasm_memory_type(memory);
    check(wasm_memorytype_limits(type)->min == 1 && wasm_memorytype_limits(type)->max == 3);
    wasm_memorytype_delete(type);
    wasm_limits_t limits = {0, 1};
    type = wasm_memorytype_new(&limits);
    wasm_memory_t *made = wasm_memory_new(store, type);
    check(wasm_memory_size(made) == 0 && wasm_memory_data_size(made) == 0);
    check(wasm_memory_data(made) == NULL);
    check(wasm_memory_grow(made, 1) && wasm_memory_data(made)[65535] == 0);
    wasm_memory_delete(made);
    check(wasm_memory_new(NULL, type) == NULL);
    check(wasm_memory_new(store, NULL) == NULL);
    wasm_memorytype_delete(type);
    limits.min = 65537;
    limits.max = wasm_limits_max_default;
    type = wasm_memorytype_new(&limits);
    check(wasm_memory_new(store, type) == NULL);
    check(tells(store, "limits"));
    wasm_memorytype_delete(type);

    check(wasm_memory_type(NULL) == NULL);
    check(wasm_memory_data(NULL) == NULL);
    check(wasm_memory_data_size(nonsense()) == 0);
    check(wasm_memory_size(NULL) == 0);
    check(!wasm_memory_grow(NULL, 1));
    delete_standard(&standard);
}
