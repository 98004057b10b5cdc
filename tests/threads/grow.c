/* Threads grow the memory, each writes to what it got, and all see what the others wrote. */
#include "threads.h"

enum { THREADS = 4, GROWTHS = 2, PAGE = 65536, STACK = 4096 };

static struct thread threads[THREADS];
static char stacks[THREADS][STACK] __attribute__((aligned(16)));
static u32 pages[THREADS][GROWTHS];

static void run(void *argument) {
    u32 number = (u32)argument;
    for (u32 index = 0; index < GROWTHS; index++) {
        u32 page = __builtin_wasm_memory_grow(0, 1);
        pages[number][index] = page;
        if (page == ~0u)
            proc_exit(3);
        ((u32 *)(page * PAGE))[number] = 1 + number;
        ((u32 *)(page * PAGE))[PAGE / 4 - 1] = 10 + number;
    }
}

EXPORT("_start") void _start(void) {
    u32 before = __builtin_wasm_memory_size(0);
    for (u32 index = 0; index < THREADS; index++)
        if (thread_start(&threads[index], stacks[index], STACK, 0, run, (void *)index) < 0)
            proc_exit(1);
    for (u32 index = 0; index < THREADS; index++)
        thread_join(&threads[index]);
    if (__builtin_wasm_memory_size(0) != before + THREADS * GROWTHS)
        proc_exit(4);
    u32 sum = 0;
    for (u32 number = 0; number < THREADS; number++)
        for (u32 index = 0; index < GROWTHS; index++) {
            u32 *page = (u32 *)(pages[number][index] * PAGE);
            sum += page[number] + page[PAGE / 4 - 1];
        }
    print_number(sum);
}
