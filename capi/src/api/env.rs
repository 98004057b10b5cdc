//! Execution environments: the native stack that calls may use.

use core::ffi::c_void;

use precast_loader::{Category, ExecutionEnvironment, Stack};

use super::runtime::precast_runtime;
use crate::boundary::C;
use crate::boundary::handle::{Object, create};
use crate::error::precast_error;
use crate::failure::Failure;
use crate::status::precast_status;

/// Where calls have their native stack. One serves one call at a time; another call in it gets
/// `PRECAST_BUSY`. Host functions always run on the calling thread's own stack.
pub struct precast_env {
    _private: [u8; 0],
}

impl Object for precast_env {
    type Value = Environment;
    const KIND: u32 = 0x5043_0008;
}

/// The environment, whose region C has given away.
pub struct Environment(pub ExecutionEnvironment<'static>);

/// Makes an environment.
fn make(
    c: C,
    runtime: *const precast_runtime,
    stack: impl FnOnce() -> Result<Stack<'static>, Failure>,
    env: *mut *mut precast_env,
) -> Result<(), Failure> {
    let runtime = c.get(runtime, "runtime")?;
    let out = c.out(env, "env")?;
    let made = Environment(ExecutionEnvironment::new(&runtime, stack()?)?);
    out.set(create(runtime.allocator(), Category::CallStack, made)?);
    Ok(())
}

/// Makes an environment on the stack of the thread that calls, down to `stack_size` bytes below the
/// call; zero is the default of 1 MiB. The handle is stored in `env`, and freed by
/// `precast_env_free`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn precast_env_new_caller(
    runtime: *const precast_runtime,
    stack_size: usize,
    env: *mut *mut precast_env,
    error: *mut precast_error,
) -> precast_status {
    // SAFETY: C promises what this asks for.
    let c = unsafe { C::promises() };
    c.run(error, || {
        let stack = match stack_size {
            0 => Stack::Caller,
            bytes => Stack::CallerBytes(bytes),
        };
        make(c, runtime, || Ok(stack), env)
    })
}

/// Makes an environment on a stack of `stack_size` bytes that the runtime allocates; zero is the
/// default size. The handle is stored in `env`, and freed by `precast_env_free`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn precast_env_new_stack(
    runtime: *const precast_runtime,
    stack_size: usize,
    env: *mut *mut precast_env,
    error: *mut precast_error,
) -> precast_status {
    // SAFETY: C promises what this asks for.
    let c = unsafe { C::promises() };
    c.run(error, || {
        make(c, runtime, || Ok(Stack::Bytes(stack_size)), env)
    })
}

/// Makes an environment on a stack of the caller's, which is the environment's until that is freed.
/// The handle is stored in `env`, and freed by `precast_env_free`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn precast_env_new_region(
    runtime: *const precast_runtime,
    region: *mut c_void,
    region_size: usize,
    env: *mut *mut precast_env,
    error: *mut precast_error,
) -> precast_status {
    // SAFETY: C promises what this asks for.
    let c = unsafe { C::promises() };
    c.run(error, || {
        let stack = || Ok(Stack::Region(c.region(region, region_size, "region")?));
        make(c, runtime, stack, env)
    })
}

/// Frees a handle to an environment; null is no handle.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn precast_env_free(env: *mut precast_env) {
    // SAFETY: C promises what this asks for.
    let c = unsafe { C::promises() };
    c.quietly(|| c.free(env));
}

/// Fills the environment's stack, so that `precast_env_stack_high_water` can tell how much of it calls
/// use from now on. Without effect on a thread's own stack.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn precast_env_measure_stack(
    env: *mut precast_env,
    error: *mut precast_error,
) -> precast_status {
    // SAFETY: C promises what this asks for.
    let c = unsafe { C::promises() };
    c.run(error, || {
        c.lock(env, "env")?.0.measure_stack();
        Ok(())
    })
}

/// Stores the most bytes of the stack that calls have used since it was measured. It is
/// `PRECAST_UNSUPPORTED` where it was not, and on a thread's own stack.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn precast_env_stack_high_water(
    env: *mut precast_env,
    bytes: *mut usize,
    error: *mut precast_error,
) -> precast_status {
    // SAFETY: C promises what this asks for.
    let c = unsafe { C::promises() };
    c.run(error, || {
        let env = c.lock(env, "env")?;
        let out = c.out(bytes, "bytes")?;
        let most = env.0.stack_high_water();
        out.set(most.ok_or(Failure::Unsupported("the stack is not measured"))?);
        Ok(())
    })
}
