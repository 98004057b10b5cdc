//! What a host function can do with the instance that called it.

use core::ffi::{c_char, c_void};

use precast_loader::alloc::String;
use precast_loader::{CallError, Category, HostError, Memory, TrapCode};

use super::function::{self, Arguments, precast_function};
use super::instance::precast_instance;
use super::memory::{self, precast_memory};
use crate::boundary::C;
use crate::boundary::handle::create;
use crate::error::precast_error;
use crate::failure::Failure;
use crate::host::precast_caller;
use crate::status::precast_status;
use crate::value::{Values, precast_value};

/// Says how the function's call ends, for the function to return.
fn end(
    c: C,
    caller: *mut precast_caller,
    status: precast_status,
    error: impl FnOnce() -> HostError,
) -> precast_status {
    let noted = c.run(core::ptr::null_mut(), || {
        c.lock(caller, "caller")?.end_with(status, error());
        Ok(())
    });
    match noted {
        precast_status::PRECAST_OK => status,
        other => other,
    }
}

/// Has the program trap with a `precast_trap_code`: the host function returns what this returns, which
/// is `PRECAST_TRAP`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn precast_caller_trap(
    caller: *mut precast_caller,
    trap_code: u32,
) -> precast_status {
    // SAFETY: C promises what this asks for.
    let c = unsafe { C::promises() };
    let Some(code) = u8::try_from(trap_code).ok().and_then(TrapCode::from_u8) else {
        return precast_status::PRECAST_INVALID_ARGUMENT;
    };
    end(c, caller, precast_status::PRECAST_TRAP, || {
        HostError::Trap(code)
    })
}

/// Has the program end with an exit code: the host function returns what this returns, which is
/// `PRECAST_EXIT`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn precast_caller_exit(
    caller: *mut precast_caller,
    exit_code: i32,
) -> precast_status {
    // SAFETY: C promises what this asks for.
    let c = unsafe { C::promises() };
    end(c, caller, precast_status::PRECAST_EXIT, || {
        HostError::Exit(exit_code)
    })
}

/// Has the program's call fail with a text, which is copied: the host function returns what this
/// returns, which is `PRECAST_HOST_ERROR`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn precast_caller_fail(
    caller: *mut precast_caller,
    message: *const c_char,
) -> precast_status {
    // SAFETY: C promises what this asks for.
    let c = unsafe { C::promises() };
    let status = precast_status::PRECAST_HOST_ERROR;
    let noted = c.run(core::ptr::null_mut(), || {
        let mut call = c.lock(caller, "caller")?;
        let message = c.text(message, "message")?;
        let runtime = call.caller().runtime().clone();
        let text = String::new_in(runtime.allocator(), Category::Backtrace, message)?;
        call.end_with(status, HostError::Text(text));
        Ok(())
    });
    match noted {
        precast_status::PRECAST_OK => status,
        other => other,
    }
}

/// Calls a function on behalf of the caller, on what is left of its stack: as
/// `precast_function_call`. A status that this returns, the host function can return, too: what it
/// stands for goes on.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn precast_caller_call(
    caller: *mut precast_caller,
    function: *const precast_function,
    params: *const precast_value,
    param_count: usize,
    results: *mut precast_value,
    result_count: usize,
    error: *mut precast_error,
) -> precast_status {
    // SAFETY: C promises what this asks for.
    let c = unsafe { C::promises() };
    c.run(error, || {
        let mut call = c.lock(caller, "caller")?;
        let function = c.get(function, "function")?;
        let expected = function.func.func_type();
        if (param_count, result_count) != (expected.params().len(), expected.results().len()) {
            return Err(CallError::Mismatch { expected }.into());
        }
        if result_count > 0 {
            c.array(results.cast_const(), result_count, "results")?;
        }
        let allocator = function.runtime.allocator();
        let mut places = Values::new(allocator, result_count, precast_value::ZERO)?;
        let arguments = Arguments {
            params: c.array(params, param_count, "params")?,
            results: &mut places,
        };
        let called = function::call(c, &function, call.caller(), arguments);
        if let Err(failure) = called {
            // The report comes first; what goes on is the same.
            crate::error::report(c, error, &failure);
            let status = failure.status();
            if let Failure::Call(ended) = failure {
                call.end_with(status, ended.into());
            }
            return Err(Failure::Reported(status));
        }
        let results = c.array_mut(results, result_count, "results")?;
        for (result, place) in results.iter_mut().zip(places.iter()) {
            *result = *place;
        }
        Ok(())
    })
}

/// Stores a handle to the calling instance, freed by `precast_instance_free`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn precast_caller_instance(
    caller: *mut precast_caller,
    instance: *mut *mut precast_instance,
    error: *mut precast_error,
) -> precast_status {
    // SAFETY: C promises what this asks for.
    let c = unsafe { C::promises() };
    c.run(error, || {
        let mut call = c.lock(caller, "caller")?;
        let out = c.out(instance, "instance")?;
        let instance = call.caller().instance();
        let allocator = instance.module().runtime().allocator().clone();
        out.set(create(&allocator, Category::Instance, instance)?);
        Ok(())
    })
}

/// The caller's main memory.
fn main_memory(c: C, caller: *mut precast_caller) -> Result<Memory, Failure> {
    let memory = c.lock(caller, "caller")?.caller().main_memory();
    memory.ok_or(Failure::NotFound("memory: the program has none"))
}

/// Stores a handle to the caller's main memory, freed by `precast_memory_free`: the memory that is
/// exported as `memory`, else the first.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn precast_caller_memory(
    caller: *mut precast_caller,
    memory: *mut *mut precast_memory,
    error: *mut precast_error,
) -> precast_status {
    // SAFETY: C promises what this asks for.
    let c = unsafe { C::promises() };
    c.run(error, || {
        let out = c.out(memory, "memory")?;
        let runtime = c.lock(caller, "caller")?.caller().runtime().clone();
        out.set(memory::handle(&runtime, main_memory(c, caller)?)?);
        Ok(())
    })
}

/// Copies bytes out of the caller's main memory, all or none of them.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn precast_caller_read(
    caller: *mut precast_caller,
    address: u64,
    bytes: *mut c_void,
    length: usize,
    error: *mut precast_error,
) -> precast_status {
    // SAFETY: C promises what this asks for.
    let c = unsafe { C::promises() };
    c.run(error, || {
        let memory = main_memory(c, caller)?;
        let bytes = c.array_mut(bytes.cast::<u8>(), length, "bytes")?;
        Ok(memory.read(address, bytes)?)
    })
}

/// Copies bytes into the caller's main memory, all or none of them.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn precast_caller_write(
    caller: *mut precast_caller,
    address: u64,
    bytes: *const c_void,
    length: usize,
    error: *mut precast_error,
) -> precast_status {
    // SAFETY: C promises what this asks for.
    let c = unsafe { C::promises() };
    c.run(error, || {
        let memory = main_memory(c, caller)?;
        let bytes = c.array(bytes.cast::<u8>(), length, "bytes")?;
        Ok(memory.write(address, bytes)?)
    })
}

/// Stores where a range of the caller's main memory is on the host. The pointer is good for the range
/// until the function returns, calls into WebAssembly or grows the memory.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn precast_caller_pointer(
    caller: *mut precast_caller,
    address: u64,
    length: u64,
    pointer: *mut *mut c_void,
    error: *mut precast_error,
) -> precast_status {
    // SAFETY: C promises what this asks for.
    let c = unsafe { C::promises() };
    c.run(error, || {
        let mut call = c.lock(caller, "caller")?;
        let out = c.out(pointer, "pointer")?;
        let native = call.caller().native_address(address, length)?;
        out.set(native.as_ptr().cast());
        Ok(())
    })
}

/// Stores where the text at an address of the caller's main memory is on the host, and how many bytes
/// it has before the zero that ends it. The pointer is good as that of `precast_caller_pointer`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn precast_caller_text(
    caller: *mut precast_caller,
    address: u64,
    text: *mut *const c_char,
    length: *mut usize,
    error: *mut precast_error,
) -> precast_status {
    // SAFETY: C promises what this asks for.
    let c = unsafe { C::promises() };
    c.run(error, || {
        let mut call = c.lock(caller, "caller")?;
        let (text, length) = (c.out(text, "text")?, c.out(length, "length")?);
        let bytes = call.caller().string_length(address)?;
        let native = call.caller().native_address(address, bytes)?;
        text.set(native.as_ptr().cast_const().cast());
        // It is in this machine's memory.
        length.set(bytes as usize);
        Ok(())
    })
}

/// Stores whether the host wants the instance to stop. A host function that takes long looks here,
/// and returns; then the trap follows.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn precast_caller_is_interrupted(
    caller: *mut precast_caller,
    is_interrupted: *mut bool,
    error: *mut precast_error,
) -> precast_status {
    // SAFETY: C promises what this asks for.
    let c = unsafe { C::promises() };
    c.run(error, || {
        let mut call = c.lock(caller, "caller")?;
        let out = c.out(is_interrupted, "is_interrupted")?;
        out.set(call.caller().is_interrupted());
        Ok(())
    })
}

/// Allocates bytes inside of the caller's memory, as `precast_instance_allocate`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn precast_caller_allocate(
    caller: *mut precast_caller,
    bytes: u64,
    address: *mut u64,
    error: *mut precast_error,
) -> precast_status {
    // SAFETY: C promises what this asks for.
    let c = unsafe { C::promises() };
    c.run(error, || {
        let mut call = c.lock(caller, "caller")?;
        let out = c.out(address, "address")?;
        out.set(call.caller().module_malloc(bytes)?);
        Ok(())
    })
}

/// Frees bytes inside of the caller's memory, as `precast_instance_release`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn precast_caller_release(
    caller: *mut precast_caller,
    address: u64,
    error: *mut precast_error,
) -> precast_status {
    // SAFETY: C promises what this asks for.
    let c = unsafe { C::promises() };
    c.run(error, || {
        Ok(c.lock(caller, "caller")?.caller().module_free(address)?)
    })
}
