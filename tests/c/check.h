// What the tests in C have in common. Every function that can fail is called with `told()` as its last
// argument, and `is` compares what it returned with what it should have, and with what it told.

#ifndef CHECK_H
#define CHECK_H

#include <precast.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FRAMES 16

extern precast_error failure;
extern precast_frame frames[FRAMES];

// A fresh report, for one call.
precast_error *told(void);

void is_at(precast_status status, precast_status expected, const char *call, const char *file, int line);
void check_at(bool holds, const char *condition, const char *file, int line);

#define is(expected, call) is_at(call, expected, #call, __FILE__, __LINE__)
#define ok(call) is(PRECAST_OK, call)
#define null(call) is(PRECAST_NULL_ARGUMENT, call)
#define check(condition) check_at(condition, #condition, __FILE__, __LINE__)

// Whether the report's text has these words.
bool tells(const char *words);
bool text_is(precast_text text, const char *expected);

// A pointer that is no handle: something else that is aligned and long enough.
void *nonsense(void);

// Artifacts are in this folder.
extern const char *folder;
// Whether those that are not called explicit rely on guard pages and faults.
extern bool has_faults;
const char *path_of(const char *name);
// The bytes are the caller's to free.
void *read_artifact(const char *name, size_t *length);

precast_runtime *new_runtime(void);
precast_module *load(precast_runtime *runtime, const char *name);
// With no imports. The module's handle is freed.
precast_instance *instance_of(precast_runtime *runtime, const char *name);
precast_function *function_of(precast_instance *instance, const char *name);

// A block of the C library's heap, which takes no size and no alignment as they come.
void *aligned_block(size_t size, size_t alignment);

precast_value i32(int32_t number);
precast_value i64(int64_t number);

void test_caller(void);
void test_device_wasi(void);
void test_env(void);
void test_exception(void);
void test_faults(void);
void test_function(void);
void test_global(void);
void test_heap(void);
void test_host(void);
void test_imports(void);
void test_info(void);
void test_instance(void);
void test_interrupter(void);
void test_memory(void);
void test_module(void);
void test_order(void);
void test_plan(void);
void test_platform(void);
void test_pool(void);
void test_runtime(void);
void test_static(void);
void test_table(void);
void test_threads(void);
void test_usage(void);
void test_wasi(void);

#endif
