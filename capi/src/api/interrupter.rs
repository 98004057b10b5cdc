//! Stopping code from another thread.

use precast_loader::{Category, Interrupter};

use super::instance::precast_instance;
use crate::boundary::C;
use crate::boundary::handle::{Object, create};
use crate::error::precast_error;
use crate::status::precast_status;

/// Stops the code of an instance, from any thread. It does not keep the instance.
///
/// It takes effect at the start of functions and loops if the artifact was compiled with interrupt
/// checks, and always where a host function returns, while the code waits at an address of a shared
/// memory, and when the host calls the instance.
pub struct precast_interrupter {
    _private: [u8; 0],
}

impl Object for precast_interrupter {
    type Value = Interrupter;
    const KIND: u32 = 0x5043_0007;
}

/// Makes an interrupter. It may be asked for while the code runs. The handle is stored in
/// `interrupter`, and freed by `precast_interrupter_free`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn precast_interrupter_new(
    instance: *const precast_instance,
    interrupter: *mut *mut precast_interrupter,
    error: *mut precast_error,
) -> precast_status {
    // SAFETY: C promises what this asks for.
    let c = unsafe { C::promises() };
    c.run(error, || {
        let instance = c.get(instance, "instance")?;
        let out = c.out(interrupter, "interrupter")?;
        let allocator = instance.module().runtime().allocator().clone();
        let made = instance.interrupter()?;
        out.set(create(&allocator, Category::Instance, made)?);
        Ok(())
    })
}

/// Frees a handle to an interrupter; null is no handle. An instance that is stopped stays so.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn precast_interrupter_free(interrupter: *mut precast_interrupter) {
    // SAFETY: C promises what this asks for.
    let c = unsafe { C::promises() };
    c.quietly(|| c.free(interrupter));
}

/// Stops the instance's code with `PRECAST_TRAP_INTERRUPTED`, now and until
/// `precast_interrupter_clear`. Without effect where the instance is gone.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn precast_interrupter_interrupt(
    interrupter: *const precast_interrupter,
    error: *mut precast_error,
) -> precast_status {
    // SAFETY: C promises what this asks for.
    let c = unsafe { C::promises() };
    c.run(error, || {
        c.get(interrupter, "interrupter")?.interrupt();
        Ok(())
    })
}

/// Lets code of the instance run again.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn precast_interrupter_clear(
    interrupter: *const precast_interrupter,
    error: *mut precast_error,
) -> precast_status {
    // SAFETY: C promises what this asks for.
    let c = unsafe { C::promises() };
    c.run(error, || {
        c.get(interrupter, "interrupter")?.clear();
        Ok(())
    })
}

/// Stores whether the instance is there and stopped.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn precast_interrupter_is_interrupted(
    interrupter: *const precast_interrupter,
    is_interrupted: *mut bool,
    error: *mut precast_error,
) -> precast_status {
    // SAFETY: C promises what this asks for.
    let c = unsafe { C::promises() };
    c.run(error, || {
        let interrupter = c.get(interrupter, "interrupter")?;
        let out = c.out(is_interrupted, "is_interrupted")?;
        out.set(interrupter.is_interrupted());
        Ok(())
    })
}
