//! Globals.

use precast_loader::{Category, Global, GlobalType, Runtime};

use super::runtime::precast_runtime;
use crate::boundary::C;
use crate::boundary::handle::{Object, create};
use crate::error::precast_error;
use crate::failure::Failure;
use crate::status::precast_status;
use crate::value::{kind_of, lend, precast_value, type_of, value_kind};

/// A global: exported by an instance, or made by the host to be imported. It keeps its instance
/// alive.
pub struct precast_global {
    _private: [u8; 0],
}

impl Object for precast_global {
    type Value = GlobalOf;
    const KIND: u32 = 0x5043_000a;
}

/// A global, and where handles to its values come from.
pub struct GlobalOf {
    /// The global.
    pub global: Global,
    /// Its runtime.
    pub runtime: Runtime,
}

/// Makes a handle.
pub fn handle(runtime: &Runtime, global: Global) -> Result<*mut precast_global, Failure> {
    let runtime = runtime.clone();
    let allocator = runtime.allocator().clone();
    let global = GlobalOf { global, runtime };
    Ok(create(&allocator, Category::Instance, global)?)
}

/// Makes a global with an initial value, whose kind is the global's. The handle is stored in
/// `global`, and freed by `precast_global_free`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn precast_global_new(
    runtime: *const precast_runtime,
    value: *const precast_value,
    is_mutable: bool,
    global: *mut *mut precast_global,
    error: *mut precast_error,
) -> precast_status {
    // SAFETY: C promises what this asks for.
    let c = unsafe { C::promises() };
    c.run(error, || {
        let runtime = c.get(runtime, "runtime")?;
        let out = c.out(global, "global")?;
        let given = one(c, value)?;
        let global_type = GlobalType {
            value: type_of(given.kind, "value")?,
            mutable: is_mutable,
        };
        let made = Global::new(&runtime, global_type, c.value(given, "value")?)?;
        out.set(handle(&runtime, made)?);
        Ok(())
    })
}

/// The value behind a pointer.
pub fn one<'a>(c: C, value: *const precast_value) -> Result<&'a precast_value, Failure> {
    let values = c.array(value, 1, "value")?;
    values.first().ok_or(Failure::Null("value"))
}

/// Frees a handle to a global; null is no handle.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn precast_global_free(global: *mut precast_global) {
    // SAFETY: C promises what this asks for.
    let c = unsafe { C::promises() };
    c.quietly(|| c.free(global));
}

/// Stores the kind of the global's values, and whether they change; either may be null.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn precast_global_type(
    global: *const precast_global,
    kind: *mut value_kind,
    is_mutable: *mut bool,
    error: *mut precast_error,
) -> precast_status {
    // SAFETY: C promises what this asks for.
    let c = unsafe { C::promises() };
    c.run(error, || {
        let global_type = c.get(global, "global")?.global.global_type();
        if !kind.is_null() {
            c.out(kind, "kind")?
                .set(kind_of(global_type.value) as value_kind);
        }
        if !is_mutable.is_null() {
            c.out(is_mutable, "is_mutable")?.set(global_type.mutable);
        }
        Ok(())
    })
}

/// Stores the global's value. A reference to a function is a handle that the caller frees.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn precast_global_get(
    global: *const precast_global,
    value: *mut precast_value,
    error: *mut precast_error,
) -> precast_status {
    // SAFETY: C promises what this asks for.
    let c = unsafe { C::promises() };
    c.run(error, || {
        let global = c.get(global, "global")?;
        let out = c.out(value, "value")?;
        out.set(lend(&global.global.get()?, &global.runtime)?);
        Ok(())
    })
}

/// Changes the value of a global that can be changed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn precast_global_set(
    global: *const precast_global,
    value: *const precast_value,
    error: *mut precast_error,
) -> precast_status {
    // SAFETY: C promises what this asks for.
    let c = unsafe { C::promises() };
    c.run(error, || {
        let global = c.get(global, "global")?;
        let value = c.value(one(c, value)?, "value")?;
        Ok(global.global.set(value)?)
    })
}
