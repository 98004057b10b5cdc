#define _GNU_SOURCE
/* A C program with a module linked into it: no file, no mapping, and no allocation but from its pool.

   The functions of the C library that give memory, map it or open files are ours here; while the module
   runs, a call of any of them ends the program. The first call comes before that: where there is an
   operating system, the loader asks the C library once per thread where its stack is, and that of Linux
   reads a file to know it. */

#include "guest.h"

#include <precast.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <unistd.h>

/* The stack of calls into the module, from the pool. */
#define STACK (16 << 10)

/* The guest's memory of 64 KiB, and everything else. */
static _Alignas(16) unsigned char pool[96 << 10];

static int forbidden;
static int calls;
static int32_t noted;

static void check(void) {
    if (forbidden) {
        static const char text[] = "the module asked the system\n";
        (void)!write(2, text, sizeof text - 1);
        _exit(3);
    }
}

void *__libc_malloc(size_t size);
void *__libc_calloc(size_t count, size_t size);
void *__libc_realloc(void *block, size_t size);

void *malloc(size_t size) {
    check();
    return __libc_malloc(size);
}

void *calloc(size_t count, size_t size) {
    check();
    return __libc_calloc(count, size);
}

void *realloc(void *block, size_t size) {
    check();
    return __libc_realloc(block, size);
}

/* Nobody needs these but a loader that reads files or maps code. The C library has its own ways. */
int open(const char *path, int flags, ...) {
    (void)path, (void)flags;
    check();
    return -1;
}

int open64(const char *path, int flags, ...) {
    (void)path, (void)flags;
    check();
    return -1;
}

static precast_status note(void *user, precast_caller *caller, const precast_value *params,
                           size_t param_count, precast_value *results, size_t result_count) {
    (void)user, (void)caller, (void)param_count, (void)results, (void)result_count;
    noted = params[0].of.i32;
    return PRECAST_OK;
}

void *mmap(void *address, size_t size, int protection, int flags, int file, off_t offset) {
    check();
    return (void *)syscall(SYS_mmap, address, size, protection, flags, file, offset);
}

/* Instantiates the module in the pool and calls an export of it with one argument. Nothing is left in the
   pool then. */
static precast_status call_module(const char *name, precast_value *value, precast_error *error) {
    const precast_value_kind number = PRECAST_I32;
    precast_runtime *runtime = NULL;
    precast_module *module = NULL;
    precast_env *env = NULL;
    precast_imports *imports = NULL;
    precast_instance *instance = NULL;
    precast_function *function = NULL;
    precast_status status = precast_runtime_new_pool(pool, sizeof pool, NULL, &runtime, error);
    if (!status)
        status = precast_module_from_static(runtime, &precast_module_guest, &module, error);
    if (!status)
        status = precast_env_new_stack(runtime, STACK, &env, error);
    if (!status)
        status = precast_imports_new_for_module(module, &imports, error);
    if (!status)
        status = precast_imports_define_host_function(imports, "host", "note", &number, 1, NULL, 0, note,
                                                      NULL, NULL, error);
    if (!status)
        status = precast_instance_new(module, imports, NULL, env, &instance, error);
    if (!status)
        status = precast_instance_function(instance, name, &function, error);
    if (!status)
        status = precast_function_call(function, env, value, 1, value, 1, error);
    precast_function_free(function);
    precast_instance_free(instance);
    precast_imports_free(imports);
    precast_env_free(env);
    precast_module_free(module);
    precast_runtime_free(runtime);
    return status;
}

static void call(const char *name, int32_t argument) {
    char message[256] = "";
    precast_error error = {
        .size = sizeof error, .message = message, .message_capacity = sizeof message};
    precast_value value = {.kind = PRECAST_I32, .of = {.i32 = argument}};
    noted = 0;
    forbidden = calls++ > 0;
    precast_status status = call_module(name, &value, &error);
    forbidden = 0;
    if (status == PRECAST_OK)
        printf("%s(%d) = %d, noted %d\n", name, argument, value.of.i32, noted);
    else
        printf("%s(%d): %s\n", name, argument, message);
}

int main(void) {
    call("sum", 4);
    call("mean", 4);
    call("mean", 0);
    call("nothing", 0);
    printf("%s\n", PRECAST_GUEST_TEXT_BYTES > 0 ? "done" : "no code");
    return 0;
}
