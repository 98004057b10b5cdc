//! Objects of the host's, which programs hold and cannot look into.

use super::reference::{Referent, wasm_ref_t};
use super::store::wasm_store_t;
use crate::boundary::C;

/// Makes an object. C says what it is with its host info.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wasm_foreign_new(store: *mut wasm_store_t) -> *mut wasm_ref_t {
    // SAFETY: C promises what this asks for.
    let c = unsafe { C::promises() };
    c.pointer(|| {
        let store = c.look(store.cast_const())?;
        Some(store.adopt(0, Referent::Foreign)?.into_raw())
    })
}
