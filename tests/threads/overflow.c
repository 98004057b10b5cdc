/* A thread calls itself until its C stack is used up. */
#include "threads.h"

enum { STACK = 4096 };

static struct thread thread;
/* What lies below the stack must stay as it is. */
static char memory[2 * STACK] __attribute__((aligned(16)));
static _Atomic int never;

static __attribute__((noinline)) u32 dive(u32 depth) {
    volatile char frame[256];
    frame[depth % 256] = (char)depth;
    return dive(depth + 1) + (u32)frame[(depth + 1) % 256];
}

static void run(void *argument) {
    print_number(dive(0));
}

EXPORT("_start") void _start(void) {
    if (thread_start(&thread, memory + STACK, STACK, 0, run, 0) < 0)
        proc_exit(1);
    for (;;)
        __builtin_wasm_memory_atomic_wait32((int *)&never, 0, -1);
}
