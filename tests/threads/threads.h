/* What threaded programs without a library need: threads, locks and a line of output.
 *
 * Each program here is a C file and the text of the module that was made of it:
 *
 *     clang-22 --target=wasm32-wasip1-threads -O2 -ffreestanding -fno-builtin -nostdlib -matomics \
 *         -mbulk-memory -ftls-model=local-exec -Wl,--shared-memory,--import-memory,--export-memory \
 *         -Wl,--max-memory=1048576,-z,stack-size=16384,--strip-debug \
 *         -Wl,--export=__stack_pointer,--export=__data_end,--export=__heap_base \
 *         NAME.c -o NAME.wasm && wasm2wat --enable-threads NAME.wasm -o NAME.wat
 */

#define IMPORT(module, name) __attribute__((import_module(module), import_name(name)))
#define EXPORT(name) __attribute__((export_name(name)))

typedef unsigned int u32;
typedef unsigned long long u64;

struct buffer {
    const void *start;
    u32 length;
};

IMPORT("wasi", "thread-spawn") int thread_spawn(void *argument);
IMPORT("wasi_snapshot_preview1", "fd_write")
int fd_write(u32 fd, const struct buffer *buffers, u32 count, u32 *written);
IMPORT("wasi_snapshot_preview1", "proc_exit") _Noreturn void proc_exit(u32 code);

/* Threads. What a thread begins with is read by the few instructions below, which have no stack yet:
 * where its stack is, and where its thread-local variables are. */
struct thread {
    void *stack_top;
    void *locals;
    void (*run)(void *);
    void *argument;
    _Atomic int done;
    int id;
};

void __wasm_init_tls(void *);

__asm__(".globaltype __stack_pointer, i32\n"
        ".functype enter_thread (i32, i32) -> ()\n"
        ".globl wasi_thread_start\n"
        ".type wasi_thread_start,@function\n"
        "wasi_thread_start:\n"
        ".functype wasi_thread_start (i32, i32) -> ()\n"
        "local.get 1\n"
        "i32.load 0\n"
        "global.set __stack_pointer\n"
        "local.get 0\n"
        "local.get 1\n"
        "call enter_thread\n"
        "end_function\n"
        ".export_name wasi_thread_start, wasi_thread_start\n");

__attribute__((used)) void enter_thread(int id, struct thread *thread) {
    if (__builtin_wasm_tls_size() != 0)
        __wasm_init_tls(thread->locals);
    thread->id = id;
    thread->run(thread->argument);
    thread->done = 1;
    __builtin_wasm_memory_atomic_notify((int *)&thread->done, ~0u);
}

/* Starts a thread on a stack of its own; a negative number if that cannot be. */
static int thread_start(struct thread *thread, void *stack, u32 size, void *locals,
                        void (*run)(void *), void *argument) {
    thread->stack_top = (char *)stack + size;
    thread->locals = locals;
    thread->run = run;
    thread->argument = argument;
    thread->done = 0;
    return thread_spawn(thread);
}

static void thread_join(struct thread *thread) {
    while (!thread->done)
        __builtin_wasm_memory_atomic_wait32((int *)&thread->done, 0, -1);
}

/* A lock: free, taken, taken and waited for. */
typedef _Atomic int mutex;

static void mutex_lock(mutex *mutex) {
    int seen = 0;
    if (__c11_atomic_compare_exchange_strong(mutex, &seen, 1, __ATOMIC_ACQUIRE, __ATOMIC_RELAXED))
        return;
    while (__c11_atomic_exchange(mutex, 2, __ATOMIC_ACQUIRE) != 0)
        __builtin_wasm_memory_atomic_wait32((int *)mutex, 2, -1);
}

static void mutex_unlock(mutex *mutex) {
    if (__c11_atomic_exchange(mutex, 0, __ATOMIC_RELEASE) == 2)
        __builtin_wasm_memory_atomic_notify((int *)mutex, 1);
}

/* A condition variable: how often somebody was told. */
typedef _Atomic int condition;

static void condition_wait(condition *condition, mutex *mutex) {
    int seen = *condition;
    mutex_unlock(mutex);
    __builtin_wasm_memory_atomic_wait32((int *)condition, seen, -1);
    mutex_lock(mutex);
}

static void condition_tell_all(condition *condition) {
    (*condition)++;
    __builtin_wasm_memory_atomic_notify((int *)condition, ~0u);
}

/* Output. */
static void print(const char *text, u32 length) {
    struct buffer buffer = {text, length};
    u32 written;
    fd_write(1, &buffer, 1, &written);
}

__attribute__((unused)) static void print_number(u32 number) {
    char text[11];
    u32 start = sizeof text;
    text[--start] = '\n';
    do
        text[--start] = (char)('0' + number % 10);
    while (number /= 10);
    print(text + start, sizeof text - start);
}
