//! Memory inside of a program's, allocated by the host.

use core::ffi::c_void;

use precast_loader::{ExecutionEnvironment, HeapError, Instance, Stack};

use super::env::precast_env;
use super::instance::precast_instance;
use crate::boundary::C;
use crate::error::precast_error;
use crate::failure::Failure;
use crate::status::precast_status;

/// Runs something in an environment, or on the calling thread's stack.
fn within<T>(
    c: C,
    instance: &Instance,
    env: *mut precast_env,
    run: impl FnOnce(&mut ExecutionEnvironment<'static>) -> Result<T, HeapError>,
) -> Result<T, Failure> {
    Ok(if env.is_null() {
        let runtime = instance.module().runtime();
        run(&mut ExecutionEnvironment::new(runtime, Stack::Caller)?)?
    } else {
        run(&mut c.lock(env, "env")?.0)?
    })
}

/// Allocates bytes inside of the program's memory, and stores their address there. The bytes are what
/// they were.
///
/// The program's own allocator is called if it exports one, in the environment, or on the calling
/// thread's stack if that is null; else the heap of the instance's options serves.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn precast_instance_allocate(
    instance: *const precast_instance,
    env: *mut precast_env,
    bytes: u64,
    address: *mut u64,
    error: *mut precast_error,
) -> precast_status {
    // SAFETY: C promises what this asks for.
    let c = unsafe { C::promises() };
    c.run(error, || {
        let instance = c.get(instance, "instance")?;
        let out = c.out(address, "address")?;
        out.set(within(c, &instance, env, |env| {
            instance.module_malloc(env, bytes)
        })?);
        Ok(())
    })
}

/// Makes an allocation of `old_bytes` larger or smaller, and stores its address, which may be another
/// one. The bytes up to the smaller size are kept. After a failure it is as it was.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn precast_instance_reallocate(
    instance: *const precast_instance,
    env: *mut precast_env,
    address: u64,
    old_bytes: u64,
    new_bytes: u64,
    new_address: *mut u64,
    error: *mut precast_error,
) -> precast_status {
    // SAFETY: C promises what this asks for.
    let c = unsafe { C::promises() };
    c.run(error, || {
        let instance = c.get(instance, "instance")?;
        let out = c.out(new_address, "new_address")?;
        out.set(within(c, &instance, env, |env| {
            instance.module_realloc(env, address, old_bytes, new_bytes)
        })?);
        Ok(())
    })
}

/// Frees what `precast_instance_allocate` and its like allocated.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn precast_instance_release(
    instance: *const precast_instance,
    env: *mut precast_env,
    address: u64,
    error: *mut precast_error,
) -> precast_status {
    // SAFETY: C promises what this asks for.
    let c = unsafe { C::promises() };
    c.run(error, || {
        let instance = c.get(instance, "instance")?;
        within(c, &instance, env, |env| instance.module_free(env, address))
    })
}

/// Copies bytes to new memory inside of the program's, as `precast_instance_allocate`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn precast_instance_duplicate(
    instance: *const precast_instance,
    env: *mut precast_env,
    bytes: *const c_void,
    length: usize,
    address: *mut u64,
    error: *mut precast_error,
) -> precast_status {
    // SAFETY: C promises what this asks for.
    let c = unsafe { C::promises() };
    c.run(error, || {
        let instance = c.get(instance, "instance")?;
        let out = c.out(address, "address")?;
        let bytes = c.array(bytes.cast::<u8>(), length, "bytes")?;
        out.set(within(c, &instance, env, |env| {
            instance.module_dup_data(env, bytes)
        })?);
        Ok(())
    })
}
