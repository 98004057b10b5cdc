//! Helpers for waiting at addresses of shared memories, and for ending that.
//!
//! A thread that waits does so on its own stack: a region may be too small for what the system does.
//!
//! # Safety
//!
//! All functions are called by compiled code with the context pointer of the running instance.

use core::cell::Cell;
use core::ptr::{self, NonNull};

use precast_format::trap::TrapCode;

use crate::call::entry::{has_host_stack, on_thread_stack};
use crate::instance::InstanceData;
use crate::instance::memory::{Expected, Woken};

/// What is to be done at an address, and what came of it.
struct Operation {
    context: NonNull<u8>,
    memory: u32,
    address: u64,
    action: Action,
    result: Cell<i64>,
}

#[derive(Clone, Copy)]
enum Action {
    Wait { expected: Expected, timeout: i64 },
    Notify { count: u32 },
}

/// `memory.atomic.wait32`: its result, or a trap code, negated.
pub(super) unsafe extern "C" fn memory_atomic_wait32(
    context: NonNull<u8>,
    memory: u32,
    address: u64,
    expected: u32,
    timeout: i64,
) -> i64 {
    let expected = Expected::Bits32(expected);
    // SAFETY: compiled code of the running instance called this.
    unsafe { execute(context, memory, address, Action::Wait { expected, timeout }) }
}

/// `memory.atomic.wait64`: its result, or a trap code, negated.
pub(super) unsafe extern "C" fn memory_atomic_wait64(
    context: NonNull<u8>,
    memory: u32,
    address: u64,
    expected: u64,
    timeout: i64,
) -> i64 {
    let expected = Expected::Bits64(expected);
    // SAFETY: compiled code of the running instance called this.
    unsafe { execute(context, memory, address, Action::Wait { expected, timeout }) }
}

/// `memory.atomic.notify`: how many threads were woken, or a trap code, negated.
pub(super) unsafe extern "C" fn memory_atomic_notify(
    context: NonNull<u8>,
    memory: u32,
    address: u64,
    count: u32,
) -> i64 {
    // SAFETY: compiled code of the running instance called this.
    unsafe { execute(context, memory, address, Action::Notify { count }) }
}

/// Runs an operation on the thread's own stack.
///
/// # Safety
///
/// Compiled code of the running instance, whose context pointer this is, called what called this.
unsafe fn execute(context: NonNull<u8>, memory: u32, address: u64, action: Action) -> i64 {
    let operation = Operation {
        context,
        memory,
        address,
        action,
        result: Cell::new(0),
    };
    let arguments = [ptr::from_ref(&operation).cast(), ptr::null(), ptr::null()];
    // SAFETY: the caller's promise, and `run` takes the value.
    unsafe { on_thread_stack(context, arguments, run) };
    operation.result.get()
}

/// The part that runs on the thread's own stack.
///
/// # Safety
///
/// The first argument points to an [`Operation`] of the running instance.
unsafe extern "C" fn run(operation: *const (), _: *const (), _: *const ()) -> usize {
    // SAFETY: the caller's promise.
    let operation = unsafe { &*operation.cast::<Operation>() };
    let result = match perform(operation) {
        Ok(number) => i64::from(number),
        Err(code) => -i64::from(code as u8),
    };
    operation.result.set(result);
    0
}

fn perform(operation: &Operation) -> Result<u32, TrapCode> {
    // Code that relies on a guard page can come closer to the end of the thread's stack than what
    // the system does may.
    // SAFETY: the context is the running instance's.
    if !unsafe { has_host_stack(operation.context) } {
        return Err(TrapCode::StackOverflow);
    }
    // SAFETY: the context is the running instance's.
    let instance = unsafe { InstanceData::from_context(operation.context) };
    let memory = instance.memory(operation.memory);
    let memory = memory.ok_or(TrapCode::MemoryOutOfBounds)?;
    match operation.action {
        Action::Wait { expected, timeout } => {
            let flag = instance.context().interrupt_flag();
            match memory.wait(operation.address, expected, timeout, flag)? {
                Woken::Interrupted => Err(TrapCode::Interrupted),
                woken => Ok(woken as u32),
            }
        }
        Action::Notify { count } => memory.notify(operation.address, count),
    }
}
