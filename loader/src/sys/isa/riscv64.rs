//! 64-bit RISC-V with its standard calling convention.

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
        asm!("rdtime {ticks}", ticks = out(reg) ticks, options(nomem, nostack, preserves_flags));
    }
    ticks
}

/// The machine's number in ELF files.
#[cfg(feature = "profiling")]
pub(crate) const ELF_MACHINE: u32 = 243;

/// Size of what a frame pointer points to, in bytes.
pub(crate) const LINK_SIZE: usize = 16;

/// The caller's frame pointer, and the return address into the caller.
///
/// # Safety
///
/// The frame pointer is that of compiled code whose caller waits for it.
pub(crate) unsafe fn caller(frame: usize) -> (usize, usize) {
    // Compiled code lets its frame pointer point to the pair, other than the C convention.
    // SAFETY: the caller's promise.
    let [next, address] = unsafe { core::ptr::with_exposed_provenance::<[usize; 2]>(frame).read() };
    (next, address)
}

/// Lets this processor fetch what was written as data. Others must do it themselves.
///
/// # Safety
///
/// None of its own: the instruction is one for all addresses.
#[allow(dead_code, reason = "systems have a call for it")]
pub(crate) unsafe fn flush_instruction_cache(_: *const u8, _: usize) {
    // SAFETY: waits for writes, and forgets what was fetched in advance.
    unsafe { asm!("fence.i", options(nostack)) };
}

/// The `raise` libcall: context in `a0`, trap code in `a1`.
///
/// The return address is still in `ra`, and the caller's frame pointer in `s0`.
///
/// # Safety
///
/// Only compiled code calls this, with its context pointer and a trap code.
#[unsafe(naked)]
pub(crate) unsafe extern "C" fn raise() {
    naked_asm!(
        "mv a2, ra",
        "mv a3, s0",
        "mv a4, sp",
        "tail {raise_here}",
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
            "mv sp, a2",
            "mv s0, a3",
            "jr a4",
            in("a2") stack_pointer,
            in("a3") frame_pointer,
            in("a4") pc,
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
        "addi sp, sp, -16",
        "sd ra, 8(sp)",
        "sd s0, 0(sp)",
        "mv s0, sp",
        "sd sp, 0(a6)",
        "mv sp, a5",
        "jalr a4",
        "mv sp, s0",
        "ld ra, 8(sp)",
        "ld s0, 0(sp)",
        "addi sp, sp, 16",
        "ret",
    )
}

/// The registers of compiled code that calls keep, at a call that throws.
///
/// Handlers of the frame that throws expect in them what was there at the call. Handlers of frames
/// above expect nothing: compiled code finds its context pointer in its own frame.
#[repr(C)]
pub(crate) struct CallerRegisters {
    /// `s1` to `s11`.
    general: [usize; 11],
    frame_pointer: usize,
    return_address: usize,
    /// `fs0` to `fs11`.
    float: [u64; 12],
    /// Keeps the stack pointer a multiple of 16.
    _padding: usize,
}

impl CallerRegisters {
    /// What handlers above an adapter to the host expect, whose call returns to an address.
    pub(crate) fn of_adapter(
        _: NonNull<u8>,
        return_address: usize,
        frame_pointer: usize,
    ) -> CallerRegisters {
        CallerRegisters {
            general: [0; 11],
            frame_pointer,
            return_address,
            float: [0; 12],
            _padding: 0,
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

/// The `exception_new` libcall: context in `a0`, tag record in `a1`.
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
        "mv a2, ra",
        "mv a3, s0",
        "tail {exception_new_here}",
        exception_new_here = sym exception_new_here,
    )
}

/// Pushes the registers that calls keep and goes to a function that does not return, with them as the
/// third argument.
macro_rules! throwing_stub {
    ($target:path) => {
        naked_asm!(
            "addi sp, sp, -{size}",
            "sd s1, {general} + 0(sp)",
            "sd s2, {general} + 8(sp)",
            "sd s3, {general} + 16(sp)",
            "sd s4, {general} + 24(sp)",
            "sd s5, {general} + 32(sp)",
            "sd s6, {general} + 40(sp)",
            "sd s7, {general} + 48(sp)",
            "sd s8, {general} + 56(sp)",
            "sd s9, {general} + 64(sp)",
            "sd s10, {general} + 72(sp)",
            "sd s11, {general} + 80(sp)",
            // Assembly outside of functions does not know what the target has.
            ".option push",
            ".option arch, +d",
            "fsd fs0, {float} + 0(sp)",
            "fsd fs1, {float} + 8(sp)",
            "fsd fs2, {float} + 16(sp)",
            "fsd fs3, {float} + 24(sp)",
            "fsd fs4, {float} + 32(sp)",
            "fsd fs5, {float} + 40(sp)",
            "fsd fs6, {float} + 48(sp)",
            "fsd fs7, {float} + 56(sp)",
            "fsd fs8, {float} + 64(sp)",
            "fsd fs9, {float} + 72(sp)",
            "fsd fs10, {float} + 80(sp)",
            "fsd fs11, {float} + 88(sp)",
            ".option pop",
            "sd s0, {frame_pointer}(sp)",
            "sd ra, {return_address}(sp)",
            "mv a2, sp",
            "tail {target}",
            size = const size_of::<CallerRegisters>(),
            general = const offset_of!(CallerRegisters, general),
            frame_pointer = const offset_of!(CallerRegisters, frame_pointer),
            return_address = const offset_of!(CallerRegisters, return_address),
            float = const offset_of!(CallerRegisters, float),
            target = sym $target,
        )
    };
}

/// The `throw` libcall: context in `a0`, exception in `a1`.
///
/// # Safety
///
/// Only compiled code calls this, with its context pointer and an exception.
#[unsafe(naked)]
pub(crate) unsafe extern "C" fn throw() {
    throwing_stub!(throw_here)
}

/// The `rethrow` libcall: context in `a0`, exception in `a1`.
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
        "ld s1, {general} + 0(a0)",
        "ld s2, {general} + 8(a0)",
        "ld s3, {general} + 16(a0)",
        "ld s4, {general} + 24(a0)",
        "ld s5, {general} + 32(a0)",
        "ld s6, {general} + 40(a0)",
        "ld s7, {general} + 48(a0)",
        "ld s8, {general} + 56(a0)",
        "ld s9, {general} + 64(a0)",
        "ld s10, {general} + 72(a0)",
        "ld s11, {general} + 80(a0)",
        // Assembly outside of functions does not know what the target has.
        ".option push",
        ".option arch, +d",
        "fld fs0, {float} + 0(a0)",
        "fld fs1, {float} + 8(a0)",
        "fld fs2, {float} + 16(a0)",
        "fld fs3, {float} + 24(a0)",
        "fld fs4, {float} + 32(a0)",
        "fld fs5, {float} + 40(a0)",
        "fld fs6, {float} + 48(a0)",
        "fld fs7, {float} + 56(a0)",
        "fld fs8, {float} + 64(a0)",
        "fld fs9, {float} + 72(a0)",
        "fld fs10, {float} + 80(a0)",
        "fld fs11, {float} + 88(a0)",
        ".option pop",
        "mv sp, a2",
        "mv s0, a3",
        "mv a0, a4",
        "jr a1",
        general = const offset_of!(CallerRegisters, general),
        float = const offset_of!(CallerRegisters, float),
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
        "addi sp, sp, -112",
        "sd ra, 104(sp)",
        "sd s0, 96(sp)",
        "sd s1, 0(sp)",
        "sd s2, 8(sp)",
        "sd s3, 16(sp)",
        "sd s4, 24(sp)",
        "sd s5, 32(sp)",
        "sd s6, 40(sp)",
        "sd s7, 48(sp)",
        "sd s8, 56(sp)",
        "sd s9, 64(sp)",
        "sd s10, 72(sp)",
        "sd s11, 80(sp)",
        "mv a2, a1",
        "mv a1, sp",
        "jalr a2",
        "ld ra, 104(sp)",
        "ld s0, 96(sp)",
        "addi sp, sp, 112",
        "ret",
    )
}
