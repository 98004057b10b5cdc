#define _GNU_SOURCE
/* A C program with a module linked into it: no file, no mapping, and no allocation but from its pool.

   The functions of the C library that give memory, map it or open files are ours here; while the module
   runs, a call of any of them ends the program. The first call comes before that: where there is an
   operating system, the loader asks the C library once per thread where its stack is, and that of Linux
   reads a file to know it. */

#include "guest.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <unistd.h>

int static_module_call(const struct precast_static_module *module, void *pool, size_t pool_size,
                       void (*note)(int32_t), const char *name, int32_t argument, int32_t *result,
                       char *message, size_t message_size);

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

static void note(int32_t value) { noted = value; }

void *mmap(void *address, size_t size, int protection, int flags, int file, off_t offset) {
    check();
    return (void *)syscall(SYS_mmap, address, size, protection, flags, file, offset);
}

static int call(const char *name, int32_t argument) {
    int32_t result = 0;
    char message[256];
    noted = 0;
    forbidden = calls++ > 0;
    int status = static_module_call(&precast_module_guest, pool, sizeof pool, note, name, argument,
                                    &result, message, sizeof message);
    forbidden = 0;
    if (status == 0)
        printf("%s(%d) = %d, noted %d\n", name, argument, result, noted);
    else
        printf("%s(%d): status %d: %s\n", name, argument, status, message);
    return status;
}

int main(void) {
    call("sum", 4);
    call("mean", 4);
    call("mean", 0);
    call("nothing", 0);
    printf("%s\n", PRECAST_GUEST_TEXT_BYTES > 0 ? "done" : "no code");
    return 0;
}
