//! 64-bit Arm with its procedure call standard.

use core::arch::{asm, naked_asm};
use core::mem::offset_of;
use core::ptr::NonNull;

use crate::libcall::exception::exception_new_here;
use crate::trap::unwind::raise_here;
use crate::trap::unwind::throw::{rethrow_here, throw_here};

/// The machine's clock: ticks of constant length, whatever the processor does.
#[inline]
pub(crate) fn ticks() -> u64 {
    let ticks: u64;
    // SAFETY: the system lets programs read this counter.
    unsafe {
        asm!("mrs {ticks}, cntvct_el0", ticks = out(reg) ticks, options(nomem, nostack, preserves_flags));
    }
    ticks
}

/// The machine's number in ELF files.
#[cfg(feature = "profiling")]
pub(crate) const ELF_MACHINE: u32 = 183;

/// Size of what a frame pointer points to, in bytes.
pub(crate) const LINK_SIZE: usize = 16;

/// The caller's frame pointer, and the return address into the caller.
///
/// # Safety
///
/// The frame pointer is that of compiled code whose caller waits for it.
pub(crate) unsafe fn caller(frame: usize) -> (usize, usize) {
    // SAFETY: the caller's promise; frame pointer and link register lie next to each other.
    let [next, address] = unsafe { core::ptr::with_exposed_provenance::<[usize; 2]>(frame).read() };
    (next, address)
}

/// Lets this processor fetch what was written as data, and others once they have synchronised.
///
/// # Safety
///
/// The range is mapped and readable.
#[allow(dead_code, reason = "some systems have a call for it")]
pub(crate) unsafe fn flush_instruction_cache(start: *const u8, size: usize) {
    /// Instruction fetches see the point to which writes go of themselves.
    const CLEAN_UNNEEDED: u64 = 1 << 28;
    /// No stale instruction stays in a cache.
    const INVALIDATE_UNNEEDED: u64 = 1 << 29;
    let kind: u64;
    // SAFETY: the system lets programs read this register, or reads it for them.
    unsafe {
        asm!("mrs {kind}, ctr_el0", kind = out(reg) kind, options(nomem, nostack, preserves_flags));
    }
    let start = start.expose_provenance();
    let end = start.wrapping_add(size);
    // The smallest lines of all caches on the way, as powers of two of words.
    let data_line = 4usize << (kind >> 16 & 0xf);
    let instruction_line = 4usize << (kind & 0xf);
    if kind & CLEAN_UNNEEDED == 0 {
        for line in (start & !(data_line - 1)..end).step_by(data_line) {
            // SAFETY: the caller's promise; nothing changes but where the bytes are held.
            unsafe { asm!("dc cvau, {line}", line = in(reg) line, options(nostack)) };
        }
    }
    // SAFETY: waits until all processors see the bytes.
    unsafe { asm!("dsb ish", options(nostack)) };
    if kind & INVALIDATE_UNNEEDED == 0 {
        for line in (start & !(instruction_line - 1)..end).step_by(instruction_line) {
            // SAFETY: the caller's promise; takes copies away.
            unsafe { asm!("ic ivau, {line}", line = in(reg) line, options(nostack)) };
        }
        // SAFETY: waits until it is so.
        unsafe { asm!("dsb ish", options(nostack)) };
    }
    // SAFETY: forgets what was fetched in advance.
    unsafe { asm!("isb", options(nostack)) };
}

/// The `raise` libcall: context in `x0`, trap code in `w1`.
///
/// The return address is still in the link register, and the caller's frame pointer in `x29`.
///
/// # Safety
///
/// Only compiled code calls this, with its context pointer and a trap code.
#[unsafe(naked)]
pub(crate) unsafe extern "C" fn raise() {
    naked_asm!(
        "mov x2, x30",
        "mov x3, x29",
        "mov x4, sp",
        "b {raise_here}",
        raise_here = sym raise_here,
    )
}

/// Goes on at an address with another stack and another frame.
///
/// # Safety
///
/// There is code at `pc` that can go on with this stack and this frame. The frames in between are
/// left without being unwound.
pub(crate) unsafe fn resume(pc: usize, stack_pointer: usize, frame_pointer: usize) -> ! {
    // SAFETY: the caller's promise. The registers of the operands are none that the moves write.
    unsafe {
        asm!(
            "mov sp, x9",
            "mov x29, x10",
            "br x11",
            in("x9") stack_pointer,
            in("x10") frame_pointer,
            in("x11") pc,
            options(noreturn)
        )
    }
}

/// Calls a function of the C convention with four arguments on another stack, and gives back what
/// it returns in the first result register.
///
/// The address from which on the present stack is free goes to `saved` before that, so that the
/// function can come back here for a while.
///
/// # Safety
///
/// 1. `code` is the address of a function that takes no more than these arguments, all of them
///    words or pointers, and the caller may call it with them.
/// 2. Below `stack`, which is a multiple of 16, is room for what the function needs, and nothing
///    that is still used.
/// 3. `saved` can be written.
#[unsafe(naked)]
pub(crate) unsafe extern "C" fn call_on_stack(
    first: *const (),
    second: *const (),
    third: *const (),
    fourth: *const (),
    code: *const (),
    stack: usize,
    saved: *mut usize,
) -> usize {
    naked_asm!(
        "stp x29, x30, [sp, #-16]!",
        "mov x29, sp",
        "str x29, [x6]",
        "mov sp, x5",
        "blr x4",
        "mov sp, x29",
        "ldp x29, x30, [sp], #16",
        "ret",
    )
}

/// The registers of compiled code that calls keep, at a call that throws.
///
/// Handlers of the frame that throws expect in them what was there at the call, in the vector
/// registers in the lower half. Handlers of frames above expect the context register only, which is
/// one of them.
#[repr(C)]
pub(crate) struct CallerRegisters {
    /// `x19` to `x28`.
    general: [usize; 10],
    frame_pointer: usize,
    return_address: usize,
    /// `d8` to `d15`.
    vector: [u64; 8],
}

/// Where the general registers have `x21`.
const CONTEXT: usize = 2;

impl CallerRegisters {
    /// What handlers above an adapter to the host expect, whose call returns to an address.
    pub(crate) fn of_adapter(
        context: NonNull<u8>,
        return_address: usize,
        frame_pointer: usize,
    ) -> CallerRegisters {
        let mut general = [0; 10];
        // Where code keeps its context in a register, it is this one.
        general[CONTEXT] = context.as_ptr().expose_provenance();
        CallerRegisters {
            general,
            frame_pointer,
            return_address,
            vector: [0; 8],
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

/// The `exception_new` libcall: context in `x0`, tag record in `x1`.
///
/// Return address and frame pointer of the caller become arguments, for the case that it must be
/// stopped. The function returns to the caller itself.
///
/// # Safety
///
/// Only compiled code calls this, with its context pointer and the record of one of its tags.
#[unsafe(naked)]
pub(crate) unsafe extern "C" fn exception_new() {
    naked_asm!(
        "mov x2, x30",
        "mov x3, x29",
        "b {exception_new_here}",
        exception_new_here = sym exception_new_here,
    )
}

/// Pushes the registers that calls keep and goes to a function that does not return, with them as the
/// third argument.
macro_rules! throwing_stub {
    ($target:path) => {
        naked_asm!(
            "sub sp, sp, {size}",
            "stp x19, x20, [sp, {general}]",
            "stp x21, x22, [sp, {general} + 16]",
            "stp x23, x24, [sp, {general} + 32]",
            "stp x25, x26, [sp, {general} + 48]",
            "stp x27, x28, [sp, {general} + 64]",
            "stp x29, x30, [sp, {frame_pointer}]",
            "stp d8, d9, [sp, {vector}]",
            "stp d10, d11, [sp, {vector} + 16]",
            "stp d12, d13, [sp, {vector} + 32]",
            "stp d14, d15, [sp, {vector} + 48]",
            "mov x2, sp",
            "b {target}",
            size = const size_of::<CallerRegisters>(),
            general = const offset_of!(CallerRegisters, general),
            frame_pointer = const offset_of!(CallerRegisters, frame_pointer),
            vector = const offset_of!(CallerRegisters, vector),
            target = sym $target,
        )
    };
}

/// The `throw` libcall: context in `x0`, exception in `x1`.
///
/// # Safety
///
/// Only compiled code calls this, with its context pointer and an exception.
#[unsafe(naked)]
pub(crate) unsafe extern "C" fn throw() {
    throwing_stub!(throw_here)
}

/// The `rethrow` libcall: context in `x0`, exception in `x1`.
///
/// # Safety
///
/// Only adapters call this, with the context pointer of the instance that they return to, and an
/// exception.
#[unsafe(naked)]
pub(crate) unsafe extern "C" fn rethrow() {
    throwing_stub!(rethrow_here)
}

/// Goes on in a handler, with the exception in the first payload register.
///
/// # Safety
///
/// There is a handler at `handler` that goes on with this stack, this frame and these registers. The
/// frames in between are left without being unwound.
#[unsafe(naked)]
pub(crate) unsafe extern "C" fn land(
    registers: &CallerRegisters,
    handler: usize,
    stack_pointer: usize,
    frame_pointer: usize,
    exception: usize,
) -> ! {
    naked_asm!(
        "ldp x19, x20, [x0, {general}]",
        "ldp x21, x22, [x0, {general} + 16]",
        "ldp x23, x24, [x0, {general} + 32]",
        "ldp x25, x26, [x0, {general} + 48]",
        "ldp x27, x28, [x0, {general} + 64]",
        "ldp d8, d9, [x0, {vector}]",
        "ldp d10, d11, [x0, {vector} + 16]",
        "ldp d12, d13, [x0, {vector} + 32]",
        "ldp d14, d15, [x0, {vector} + 48]",
        "mov sp, x2",
        "mov x29, x3",
        "mov x0, x4",
        "br x1",
        general = const offset_of!(CallerRegisters, general),
        vector = const offset_of!(CallerRegisters, vector),
    )
}

/// Writes the registers that calls keep to the stack, and calls a function with the first argument and
/// the stack pointer below them.
///
/// # Safety
///
/// The caller may call the function with these arguments.
#[unsafe(naked)]
pub(crate) unsafe extern "C" fn call_with_registers(
    first: *const (),
    code: unsafe extern "C" fn(*const (), usize),
) {
    naked_asm!(
        "stp x29, x30, [sp, #-16]!",
        "mov x29, sp",
        "stp x19, x20, [sp, #-16]!",
        "stp x21, x22, [sp, #-16]!",
        "stp x23, x24, [sp, #-16]!",
        "stp x25, x26, [sp, #-16]!",
        "stp x27, x28, [sp, #-16]!",
        "mov x9, x1",
        "mov x1, sp",
        "blr x9",
        "mov sp, x29",
        "ldp x29, x30, [sp], #16",
        "ret",
    )
}
