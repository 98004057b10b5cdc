// What the tests of wasm.h have in common.

#ifndef CHECK_H
#define CHECK_H

#include <precast_wasm.h>
#include <stdio.h>
#include <stdlib.h>

#define check(condition) check_at(condition, #condition, __FILE__, __LINE__)
void check_at(bool holds, const char *condition, const char *file, int line);

// A pointer that is nothing of the library's: something else that is aligned and long enough.
void *nonsense(void);

// The bytes of an artifact in the tests' folder, of the caller's.
wasm_byte_vec_t artifact(const char *name);

// Whether the store's last failure has these words.
bool tells(const wasm_store_t *store, const char *words);
// Whether the trap's message has these words; the trap is deleted.
bool traps_with(wasm_trap_t *trap, const char *words);

// A finalizer that counts its calls in the `int` that it gets.
void count(void *counter);

// An instance of `standard` with what it imports.
struct standard {
    wasm_engine_t *engine;
    wasm_store_t *store;
    wasm_module_t *module;
    wasm_instance_t *instance;
    wasm_func_t *first, *second, *keep;
    wasm_global_t *counter;
    wasm_extern_vec_t exports;
};
struct standard make_standard(void);
void delete_standard(struct standard *standard);
// An export, lent, by its name.
wasm_extern_t *find(const struct standard *standard, const char *name);
wasm_func_t *func(const struct standard *standard, const char *name);

wasm_val_t i32(int32_t number);
wasm_val_t i64(int64_t number);
wasm_val_t none(void);

// The type of functions with one parameter and one result.
wasm_functype_t *unary(wasm_valkind_t param, wasm_valkind_t result);

void test_types(void);
void test_vectors(void);
void test_values(void);
void test_engines(void);
void test_modules(void);
void test_functions(void);
void test_globals(void);
void test_tables(void);
void test_memories(void);
void test_instances(void);
void test_references(void);
void test_traps(void);
void test_sharing(void);

#endif
