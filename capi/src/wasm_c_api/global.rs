//! Globals.

use std::boxed::Box;

use precast_loader::{Extern, ExternType, Global};

use super::reference::wasm_ref_t;
use super::store::wasm_store_t;
use super::types::{wasm_externtype_t, wasm_globaltype_t};
use super::value::wasm_val_t;
use crate::boundary::C;

impl C {
    /// The global behind a reference, with its object.
    fn global<'a>(self, global: *const wasm_ref_t) -> Option<(&'a wasm_ref_t, &'a Global)> {
        let object = self.look(global)?;
        match object.item() {
            Some(Extern::Global(global)) => Some((object, global)),
            _ => None,
        }
    }
}

/// Makes a global with its first value.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wasm_global_new(
    store: *mut wasm_store_t,
    globaltype: *const wasm_globaltype_t,
    value: *const wasm_val_t,
) -> *mut wasm_ref_t {
    // SAFETY: C promises what this asks for.
    let c = unsafe { C::promises() };
    c.pointer(|| {
        let store = c.look(store.cast_const())?;
        let Some(ty) = c.look(globaltype).and_then(|ty| ty.global_type()) else {
            return store.fail("the type is not one of a global");
        };
        let Some(value) = c
            .array(value, 1, "value")
            .ok()
            .and_then(|list| list.first())
        else {
            return store.fail("there is no value");
        };
        let value = match store.lower(c, value, ty.value) {
            Ok(value) => value,
            Err(unfit) => return store.fail(unfit.words()),
        };
        match Global::new(store.runtime(), ty, value) {
            Ok(global) => Some(store.item(Extern::Global(global))?.into_raw()),
            Err(error) => store.fail(error),
        }
    })
}

/// The global's type, which C deletes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wasm_global_type(global: *const wasm_ref_t) -> *mut wasm_globaltype_t {
    // SAFETY: C promises what this asks for.
    let c = unsafe { C::promises() };
    c.pointer(|| {
        let ty = ExternType::Global(c.global(global)?.1.global_type());
        wasm_externtype_t::describe(c, &ty).map(Box::into_raw)
    })
}

/// Stores the value, which C owns.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wasm_global_get(global: *const wasm_ref_t, out: *mut wasm_val_t) {
    // SAFETY: C promises what this asks for.
    let c = unsafe { C::promises() };
    let value = c.answer(wasm_val_t::NULL, || {
        let (object, global) = c.global(global)?;
        object.store().raise(&global.get().ok()?)
    });
    c.quietly(|| {
        c.store(out, value);
    });
}

/// Changes the value, unless it is a constant or of another type.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wasm_global_set(global: *mut wasm_ref_t, value: *const wasm_val_t) {
    // SAFETY: C promises what this asks for.
    let c = unsafe { C::promises() };
    c.answer((), || {
        let (object, global) = c.global(global.cast_const())?;
        let store = object.store();
        let value = c.array(value, 1, "value").ok()?.first()?;
        let lowered = store.lower(c, value, global.global_type().value);
        match lowered.map(|value| global.set(value)) {
            Ok(Ok(())) => Some(()),
            Ok(Err(error)) => store.fail(error),
            Err(unfit) => store.fail(unfit.words()),
        }
    });
}
