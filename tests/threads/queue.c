/* Producers and consumers of a queue that holds a few: condition variables both ways. */
#include "threads.h"

enum { PRODUCERS = 2, CONSUMERS = 2, ITEMS = 500, ROOM = 4, STACK = 4096 };

static struct thread threads[PRODUCERS + CONSUMERS];
static char stacks[PRODUCERS + CONSUMERS][STACK] __attribute__((aligned(16)));
static mutex lock;
static condition changed;
static u32 items[ROOM];
static u32 first, used, open_producers = PRODUCERS;
static u64 sum;
static u32 taken;

static void produce(void *argument) {
    u32 number = (u32)argument;
    for (u32 index = 0; index < ITEMS; index++) {
        mutex_lock(&lock);
        while (used == ROOM)
            condition_wait(&changed, &lock);
        items[(first + used++) % ROOM] = number * ITEMS + index;
        condition_tell_all(&changed);
        mutex_unlock(&lock);
    }
    mutex_lock(&lock);
    open_producers--;
    condition_tell_all(&changed);
    mutex_unlock(&lock);
}

static void consume(void *argument) {
    mutex_lock(&lock);
    for (;;) {
        while (used == 0 && open_producers != 0)
            condition_wait(&changed, &lock);
        if (used == 0)
            break;
        sum += items[first];
        taken++;
        first = (first + 1) % ROOM;
        used--;
        condition_tell_all(&changed);
    }
    mutex_unlock(&lock);
}

EXPORT("_start") void _start(void) {
    for (u32 index = 0; index < PRODUCERS + CONSUMERS; index++) {
        void (*run)(void *) = index < PRODUCERS ? produce : consume;
        if (thread_start(&threads[index], stacks[index], STACK, 0, run, (void *)index) < 0)
            proc_exit(1);
    }
    for (u32 index = 0; index < PRODUCERS + CONSUMERS; index++)
        thread_join(&threads[index]);
    print_number(taken);
    print_number((u32)sum);
}
