/* The C API of WebAssembly that its working group keeps as `wasm.h`, over Precast's loader.

   Names, types and who owns what are the standard's; what Precast adds is in `precast_wasm.h`, and how
   the two meet is in docs/c.md. There is no compiler behind this header: where the standard passes the
   bytes of a WebAssembly module, pass those of an artifact that `precast compile` made of it.

   `own` says who deletes something. A result that is `own`, or what is stored at an `own` pointer called
   `out`, is the caller's from then on. An argument that is `own` is the library's from the call on, also
   if the call fails. Everything else is lent: arguments for the time of the call, results for as long as
   what they were asked of. A vector that is `own` owns its elements too. Deleting null does nothing, and
   a function that gets null where it needs something gives null, zero or false.

   Deleting a reference says that its holder is done with it; what it refers to lives as long as anything
   needs it. */

#ifndef WASM_H
#define WASM_H

#include <assert.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#ifndef WASM_API_EXTERN
#define WASM_API_EXTERN
#endif

#ifdef __cplusplus
extern "C" {
#endif

#define own

typedef char byte_t;
typedef float float32_t;
typedef double float64_t;

static_assert(sizeof(float32_t) == 4 && sizeof(float64_t) == 8, "floats have the sizes of WebAssembly's");
static_assert(sizeof(void *) == 4 || sizeof(void *) == 8, "a pointer fits an integer of WebAssembly's");

// Vectors
// -------

typedef byte_t wasm_byte_t;

// Bytes.
typedef struct wasm_byte_vec_t {
    size_t size;
    wasm_byte_t *data;
} wasm_byte_vec_t;

// Stores a vector of nothing.
WASM_API_EXTERN void wasm_byte_vec_new_empty(own wasm_byte_vec_t *out);
// Stores a vector of so many zeros, to be filled; of nothing if there is no memory.
WASM_API_EXTERN void wasm_byte_vec_new_uninitialized(own wasm_byte_vec_t *out, size_t size);
// Stores a vector of these elements, which it owns from then on; the array stays the caller's.
WASM_API_EXTERN void wasm_byte_vec_new(own wasm_byte_vec_t *out, size_t size, own wasm_byte_t const data[]);
// Stores a copy, with copies of the elements.
WASM_API_EXTERN void wasm_byte_vec_copy(own wasm_byte_vec_t *out, const wasm_byte_vec_t *vector);
// Deletes the elements and the array; the structure is then a vector of nothing.
WASM_API_EXTERN void wasm_byte_vec_delete(own wasm_byte_vec_t *vector);

// A name is bytes in UTF-8. It does not end with a zero.
typedef wasm_byte_vec_t wasm_name_t;

#define wasm_name wasm_byte_vec
#define wasm_name_new wasm_byte_vec_new
#define wasm_name_new_empty wasm_byte_vec_new_empty
#define wasm_name_new_uninitialized wasm_byte_vec_new_uninitialized
#define wasm_name_copy wasm_byte_vec_copy
#define wasm_name_delete wasm_byte_vec_delete

// Stores a name without the zero that the text ends with.
static inline void wasm_name_new_from_string(own wasm_name_t *out, const char *text) {
    wasm_byte_vec_new(out, strlen(text), text);
}

// Stores a name with that zero: what messages of traps want.
static inline void wasm_name_new_from_string_nt(own wasm_name_t *out, const char *text) {
    wasm_byte_vec_new(out, strlen(text) + 1, text);
}

// A vector of nothing, and one over an array of the caller's, as initialisers.
#define WASM_EMPTY_VEC {0, NULL}
#define WASM_ARRAY_VEC(array) {sizeof(array) / sizeof(*(array)), array}

// Engines and stores
// ------------------

// What an engine is made with. `precast_wasm.h` has functions to fill it.
typedef struct wasm_config_t wasm_config_t;

WASM_API_EXTERN void wasm_config_delete(own wasm_config_t *config);
WASM_API_EXTERN own wasm_config_t *wasm_config_new(void);

// What stores have in common: an allocator, and what the device offers. Any thread may use it.
typedef struct wasm_engine_t wasm_engine_t;

WASM_API_EXTERN void wasm_engine_delete(own wasm_engine_t *engine);
WASM_API_EXTERN own wasm_engine_t *wasm_engine_new(void);
WASM_API_EXTERN own wasm_engine_t *wasm_engine_new_with_config(own wasm_config_t *config);

// What objects live in. One thread at a time may use a store and everything in it; stores of one
// engine on different threads do not disturb each other. Objects of different stores do not mix.
typedef struct wasm_store_t wasm_store_t;

WASM_API_EXTERN void wasm_store_delete(own wasm_store_t *store);
WASM_API_EXTERN own wasm_store_t *wasm_store_new(wasm_engine_t *engine);

// Types
// -----

typedef uint8_t wasm_mutability_t;
enum wasm_mutability_enum {
    WASM_CONST,
    WASM_VAR,
};

// Pages of a memory, or elements of a table.
typedef struct wasm_limits_t {
    uint32_t min;
    uint32_t max;
} wasm_limits_t;

// As a maximum: there is none.
static const uint32_t wasm_limits_max_default = 0xffffffff;

// The type of a value.
typedef struct wasm_valtype_t wasm_valtype_t;

WASM_API_EXTERN void wasm_valtype_delete(own wasm_valtype_t *valtype);
WASM_API_EXTERN own wasm_valtype_t *wasm_valtype_copy(const wasm_valtype_t *valtype);

typedef struct wasm_valtype_vec_t {
    size_t size;
    wasm_valtype_t **data;
} wasm_valtype_vec_t;

// Stores a vector of nothing.
WASM_API_EXTERN void wasm_valtype_vec_new_empty(own wasm_valtype_vec_t *out);
// Stores a vector of so many zeros, to be filled; of nothing if there is no memory.
WASM_API_EXTERN void wasm_valtype_vec_new_uninitialized(own wasm_valtype_vec_t *out, size_t size);
// Stores a vector of these elements, which it owns from then on; the array stays the caller's.
WASM_API_EXTERN void wasm_valtype_vec_new(
    own wasm_valtype_vec_t *out, size_t size, own wasm_valtype_t *const data[]);
// Stores a copy, with copies of the elements.
WASM_API_EXTERN void wasm_valtype_vec_copy(own wasm_valtype_vec_t *out, const wasm_valtype_vec_t *vector);
// Deletes the elements and the array; the structure is then a vector of nothing.
WASM_API_EXTERN void wasm_valtype_vec_delete(own wasm_valtype_vec_t *vector);

typedef uint8_t wasm_valkind_t;
enum wasm_valkind_enum {
    WASM_I32,
    WASM_I64,
    WASM_F32,
    WASM_F64,
    WASM_EXTERNREF = 128,
    WASM_FUNCREF,
    // The name that older programs know.
    WASM_ANYREF = WASM_EXTERNREF,
};

// Null for a number that is no kind.
WASM_API_EXTERN own wasm_valtype_t *wasm_valtype_new(wasm_valkind_t kind);
WASM_API_EXTERN wasm_valkind_t wasm_valtype_kind(const wasm_valtype_t *valtype);

static inline bool wasm_valkind_is_num(wasm_valkind_t kind) { return kind < WASM_EXTERNREF; }

static inline bool wasm_valkind_is_ref(wasm_valkind_t kind) { return kind >= WASM_EXTERNREF; }

static inline bool wasm_valtype_is_num(const wasm_valtype_t *valtype) {
    return wasm_valkind_is_num(wasm_valtype_kind(valtype));
}

static inline bool wasm_valtype_is_ref(const wasm_valtype_t *valtype) {
    return wasm_valkind_is_ref(wasm_valtype_kind(valtype));
}

// The type of a function.
typedef struct wasm_functype_t wasm_functype_t;

WASM_API_EXTERN void wasm_functype_delete(own wasm_functype_t *functype);
WASM_API_EXTERN own wasm_functype_t *wasm_functype_copy(const wasm_functype_t *functype);

typedef struct wasm_functype_vec_t {
    size_t size;
    wasm_functype_t **data;
} wasm_functype_vec_t;

// Stores a vector of nothing.
WASM_API_EXTERN void wasm_functype_vec_new_empty(own wasm_functype_vec_t *out);
// Stores a vector of so many zeros, to be filled; of nothing if there is no memory.
WASM_API_EXTERN void wasm_functype_vec_new_uninitialized(own wasm_functype_vec_t *out, size_t size);
// Stores a vector of these elements, which it owns from then on; the array stays the caller's.
WASM_API_EXTERN void wasm_functype_vec_new(
    own wasm_functype_vec_t *out, size_t size, own wasm_functype_t *const data[]);
// Stores a copy, with copies of the elements.
WASM_API_EXTERN void wasm_functype_vec_copy(own wasm_functype_vec_t *out, const wasm_functype_vec_t *vector);
// Deletes the elements and the array; the structure is then a vector of nothing.
WASM_API_EXTERN void wasm_functype_vec_delete(own wasm_functype_vec_t *vector);

// The vectors are taken, and left as vectors of nothing.
WASM_API_EXTERN own wasm_functype_t *wasm_functype_new(
    own wasm_valtype_vec_t *params, own wasm_valtype_vec_t *results);
WASM_API_EXTERN const wasm_valtype_vec_t *wasm_functype_params(const wasm_functype_t *functype);
WASM_API_EXTERN const wasm_valtype_vec_t *wasm_functype_results(const wasm_functype_t *functype);

// The type of a global.
typedef struct wasm_globaltype_t wasm_globaltype_t;

WASM_API_EXTERN void wasm_globaltype_delete(own wasm_globaltype_t *globaltype);
WASM_API_EXTERN own wasm_globaltype_t *wasm_globaltype_copy(const wasm_globaltype_t *globaltype);

typedef struct wasm_globaltype_vec_t {
    size_t size;
    wasm_globaltype_t **data;
} wasm_globaltype_vec_t;

// Stores a vector of nothing.
WASM_API_EXTERN void wasm_globaltype_vec_new_empty(own wasm_globaltype_vec_t *out);
// Stores a vector of so many zeros, to be filled; of nothing if there is no memory.
WASM_API_EXTERN void wasm_globaltype_vec_new_uninitialized(own wasm_globaltype_vec_t *out, size_t size);
// Stores a vector of these elements, which it owns from then on; the array stays the caller's.
WASM_API_EXTERN void wasm_globaltype_vec_new(
    own wasm_globaltype_vec_t *out, size_t size, own wasm_globaltype_t *const data[]);
// Stores a copy, with copies of the elements.
WASM_API_EXTERN void wasm_globaltype_vec_copy(own wasm_globaltype_vec_t *out, const wasm_globaltype_vec_t *vector);
// Deletes the elements and the array; the structure is then a vector of nothing.
WASM_API_EXTERN void wasm_globaltype_vec_delete(own wasm_globaltype_vec_t *vector);

WASM_API_EXTERN own wasm_globaltype_t *wasm_globaltype_new(
    own wasm_valtype_t *content, wasm_mutability_t mutability);
WASM_API_EXTERN const wasm_valtype_t *wasm_globaltype_content(const wasm_globaltype_t *globaltype);
WASM_API_EXTERN wasm_mutability_t wasm_globaltype_mutability(const wasm_globaltype_t *globaltype);

// The type of a table.
typedef struct wasm_tabletype_t wasm_tabletype_t;

WASM_API_EXTERN void wasm_tabletype_delete(own wasm_tabletype_t *tabletype);
WASM_API_EXTERN own wasm_tabletype_t *wasm_tabletype_copy(const wasm_tabletype_t *tabletype);

typedef struct wasm_tabletype_vec_t {
    size_t size;
    wasm_tabletype_t **data;
} wasm_tabletype_vec_t;

// Stores a vector of nothing.
WASM_API_EXTERN void wasm_tabletype_vec_new_empty(own wasm_tabletype_vec_t *out);
// Stores a vector of so many zeros, to be filled; of nothing if there is no memory.
WASM_API_EXTERN void wasm_tabletype_vec_new_uninitialized(own wasm_tabletype_vec_t *out, size_t size);
// Stores a vector of these elements, which it owns from then on; the array stays the caller's.
WASM_API_EXTERN void wasm_tabletype_vec_new(
    own wasm_tabletype_vec_t *out, size_t size, own wasm_tabletype_t *const data[]);
// Stores a copy, with copies of the elements.
WASM_API_EXTERN void wasm_tabletype_vec_copy(own wasm_tabletype_vec_t *out, const wasm_tabletype_vec_t *vector);
// Deletes the elements and the array; the structure is then a vector of nothing.
WASM_API_EXTERN void wasm_tabletype_vec_delete(own wasm_tabletype_vec_t *vector);

WASM_API_EXTERN own wasm_tabletype_t *wasm_tabletype_new(own wasm_valtype_t *element, const wasm_limits_t *limits);
WASM_API_EXTERN const wasm_valtype_t *wasm_tabletype_element(const wasm_tabletype_t *tabletype);
// Numbers that are too large for the structure are its largest.
WASM_API_EXTERN const wasm_limits_t *wasm_tabletype_limits(const wasm_tabletype_t *tabletype);

// The type of a linear memory.
typedef struct wasm_memorytype_t wasm_memorytype_t;

WASM_API_EXTERN void wasm_memorytype_delete(own wasm_memorytype_t *memorytype);
WASM_API_EXTERN own wasm_memorytype_t *wasm_memorytype_copy(const wasm_memorytype_t *memorytype);

typedef struct wasm_memorytype_vec_t {
    size_t size;
    wasm_memorytype_t **data;
} wasm_memorytype_vec_t;

// Stores a vector of nothing.
WASM_API_EXTERN void wasm_memorytype_vec_new_empty(own wasm_memorytype_vec_t *out);
// Stores a vector of so many zeros, to be filled; of nothing if there is no memory.
WASM_API_EXTERN void wasm_memorytype_vec_new_uninitialized(own wasm_memorytype_vec_t *out, size_t size);
// Stores a vector of these elements, which it owns from then on; the array stays the caller's.
WASM_API_EXTERN void wasm_memorytype_vec_new(
    own wasm_memorytype_vec_t *out, size_t size, own wasm_memorytype_t *const data[]);
// Stores a copy, with copies of the elements.
WASM_API_EXTERN void wasm_memorytype_vec_copy(own wasm_memorytype_vec_t *out, const wasm_memorytype_vec_t *vector);
// Deletes the elements and the array; the structure is then a vector of nothing.
WASM_API_EXTERN void wasm_memorytype_vec_delete(own wasm_memorytype_vec_t *vector);

WASM_API_EXTERN own wasm_memorytype_t *wasm_memorytype_new(const wasm_limits_t *limits);
// Numbers that are too large for the structure are its largest.
WASM_API_EXTERN const wasm_limits_t *wasm_memorytype_limits(const wasm_memorytype_t *memorytype);

// The type of a tag of exceptions.
typedef struct wasm_tagtype_t wasm_tagtype_t;

WASM_API_EXTERN void wasm_tagtype_delete(own wasm_tagtype_t *tagtype);
WASM_API_EXTERN own wasm_tagtype_t *wasm_tagtype_copy(const wasm_tagtype_t *tagtype);

typedef struct wasm_tagtype_vec_t {
    size_t size;
    wasm_tagtype_t **data;
} wasm_tagtype_vec_t;

// Stores a vector of nothing.
WASM_API_EXTERN void wasm_tagtype_vec_new_empty(own wasm_tagtype_vec_t *out);
// Stores a vector of so many zeros, to be filled; of nothing if there is no memory.
WASM_API_EXTERN void wasm_tagtype_vec_new_uninitialized(own wasm_tagtype_vec_t *out, size_t size);
// Stores a vector of these elements, which it owns from then on; the array stays the caller's.
WASM_API_EXTERN void wasm_tagtype_vec_new(
    own wasm_tagtype_vec_t *out, size_t size, own wasm_tagtype_t *const data[]);
// Stores a copy, with copies of the elements.
WASM_API_EXTERN void wasm_tagtype_vec_copy(own wasm_tagtype_vec_t *out, const wasm_tagtype_vec_t *vector);
// Deletes the elements and the array; the structure is then a vector of nothing.
WASM_API_EXTERN void wasm_tagtype_vec_delete(own wasm_tagtype_vec_t *vector);

WASM_API_EXTERN own wasm_tagtype_t *wasm_tagtype_new(own wasm_functype_t *functype);
// What its exceptions carry, as parameters.
WASM_API_EXTERN const wasm_functype_t *wasm_tagtype_functype(const wasm_tagtype_t *tagtype);

// The type of anything that is imported or exported.
typedef struct wasm_externtype_t wasm_externtype_t;

WASM_API_EXTERN void wasm_externtype_delete(own wasm_externtype_t *externtype);
WASM_API_EXTERN own wasm_externtype_t *wasm_externtype_copy(const wasm_externtype_t *externtype);

typedef struct wasm_externtype_vec_t {
    size_t size;
    wasm_externtype_t **data;
} wasm_externtype_vec_t;

// Stores a vector of nothing.
WASM_API_EXTERN void wasm_externtype_vec_new_empty(own wasm_externtype_vec_t *out);
// Stores a vector of so many zeros, to be filled; of nothing if there is no memory.
WASM_API_EXTERN void wasm_externtype_vec_new_uninitialized(own wasm_externtype_vec_t *out, size_t size);
// Stores a vector of these elements, which it owns from then on; the array stays the caller's.
WASM_API_EXTERN void wasm_externtype_vec_new(
    own wasm_externtype_vec_t *out, size_t size, own wasm_externtype_t *const data[]);
// Stores a copy, with copies of the elements.
WASM_API_EXTERN void wasm_externtype_vec_copy(own wasm_externtype_vec_t *out, const wasm_externtype_vec_t *vector);
// Deletes the elements and the array; the structure is then a vector of nothing.
WASM_API_EXTERN void wasm_externtype_vec_delete(own wasm_externtype_vec_t *vector);

typedef uint8_t wasm_externkind_t;
enum wasm_externkind_enum {
    WASM_EXTERN_FUNC,
    WASM_EXTERN_GLOBAL,
    WASM_EXTERN_TABLE,
    WASM_EXTERN_MEMORY,
    WASM_EXTERN_TAG,
};

WASM_API_EXTERN wasm_externkind_t wasm_externtype_kind(const wasm_externtype_t *externtype);

// The same type under another name: lent, and null if it is of another kind.
WASM_API_EXTERN wasm_externtype_t *wasm_functype_as_externtype(wasm_functype_t *functype);
WASM_API_EXTERN wasm_externtype_t *wasm_globaltype_as_externtype(wasm_globaltype_t *globaltype);
WASM_API_EXTERN wasm_externtype_t *wasm_tabletype_as_externtype(wasm_tabletype_t *tabletype);
WASM_API_EXTERN wasm_externtype_t *wasm_memorytype_as_externtype(wasm_memorytype_t *memorytype);
WASM_API_EXTERN wasm_externtype_t *wasm_tagtype_as_externtype(wasm_tagtype_t *tagtype);
WASM_API_EXTERN wasm_functype_t *wasm_externtype_as_functype(wasm_externtype_t *externtype);
WASM_API_EXTERN wasm_globaltype_t *wasm_externtype_as_globaltype(wasm_externtype_t *externtype);
WASM_API_EXTERN wasm_tabletype_t *wasm_externtype_as_tabletype(wasm_externtype_t *externtype);
WASM_API_EXTERN wasm_memorytype_t *wasm_externtype_as_memorytype(wasm_externtype_t *externtype);
WASM_API_EXTERN wasm_tagtype_t *wasm_externtype_as_tagtype(wasm_externtype_t *externtype);
WASM_API_EXTERN const wasm_externtype_t *wasm_functype_as_externtype_const(const wasm_functype_t *functype);
WASM_API_EXTERN const wasm_externtype_t *wasm_globaltype_as_externtype_const(const wasm_globaltype_t *globaltype);
WASM_API_EXTERN const wasm_externtype_t *wasm_tabletype_as_externtype_const(const wasm_tabletype_t *tabletype);
WASM_API_EXTERN const wasm_externtype_t *wasm_memorytype_as_externtype_const(const wasm_memorytype_t *memorytype);
WASM_API_EXTERN const wasm_externtype_t *wasm_tagtype_as_externtype_const(const wasm_tagtype_t *tagtype);
WASM_API_EXTERN const wasm_functype_t *wasm_externtype_as_functype_const(const wasm_externtype_t *externtype);
WASM_API_EXTERN const wasm_globaltype_t *wasm_externtype_as_globaltype_const(const wasm_externtype_t *externtype);
WASM_API_EXTERN const wasm_tabletype_t *wasm_externtype_as_tabletype_const(const wasm_externtype_t *externtype);
WASM_API_EXTERN const wasm_memorytype_t *wasm_externtype_as_memorytype_const(const wasm_externtype_t *externtype);
WASM_API_EXTERN const wasm_tagtype_t *wasm_externtype_as_tagtype_const(const wasm_externtype_t *externtype);

// What a module imports: two names and a type.
typedef struct wasm_importtype_t wasm_importtype_t;

WASM_API_EXTERN void wasm_importtype_delete(own wasm_importtype_t *importtype);
WASM_API_EXTERN own wasm_importtype_t *wasm_importtype_copy(const wasm_importtype_t *importtype);

typedef struct wasm_importtype_vec_t {
    size_t size;
    wasm_importtype_t **data;
} wasm_importtype_vec_t;

// Stores a vector of nothing.
WASM_API_EXTERN void wasm_importtype_vec_new_empty(own wasm_importtype_vec_t *out);
// Stores a vector of so many zeros, to be filled; of nothing if there is no memory.
WASM_API_EXTERN void wasm_importtype_vec_new_uninitialized(own wasm_importtype_vec_t *out, size_t size);
// Stores a vector of these elements, which it owns from then on; the array stays the caller's.
WASM_API_EXTERN void wasm_importtype_vec_new(
    own wasm_importtype_vec_t *out, size_t size, own wasm_importtype_t *const data[]);
// Stores a copy, with copies of the elements.
WASM_API_EXTERN void wasm_importtype_vec_copy(own wasm_importtype_vec_t *out, const wasm_importtype_vec_t *vector);
// Deletes the elements and the array; the structure is then a vector of nothing.
WASM_API_EXTERN void wasm_importtype_vec_delete(own wasm_importtype_vec_t *vector);

// The names are taken, and left as vectors of nothing.
WASM_API_EXTERN own wasm_importtype_t *wasm_importtype_new(
    own wasm_name_t *module, own wasm_name_t *name, own wasm_externtype_t *externtype);
WASM_API_EXTERN const wasm_name_t *wasm_importtype_module(const wasm_importtype_t *importtype);
WASM_API_EXTERN const wasm_name_t *wasm_importtype_name(const wasm_importtype_t *importtype);
WASM_API_EXTERN const wasm_externtype_t *wasm_importtype_type(const wasm_importtype_t *importtype);

// What a module exports: a name and a type.
typedef struct wasm_exporttype_t wasm_exporttype_t;

WASM_API_EXTERN void wasm_exporttype_delete(own wasm_exporttype_t *exporttype);
WASM_API_EXTERN own wasm_exporttype_t *wasm_exporttype_copy(const wasm_exporttype_t *exporttype);

typedef struct wasm_exporttype_vec_t {
    size_t size;
    wasm_exporttype_t **data;
} wasm_exporttype_vec_t;

// Stores a vector of nothing.
WASM_API_EXTERN void wasm_exporttype_vec_new_empty(own wasm_exporttype_vec_t *out);
// Stores a vector of so many zeros, to be filled; of nothing if there is no memory.
WASM_API_EXTERN void wasm_exporttype_vec_new_uninitialized(own wasm_exporttype_vec_t *out, size_t size);
// Stores a vector of these elements, which it owns from then on; the array stays the caller's.
WASM_API_EXTERN void wasm_exporttype_vec_new(
    own wasm_exporttype_vec_t *out, size_t size, own wasm_exporttype_t *const data[]);
// Stores a copy, with copies of the elements.
WASM_API_EXTERN void wasm_exporttype_vec_copy(own wasm_exporttype_vec_t *out, const wasm_exporttype_vec_t *vector);
// Deletes the elements and the array; the structure is then a vector of nothing.
WASM_API_EXTERN void wasm_exporttype_vec_delete(own wasm_exporttype_vec_t *vector);

// The name is taken, and left as a vector of nothing.
WASM_API_EXTERN own wasm_exporttype_t *wasm_exporttype_new(
    own wasm_name_t *name, own wasm_externtype_t *externtype);
WASM_API_EXTERN const wasm_name_t *wasm_exporttype_name(const wasm_exporttype_t *exporttype);
WASM_API_EXTERN const wasm_externtype_t *wasm_exporttype_type(const wasm_exporttype_t *exporttype);

// Values
// ------

struct wasm_ref_t;

// A number, or a reference that is null or `own`. There are no vectors of 128 bits: a module that imports
// or exports something with them is refused.
typedef struct wasm_val_t {
    wasm_valkind_t kind;
    union {
        int32_t i32;
        int64_t i64;
        float32_t f32;
        float64_t f64;
        struct wasm_ref_t *ref;
    } of;
} wasm_val_t;

// Deletes the reference, if it is one; the structure stays the caller's.
WASM_API_EXTERN void wasm_val_delete(own wasm_val_t *val);
WASM_API_EXTERN void wasm_val_copy(own wasm_val_t *out, const wasm_val_t *val);

typedef struct wasm_val_vec_t {
    size_t size;
    wasm_val_t *data;
} wasm_val_vec_t;

// Stores a vector of nothing.
WASM_API_EXTERN void wasm_val_vec_new_empty(own wasm_val_vec_t *out);
// Stores a vector of so many zeros, to be filled; of nothing if there is no memory.
WASM_API_EXTERN void wasm_val_vec_new_uninitialized(own wasm_val_vec_t *out, size_t size);
// Stores a vector of these elements, which it owns from then on; the array stays the caller's.
WASM_API_EXTERN void wasm_val_vec_new(own wasm_val_vec_t *out, size_t size, own wasm_val_t const data[]);
// Stores a copy, with copies of the elements.
WASM_API_EXTERN void wasm_val_vec_copy(own wasm_val_vec_t *out, const wasm_val_vec_t *vector);
// Deletes the elements and the array; the structure is then a vector of nothing.
WASM_API_EXTERN void wasm_val_vec_delete(own wasm_val_vec_t *vector);

// References
// ----------

// A reference to an object of a store. Copies refer to the same object, and so do the answers to asking for
// an export, an element or a value again: `same` says so. Each object has a place for a pointer of the
// host's, null at first. Its finalizer is called once: when the pointer is replaced or the object is gone.
// What programs may hold, or find again, is gone when its store is: functions, globals, tables, memories,
// tags, and whatever was passed to a program.
//
// All references are of one kind to `wasm_ref_t`: `as_ref` lends the reference under that name, `ref_as`
// back under its own, null if it is something else.

// Any reference.
typedef struct wasm_ref_t wasm_ref_t;

WASM_API_EXTERN void wasm_ref_delete(own wasm_ref_t *ref);
WASM_API_EXTERN own wasm_ref_t *wasm_ref_copy(const wasm_ref_t *ref);
WASM_API_EXTERN bool wasm_ref_same(const wasm_ref_t *first, const wasm_ref_t *second);
WASM_API_EXTERN void *wasm_ref_get_host_info(const wasm_ref_t *ref);
WASM_API_EXTERN void wasm_ref_set_host_info(wasm_ref_t *ref, void *info);
WASM_API_EXTERN void wasm_ref_set_host_info_with_finalizer(wasm_ref_t *ref, void *info, void (*finalizer)(void *));

// Frames and traps
// ----------------

// A function that was active when code stopped.
typedef struct wasm_frame_t wasm_frame_t;

WASM_API_EXTERN void wasm_frame_delete(own wasm_frame_t *frame);
WASM_API_EXTERN own wasm_frame_t *wasm_frame_copy(const wasm_frame_t *frame);

typedef struct wasm_frame_vec_t {
    size_t size;
    wasm_frame_t **data;
} wasm_frame_vec_t;

// Stores a vector of nothing.
WASM_API_EXTERN void wasm_frame_vec_new_empty(own wasm_frame_vec_t *out);
// Stores a vector of so many zeros, to be filled; of nothing if there is no memory.
WASM_API_EXTERN void wasm_frame_vec_new_uninitialized(own wasm_frame_vec_t *out, size_t size);
// Stores a vector of these elements, which it owns from then on; the array stays the caller's.
WASM_API_EXTERN void wasm_frame_vec_new(own wasm_frame_vec_t *out, size_t size, own wasm_frame_t *const data[]);
// Stores a copy, with copies of the elements.
WASM_API_EXTERN void wasm_frame_vec_copy(own wasm_frame_vec_t *out, const wasm_frame_vec_t *vector);
// Deletes the elements and the array; the structure is then a vector of nothing.
WASM_API_EXTERN void wasm_frame_vec_delete(own wasm_frame_vec_t *vector);

// The function's instance, lent for as long as the frame is there; null where nobody holds a reference to the
// instance, or where several instances of its module are linked with each other.
WASM_API_EXTERN struct wasm_instance_t *wasm_frame_instance(const wasm_frame_t *frame);
// The function's index in its module, imports first.
WASM_API_EXTERN uint32_t wasm_frame_func_index(const wasm_frame_t *frame);
// Bytes from where the function's body begins; zero where the artifact does not say.
WASM_API_EXTERN size_t wasm_frame_func_offset(const wasm_frame_t *frame);
// Bytes from where the WebAssembly module begins that the artifact was made of.
WASM_API_EXTERN size_t wasm_frame_module_offset(const wasm_frame_t *frame);

// Text that ends with a zero, which is counted.
typedef wasm_name_t wasm_message_t;

// Why code stopped.
typedef struct wasm_trap_t wasm_trap_t;

WASM_API_EXTERN void wasm_trap_delete(own wasm_trap_t *trap);
WASM_API_EXTERN own wasm_trap_t *wasm_trap_copy(const wasm_trap_t *trap);
WASM_API_EXTERN bool wasm_trap_same(const wasm_trap_t *first, const wasm_trap_t *second);
WASM_API_EXTERN void *wasm_trap_get_host_info(const wasm_trap_t *trap);
WASM_API_EXTERN void wasm_trap_set_host_info(wasm_trap_t *trap, void *info);
WASM_API_EXTERN void wasm_trap_set_host_info_with_finalizer(
    wasm_trap_t *trap, void *info, void (*finalizer)(void *));
WASM_API_EXTERN wasm_ref_t *wasm_trap_as_ref(wasm_trap_t *trap);
WASM_API_EXTERN wasm_trap_t *wasm_ref_as_trap(wasm_ref_t *ref);
WASM_API_EXTERN const wasm_ref_t *wasm_trap_as_ref_const(const wasm_trap_t *trap);
WASM_API_EXTERN const wasm_trap_t *wasm_ref_as_trap_const(const wasm_ref_t *ref);

// A trap for a host function to return.
WASM_API_EXTERN own wasm_trap_t *wasm_trap_new(wasm_store_t *store, const wasm_message_t *message);
WASM_API_EXTERN void wasm_trap_message(const wasm_trap_t *trap, own wasm_message_t *out);
// The innermost frame; null where there is none.
WASM_API_EXTERN own wasm_frame_t *wasm_trap_origin(const wasm_trap_t *trap);
// The frames, innermost first.
WASM_API_EXTERN void wasm_trap_trace(const wasm_trap_t *trap, own wasm_frame_vec_t *out);

// Objects of the host
// -------------------

// Something of the host's that programs hold as an `externref`; what it is, its host info says.
typedef struct wasm_foreign_t wasm_foreign_t;

WASM_API_EXTERN void wasm_foreign_delete(own wasm_foreign_t *foreign);
WASM_API_EXTERN own wasm_foreign_t *wasm_foreign_copy(const wasm_foreign_t *foreign);
WASM_API_EXTERN bool wasm_foreign_same(const wasm_foreign_t *first, const wasm_foreign_t *second);
WASM_API_EXTERN void *wasm_foreign_get_host_info(const wasm_foreign_t *foreign);
WASM_API_EXTERN void wasm_foreign_set_host_info(wasm_foreign_t *foreign, void *info);
WASM_API_EXTERN void wasm_foreign_set_host_info_with_finalizer(
    wasm_foreign_t *foreign, void *info, void (*finalizer)(void *));
WASM_API_EXTERN wasm_ref_t *wasm_foreign_as_ref(wasm_foreign_t *foreign);
WASM_API_EXTERN wasm_foreign_t *wasm_ref_as_foreign(wasm_ref_t *ref);
WASM_API_EXTERN const wasm_ref_t *wasm_foreign_as_ref_const(const wasm_foreign_t *foreign);
WASM_API_EXTERN const wasm_foreign_t *wasm_ref_as_foreign_const(const wasm_ref_t *ref);

WASM_API_EXTERN own wasm_foreign_t *wasm_foreign_new(wasm_store_t *store);

// Modules
// -------

// A loaded artifact, ready to be instantiated any number of times.
typedef struct wasm_module_t wasm_module_t;

WASM_API_EXTERN void wasm_module_delete(own wasm_module_t *module);
WASM_API_EXTERN own wasm_module_t *wasm_module_copy(const wasm_module_t *module);
WASM_API_EXTERN bool wasm_module_same(const wasm_module_t *first, const wasm_module_t *second);
WASM_API_EXTERN void *wasm_module_get_host_info(const wasm_module_t *module);
WASM_API_EXTERN void wasm_module_set_host_info(wasm_module_t *module, void *info);
WASM_API_EXTERN void wasm_module_set_host_info_with_finalizer(
    wasm_module_t *module, void *info, void (*finalizer)(void *));
WASM_API_EXTERN wasm_ref_t *wasm_module_as_ref(wasm_module_t *module);
WASM_API_EXTERN wasm_module_t *wasm_ref_as_module(wasm_ref_t *ref);
WASM_API_EXTERN const wasm_ref_t *wasm_module_as_ref_const(const wasm_module_t *module);
WASM_API_EXTERN const wasm_module_t *wasm_ref_as_module_const(const wasm_ref_t *ref);

// Loads the bytes of an artifact; null if that fails, and `precast_wasm_last_error` says why. Unless the
// engine was told keys, it asks nobody who made the artifact, whose machine code can do anything that the
// process can do.
WASM_API_EXTERN own wasm_module_t *wasm_module_new(wasm_store_t *store, const wasm_byte_vec_t *binary);
// Whether `wasm_module_new` would load the bytes.
WASM_API_EXTERN bool wasm_module_validate(wasm_store_t *store, const wasm_byte_vec_t *binary);
WASM_API_EXTERN void wasm_module_imports(const wasm_module_t *module, own wasm_importtype_vec_t *out);
WASM_API_EXTERN void wasm_module_exports(const wasm_module_t *module, own wasm_exporttype_vec_t *out);
// Stores the bytes that the module was loaded from.
WASM_API_EXTERN void wasm_module_serialize(const wasm_module_t *module, own wasm_byte_vec_t *out);
// As `wasm_module_new`.
WASM_API_EXTERN own wasm_module_t *wasm_module_deserialize(wasm_store_t *store, const wasm_byte_vec_t *binary);

// A module on its way to another store of the engine. Any thread may use it.
typedef struct wasm_shared_module_t wasm_shared_module_t;

WASM_API_EXTERN void wasm_shared_module_delete(own wasm_shared_module_t *shared_module);
WASM_API_EXTERN own wasm_shared_module_t *wasm_module_share(const wasm_module_t *module);
// Null if the store is of another engine.
WASM_API_EXTERN own wasm_module_t *wasm_module_obtain(wasm_store_t *store, const wasm_shared_module_t *shared);

// Functions
// ---------

// A function of an instance, or of the host.
typedef struct wasm_func_t wasm_func_t;

WASM_API_EXTERN void wasm_func_delete(own wasm_func_t *func);
WASM_API_EXTERN own wasm_func_t *wasm_func_copy(const wasm_func_t *func);
WASM_API_EXTERN bool wasm_func_same(const wasm_func_t *first, const wasm_func_t *second);
WASM_API_EXTERN void *wasm_func_get_host_info(const wasm_func_t *func);
WASM_API_EXTERN void wasm_func_set_host_info(wasm_func_t *func, void *info);
WASM_API_EXTERN void wasm_func_set_host_info_with_finalizer(
    wasm_func_t *func, void *info, void (*finalizer)(void *));
WASM_API_EXTERN wasm_ref_t *wasm_func_as_ref(wasm_func_t *func);
WASM_API_EXTERN wasm_func_t *wasm_ref_as_func(wasm_ref_t *ref);
WASM_API_EXTERN const wasm_ref_t *wasm_func_as_ref_const(const wasm_func_t *func);
WASM_API_EXTERN const wasm_func_t *wasm_ref_as_func_const(const wasm_ref_t *ref);

// A function of the host's. It returns null, or a trap that it gives away. Arguments are lent; references
// among the results, which begin as zero and null, are given away.
typedef own wasm_trap_t *(*wasm_func_callback_t)(const wasm_val_vec_t *args, own wasm_val_vec_t *results);
typedef own wasm_trap_t *(*wasm_func_callback_with_env_t)(
    void *env, const wasm_val_vec_t *args, own wasm_val_vec_t *results);

WASM_API_EXTERN own wasm_func_t *wasm_func_new(
    wasm_store_t *store, const wasm_functype_t *functype, wasm_func_callback_t callback);
// The finalizer, unless it is null, gets `env` when nothing can call the function any more.
WASM_API_EXTERN own wasm_func_t *wasm_func_new_with_env(
    wasm_store_t *store, const wasm_functype_t *functype, wasm_func_callback_with_env_t callback, void *env,
    void (*finalizer)(void *));
WASM_API_EXTERN own wasm_functype_t *wasm_func_type(const wasm_func_t *func);
WASM_API_EXTERN size_t wasm_func_param_arity(const wasm_func_t *func);
WASM_API_EXTERN size_t wasm_func_result_arity(const wasm_func_t *func);
// Calls the function. Arguments that do not fit its type are a trap, too, and nothing is called then. The
// results are stored over what is in the array, references among them `own`; those that it has no room for
// are deleted. After a trap it is as it was.
WASM_API_EXTERN own wasm_trap_t *wasm_func_call(
    const wasm_func_t *func, const wasm_val_vec_t *args, wasm_val_vec_t *results);

// Globals
// -------

// A global.
typedef struct wasm_global_t wasm_global_t;

WASM_API_EXTERN void wasm_global_delete(own wasm_global_t *global);
WASM_API_EXTERN own wasm_global_t *wasm_global_copy(const wasm_global_t *global);
WASM_API_EXTERN bool wasm_global_same(const wasm_global_t *first, const wasm_global_t *second);
WASM_API_EXTERN void *wasm_global_get_host_info(const wasm_global_t *global);
WASM_API_EXTERN void wasm_global_set_host_info(wasm_global_t *global, void *info);
WASM_API_EXTERN void wasm_global_set_host_info_with_finalizer(
    wasm_global_t *global, void *info, void (*finalizer)(void *));
WASM_API_EXTERN wasm_ref_t *wasm_global_as_ref(wasm_global_t *global);
WASM_API_EXTERN wasm_global_t *wasm_ref_as_global(wasm_ref_t *ref);
WASM_API_EXTERN const wasm_ref_t *wasm_global_as_ref_const(const wasm_global_t *global);
WASM_API_EXTERN const wasm_global_t *wasm_ref_as_global_const(const wasm_ref_t *ref);

// Null if the value is not of the type.
WASM_API_EXTERN own wasm_global_t *wasm_global_new(
    wasm_store_t *store, const wasm_globaltype_t *globaltype, const wasm_val_t *val);
WASM_API_EXTERN own wasm_globaltype_t *wasm_global_type(const wasm_global_t *global);
WASM_API_EXTERN void wasm_global_get(const wasm_global_t *global, own wasm_val_t *out);
// Without effect on a constant, or with a value of another type.
WASM_API_EXTERN void wasm_global_set(wasm_global_t *global, const wasm_val_t *val);

// Tables
// ------

// A table.
typedef struct wasm_table_t wasm_table_t;

WASM_API_EXTERN void wasm_table_delete(own wasm_table_t *table);
WASM_API_EXTERN own wasm_table_t *wasm_table_copy(const wasm_table_t *table);
WASM_API_EXTERN bool wasm_table_same(const wasm_table_t *first, const wasm_table_t *second);
WASM_API_EXTERN void *wasm_table_get_host_info(const wasm_table_t *table);
WASM_API_EXTERN void wasm_table_set_host_info(wasm_table_t *table, void *info);
WASM_API_EXTERN void wasm_table_set_host_info_with_finalizer(
    wasm_table_t *table, void *info, void (*finalizer)(void *));
WASM_API_EXTERN wasm_ref_t *wasm_table_as_ref(wasm_table_t *table);
WASM_API_EXTERN wasm_table_t *wasm_ref_as_table(wasm_ref_t *ref);
WASM_API_EXTERN const wasm_ref_t *wasm_table_as_ref_const(const wasm_table_t *table);
WASM_API_EXTERN const wasm_table_t *wasm_ref_as_table_const(const wasm_ref_t *ref);

typedef uint32_t wasm_table_size_t;

// All elements are `init`, or null ones.
WASM_API_EXTERN own wasm_table_t *wasm_table_new(
    wasm_store_t *store, const wasm_tabletype_t *tabletype, wasm_ref_t *init);
WASM_API_EXTERN own wasm_tabletype_t *wasm_table_type(const wasm_table_t *table);
// An element; null for a null one, and beyond the end.
WASM_API_EXTERN own wasm_ref_t *wasm_table_get(const wasm_table_t *table, wasm_table_size_t index);
// False beyond the end, and for what is not of the table's type. A function of the host's is put into a table
// if an artifact that the table is linked with was compiled with `--host-references`.
WASM_API_EXTERN bool wasm_table_set(wasm_table_t *table, wasm_table_size_t index, wasm_ref_t *ref);
WASM_API_EXTERN wasm_table_size_t wasm_table_size(const wasm_table_t *table);
WASM_API_EXTERN bool wasm_table_grow(wasm_table_t *table, wasm_table_size_t delta, wasm_ref_t *init);

// Memories
// --------

// A linear memory.
typedef struct wasm_memory_t wasm_memory_t;

WASM_API_EXTERN void wasm_memory_delete(own wasm_memory_t *memory);
WASM_API_EXTERN own wasm_memory_t *wasm_memory_copy(const wasm_memory_t *memory);
WASM_API_EXTERN bool wasm_memory_same(const wasm_memory_t *first, const wasm_memory_t *second);
WASM_API_EXTERN void *wasm_memory_get_host_info(const wasm_memory_t *memory);
WASM_API_EXTERN void wasm_memory_set_host_info(wasm_memory_t *memory, void *info);
WASM_API_EXTERN void wasm_memory_set_host_info_with_finalizer(
    wasm_memory_t *memory, void *info, void (*finalizer)(void *));
WASM_API_EXTERN wasm_ref_t *wasm_memory_as_ref(wasm_memory_t *memory);
WASM_API_EXTERN wasm_memory_t *wasm_ref_as_memory(wasm_ref_t *ref);
WASM_API_EXTERN const wasm_ref_t *wasm_memory_as_ref_const(const wasm_memory_t *memory);
WASM_API_EXTERN const wasm_memory_t *wasm_ref_as_memory_const(const wasm_ref_t *ref);

typedef uint32_t wasm_memory_pages_t;

static const size_t MEMORY_PAGE_SIZE = 0x10000;

WASM_API_EXTERN own wasm_memory_t *wasm_memory_new(wasm_store_t *store, const wasm_memorytype_t *memorytype);
WASM_API_EXTERN own wasm_memorytype_t *wasm_memory_type(const wasm_memory_t *memory);
// The first byte, which is there until the memory grows; null if there is none.
WASM_API_EXTERN byte_t *wasm_memory_data(wasm_memory_t *memory);
// Bytes.
WASM_API_EXTERN size_t wasm_memory_data_size(const wasm_memory_t *memory);
// Pages.
WASM_API_EXTERN wasm_memory_pages_t wasm_memory_size(const wasm_memory_t *memory);
WASM_API_EXTERN bool wasm_memory_grow(wasm_memory_t *memory, wasm_memory_pages_t delta);

// What is imported and exported
// -----------------------------

// A function, global, table, memory or tag.
typedef struct wasm_extern_t wasm_extern_t;

WASM_API_EXTERN void wasm_extern_delete(own wasm_extern_t *item);
WASM_API_EXTERN own wasm_extern_t *wasm_extern_copy(const wasm_extern_t *item);
WASM_API_EXTERN bool wasm_extern_same(const wasm_extern_t *first, const wasm_extern_t *second);
WASM_API_EXTERN void *wasm_extern_get_host_info(const wasm_extern_t *item);
WASM_API_EXTERN void wasm_extern_set_host_info(wasm_extern_t *item, void *info);
WASM_API_EXTERN void wasm_extern_set_host_info_with_finalizer(
    wasm_extern_t *item, void *info, void (*finalizer)(void *));
WASM_API_EXTERN wasm_ref_t *wasm_extern_as_ref(wasm_extern_t *item);
WASM_API_EXTERN wasm_extern_t *wasm_ref_as_extern(wasm_ref_t *ref);
WASM_API_EXTERN const wasm_ref_t *wasm_extern_as_ref_const(const wasm_extern_t *item);
WASM_API_EXTERN const wasm_extern_t *wasm_ref_as_extern_const(const wasm_ref_t *ref);

typedef struct wasm_extern_vec_t {
    size_t size;
    wasm_extern_t **data;
} wasm_extern_vec_t;

// Stores a vector of nothing.
WASM_API_EXTERN void wasm_extern_vec_new_empty(own wasm_extern_vec_t *out);
// Stores a vector of so many zeros, to be filled; of nothing if there is no memory.
WASM_API_EXTERN void wasm_extern_vec_new_uninitialized(own wasm_extern_vec_t *out, size_t size);
// Stores a vector of these elements, which it owns from then on; the array stays the caller's.
WASM_API_EXTERN void wasm_extern_vec_new(own wasm_extern_vec_t *out, size_t size, own wasm_extern_t *const data[]);
// Stores a copy, with copies of the elements.
WASM_API_EXTERN void wasm_extern_vec_copy(own wasm_extern_vec_t *out, const wasm_extern_vec_t *vector);
// Deletes the elements and the array; the structure is then a vector of nothing.
WASM_API_EXTERN void wasm_extern_vec_delete(own wasm_extern_vec_t *vector);

WASM_API_EXTERN wasm_externkind_t wasm_extern_kind(const wasm_extern_t *item);
// The type, with the size that a table or memory has now as its minimum.
WASM_API_EXTERN own wasm_externtype_t *wasm_extern_type(const wasm_extern_t *item);

// The same thing under another name: lent, and null if it is of another kind.
WASM_API_EXTERN wasm_extern_t *wasm_func_as_extern(wasm_func_t *func);
WASM_API_EXTERN wasm_extern_t *wasm_global_as_extern(wasm_global_t *global);
WASM_API_EXTERN wasm_extern_t *wasm_table_as_extern(wasm_table_t *table);
WASM_API_EXTERN wasm_extern_t *wasm_memory_as_extern(wasm_memory_t *memory);
WASM_API_EXTERN wasm_func_t *wasm_extern_as_func(wasm_extern_t *item);
WASM_API_EXTERN wasm_global_t *wasm_extern_as_global(wasm_extern_t *item);
WASM_API_EXTERN wasm_table_t *wasm_extern_as_table(wasm_extern_t *item);
WASM_API_EXTERN wasm_memory_t *wasm_extern_as_memory(wasm_extern_t *item);
WASM_API_EXTERN const wasm_extern_t *wasm_func_as_extern_const(const wasm_func_t *func);
WASM_API_EXTERN const wasm_extern_t *wasm_global_as_extern_const(const wasm_global_t *global);
WASM_API_EXTERN const wasm_extern_t *wasm_table_as_extern_const(const wasm_table_t *table);
WASM_API_EXTERN const wasm_extern_t *wasm_memory_as_extern_const(const wasm_memory_t *memory);
WASM_API_EXTERN const wasm_func_t *wasm_extern_as_func_const(const wasm_extern_t *item);
WASM_API_EXTERN const wasm_global_t *wasm_extern_as_global_const(const wasm_extern_t *item);
WASM_API_EXTERN const wasm_table_t *wasm_extern_as_table_const(const wasm_extern_t *item);
WASM_API_EXTERN const wasm_memory_t *wasm_extern_as_memory_const(const wasm_extern_t *item);

// Instances
// ---------

// A module with memories, tables and globals of its own. What it exports keeps it alive.
typedef struct wasm_instance_t wasm_instance_t;

WASM_API_EXTERN void wasm_instance_delete(own wasm_instance_t *instance);
WASM_API_EXTERN own wasm_instance_t *wasm_instance_copy(const wasm_instance_t *instance);
WASM_API_EXTERN bool wasm_instance_same(const wasm_instance_t *first, const wasm_instance_t *second);
WASM_API_EXTERN void *wasm_instance_get_host_info(const wasm_instance_t *instance);
WASM_API_EXTERN void wasm_instance_set_host_info(wasm_instance_t *instance, void *info);
WASM_API_EXTERN void wasm_instance_set_host_info_with_finalizer(
    wasm_instance_t *instance, void *info, void (*finalizer)(void *));
WASM_API_EXTERN wasm_ref_t *wasm_instance_as_ref(wasm_instance_t *instance);
WASM_API_EXTERN wasm_instance_t *wasm_ref_as_instance(wasm_ref_t *ref);
WASM_API_EXTERN const wasm_ref_t *wasm_instance_as_ref_const(const wasm_instance_t *instance);
WASM_API_EXTERN const wasm_instance_t *wasm_ref_as_instance_const(const wasm_ref_t *ref);

// Imports are in the order of `wasm_module_imports`. If there is no instance, the result is null; the reason,
// of a start function that trapped or of imports that do not fit, is stored in `trap`, unless that is null.
WASM_API_EXTERN own wasm_instance_t *wasm_instance_new(
    wasm_store_t *store, const wasm_module_t *module, const wasm_extern_vec_t *imports, own wasm_trap_t **trap);
// In the order of `wasm_module_exports`.
WASM_API_EXTERN void wasm_instance_exports(const wasm_instance_t *instance, own wasm_extern_vec_t *out);

// Short ways
// ----------

static inline own wasm_valtype_t *wasm_valtype_new_i32(void) { return wasm_valtype_new(WASM_I32); }
static inline own wasm_valtype_t *wasm_valtype_new_i64(void) { return wasm_valtype_new(WASM_I64); }
static inline own wasm_valtype_t *wasm_valtype_new_f32(void) { return wasm_valtype_new(WASM_F32); }
static inline own wasm_valtype_t *wasm_valtype_new_f64(void) { return wasm_valtype_new(WASM_F64); }
static inline own wasm_valtype_t *wasm_valtype_new_externref(void) { return wasm_valtype_new(WASM_EXTERNREF); }
static inline own wasm_valtype_t *wasm_valtype_new_anyref(void) { return wasm_valtype_new(WASM_ANYREF); }
static inline own wasm_valtype_t *wasm_valtype_new_funcref(void) { return wasm_valtype_new(WASM_FUNCREF); }

// Types of functions with so many parameters and results.
static inline own wasm_functype_t *wasm_functype_new_0_0(void) {
    wasm_valtype_vec_t params, results;
    wasm_valtype_vec_new_empty(&params);
    wasm_valtype_vec_new_empty(&results);
    return wasm_functype_new(&params, &results);
}

static inline own wasm_functype_t *wasm_functype_new_1_0(own wasm_valtype_t *p1) {
    wasm_valtype_vec_t params, results;
    wasm_valtype_t *list_of_params[] = {p1};
    wasm_valtype_vec_new(&params, 1, list_of_params);
    wasm_valtype_vec_new_empty(&results);
    return wasm_functype_new(&params, &results);
}

static inline own wasm_functype_t *wasm_functype_new_2_0(
    own wasm_valtype_t *p1, own wasm_valtype_t *p2) {
    wasm_valtype_vec_t params, results;
    wasm_valtype_t *list_of_params[] = {p1, p2};
    wasm_valtype_vec_new(&params, 2, list_of_params);
    wasm_valtype_vec_new_empty(&results);
    return wasm_functype_new(&params, &results);
}

static inline own wasm_functype_t *wasm_functype_new_3_0(
    own wasm_valtype_t *p1, own wasm_valtype_t *p2, own wasm_valtype_t *p3) {
    wasm_valtype_vec_t params, results;
    wasm_valtype_t *list_of_params[] = {p1, p2, p3};
    wasm_valtype_vec_new(&params, 3, list_of_params);
    wasm_valtype_vec_new_empty(&results);
    return wasm_functype_new(&params, &results);
}

static inline own wasm_functype_t *wasm_functype_new_0_1(own wasm_valtype_t *r1) {
    wasm_valtype_vec_t params, results;
    wasm_valtype_t *list_of_results[] = {r1};
    wasm_valtype_vec_new_empty(&params);
    wasm_valtype_vec_new(&results, 1, list_of_results);
    return wasm_functype_new(&params, &results);
}

static inline own wasm_functype_t *wasm_functype_new_1_1(
    own wasm_valtype_t *p1, own wasm_valtype_t *r1) {
    wasm_valtype_vec_t params, results;
    wasm_valtype_t *list_of_params[] = {p1};
    wasm_valtype_t *list_of_results[] = {r1};
    wasm_valtype_vec_new(&params, 1, list_of_params);
    wasm_valtype_vec_new(&results, 1, list_of_results);
    return wasm_functype_new(&params, &results);
}

static inline own wasm_functype_t *wasm_functype_new_2_1(
    own wasm_valtype_t *p1, own wasm_valtype_t *p2, own wasm_valtype_t *r1) {
    wasm_valtype_vec_t params, results;
    wasm_valtype_t *list_of_params[] = {p1, p2};
    wasm_valtype_t *list_of_results[] = {r1};
    wasm_valtype_vec_new(&params, 2, list_of_params);
    wasm_valtype_vec_new(&results, 1, list_of_results);
    return wasm_functype_new(&params, &results);
}

static inline own wasm_functype_t *wasm_functype_new_3_1(
    own wasm_valtype_t *p1, own wasm_valtype_t *p2, own wasm_valtype_t *p3, own wasm_valtype_t *r1) {
    wasm_valtype_vec_t params, results;
    wasm_valtype_t *list_of_params[] = {p1, p2, p3};
    wasm_valtype_t *list_of_results[] = {r1};
    wasm_valtype_vec_new(&params, 3, list_of_params);
    wasm_valtype_vec_new(&results, 1, list_of_results);
    return wasm_functype_new(&params, &results);
}

static inline own wasm_functype_t *wasm_functype_new_0_2(
    own wasm_valtype_t *r1, own wasm_valtype_t *r2) {
    wasm_valtype_vec_t params, results;
    wasm_valtype_t *list_of_results[] = {r1, r2};
    wasm_valtype_vec_new_empty(&params);
    wasm_valtype_vec_new(&results, 2, list_of_results);
    return wasm_functype_new(&params, &results);
}

static inline own wasm_functype_t *wasm_functype_new_1_2(
    own wasm_valtype_t *p1, own wasm_valtype_t *r1, own wasm_valtype_t *r2) {
    wasm_valtype_vec_t params, results;
    wasm_valtype_t *list_of_params[] = {p1};
    wasm_valtype_t *list_of_results[] = {r1, r2};
    wasm_valtype_vec_new(&params, 1, list_of_params);
    wasm_valtype_vec_new(&results, 2, list_of_results);
    return wasm_functype_new(&params, &results);
}

static inline own wasm_functype_t *wasm_functype_new_2_2(
    own wasm_valtype_t *p1, own wasm_valtype_t *p2, own wasm_valtype_t *r1, own wasm_valtype_t *r2) {
    wasm_valtype_vec_t params, results;
    wasm_valtype_t *list_of_params[] = {p1, p2};
    wasm_valtype_t *list_of_results[] = {r1, r2};
    wasm_valtype_vec_new(&params, 2, list_of_params);
    wasm_valtype_vec_new(&results, 2, list_of_results);
    return wasm_functype_new(&params, &results);
}

static inline own wasm_functype_t *wasm_functype_new_3_2(
    own wasm_valtype_t *p1, own wasm_valtype_t *p2, own wasm_valtype_t *p3, own wasm_valtype_t *r1, own wasm_valtype_t *r2) {
    wasm_valtype_vec_t params, results;
    wasm_valtype_t *list_of_params[] = {p1, p2, p3};
    wasm_valtype_t *list_of_results[] = {r1, r2};
    wasm_valtype_vec_new(&params, 3, list_of_params);
    wasm_valtype_vec_new(&results, 2, list_of_results);
    return wasm_functype_new(&params, &results);
}

// A pointer of the host's as an integer of its size.
static inline void wasm_val_init_ptr(own wasm_val_t *out, void *pointer) {
#if UINTPTR_MAX == UINT32_MAX
    out->kind = WASM_I32;
    out->of.i32 = (int32_t)(intptr_t)pointer;
#else
    out->kind = WASM_I64;
    out->of.i64 = (int64_t)(intptr_t)pointer;
#endif
}

static inline void *wasm_val_ptr(const wasm_val_t *val) {
#if UINTPTR_MAX == UINT32_MAX
    return (void *)(intptr_t)val->of.i32;
#else
    return (void *)(intptr_t)val->of.i64;
#endif
}

// Values as initialisers. The last one is for results that are not there yet.
#define WASM_I32_VAL(number) {.kind = WASM_I32, .of = {.i32 = number}}
#define WASM_I64_VAL(number) {.kind = WASM_I64, .of = {.i64 = number}}
#define WASM_F32_VAL(number) {.kind = WASM_F32, .of = {.f32 = number}}
#define WASM_F64_VAL(number) {.kind = WASM_F64, .of = {.f64 = number}}
#define WASM_REF_VAL(reference) {.kind = WASM_EXTERNREF, .of = {.ref = reference}}
#define WASM_INIT_VAL {.kind = WASM_EXTERNREF, .of = {.ref = NULL}}

#undef own

#ifdef __cplusplus
}
#endif

#endif
