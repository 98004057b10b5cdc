//! Instances.

use core::ptr;
use std::vec::Vec;

use precast_loader::{Extern, Imports, InstanceOptions};

use super::function::WrongCount;
use super::reference::{Reference, Referent, wasm_ref_t};
use super::store::wasm_store_t;
use super::vector::{Elements, Vector};
use crate::boundary::C;

/// Makes an instance; or why there is none, if there is memory to say it.
fn instantiate(
    c: C,
    store: &wasm_store_t,
    module: *const wasm_ref_t,
    imports: *const Vector<*mut wasm_ref_t>,
) -> Result<Reference, Option<Reference>> {
    let object = c.look(module).filter(|object| store.has(object));
    let Some(Referent::Module(loaded)) = object.map(wasm_ref_t::referent) else {
        return Err(store.trap("the module is none of this store"));
    };
    let module = &loaded.module;
    let given = c.vector(imports);
    let count = module.imports().count();
    if given.len() < count {
        let wrong = WrongCount(count, given.len());
        return Err(store.trap(format_args!("imports: the module has {wrong}")));
    }
    let mut items: Vec<Extern> = Vec::new();
    if items.try_reserve_exact(count).is_err() {
        return Err(store.trap("there is no memory for the imports"));
    }
    for (index, import) in given.iter().take(count).enumerate() {
        let object = c.look(import.cast_const());
        let object = object.filter(|object| store.has(object));
        match object.and_then(wasm_ref_t::item) {
            Some(item) => items.push(item.clone()),
            None => {
                return Err(store.trap(format_args!(
                    "import {index} is nothing of this store that can be imported"
                )));
            }
        }
    }
    let imports = Imports::by_place(store.runtime(), items.into_iter());
    let imports = imports.map_err(|error| store.trap(error))?;
    let made = module.instantiate(&imports, InstanceOptions::default());
    let instance = made.map_err(|error| store.trap_of_instantiation(&error))?;
    store.instance(instance).ok_or(None)
}

/// Makes an instance; null, with the reason as a trap, if that fails.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wasm_instance_new(
    store: *mut wasm_store_t,
    module: *const wasm_ref_t,
    imports: *const Vector<*mut wasm_ref_t>,
    trap: *mut *mut wasm_ref_t,
) -> *mut wasm_ref_t {
    // SAFETY: C promises what this asks for.
    let c = unsafe { C::promises() };
    c.pointer(|| {
        c.store(trap, ptr::null_mut());
        let store = c.look(store.cast_const())?;
        match instantiate(c, store, module, imports) {
            Ok(instance) => Some(instance.into_raw()),
            Err(reason) => {
                let reason = reason?;
                store.fail_as(&reason);
                // Without a place for it the trap goes.
                if let Ok(out) = c.out(trap, "trap") {
                    out.set(reason.into_raw());
                }
                None
            }
        }
    })
}

/// Stores what the instance exports.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wasm_instance_exports(
    instance: *const wasm_ref_t,
    out: *mut Vector<*mut wasm_ref_t>,
) {
    // SAFETY: C promises what this asks for.
    let c = unsafe { C::promises() };
    c.quietly(|| {
        let exports = c.look(instance).and_then(|object| {
            let Referent::Instance(instance) = object.referent() else {
                return None;
            };
            let mut exports = instance.exports();
            Elements::from_fn(c, instance.exports().count(), |_| {
                let (_, item) = exports.next()?;
                Some(object.store().item(item)?.into_raw())
            })
        });
        c.store_vector(out, exports);
    });
}
