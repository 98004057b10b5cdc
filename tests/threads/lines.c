/* Threads write lines, each in one call, of two buffers; none may be torn. */
#include "threads.h"

enum { THREADS = 4, LINES = 50, LENGTH = 300, STACK = 4096 };

static struct thread threads[THREADS];
static char stacks[THREADS][STACK] __attribute__((aligned(16)));

static void run(void *argument) {
    char line[LENGTH];
    for (u32 index = 0; index < LENGTH - 1; index++)
        line[index] = (char)('a' + (u32)argument);
    line[LENGTH - 1] = '\n';
    struct buffer buffers[2] = {{line, LENGTH / 3}, {line + LENGTH / 3, LENGTH - LENGTH / 3}};
    for (u32 index = 0; index < LINES; index++) {
        u32 written = 0;
        if (fd_write(1, buffers, 2, &written) != 0 || written != LENGTH)
            proc_exit(3);
    }
}

EXPORT("_start") void _start(void) {
    for (u32 index = 0; index < THREADS; index++)
        if (thread_start(&threads[index], stacks[index], STACK, 0, run, (void *)index) < 0)
            proc_exit(1);
    for (u32 index = 0; index < THREADS; index++)
        thread_join(&threads[index]);
}
