//! Instruction sets for which there is no code generator: the loader runs bytecode there, and nothing
//! enters or leaves native code.
//!
//! What has the same name for other instruction sets is here for the sake of the rest of the loader, and
//! never called: no artifact with native code is accepted.

use core::ptr::NonNull;

use crate::exception::tag::TagRecordData;
use crate::libcall::exception::exception_new_here;
use crate::sys::clock;
use crate::trap::unwind::raise_here;
use crate::trap::unwind::throw::{rethrow_here, throw_here};

/// What native code comes to through the four functions below, elsewhere. Named, so that the compiler
/// does not take it for forgotten.
type Thrower = unsafe extern "C" fn(NonNull<u8>, usize, &CallerRegisters) -> !;
const _: [Thrower; 2] = [throw_here, rethrow_here];
const _: unsafe extern "C" fn(*mut u8, u32, usize, usize, usize) -> ! = raise_here;
const _: unsafe extern "C" fn(NonNull<u8>, NonNull<TagRecordData>, usize, usize) -> usize =
    exception_new_here;

/// A clock: ticks of constant length.
#[inline]
pub(crate) fn ticks() -> u64 {
    clock::now()
}

/// The machine's number in ELF files: none.
#[cfg(feature = "profiling")]
pub(crate) const ELF_MACHINE: u32 = 0;

/// Would let processors fetch what was written as data.
///
/// # Safety
///
/// None is needed: bytecode is data.
#[allow(dead_code, reason = "some systems have a call for it")]
pub(crate) unsafe fn flush_instruction_cache(_: *const u8, _: usize) {}

/// Size of what a frame pointer of bytecode points to, in bytes.
pub(crate) const LINK_SIZE: usize = 2 * size_of::<usize>();

/// The caller's frame pointer, and the return address into the caller.
///
/// # Safety
///
/// The frame pointer is that of bytecode whose caller waits for it.
pub(crate) unsafe fn caller(frame: usize) -> (usize, usize) {
    // SAFETY: the caller's promise; frame pointer and link register lie next to each other.
    let [next, address] = unsafe { core::ptr::with_exposed_provenance::<[usize; 2]>(frame).read() };
    (next, address)
}

/// Native code would call this.
///
/// # Safety
///
/// Nobody calls it.
pub(crate) unsafe extern "C" fn raise() {}

/// Native code would call this.
///
/// # Safety
///
/// Nobody calls it.
pub(crate) unsafe extern "C" fn throw() {}

/// Native code would call this.
///
/// # Safety
///
/// Nobody calls it.
pub(crate) unsafe extern "C" fn rethrow() {}

/// Native code would call this.
///
/// # Safety
///
/// Nobody calls it.
pub(crate) unsafe extern "C" fn exception_new() {}

/// Would go on in native code.
///
/// # Safety
///
/// Nobody calls it.
pub(crate) unsafe fn resume(_: usize, _: usize, _: usize) -> ! {
    loop {
        core::hint::spin_loop();
    }
}

/// Would call native code on another stack.
///
/// # Safety
///
/// Nobody calls it.
pub(crate) unsafe extern "C" fn call_on_stack(
    _: *const (),
    _: *const (),
    _: *const (),
    _: *const (),
    _: *const (),
    _: usize,
    _: *mut usize,
) -> usize {
    0
}

/// The registers of native code: none.
pub(crate) struct CallerRegisters {
    return_address: usize,
    frame_pointer: usize,
}

impl CallerRegisters {
    /// What handlers above an adapter to the host would expect.
    pub(crate) fn of_adapter(
        _: NonNull<u8>,
        return_address: usize,
        frame_pointer: usize,
    ) -> CallerRegisters {
        CallerRegisters {
            return_address,
            frame_pointer,
        }
    }

    /// Where the call returns to.
    pub(crate) fn return_address(&self) -> usize {
        self.return_address
    }

    /// The frame pointer of the function that called.
    pub(crate) fn frame_pointer(&self) -> usize {
        self.frame_pointer
    }
}

/// Would go on in a handler of native code.
///
/// # Safety
///
/// Nobody calls it.
pub(crate) unsafe extern "C" fn land(
    _: &CallerRegisters,
    handler: usize,
    stack_pointer: usize,
    frame_pointer: usize,
    _: usize,
) -> ! {
    // SAFETY: the caller's promise.
    unsafe { resume(handler, stack_pointer, frame_pointer) }
}

/// Calls a function with the first argument and an address below which it runs. There are no registers
/// of compiled code: the interpreter's are in memory.
///
/// # Safety
///
/// The caller may call the function with these arguments.
pub(crate) unsafe extern "C" fn call_with_registers(
    first: *const (),
    code: unsafe extern "C" fn(*const (), usize),
) {
    let here = 0usize;
    // SAFETY: the caller's promise.
    unsafe { code(first, core::ptr::from_ref(&here).addr()) }
}
