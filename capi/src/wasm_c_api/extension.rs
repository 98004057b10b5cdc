//! What the standard leaves to each implementation: `include/precast_wasm.h`.

use core::ffi::c_char;
use std::vec::Vec;

use super::engine::wasm_config_t;
use super::store::wasm_store_t;
use crate::api::module::precast_key;
use crate::boundary::C;

/// Asks engines that are made with the configuration to load artifacts only that one of these keys has
/// signed. Whether there is a configuration, and memory for the keys.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn precast_wasm_config_set_keys(
    config: *mut wasm_config_t,
    keys: *const precast_key,
    count: usize,
) -> bool {
    // SAFETY: C promises what this asks for.
    let c = unsafe { C::promises() };
    c.answer(false, || {
        let given = c.array(keys.cast::<[u8; 32]>(), count, "keys").ok()?;
        let mut keys = Vec::new();
        keys.try_reserve_exact(count).ok()?;
        keys.extend_from_slice(given);
        c.change(config, |config| config.keys = Some(keys))?;
        Some(true)
    })
}

/// Writes why the last function of the store that failed did so, with a zero at the end, cut where the
/// buffer is too short; gives the length without the zero.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn precast_wasm_last_error(
    store: *const wasm_store_t,
    buffer: *mut c_char,
    capacity: usize,
) -> usize {
    // SAFETY: C promises what this asks for.
    let c = unsafe { C::promises() };
    c.answer(0, || {
        let store = c.look(store)?;
        let buffer = c.array_mut(buffer.cast::<u8>(), capacity, "buffer");
        let buffer = buffer.unwrap_or_default();
        Some(store.last_failure(|text| {
            let fits = text.len().min(buffer.len().saturating_sub(1));
            if let (Some(place), Some(text)) = (buffer.get_mut(..fits), text.get(..fits)) {
                place.copy_from_slice(text);
            }
            if let Some(end) = buffer.get_mut(fits) {
                *end = 0;
            }
            text.len()
        }))
    })
}
