/* Threads count together under a lock and each for itself; main waits for them. */
#include "threads.h"

enum { THREADS = 4, ROUNDS = 2000, STACK = 4096 };

static struct thread threads[THREADS];
static char stacks[THREADS][STACK] __attribute__((aligned(16)));
static char locals[THREADS][64] __attribute__((aligned(16)));
static mutex lock;
static u32 count;
static u32 own_counts;
static _Thread_local u32 own = 5;

static void run(void *argument) {
    for (u32 round = 0; round < ROUNDS; round++) {
        mutex_lock(&lock);
        count++;
        mutex_unlock(&lock);
        own++;
    }
    mutex_lock(&lock);
    own_counts += own;
    mutex_unlock(&lock);
}

EXPORT("_start") void _start(void) {
    for (u32 index = 0; index < THREADS; index++)
        if (thread_start(&threads[index], stacks[index], STACK, locals[index], run, 0) < 0)
            proc_exit(1);
    for (u32 index = 0; index < THREADS; index++)
        thread_join(&threads[index]);
    print_number(count);
    print_number(own_counts);
    for (u32 index = 0; index < THREADS; index++)
        for (u32 other = 0; other < index; other++)
            if (threads[index].id == threads[other].id)
                proc_exit(2);
}
