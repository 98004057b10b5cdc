/* What Precast adds to wasm.h: which artifacts an engine loads, and why something was refused. */

#ifndef PRECAST_WASM_H
#define PRECAST_WASM_H

#include "precast.h"
#include "wasm.h"

#ifdef __cplusplus
extern "C" {
#endif

// Asks engines that are made with the configuration to load artifacts only that one of these keys has
// signed; of no keys, none. Without this, engines ask nobody who made an artifact. False without a
// configuration, or without memory for a copy of the keys.
WASM_API_EXTERN bool precast_wasm_config_set_keys(wasm_config_t *config, const precast_key *keys, size_t count);

// Writes why the last function of the store's that failed did so, as text that ends with a zero and is cut
// where the buffer is too short, and returns its length without the zero: of `wasm_module_new`, for
// example, where the standard says null and no more. Zero if nothing failed yet.
WASM_API_EXTERN size_t precast_wasm_last_error(const wasm_store_t *store, char *buffer, size_t capacity);

#ifdef __cplusplus
}
#endif

#endif
