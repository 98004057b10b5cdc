/* The Precast loader as a C library: loads what `precast compile` made of WebAssembly, and runs it.

   Made from the library's source; do not edit. How to build and link, who owns what, and which thread
   may do what is in docs/c.md.

   Every object is a handle that a function of the library stores and another one frees. Handles keep
   alive what they need: they may be freed in any order. Strings that go in end with a zero and are
   UTF-8; those that come out have a length. A function that can fail returns a `precast_status` and
   takes, as its last argument, a `precast_error` of the caller's for the rest, or null. Structures with
   a `size` begin with it, so that program and library need not be of one version. */

#ifndef PRECAST_H
#define PRECAST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// How many categories there are: their numbers are those below.
#define PRECAST_CATEGORY_COUNT 20

// How a function ended. Whatever is not `PRECAST_OK` is a failure, and nothing has then changed
// but what the function's text names.
enum precast_status
#if defined(__cplusplus) || __STDC_VERSION__ >= 202311L
  : int32_t
#endif // defined(__cplusplus) || __STDC_VERSION__ >= 202311L
 {
    // It did what it should.
    PRECAST_OK = 0,
    // A pointer that must not be null is.
    PRECAST_NULL_ARGUMENT = 1,
    // A pointer leads to an object of another kind than the function takes, or to one that was
    // freed while a call in progress still uses it.
    PRECAST_INVALID_HANDLE = 2,
    // A value is none that the function takes.
    PRECAST_INVALID_ARGUMENT = 3,
    // A structure is larger than this library knows, and what it does not know is set. Use a newer
    // library, or leave it zero.
    PRECAST_UNKNOWN_OPTION = 4,
    // There are more results than the buffer has room for; the number is stored where the function
    // says.
    PRECAST_BUFFER_TOO_SMALL = 5,
    // There is not enough memory.
    PRECAST_OUT_OF_MEMORY = 6,
    // Another thread, or a call in progress, uses the object. Try again when it is done.
    PRECAST_BUSY = 7,
    // There is nothing with this name or index.
    PRECAST_NOT_FOUND = 8,
    // Something has another type than it should have.
    PRECAST_TYPE_MISMATCH = 9,
    // A range leaves the memory or the table.
    PRECAST_OUT_OF_BOUNDS = 10,
    // The bytes are no valid artifact.
    PRECAST_MALFORMED = 11,
    // The artifact asks for what this device or this library does not have.
    PRECAST_INCOMPATIBLE = 12,
    // The artifact is not signed by a trusted key.
    PRECAST_UNTRUSTED = 13,
    // The operating system refused; `os_error` of the error has its number.
    PRECAST_SYSTEM_ERROR = 14,
    // An import is missing, or is not what the module asks for.
    PRECAST_LINK_ERROR = 15,
    // Code trapped. The instance stays usable.
    PRECAST_TRAP = 16,
    // The program ended itself; `exit_code` of the error has its code.
    PRECAST_EXIT = 17,
    // An exception left the function.
    PRECAST_EXCEPTION = 18,
    // A host function failed.
    PRECAST_HOST_ERROR = 19,
    // The call stack does not serve the module.
    PRECAST_STACK_ERROR = 20,
    // Objects of different runtimes do not go together.
    PRECAST_OTHER_RUNTIME = 21,
    // This library was built without it, or nothing like it exists.
    PRECAST_UNSUPPORTED = 22,
    // The program has no heap from which the host can allocate.
    PRECAST_NO_HEAP = 23,
    // Limits or memory do not let a memory or table grow.
    PRECAST_CANNOT_GROW = 24,
    // The library panicked, which is a mistake in it. Please report it.
    PRECAST_PANIC = 25,
};
#ifndef __cplusplus
#if __STDC_VERSION__ >= 202311L
typedef enum precast_status precast_status;
#else
typedef int32_t precast_status;
#endif // __STDC_VERSION__ >= 202311L
#endif // __cplusplus

// What a value is: the numbers of WebAssembly's binary format.
enum precast_value_kind
#if defined(__cplusplus) || __STDC_VERSION__ >= 202311L
  : uint32_t
#endif // defined(__cplusplus) || __STDC_VERSION__ >= 202311L
 {
    // A 32-bit integer.
    PRECAST_I32 = 127,
    // A 64-bit integer.
    PRECAST_I64 = 126,
    // A 32-bit float.
    PRECAST_F32 = 125,
    // A 64-bit float.
    PRECAST_F64 = 124,
    // A vector of 16 bytes.
    PRECAST_V128 = 123,
    // A reference to a function, or null.
    PRECAST_FUNCREF = 112,
    // A reference to something of the host, or null.
    PRECAST_EXTERNREF = 111,
    // A reference to an exception, or null.
    PRECAST_EXNREF = 105,
};
#ifndef __cplusplus
#if __STDC_VERSION__ >= 202311L
typedef enum precast_value_kind precast_value_kind;
#else
typedef uint32_t precast_value_kind;
#endif // __STDC_VERSION__ >= 202311L
#endif // __cplusplus

// What something imported or exported is.
enum precast_extern_kind
#if defined(__cplusplus) || __STDC_VERSION__ >= 202311L
  : uint32_t
#endif // defined(__cplusplus) || __STDC_VERSION__ >= 202311L
 {
    // A function.
    PRECAST_EXTERN_FUNCTION = 0,
    // A table.
    PRECAST_EXTERN_TABLE = 1,
    // A linear memory.
    PRECAST_EXTERN_MEMORY = 2,
    // A global.
    PRECAST_EXTERN_GLOBAL = 3,
    // A tag of exceptions.
    PRECAST_EXTERN_TAG = 4,
};
#ifndef __cplusplus
#if __STDC_VERSION__ >= 202311L
typedef enum precast_extern_kind precast_extern_kind;
#else
typedef uint32_t precast_extern_kind;
#endif // __STDC_VERSION__ >= 202311L
#endif // __cplusplus

// Why code stopped.
enum precast_trap_code
#if defined(__cplusplus) || __STDC_VERSION__ >= 202311L
  : uint32_t
#endif // defined(__cplusplus) || __STDC_VERSION__ >= 202311L
 {
    // It did not trap.
    PRECAST_TRAP_NONE = 0,
    // An `unreachable` instruction was executed.
    PRECAST_TRAP_UNREACHABLE = 1,
    // A load, store or bulk memory instruction left its linear memory.
    PRECAST_TRAP_MEMORY_OUT_OF_BOUNDS = 2,
    // A table instruction left its table.
    PRECAST_TRAP_TABLE_OUT_OF_BOUNDS = 3,
    // `call_indirect` with an index that the table does not have.
    PRECAST_TRAP_UNDEFINED_ELEMENT = 4,
    // `call_indirect` to a null entry.
    PRECAST_TRAP_UNINITIALIZED_ELEMENT = 5,
    // `call_indirect` to a function of another type.
    PRECAST_TRAP_INDIRECT_CALL_TYPE_MISMATCH = 6,
    // An integer division whose result does not fit.
    PRECAST_TRAP_INTEGER_OVERFLOW = 7,
    // An integer division or remainder by zero.
    PRECAST_TRAP_INTEGER_DIVIDE_BY_ZERO = 8,
    // A float-to-integer conversion of a NaN.
    PRECAST_TRAP_INVALID_CONVERSION_TO_INTEGER = 9,
    // The call stack of the execution environment is used up.
    PRECAST_TRAP_STACK_OVERFLOW = 10,
    // An atomic access that is not naturally aligned.
    PRECAST_TRAP_UNALIGNED_ATOMIC = 11,
    // A null reference where the instruction needs an object.
    PRECAST_TRAP_NULL_REFERENCE = 12,
    // `memory.atomic.wait` on a memory that is not shared.
    PRECAST_TRAP_EXPECTED_SHARED_MEMORY = 13,
    // The host asked the program to stop.
    PRECAST_TRAP_INTERRUPTED = 14,
    // The auxiliary stack in linear memory is used up.
    PRECAST_TRAP_AUX_STACK_OVERFLOW = 15,
    // The auxiliary stack pointer rose above the stack's base.
    PRECAST_TRAP_AUX_STACK_UNDERFLOW = 16,
    // There is not enough memory for what an instruction makes.
    PRECAST_TRAP_OUT_OF_MEMORY = 17,
    // A call through a function reference that is null.
    PRECAST_TRAP_NULL_FUNCTION_REFERENCE = 18,
};
#ifndef __cplusplus
#if __STDC_VERSION__ >= 202311L
typedef enum precast_trap_code precast_trap_code;
#else
typedef uint32_t precast_trap_code;
#endif // __STDC_VERSION__ >= 202311L
#endif // __cplusplus

// What memory is for.
enum precast_category
#if defined(__cplusplus) || __STDC_VERSION__ >= 202311L
  : uint32_t
#endif // defined(__cplusplus) || __STDC_VERSION__ >= 202311L
 {
    // Runtime structures.
    PRECAST_CATEGORY_RUNTIME = 0,
    // Host functions and the imports that name them.
    PRECAST_CATEGORY_HOST_FUNCTIONS = 1,
    // The registry of function types.
    PRECAST_CATEGORY_TYPES = 2,
    // What is kept per thread.
    PRECAST_CATEGORY_THREADS = 3,
    // The artifact's bytes, where the runtime owns them.
    PRECAST_CATEGORY_ARTIFACT = 4,
    // Module structures.
    PRECAST_CATEGORY_MODULE = 5,
    // Code: a private copy or a mapping.
    PRECAST_CATEGORY_CODE = 6,
    // Trap and name tables.
    PRECAST_CATEGORY_TRAP_TABLES = 7,
    // Instance structures, and handles to what instances export.
    PRECAST_CATEGORY_INSTANCE = 8,
    // The block that compiled code addresses.
    PRECAST_CATEGORY_CONTEXT = 9,
    // Elements of tables.
    PRECAST_CATEGORY_TABLES = 10,
    // Linear memories.
    PRECAST_CATEGORY_LINEAR_MEMORY = 11,
    // Bookkeeping of the app heap.
    PRECAST_CATEGORY_APP_HEAP = 12,
    // The WASI context.
    PRECAST_CATEGORY_WASI = 13,
    // The WASI-NN context.
    PRECAST_CATEGORY_WASI_NN = 14,
    // Call stacks that are the runtime's.
    PRECAST_CATEGORY_CALL_STACK = 15,
    // Arguments and results of calls.
    PRECAST_CATEGORY_ARGUMENTS = 16,
    // Alternate stacks for signal handlers.
    PRECAST_CATEGORY_SIGNAL_STACK = 17,
    // Backtraces, and texts of failures.
    PRECAST_CATEGORY_BACKTRACE = 18,
    // Exceptions.
    PRECAST_CATEGORY_EXCEPTIONS = 19,
};
#ifndef __cplusplus
#if __STDC_VERSION__ >= 202311L
typedef enum precast_category precast_category;
#else
typedef uint32_t precast_category;
#endif // __STDC_VERSION__ >= 202311L
#endif // __cplusplus

// One of the three standard streams.
enum precast_wasi_stream
#if defined(__cplusplus) || __STDC_VERSION__ >= 202311L
  : uint32_t
#endif // defined(__cplusplus) || __STDC_VERSION__ >= 202311L
 {
    // Standard input.
    PRECAST_WASI_STDIN = 0,
    // Standard output.
    PRECAST_WASI_STDOUT = 1,
    // Standard error.
    PRECAST_WASI_STDERR = 2,
};
#ifndef __cplusplus
#if __STDC_VERSION__ >= 202311L
typedef enum precast_wasi_stream precast_wasi_stream;
#else
typedef uint32_t precast_wasi_stream;
#endif // __STDC_VERSION__ >= 202311L
#endif // __cplusplus

// The call of a host function by a program: which instance called, and what the function says of its
// end. It is there until the function returns, for the thread that the function runs on.
typedef struct precast_caller precast_caller;

// What a program of WASI can reach on a device: output, clocks and random numbers of the platform, and
// these strings; no files. For any number of instances.
//
// The functions for it are in libraries that were built with the feature `wasi-minimal`, as by default.
// A program's exit is `PRECAST_EXIT`.
typedef struct precast_device_wasi precast_device_wasi;

// Where calls have their native stack. One serves one call at a time; another call in it gets
// `PRECAST_BUSY`. Host functions always run on the calling thread's own stack.
typedef struct precast_env precast_env;

// An exception: one that left a call, one that the host made, or a reference to one. It keeps what its
// tag belongs to alive.
typedef struct precast_exception precast_exception;

// A function: an export, or a reference out of a table. It keeps its instance alive.
typedef struct precast_function precast_function;

// A global: exported by an instance, or made by the host to be imported. It keeps its instance
// alive.
typedef struct precast_global precast_global;

// What modules can import. One serves any number of instances; defining a name again replaces what
// was there.
//
// Instances that import a table, a memory, a global or another instance's function share a life with
// it: they are freed together.
typedef struct precast_imports precast_imports;

// A module with memories, tables and globals of its own.
//
// It lives as long as a handle to it, or to anything that it is linked with. One thread at a time
// may call into instances that are linked with each other; another one gets `PRECAST_BUSY`.
typedef struct precast_instance precast_instance;

// Stops the code of an instance, from any thread. It does not keep the instance.
//
// It takes effect at the start of functions and loops if the artifact was compiled with interrupt
// checks, and always where a host function returns, while the code waits at an address of a shared
// memory, and when the host calls the instance.
typedef struct precast_interrupter precast_interrupter;

// A linear memory: exported by an instance, or made by the host to be imported. It keeps its
// instance alive.
typedef struct precast_memory precast_memory;

// A loaded artifact, checked and ready to be instantiated any number of times.
typedef struct precast_module precast_module;

// What all modules and instances on a device share: where memory comes from, and what the device
// offers.
//
// It lives until the handle and everything made from it is freed, in any order.
typedef struct precast_runtime precast_runtime;

// What the symbol `precast_module_NAME` of an object file names that `precast compile --emit object`
// wrote; the header that it writes beside it has the structure.
typedef struct precast_static_module precast_static_module;

// A table: exported by an instance, or made by the host to be imported. It keeps its instance alive.
typedef struct precast_table precast_table;

// What kind of exception something is, and what it carries: exported by an instance, or made by the
// host to be imported.
typedef struct precast_tag precast_tag;

// What a program of WASI can reach, for any number of instances.
typedef struct precast_wasi precast_wasi;

// What a program of WASI will be given. Nothing but what is said here: no arguments, no environment,
// no directories, and streams that lead nowhere.
//
// The functions for WASI are in libraries that were built with the feature `wasi`, as by default.
typedef struct precast_wasi_config precast_wasi_config;

// The parts of a value.
typedef union precast_value_of {
    // For `PRECAST_I32`.
    int32_t i32;
    // For `PRECAST_I64`.
    int64_t i64;
    // For `PRECAST_F32`.
    float f32;
    // For `PRECAST_F64`.
    double f64;
    // For `PRECAST_V128`: as in a linear memory, lane 0 first and little-endian.
    uint8_t v128[16];
    // For `PRECAST_FUNCREF`: a handle, or null. In a value that the library makes, the handle is
    // yours to free, but for the parameters of host functions, which the library frees.
    struct precast_function *function;
    // For `PRECAST_EXNREF`: a handle, or null, with the same rules.
    struct precast_exception *exception;
    // For `PRECAST_EXTERNREF`: a number that means something to you; zero is null.
    size_t external;
} precast_value_of;

// A value of WebAssembly.
typedef struct precast_value {
    // Which part of `of` counts.
    precast_value_kind kind;
    // Zero.
    uint32_t reserved;
    // The value.
    union precast_value_of of;
} precast_value;

// A text in UTF-8 that belongs to the library. It does not end with a zero, and may have zeros and
// any other character inside: look before you print it to a terminal.
//
// What it is a name of says how long it is there. Without a text, `data` is null and `length` zero.
typedef struct precast_text {
    // The first byte, or null.
    const char *data;
    // How many bytes there are.
    size_t length;
} precast_text;

// A function that was active when code stopped. Its texts are there for as long as a handle to its
// module is, or to an instance of it.
typedef struct precast_frame {
    // The module's name, where the artifact has it.
    struct precast_text module_name;
    // The function's name, where the artifact has it.
    struct precast_text function_name;
    // If the function had called the host through an import: the import's module name.
    struct precast_text import_module;
    // If the function had called the host through an import: the import's name.
    struct precast_text import_name;
    // The function's index in the module, imports first.
    uint32_t function_index;
    // Where in the wasm file the instruction is; `UINT32_MAX` where that is not known.
    uint32_t wasm_offset;
    // Where in the wasm file the function's body begins; `UINT32_MAX` where that is not known.
    uint32_t body_offset;
    // One if the function had called the host, else zero.
    uint32_t calls_host;
} precast_frame;

// Where a function stores what went wrong: every function that can fail takes a pointer to one, or
// null if nobody asks.
//
// Set `size` to the size of the structure and everything else to zero, then `message` and `frames`
// to memory of yours where you want to have them. There is nothing to free but the exception, if it
// is asked for. A function that succeeds leaves it as it is.
typedef struct precast_error {
    // Size of this structure in bytes.
    size_t size;
    // Where the text goes, or null. It ends with a zero, and is cut where it is too long.
    char *message;
    // How many bytes there are at `message`.
    size_t message_capacity;
    // Stored: how many bytes the whole text has, without the zero at its end.
    size_t message_length;
    // Where the active functions go, innermost first, or null.
    struct precast_frame *frames;
    // How many there is room for.
    size_t frame_capacity;
    // Stored: how many functions were active and are known. If that is more than there is room for,
    // the outermost were left out.
    size_t frame_count;
    // Where a handle to the exception goes that left the call, or null; the handle is the caller's to
    // free. Null is stored there if the failure is none, or if there is no memory for a handle.
    struct precast_exception **exception;
    // Stored: one if more functions were active than the library notes, else zero.
    uint32_t frames_are_missing;
    // Stored: what the function returned, a `precast_status`.
    int32_t status;
    // Stored: why code stopped if it trapped, a `precast_trap_code`; else zero.
    uint32_t trap_code;
    // Stored: the code with which the program ended itself, if the status is `PRECAST_EXIT`.
    int32_t exit_code;
    // Stored: the operating system's number for what went wrong, or zero.
    int32_t os_error;
    // Zero.
    uint32_t reserved;
} precast_error;

// Where a function stores the type of another: set `size`, and arrays of yours with their
// capacities; null and zero if only the numbers are asked for.
typedef struct precast_signature {
    // Size of this structure in bytes.
    size_t size;
    // Where the kinds of the parameters go, or null.
    precast_value_kind *params;
    // How many there is room for.
    size_t param_capacity;
    // Stored: how many parameters there are.
    size_t param_count;
    // Where the kinds of the results go, or null.
    precast_value_kind *results;
    // How many there is room for.
    size_t result_capacity;
    // Stored: how many results there are.
    size_t result_count;
} precast_signature;

// A function of the host's. `user` is what was passed when it was defined. There are as many
// parameters and results as its type has; the results are zeros of the right kinds, to be
// overwritten.
//
// It returns `PRECAST_OK`, or any other status, which ends the program's call: one that
// `precast_caller_trap`, `_exit`, `_fail`, `_throw` or `_call` has returned goes on as what it stands
// for.
//
// Handles among the parameters are freed when it returns; those among the results
// stay the function's own to free. It must not unwind or jump out.
typedef precast_status (*precast_host_function)(void *user,
                                                struct precast_caller *caller,
                                                const struct precast_value *params,
                                                size_t param_count,
                                                struct precast_value *results,
                                                size_t result_count);

// Called once when something of the host's is no longer needed, on any thread.
typedef void (*precast_finalizer)(void *user);

// Who is told why memories did not grow.
typedef struct precast_growth_observer {
    // Size of this structure in bytes.
    size_t size;
    // Passed to the function.
    void *user;
    // Called on the thread that asked for the growth, within `memory.grow` or `precast_memory_grow`:
    // the memory's index, imports first; how many pages it would have had, `UINT64_MAX` where there is
    // no such number; and how many it may have, `UINT64_MAX` where there was no memory for them. What
    // it does to the instance has no effect on the outcome.
    void (*failed)(void *user,
                   uint32_t memory,
                   uint64_t pages,
                   uint64_t limit);
} precast_growth_observer;

// What an instance may use. Zeros are the default.
typedef struct precast_instance_options {
    // Size of this structure in bytes.
    size_t size;
    // The size in bytes of the heap that the runtime keeps for the program at the end of its memory,
    // for programs that export no allocator; zero for none.
    size_t heap_size;
    // Lowers the maximum of the memories that the instance defines, in pages, if `limit_memory` is
    // not zero.
    uint64_t max_memory_pages;
    // Not zero: `max_memory_pages` counts.
    uint32_t limit_memory;
    // Not zero: the memories that the instance defines are allocated at their maximum at once, and
    // never move.
    uint32_t fixed_memory;
    // How many paths of calls are told apart where the code counts calls, each for 24 bytes.
    uint32_t call_paths;
    // Zero.
    uint32_t reserved;
    // Who is told why a memory that the instance defines did not grow, or null. The structure stays
    // where it is for as long as the instance and its memories.
    const struct precast_growth_observer *growth_observer;
} precast_instance_options;

// What is imported or exported. Its texts are there for as long as a handle to the module is, or to
// an instance of it.
typedef struct precast_item {
    // Size of this structure in bytes.
    size_t size;
    // The module name of an import; none for an export.
    struct precast_text module;
    // The name.
    struct precast_text name;
    // What it is.
    precast_extern_kind kind;
    // What a global holds, or the elements of a table; zero for others.
    precast_value_kind value_kind;
    // The least number of pages or elements of a memory or table; of an export, how many there are.
    uint64_t minimum;
    // The largest number of pages or elements; `UINT64_MAX` without one.
    uint64_t maximum;
    // One for a global that can be changed, else zero.
    uint32_t is_mutable;
    // One for memories and tables with 64-bit addresses, else zero.
    uint32_t is_64;
    // One for a memory that threads share, else zero.
    uint32_t is_shared;
    // The binary logarithm of a memory's page size in bytes: 16 as a rule.
    uint32_t page_size_log2;
} precast_item;

// The type of a memory that the host makes.
typedef struct precast_memory_options {
    // Size of this structure in bytes.
    size_t size;
    // How many pages of 65,536 bytes there are at first.
    uint64_t minimum;
    // The most pages that there may be; `UINT64_MAX` without a maximum.
    uint64_t maximum;
    // Not zero: addresses have 64 bits.
    uint32_t is_64;
    // Not zero: threads share the memory, which then has a maximum.
    uint32_t is_shared;
} precast_memory_options;

// A public key of Ed25519.
typedef struct precast_key {
    // Its bytes.
    uint8_t bytes[32];
} precast_key;

// What a call of an exported function can take of the native stack.
typedef struct precast_stack_depth {
    // Size of this structure in bytes.
    size_t size;
    // Bytes that compiled code takes at most; zero if there is no bound.
    size_t bytes;
    // Size of a region on which the call cannot overflow; zero if there is no bound.
    size_t region;
    // One if imported functions can be called on the way, else zero.
    uint32_t calls_imports;
    // If there is no bound, a function of a cycle, or one that calls whom nobody knows; else
    // `UINT32_MAX`.
    uint32_t unbounded_function;
} precast_stack_depth;

// Where the bytes of an artifact are.
typedef struct precast_artifact_usage {
    // Size of this structure in bytes.
    size_t size;
    // Bytes in memory of the runtime's.
    size_t owned;
    // Bytes of the host's that the module refers to.
    size_t borrowed;
    // Bytes in pages of a file that the module refers to.
    size_t mapped;
    // Bytes that the module does without since it is loaded: of an artifact that is loaded in place,
    // so many bytes at its end are never read again.
    size_t released;
} precast_artifact_usage;

// What a plan assumes. Zeros are what a device does: a pool, an artifact that is loaded in place,
// calls on the caller's stack.
typedef struct precast_plan_options {
    // Size of this structure in bytes.
    size_t size;
    // How the module is instantiated, or null for the default.
    const struct precast_instance_options *instance;
    // The size of the stack of `precast_env_new_stack`, if `env_has_stack` is not zero.
    size_t stack_size;
    // How many handles to exports there are at a time.
    size_t export_handles;
    // Not zero: the runtime is not in a pool.
    uint32_t no_pool;
    // Not zero: the artifact is copied, and not loaded in place.
    uint32_t copied;
    // Not zero: calls run on a stack that the runtime allocates.
    uint32_t env_has_stack;
    // Not zero: calls run on a region of the host's.
    uint32_t env_has_region;
} precast_plan_options;

// What an artifact will take, in bytes, with the handles that C has: one to a runtime, a module, its
// imports, an instance, an environment, and to exports as many as the options say.
typedef struct precast_plan {
    // Size of this structure in bytes.
    size_t size;
    // The size of a pool that is enough, at an address that is a multiple of 16; zero without a pool.
    size_t pool;
    // What lives as long as the runtime.
    size_t runtime;
    // What lives as long as the module.
    size_t module;
    // What lives as long as the instance, linear memory included.
    size_t instance;
    // What lives as long as the environment.
    size_t execution;
    // The same for each `precast_category`.
    size_t categories[PRECAST_CATEGORY_COUNT];
} precast_plan;

// A block for code of `size` bytes at a multiple of `alignment`, readable and writable, or null.
typedef void *(*precast_map)(void *user,
                             size_t size,
                             size_t alignment);

// Makes a block executable and no longer writable: zero, or an error number.
typedef int32_t (*precast_protect)(void *user,
                                   void *block,
                                   size_t size);

// Lets instruction fetches see what was written to a block.
typedef void (*precast_flush)(void *user,
                              void *block,
                              size_t size);

// Takes a block back, protected or not.
typedef void (*precast_unmap)(void *user,
                              void *block,
                              size_t size);

// What a device offers, for devices without an operating system that the library knows; each function
// may be null. They are called from any thread that uses the library, with `user`.
typedef struct precast_platform {
    // Size of this structure in bytes.
    size_t size;
    // Passed to each function.
    void *user;
    // Where a word of the calling thread's is, which is zero at first: the same at every call, and no
    // other thread's. Without it, one thread alone uses the library, and nothing that interrupts it.
    size_t *(*thread_state)(void *user);
    // Lets other threads run; called by one that waits for them.
    void (*yield_now)(void *user);
    // Stores the lowest address of the calling thread's stack and the address above it; false where
    // that is not known.
    bool (*stack)(void *user,
                  size_t *lowest,
                  size_t *above);
    // Stores nanoseconds of a clock that only goes forward; false where there is none.
    bool (*monotonic_time)(void *user,
                           uint64_t *time);
    // Stores nanoseconds since the beginning of 1970 in UTC; false where there is no such clock.
    bool (*wall_clock_time)(void *user,
                            uint64_t *time);
    // Fills bytes with random numbers that nobody can foretell; false where there are none.
    bool (*random)(void *user,
                   void *bytes,
                   size_t length);
    // Writes bytes out, results to stream 1 and complaints to stream 2: how many of them, or a negative
    // number where the device refuses.
    ptrdiff_t (*write)(void *user,
                       uint32_t stream,
                       const void *bytes,
                       size_t length);
    // Gives a block for code, readable and writable, or null; for code that cannot run in place.
    precast_map map;
    // Makes such a block executable and no longer writable: zero, or an error number.
    precast_protect protect;
    // Lets instruction fetches see what was written to a block. Without it, the processor is told that
    // runs the library.
    precast_flush flush;
    // Takes a block back, protected or not.
    precast_unmap unmap;
} precast_platform;

// A block of `size` bytes at a multiple of `alignment`, or null. `category` is a `precast_category`.
typedef void *(*precast_allocate)(void *user,
                                  uint32_t category,
                                  size_t size,
                                  size_t alignment);

// The block with another size, moved or not, with its contents up to the smaller size; or null, and
// then the block is as it was.
typedef void *(*precast_reallocate)(void *user,
                                    uint32_t category,
                                    void *block,
                                    size_t old_size,
                                    size_t new_size,
                                    size_t alignment);

// Takes a block back.
typedef void (*precast_free)(void *user,
                             uint32_t category,
                             void *block,
                             size_t size,
                             size_t alignment);

// Functions that provide memory, each told what it is for. They can be called from any thread that
// uses the runtime, and stay valid with `user` until everything made from it is freed.
typedef struct precast_allocator {
    // Size of this structure in bytes.
    size_t size;
    // Passed to each function.
    void *user;
    // Gives a block.
    precast_allocate allocate;
    // Changes the size of a block.
    precast_reallocate reallocate;
    // Takes a block back.
    precast_free free;
    // Gives a block of zeros, where there is a way that is cheaper than clearing one; or null.
    precast_allocate allocate_zeroed;
} precast_allocator;

// Functions that provide memory for code. A block is mapped, written, protected, flushed, executed and
// unmapped, in this order; no byte of it may be writable and executable at the same time. They can be
// called from any thread that uses the runtime, and stay valid with `user` until everything made from it
// is freed.
typedef struct precast_code_memory {
    // Size of this structure in bytes.
    size_t size;
    // Passed to each function.
    void *user;
    // Gives a block.
    precast_map map;
    // Makes it executable.
    precast_protect protect;
    // Lets instruction fetches see it.
    precast_flush flush;
    // Takes it back.
    precast_unmap unmap;
} precast_code_memory;

// What a runtime is told about the device where the default does not fit. Zeros are the default.
typedef struct precast_runtime_options {
    // Size of this structure in bytes.
    size_t size;
    // Functions for linear memories alone, for devices with memory of several kinds; or null.
    const struct precast_allocator *linear_memory;
    // Functions for code alone; or null.
    const struct precast_code_memory *code_memory;
    // Not zero: memories do not rely on reserved address space and page protection.
    uint32_t no_guard_pages;
    // Not zero: no signal handlers are installed.
    uint32_t no_signals;
    // Not zero: a runtime in a pool may have memories with guard pages all the same, whose bytes are
    // then not the pool's.
    uint32_t platform_mappings;
    // Not zero: code that no relocation touches runs where it lies, in artifacts that are loaded in
    // place at an address that is a multiple of 16. Their bytes must then be executable and not
    // writable, as flash is.
    uint32_t code_in_place;
} precast_runtime_options;

// The type of a table that the host makes. Its elements are of the kind of the initial value.
typedef struct precast_table_options {
    // Size of this structure in bytes.
    size_t size;
    // How many elements there are at first.
    uint64_t minimum;
    // The most elements that there may be; `UINT64_MAX` without a maximum.
    uint64_t maximum;
    // Not zero: indices have 64 bits.
    uint32_t is_64;
    // Zero.
    uint32_t reserved;
} precast_table_options;

// What a category takes. Zeros if the library was built without the feature `accounting`.
typedef struct precast_usage {
    // Size of this structure in bytes.
    size_t size;
    // Bytes now.
    size_t current;
    // The most bytes at any time.
    size_t peak;
    // How many blocks there are now.
    size_t blocks;
} precast_usage;

// How full a pool is. Sizes include what the pool adds to each block, where not said otherwise.
typedef struct precast_pool_usage {
    // Size of this structure in bytes.
    size_t size;
    // Bytes of the region that blocks can take.
    size_t capacity;
    // Bytes that no block takes now.
    size_t free;
    // The size of the largest free block, without what the pool adds to it.
    size_t largest_free;
    // The most bytes that blocks have taken at any time.
    size_t peak;
} precast_pool_usage;

// A linear memory's figures, in bytes.
typedef struct precast_memory_figures {
    // Size of this structure in bytes.
    size_t size;
    // The size that the module declares at least, with the app heap that is added to it.
    uint64_t declared_min;
    // The largest size that module and host allow; `UINT64_MAX` where the module declares none.
    uint64_t declared_max;
    // The size now.
    size_t length;
    // Bytes that are set aside for it; reserved address space does not count.
    size_t committed;
    // Bytes of these that the system holds in physical memory; `SIZE_MAX` where it does not tell.
    size_t resident;
    // One if the instance imports the memory, else zero.
    size_t is_imported;
} precast_memory_figures;

// A table's figures.
typedef struct precast_table_figures {
    // Size of this structure in bytes.
    size_t size;
    // How many elements there are.
    size_t elements;
    // The most elements that there may be; `UINT64_MAX` where the module declares no maximum.
    uint64_t max_elements;
    // Bytes of the elements.
    size_t bytes;
    // One if the instance imports the table, else zero.
    size_t is_imported;
} precast_table_figures;

// How full the heap is that the runtime keeps for a program.
typedef struct precast_heap_usage {
    // Size of this structure in bytes.
    size_t size;
    // Where in the program's memory it begins.
    uint64_t address;
    // Bytes of the heap.
    size_t bytes;
    // Bytes that are allocated.
    size_t used;
    // The most bytes that were allocated at any time.
    size_t peak;
    // How many allocations there are.
    size_t blocks;
    // The size of the largest hole.
    size_t largest_free;
} precast_heap_usage;

// The state of the stack that compilers of C keep in linear memory. It grows downwards.
typedef struct precast_aux_stack_usage {
    // Size of this structure in bytes.
    size_t size;
    // The highest address: where the empty stack begins.
    uint64_t base;
    // The lowest address that it may reach.
    uint64_t limit;
    // How many bytes are in use.
    uint64_t current;
    // How many bytes were in use at most since the stack was measured; `UINT64_MAX` where it was not.
    uint64_t high_water;
} precast_aux_stack_usage;

// What the calls of a function were. Times are in nanoseconds.
typedef struct precast_function_calls {
    // How often it was called.
    uint64_t calls;
    // How many of these calls have not ended. Their time is not in what follows.
    uint64_t active;
    // Time in the function and in what it called.
    uint64_t total;
    // Time in the function alone.
    uint64_t own;
    // The function's index, imports first.
    uint32_t function_index;
    // Zero.
    uint32_t reserved;
} precast_function_calls;

// Takes what the program writes: the number of bytes that were taken, which may be fewer, or a
// negative number if writing failed. It can be called from any thread that runs the program.
typedef ptrdiff_t (*precast_wasi_write)(void *user,
                                        const void *bytes,
                                        size_t length);

#ifdef __cplusplus
extern "C" {
#endif // __cplusplus

// Has the program trap with a `precast_trap_code`: the host function returns what this returns, which
// is `PRECAST_TRAP`.
precast_status precast_caller_trap(struct precast_caller *caller,
                                   uint32_t trap_code);

// Has the program end with an exit code: the host function returns what this returns, which is
// `PRECAST_EXIT`.
precast_status precast_caller_exit(struct precast_caller *caller,
                                   int32_t exit_code);

// Has the program's call fail with a text, which is copied: the host function returns what this
// returns, which is `PRECAST_HOST_ERROR`.
precast_status precast_caller_fail(struct precast_caller *caller,
                                   const char *message);

// Calls a function on behalf of the caller, on what is left of its stack: as
// `precast_function_call`. A status that this returns, the host function can return, too: what it
// stands for goes on.
precast_status precast_caller_call(struct precast_caller *caller,
                                   const struct precast_function *function,
                                   const struct precast_value *params,
                                   size_t param_count,
                                   struct precast_value *results,
                                   size_t result_count,
                                   struct precast_error *error);

// Stores a handle to the calling instance, freed by `precast_instance_free`.
precast_status precast_caller_instance(struct precast_caller *caller,
                                       struct precast_instance **instance,
                                       struct precast_error *error);

// Stores a handle to the caller's main memory, freed by `precast_memory_free`: the memory that is
// exported as `memory`, else the first.
precast_status precast_caller_memory(struct precast_caller *caller,
                                     struct precast_memory **memory,
                                     struct precast_error *error);

// Copies bytes out of the caller's main memory, all or none of them.
precast_status precast_caller_read(struct precast_caller *caller,
                                   uint64_t address,
                                   void *bytes,
                                   size_t length,
                                   struct precast_error *error);

// Copies bytes into the caller's main memory, all or none of them.
precast_status precast_caller_write(struct precast_caller *caller,
                                    uint64_t address,
                                    const void *bytes,
                                    size_t length,
                                    struct precast_error *error);

// Stores where a range of the caller's main memory is on the host. The pointer is good for the range
// until the function returns, calls into WebAssembly or grows the memory.
precast_status precast_caller_pointer(struct precast_caller *caller,
                                      uint64_t address,
                                      uint64_t length,
                                      void **pointer,
                                      struct precast_error *error);

// Stores where the text at an address of the caller's main memory is on the host, and how many bytes
// it has before the zero that ends it. The pointer is good as that of `precast_caller_pointer`.
precast_status precast_caller_text(struct precast_caller *caller,
                                   uint64_t address,
                                   const char **text,
                                   size_t *length,
                                   struct precast_error *error);

// Stores whether the host wants the instance to stop. A host function that takes long looks here,
// and returns; then the trap follows.
precast_status precast_caller_is_interrupted(struct precast_caller *caller,
                                             bool *is_interrupted,
                                             struct precast_error *error);

// Allocates bytes inside of the caller's memory, as `precast_instance_allocate`.
precast_status precast_caller_allocate(struct precast_caller *caller,
                                       uint64_t bytes,
                                       uint64_t *address,
                                       struct precast_error *error);

// Frees bytes inside of the caller's memory, as `precast_instance_release`.
precast_status precast_caller_release(struct precast_caller *caller,
                                      uint64_t address,
                                      struct precast_error *error);

// Says what programs will reach. The strings are copied into the memory of the runtime: the arguments,
// of which the first is, by custom, the program's name, and the variables of the environment, each
// `NAME=value`. The handle is stored in `wasi`, and freed by `precast_device_wasi_free`.
precast_status precast_device_wasi_new(const struct precast_runtime *runtime,
                                       const char *const *args,
                                       size_t arg_count,
                                       const char *const *environment,
                                       size_t environment_count,
                                       struct precast_device_wasi **wasi,
                                       struct precast_error *error);

// Frees a handle; null is no handle. Imports and instances that use it keep what it stands for.
void precast_device_wasi_free(struct precast_device_wasi *wasi);

// Defines the functions of WASI that a module imports, and no others. Those that a device has not
// answer `ENOSYS`.
precast_status precast_device_wasi_define(const struct precast_device_wasi *wasi,
                                          struct precast_imports *imports,
                                          const struct precast_module *module,
                                          struct precast_error *error);

// Makes an environment on the stack of the thread that calls, down to `stack_size` bytes below the
// call; zero is the default of 1 MiB. The handle is stored in `env`, and freed by
// `precast_env_free`.
precast_status precast_env_new_caller(const struct precast_runtime *runtime,
                                      size_t stack_size,
                                      struct precast_env **env,
                                      struct precast_error *error);

// Makes an environment on a stack of `stack_size` bytes that the runtime allocates; zero is the
// default size. The handle is stored in `env`, and freed by `precast_env_free`.
precast_status precast_env_new_stack(const struct precast_runtime *runtime,
                                     size_t stack_size,
                                     struct precast_env **env,
                                     struct precast_error *error);

// Makes an environment on a stack of the caller's, which is the environment's until that is freed.
// The handle is stored in `env`, and freed by `precast_env_free`.
precast_status precast_env_new_region(const struct precast_runtime *runtime,
                                      void *region,
                                      size_t region_size,
                                      struct precast_env **env,
                                      struct precast_error *error);

// Frees a handle to an environment; null is no handle.
void precast_env_free(struct precast_env *env);

// Fills the environment's stack, so that `precast_env_stack_high_water` can tell how much of it calls
// use from now on. Without effect on a thread's own stack.
precast_status precast_env_measure_stack(struct precast_env *env,
                                         struct precast_error *error);

// Stores the most bytes of the stack that calls have used since it was measured. It is
// `PRECAST_UNSUPPORTED` where it was not, and on a thread's own stack.
precast_status precast_env_stack_high_water(struct precast_env *env,
                                            size_t *bytes,
                                            struct precast_error *error);

// Makes a tag whose exceptions carry values of these kinds. The handle is stored in `tag`, and freed
// by `precast_tag_free`.
precast_status precast_tag_new(const struct precast_runtime *runtime,
                               const precast_value_kind *kinds,
                               size_t count,
                               struct precast_tag **tag,
                               struct precast_error *error);

// Frees a handle to a tag; null is no handle.
void precast_tag_free(struct precast_tag *tag);

// Stores what the tag's exceptions carry, as the parameters of a type without results.
precast_status precast_tag_signature(const struct precast_tag *tag,
                                     struct precast_signature *signature,
                                     struct precast_error *error);

// Stores whether exceptions of one tag are caught as exceptions of the other.
precast_status precast_tag_is_same(const struct precast_tag *tag,
                                   const struct precast_tag *other,
                                   bool *is_same,
                                   struct precast_error *error);

// Stores a handle to the tag that is exported under a name, freed by `precast_tag_free`.
precast_status precast_instance_tag(const struct precast_instance *instance,
                                    const char *name,
                                    struct precast_tag **tag,
                                    struct precast_error *error);

// Defines a tag.
precast_status precast_imports_define_tag(struct precast_imports *imports,
                                          const char *module,
                                          const char *name,
                                          const struct precast_tag *tag,
                                          struct precast_error *error);

// Makes an exception with values of the tag's kinds. The handle is stored in `exception`, and freed by
// `precast_exception_free`.
precast_status precast_exception_new(const struct precast_tag *tag,
                                     const struct precast_value *values,
                                     size_t count,
                                     struct precast_exception **exception,
                                     struct precast_error *error);

// Frees a handle to an exception; null is no handle.
void precast_exception_free(struct precast_exception *exception);

// Stores a handle to the exception's tag, freed by `precast_tag_free`.
precast_status precast_exception_tag(const struct precast_exception *exception,
                                     struct precast_tag **tag,
                                     struct precast_error *error);

// Stores what the exception carries, and how many values that are in `count`. Handles among them are
// the caller's to free. `values` may be null with a capacity of zero, if only the number is asked for.
precast_status precast_exception_values(const struct precast_exception *exception,
                                        struct precast_value *values,
                                        size_t capacity,
                                        size_t *count,
                                        struct precast_error *error);

// Has a host function throw an exception, which the program can catch: the function returns what this
// returns, which is `PRECAST_EXCEPTION`. The handle stays the function's own.
precast_status precast_caller_throw(struct precast_caller *caller,
                                    const struct precast_exception *exception);

// Calls a function, with as many parameters and results as its type has.
//
// The call runs in the environment; if that is null, on the calling thread's stack, for which
// nothing is allocated. `params` and `results` may be the same array. References to functions among
// the results are handles that the caller frees. Any status but `PRECAST_OK` leaves the results as
// they are; the instance stays usable after each of them.
precast_status precast_function_call(const struct precast_function *function,
                                     struct precast_env *env,
                                     const struct precast_value *params,
                                     size_t param_count,
                                     struct precast_value *results,
                                     size_t result_count,
                                     struct precast_error *error);

// Stores the type of a function.
precast_status precast_function_signature(const struct precast_function *function,
                                          struct precast_signature *signature,
                                          struct precast_error *error);

// Stores another handle to the same function.
precast_status precast_function_clone(const struct precast_function *function,
                                      struct precast_function **clone,
                                      struct precast_error *error);

// Frees a handle to a function; null is no handle.
void precast_function_free(struct precast_function *function);

// Makes a global with an initial value, whose kind is the global's. The handle is stored in
// `global`, and freed by `precast_global_free`.
precast_status precast_global_new(const struct precast_runtime *runtime,
                                  const struct precast_value *value,
                                  bool is_mutable,
                                  struct precast_global **global,
                                  struct precast_error *error);

// Frees a handle to a global; null is no handle.
void precast_global_free(struct precast_global *global);

// Stores the kind of the global's values, and whether they change; either may be null.
precast_status precast_global_type(const struct precast_global *global,
                                   precast_value_kind *kind,
                                   bool *is_mutable,
                                   struct precast_error *error);

// Stores the global's value. A reference to a function is a handle that the caller frees.
precast_status precast_global_get(const struct precast_global *global,
                                  struct precast_value *value,
                                  struct precast_error *error);

// Changes the value of a global that can be changed.
precast_status precast_global_set(const struct precast_global *global,
                                  const struct precast_value *value,
                                  struct precast_error *error);

// Allocates bytes inside of the program's memory, and stores their address there. The bytes are what
// they were.
//
// The program's own allocator is called if it exports one, in the environment, or on the calling
// thread's stack if that is null; else the heap of the instance's options serves.
precast_status precast_instance_allocate(const struct precast_instance *instance,
                                         struct precast_env *env,
                                         uint64_t bytes,
                                         uint64_t *address,
                                         struct precast_error *error);

// Makes an allocation of `old_bytes` larger or smaller, and stores its address, which may be another
// one. The bytes up to the smaller size are kept. After a failure it is as it was.
precast_status precast_instance_reallocate(const struct precast_instance *instance,
                                           struct precast_env *env,
                                           uint64_t address,
                                           uint64_t old_bytes,
                                           uint64_t new_bytes,
                                           uint64_t *new_address,
                                           struct precast_error *error);

// Frees what `precast_instance_allocate` and its like allocated.
precast_status precast_instance_release(const struct precast_instance *instance,
                                        struct precast_env *env,
                                        uint64_t address,
                                        struct precast_error *error);

// Copies bytes to new memory inside of the program's, as `precast_instance_allocate`.
precast_status precast_instance_duplicate(const struct precast_instance *instance,
                                          struct precast_env *env,
                                          const void *bytes,
                                          size_t length,
                                          uint64_t *address,
                                          struct precast_error *error);

// Makes an empty list of imports. The handle is stored in `imports`, and freed by
// `precast_imports_free`.
precast_status precast_imports_new(const struct precast_runtime *runtime,
                                   struct precast_imports **imports,
                                   struct precast_error *error);

// As `precast_imports_new`, with room for as many as the module has, and no more.
precast_status precast_imports_new_for_module(const struct precast_module *module,
                                              struct precast_imports **imports,
                                              struct precast_error *error);

// Frees a handle to imports; null is no handle. Instances made with them stay.
void precast_imports_free(struct precast_imports *imports);

// Defines a function of the host with these kinds of parameters and results.
//
// `user` is passed to it. `finalizer`, if not null, is called with `user` when the function is no
// longer needed: after the imports and the last instance that imports it are freed, or at once if
// this fails. The function can be called from any thread that calls into such an instance.
precast_status precast_imports_define_host_function(struct precast_imports *imports,
                                                    const char *module,
                                                    const char *name,
                                                    const precast_value_kind *param_kinds,
                                                    size_t param_count,
                                                    const precast_value_kind *result_kinds,
                                                    size_t result_count,
                                                    precast_host_function function,
                                                    void *user,
                                                    precast_finalizer finalizer,
                                                    struct precast_error *error);

// Defines a function that another instance exports.
precast_status precast_imports_define_function(struct precast_imports *imports,
                                               const char *module,
                                               const char *name,
                                               const struct precast_function *function,
                                               struct precast_error *error);

// Defines a memory.
precast_status precast_imports_define_memory(struct precast_imports *imports,
                                             const char *module,
                                             const char *name,
                                             const struct precast_memory *memory,
                                             struct precast_error *error);

// Defines a global.
precast_status precast_imports_define_global(struct precast_imports *imports,
                                             const char *module,
                                             const char *name,
                                             const struct precast_global *global,
                                             struct precast_error *error);

// Defines a table.
precast_status precast_imports_define_table(struct precast_imports *imports,
                                            const char *module,
                                            const char *name,
                                            const struct precast_table *table,
                                            struct precast_error *error);

// Defines everything that an instance exports, under a module name.
precast_status precast_imports_define_instance(struct precast_imports *imports,
                                               const char *module,
                                               const struct precast_instance *instance,
                                               struct precast_error *error);

// The version of the library, such as `0.1.0`, for as long as the program.
const char *precast_version(void);

// A few words for a `precast_status`, for as long as the program.
const char *precast_status_message(int32_t status);

// A few words for a `precast_trap_code`, for as long as the program.
struct precast_text precast_trap_message(uint32_t trap_code);

// What a `precast_category` is called, for as long as the program; no text for a number that is none.
struct precast_text precast_category_name(uint32_t category);

// Makes an instance, and runs the module's start function if it has one.
//
// `imports` may be null where the module imports nothing, `options` for the default. The start
// function runs in the environment; if that is null, on the calling thread's stack. The handle is
// stored in `instance`, and freed by `precast_instance_free`.
precast_status precast_instance_new(const struct precast_module *module,
                                    const struct precast_imports *imports,
                                    const struct precast_instance_options *options,
                                    struct precast_env *env,
                                    struct precast_instance **instance,
                                    struct precast_error *error);

// Frees a handle to an instance; null is no handle. What it exports stays where there are handles to
// it.
void precast_instance_free(struct precast_instance *instance);

// Stores a handle to the instance's module, freed by `precast_module_free`.
precast_status precast_instance_module(const struct precast_instance *instance,
                                       struct precast_module **module,
                                       struct precast_error *error);

// Stores a handle to the instance's main memory, freed by `precast_memory_free`: the one that is
// exported as `memory`, else the first.
precast_status precast_instance_main_memory(const struct precast_instance *instance,
                                            struct precast_memory **memory,
                                            struct precast_error *error);

// Stores what an export is, by its index: its type, with the number of pages or elements that there
// are. `signature` may be null; for a function or a tag it gets the type.
precast_status precast_instance_export(const struct precast_instance *instance,
                                       size_t index,
                                       struct precast_item *item,
                                       struct precast_signature *signature,
                                       struct precast_error *error);

// Stores a handle to the function that is exported under a name, freed by `precast_function_free`.
precast_status precast_instance_function(const struct precast_instance *instance,
                                         const char *name,
                                         struct precast_function **function,
                                         struct precast_error *error);

// As `precast_instance_function`, by the export's index.
precast_status precast_instance_function_at(const struct precast_instance *instance,
                                            size_t index,
                                            struct precast_function **function,
                                            struct precast_error *error);

// Stores a handle to the memory that is exported under a name, freed by `precast_memory_free`.
precast_status precast_instance_memory(const struct precast_instance *instance,
                                       const char *name,
                                       struct precast_memory **memory,
                                       struct precast_error *error);

// As `precast_instance_memory`, by the export's index.
precast_status precast_instance_memory_at(const struct precast_instance *instance,
                                          size_t index,
                                          struct precast_memory **memory,
                                          struct precast_error *error);

// Stores a handle to the global that is exported under a name, freed by `precast_global_free`.
precast_status precast_instance_global(const struct precast_instance *instance,
                                       const char *name,
                                       struct precast_global **global,
                                       struct precast_error *error);

// As `precast_instance_global`, by the export's index.
precast_status precast_instance_global_at(const struct precast_instance *instance,
                                          size_t index,
                                          struct precast_global **global,
                                          struct precast_error *error);

// Stores a handle to the table that is exported under a name, freed by `precast_table_free`.
precast_status precast_instance_table(const struct precast_instance *instance,
                                      const char *name,
                                      struct precast_table **table,
                                      struct precast_error *error);

// As `precast_instance_table`, by the export's index.
precast_status precast_instance_table_at(const struct precast_instance *instance,
                                         size_t index,
                                         struct precast_table **table,
                                         struct precast_error *error);

// Makes an interrupter. It may be asked for while the code runs. The handle is stored in
// `interrupter`, and freed by `precast_interrupter_free`.
precast_status precast_interrupter_new(const struct precast_instance *instance,
                                       struct precast_interrupter **interrupter,
                                       struct precast_error *error);

// Frees a handle to an interrupter; null is no handle. An instance that is stopped stays so.
void precast_interrupter_free(struct precast_interrupter *interrupter);

// Stops the instance's code with `PRECAST_TRAP_INTERRUPTED`, now and until
// `precast_interrupter_clear`. Without effect where the instance is gone.
precast_status precast_interrupter_interrupt(const struct precast_interrupter *interrupter,
                                             struct precast_error *error);

// Lets code of the instance run again.
precast_status precast_interrupter_clear(const struct precast_interrupter *interrupter,
                                         struct precast_error *error);

// Stores whether the instance is there and stopped.
precast_status precast_interrupter_is_interrupted(const struct precast_interrupter *interrupter,
                                                  bool *is_interrupted,
                                                  struct precast_error *error);

// Makes a memory of zeros. The handle is stored in `memory`, and freed by `precast_memory_free`.
precast_status precast_memory_new(const struct precast_runtime *runtime,
                                  const struct precast_memory_options *options,
                                  struct precast_memory **memory,
                                  struct precast_error *error);

// Frees a handle to a memory; null is no handle.
void precast_memory_free(struct precast_memory *memory);

// Stores the size in pages and in bytes; either may be null.
precast_status precast_memory_size(const struct precast_memory *memory,
                                   uint64_t *pages,
                                   size_t *bytes,
                                   struct precast_error *error);

// Appends pages, and stores the previous number of pages in `previous`, which may be null.
// `PRECAST_CANNOT_GROW` where limits or memory do not allow it.
precast_status precast_memory_grow(const struct precast_memory *memory,
                                   uint64_t delta,
                                   uint64_t *previous,
                                   struct precast_error *error);

// Copies bytes out of the memory, all or none of them.
precast_status precast_memory_read(const struct precast_memory *memory,
                                   uint64_t address,
                                   void *bytes,
                                   size_t length,
                                   struct precast_error *error);

// Copies bytes into the memory, all or none of them.
precast_status precast_memory_write(const struct precast_memory *memory,
                                    uint64_t address,
                                    const void *bytes,
                                    size_t length,
                                    struct precast_error *error);

// Looks whether a range is in the memory: `PRECAST_OUT_OF_BOUNDS` if not.
precast_status precast_memory_check(const struct precast_memory *memory,
                                    uint64_t address,
                                    uint64_t length,
                                    struct precast_error *error);

// Stores where a range of the memory is on the host.
//
// The pointer is good for the range until the memory grows, which may move it unless it has guard
// pages or is fixed, and for as long as the memory is there. Code of the program and other threads
// must not use the range at the same time.
precast_status precast_memory_pointer(const struct precast_memory *memory,
                                      uint64_t address,
                                      uint64_t length,
                                      void **pointer,
                                      struct precast_error *error);

// Stores the program's address of a byte of the memory, given by where it is on the host; the
// pointer is not used. `PRECAST_NOT_FOUND` for pointers to anything else.
precast_status precast_memory_address(const struct precast_memory *memory,
                                      const void *pointer,
                                      uint64_t *address,
                                      struct precast_error *error);

// Stores how many bytes the text at an address has before the zero that ends it;
// `PRECAST_OUT_OF_BOUNDS` if it does not end in the memory.
precast_status precast_memory_text_length(const struct precast_memory *memory,
                                          uint64_t address,
                                          uint64_t *length,
                                          struct precast_error *error);

// Loads an artifact that is signed by one of the keys.
//
// The bytes are copied, but for those that only loading needs; they are the caller's again
// afterwards. The handle is stored in `module`, and freed by `precast_module_free`.
precast_status precast_module_load(const struct precast_runtime *runtime,
                                   const void *bytes,
                                   size_t length,
                                   const struct precast_key *keys,
                                   size_t key_count,
                                   struct precast_module **module,
                                   struct precast_error *error);

// As `precast_module_load`, without asking who made the artifact. It is checked as any other, but its
// machine code is run as it is: whoever made it can do anything that the process can do. Pass what
// the Precast compiler made and nobody could change since.
precast_status precast_module_load_unverified(const struct precast_runtime *runtime,
                                              const void *bytes,
                                              size_t length,
                                              struct precast_module **module,
                                              struct precast_error *error);

// As `precast_module_load`, of bytes that stay where they are: in flash, or in the program. They are
// lent until the module, its instances and everything made from these is freed, and must not change.
precast_status precast_module_load_in_place(const struct precast_runtime *runtime,
                                            const void *bytes,
                                            size_t length,
                                            const struct precast_key *keys,
                                            size_t key_count,
                                            struct precast_module **module,
                                            struct precast_error *error);

// As `precast_module_load_in_place`, with the trust of `precast_module_load_unverified`.
precast_status precast_module_load_in_place_unverified(const struct precast_runtime *runtime,
                                                       const void *bytes,
                                                       size_t length,
                                                       struct precast_module **module,
                                                       struct precast_error *error);

// As `precast_module_load`, of a file, by the system's name for it. It is read into memory, so that
// what is verified is what is run.
precast_status precast_module_load_file(const struct precast_runtime *runtime,
                                        const char *path,
                                        const struct precast_key *keys,
                                        size_t key_count,
                                        struct precast_module **module,
                                        struct precast_error *error);

// As `precast_module_load_file`, with the trust of `precast_module_load_unverified`. The file is
// mapped, and must not change while the module lives.
precast_status precast_module_load_file_unverified(const struct precast_runtime *runtime,
                                                   const char *path,
                                                   struct precast_module **module,
                                                   struct precast_error *error);

// Takes a module that is linked into the program: the address of a symbol `precast_module_NAME`.
//
// Nothing is mapped or copied for it, and it is trusted as the program is.
precast_status precast_module_from_static(const struct precast_runtime *runtime,
                                          const struct precast_static_module *static_module,
                                          struct precast_module **module,
                                          struct precast_error *error);

// Frees a handle to a module; null is no handle. Its instances stay.
void precast_module_free(struct precast_module *module);

// Stores the module's name, which is there for as long as a handle to the module or to an instance
// of it is; no text if the artifact has none.
precast_status precast_module_name(const struct precast_module *module,
                                   struct precast_text *name,
                                   struct precast_error *error);

// Stores the name of a function by its index, imports first; no text if the artifact has none.
precast_status precast_module_function_name(const struct precast_module *module,
                                            uint32_t function_index,
                                            struct precast_text *name,
                                            struct precast_error *error);

// Stores where the contents of a custom section are, by its name and, where several have it, by its
// place among these; they are there for as long as a handle to the module or to an instance of it is.
// Artifacts carry custom sections unless they are stripped.
precast_status precast_module_custom_section(const struct precast_module *module,
                                             const char *name,
                                             size_t place,
                                             const void **bytes,
                                             size_t *length,
                                             struct precast_error *error);

// Stores how many imports the module has.
precast_status precast_module_import_count(const struct precast_module *module,
                                           size_t *count,
                                           struct precast_error *error);

// Stores what an import is, by its index. `signature` may be null; for a function or a tag it gets
// the type.
precast_status precast_module_import(const struct precast_module *module,
                                     size_t index,
                                     struct precast_item *item,
                                     struct precast_signature *signature,
                                     struct precast_error *error);

// Stores how many exports the module has.
precast_status precast_module_export_count(const struct precast_module *module,
                                           size_t *count,
                                           struct precast_error *error);

// Stores the name and the kind of an export, by its index; `precast_instance_export` has its type.
precast_status precast_module_export(const struct precast_module *module,
                                     size_t index,
                                     struct precast_text *name,
                                     precast_extern_kind *kind,
                                     struct precast_error *error);

// Stores what a call of an exported function can take of the native stack, as the compiler proved it.
precast_status precast_module_stack_depth(const struct precast_module *module,
                                          const char *export_,
                                          struct precast_stack_depth *depth,
                                          struct precast_error *error);

// Stores where the bytes of the module's artifact are.
precast_status precast_module_artifact_usage(const struct precast_module *module,
                                             struct precast_artifact_usage *usage,
                                             struct precast_error *error);

// Stores how much memory an artifact will take, by the requests that loading and instantiating it
// will make. Nothing is loaded, and the artifact need not be for this machine's processor.
//
// The function is in libraries that were built with the feature `plan`, for build machines.
precast_status precast_plan_memory(const void *bytes,
                                   size_t length,
                                   const struct precast_plan_options *options,
                                   struct precast_plan *plan,
                                   struct precast_error *error);

// Says what the device offers. The structure is copied; what it leads to stays for as long as the
// program. Nothing of the library was used before, or is by another thread meanwhile.
//
// Where the library knows the operating system, it asks that, and none of the functions is called.
precast_status precast_platform_install(const struct precast_platform *platform,
                                        struct precast_error *error);

// Makes a runtime on the system's allocator.
//
// `options` may be null. The handle is stored in `runtime`, and freed by `precast_runtime_free`.
precast_status precast_runtime_new(const struct precast_runtime_options *options,
                                   struct precast_runtime **runtime,
                                   struct precast_error *error);

// Makes a runtime that takes all its memory from `pool_size` bytes at `pool`, linear memories
// included, and none from anywhere else. `precast memory` says how many it takes.
//
// The region is the runtime's until the handle and everything made from it is freed; then it is the
// caller's again. `options` may be null.
precast_status precast_runtime_new_pool(void *pool,
                                        size_t pool_size,
                                        const struct precast_runtime_options *options,
                                        struct precast_runtime **runtime,
                                        struct precast_error *error);

// Makes a runtime that takes all its memory from functions of the host. `options` may be null.
precast_status precast_runtime_new_custom(const struct precast_allocator *allocator,
                                          const struct precast_runtime_options *options,
                                          struct precast_runtime **runtime,
                                          struct precast_error *error);

// Frees a handle to a runtime; null is no handle.
void precast_runtime_free(struct precast_runtime *runtime);

// Makes a table whose elements all are `value`, a reference or a null one. The handle is stored in
// `table`, and freed by `precast_table_free`.
precast_status precast_table_new(const struct precast_runtime *runtime,
                                 const struct precast_table_options *options,
                                 const struct precast_value *value,
                                 struct precast_table **table,
                                 struct precast_error *error);

// Frees a handle to a table; null is no handle.
void precast_table_free(struct precast_table *table);

// Stores how many elements there are.
precast_status precast_table_size(const struct precast_table *table,
                                  uint64_t *elements,
                                  struct precast_error *error);

// Stores an element. A reference to a function is a handle that the caller frees.
precast_status precast_table_get(const struct precast_table *table,
                                 uint64_t index,
                                 struct precast_value *value,
                                 struct precast_error *error);

// Changes an element.
precast_status precast_table_set(const struct precast_table *table,
                                 uint64_t index,
                                 const struct precast_value *value,
                                 struct precast_error *error);

// Appends elements that are `value`, and stores the previous number in `previous`, which may be
// null. `PRECAST_CANNOT_GROW` where limits or memory do not allow it.
precast_status precast_table_grow(const struct precast_table *table,
                                  uint64_t delta,
                                  const struct precast_value *value,
                                  uint64_t *previous,
                                  struct precast_error *error);

// Stores what a `precast_category` takes of the runtime's memory.
precast_status precast_runtime_usage(const struct precast_runtime *runtime,
                                     uint32_t category,
                                     struct precast_usage *usage,
                                     struct precast_error *error);

// Stores how full the runtime's pool is; `PRECAST_NOT_FOUND` if it lives in none.
precast_status precast_runtime_pool_usage(const struct precast_runtime *runtime,
                                          struct precast_pool_usage *usage,
                                          struct precast_error *error);

// Stores the figures of a memory of an instance, by its index, imports first.
precast_status precast_instance_memory_figures(const struct precast_instance *instance,
                                               uint32_t index,
                                               struct precast_memory_figures *figures,
                                               struct precast_error *error);

// Stores the figures of a table of an instance, by its index, imports first.
precast_status precast_instance_table_figures(const struct precast_instance *instance,
                                              uint32_t index,
                                              struct precast_table_figures *figures,
                                              struct precast_error *error);

// Stores how full the heap is that the runtime keeps for the program; `PRECAST_NO_HEAP` if it keeps
// none.
precast_status precast_instance_heap_usage(const struct precast_instance *instance,
                                           struct precast_heap_usage *usage,
                                           struct precast_error *error);

// Fills what is free of the program's auxiliary stack, so that `precast_instance_aux_stack` can tell
// how much of it is used from now on.
precast_status precast_instance_measure_aux_stack(const struct precast_instance *instance,
                                                  struct precast_error *error);

// Stores the state of the program's auxiliary stack; `PRECAST_NOT_FOUND` where the compiler has
// recognised none.
precast_status precast_instance_aux_stack(const struct precast_instance *instance,
                                          struct precast_aux_stack_usage *usage,
                                          struct precast_error *error);

// Stores what was counted of calls, for the functions that were called, by index; `count` gets how
// many these are. `functions` may be null with a capacity of zero, if only the number is asked for.
//
// `PRECAST_UNSUPPORTED` where the artifact was not compiled to count.
precast_status precast_instance_call_profile(const struct precast_instance *instance,
                                             struct precast_function_calls *functions,
                                             size_t capacity,
                                             size_t *count,
                                             struct precast_error *error);

// Makes a configuration. The handle is stored in `config`, and freed by `precast_wasi_config_free`.
precast_status precast_wasi_config_new(struct precast_wasi_config **config,
                                       struct precast_error *error);

// Frees a handle to a configuration; null is no handle. Contexts made of it stay.
void precast_wasi_config_free(struct precast_wasi_config *config);

// Adds an argument, any bytes but zero. The first is, by custom, the program's name.
precast_status precast_wasi_config_arg(struct precast_wasi_config *config,
                                       const char *arg,
                                       struct precast_error *error);

// Adds an environment variable.
precast_status precast_wasi_config_env(struct precast_wasi_config *config,
                                       const char *name,
                                       const char *value,
                                       struct precast_error *error);

// Adds the environment variables of this process.
precast_status precast_wasi_config_inherit_env(struct precast_wasi_config *config,
                                               struct precast_error *error);

// Lets the program use a directory of the host under a name of its own, and what is in it;
// `read_only` for reading alone. It is opened when a context is made.
precast_status precast_wasi_config_preopen_dir(struct precast_wasi_config *config,
                                               const char *host_path,
                                               const char *guest_path,
                                               bool read_only,
                                               struct precast_error *error);

// Lets the program use the three standard streams of this process.
precast_status precast_wasi_config_inherit_stdio(struct precast_wasi_config *config,
                                                 struct precast_error *error);

// Has a standard stream, a `precast_wasi_stream`, lead to a file: standard input reads it, the others
// make it anew. It is opened when a context is made.
precast_status precast_wasi_config_stream_file(struct precast_wasi_config *config,
                                               precast_wasi_stream stream,
                                               const char *file,
                                               struct precast_error *error);

// Has standard input be these bytes, which are copied.
precast_status precast_wasi_config_stdin_bytes(struct precast_wasi_config *config,
                                               const void *bytes,
                                               size_t length,
                                               struct precast_error *error);

// Has standard output or standard error, a `precast_wasi_stream`, go to a function. It and `user` are
// there until every context that was made of the configuration is freed.
precast_status precast_wasi_config_stream_function(struct precast_wasi_config *config,
                                                   precast_wasi_stream stream,
                                                   precast_wasi_write function,
                                                   void *user,
                                                   struct precast_error *error);

// Makes a context in the memory of a runtime; the configuration can make more. Directories and files
// are opened now. The handle is stored in `wasi`, and freed by `precast_wasi_free`.
precast_status precast_wasi_new(const struct precast_runtime *runtime,
                                const struct precast_wasi_config *config,
                                struct precast_wasi **wasi,
                                struct precast_error *error);

// Frees a handle to a context; null is no handle. Imports and instances that use it keep it.
void precast_wasi_free(struct precast_wasi *wasi);

// Defines the functions of WASI that a module imports, and no others.
precast_status precast_wasi_define(const struct precast_wasi *wasi,
                                   struct precast_imports *imports,
                                   const struct precast_module *module,
                                   struct precast_error *error);

// Runs a program: calls `_start`, and stores the code with which it ended, zero if it returned. In
// the environment, or on the calling thread's stack if that is null.
precast_status precast_wasi_run(const struct precast_instance *instance,
                                struct precast_env *env,
                                int32_t *exit_code,
                                struct precast_error *error);

#ifdef __cplusplus
}  // extern "C"
#endif  // __cplusplus

#endif  /* PRECAST_H */
