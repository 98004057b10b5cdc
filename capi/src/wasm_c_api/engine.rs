//! Configurations and engines: what stores have in common is a runtime.

use std::sync::Arc;
use std::vec::Vec;

use precast_loader::Runtime;

use super::blocks::{Block, give};
use crate::boundary::C;

/// What an engine is made with.
#[repr(C)]
pub struct wasm_config_t {
    kind: u32,
    /// Who may have signed artifacts; none asks nobody.
    pub(super) keys: Option<Vec<[u8; 32]>>,
}

// SAFETY: it begins with the number, which `wasm_config_new` writes.
unsafe impl Block for wasm_config_t {
    const KIND: u32 = 0x5743_0001;
}

/// A runtime on the system's allocator.
#[repr(C)]
pub struct wasm_engine_t {
    kind: u32,
    /// Where stores get everything from.
    pub(super) runtime: Runtime,
    /// Who may have signed artifacts; none asks nobody.
    pub(super) keys: Option<Arc<Vec<[u8; 32]>>>,
}

// SAFETY: it begins with the number, which `engine` writes.
unsafe impl Block for wasm_engine_t {
    const KIND: u32 = 0x5743_0002;
}

/// Makes a configuration, which C deletes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wasm_config_new() -> *mut wasm_config_t {
    // SAFETY: C promises what this asks for.
    let c = unsafe { C::promises() };
    c.pointer(|| {
        give(wasm_config_t {
            kind: wasm_config_t::KIND,
            keys: None,
        })
    })
}

/// Deletes a configuration; null is none.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wasm_config_delete(config: *mut wasm_config_t) {
    // SAFETY: C promises what this asks for.
    let c = unsafe { C::promises() };
    c.quietly(|| drop(c.take(config)));
}

/// Makes an engine, which C deletes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wasm_engine_new() -> *mut wasm_engine_t {
    // SAFETY: C promises what this asks for.
    let c = unsafe { C::promises() };
    c.pointer(|| engine(None))
}

/// Makes an engine of a configuration, which C gives away.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wasm_engine_new_with_config(
    config: *mut wasm_config_t,
) -> *mut wasm_engine_t {
    // SAFETY: C promises what this asks for.
    let c = unsafe { C::promises() };
    c.pointer(|| engine(c.take(config)?.keys))
}

/// Deletes an engine; null is none. Its stores stay.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wasm_engine_delete(engine: *mut wasm_engine_t) {
    // SAFETY: C promises what this asks for.
    let c = unsafe { C::promises() };
    c.quietly(|| drop(c.take(engine)));
}

fn engine(keys: Option<Vec<[u8; 32]>>) -> Option<*mut wasm_engine_t> {
    give(wasm_engine_t {
        kind: wasm_engine_t::KIND,
        runtime: Runtime::system().ok()?,
        keys: keys.map(Arc::new),
    })
}
