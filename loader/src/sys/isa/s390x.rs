//! z/Architecture with the ELF convention of Linux.
//!
//! There is no frame pointer register. What stands for a function's frame pointer is the stack
//! pointer that its caller has again when it returns. Compiled code writes it to the lowest word of
//! its frame, the back chain, and saves the return address, register 14, in slot 14 of the area that
//! lies there:
//!
//! ```text
//!   higher addresses
//!   |        ...                                  |
//!   | frame pointer + 112: the return address     |  the register save area: the caller's lowest
//!   | frame pointer + 48: registers 6 to 13       |  160 bytes, for whatever it calls
//!   | frame pointer: the caller's frame pointer   |
//!   | arguments on the stack, if any              |
//!   |        ...                                  |
//!   | stack pointer + 160: the rest of the frame  |
//!   | stack pointer: the frame pointer            |  the area for what this function calls
//!   lower addresses
//! ```
//!
//! So the caller's frame pointer is at the frame pointer, as elsewhere; only the return address is
//! further up. The distance from the stack pointer to the frame pointer is what the compiler records
//! for handlers. Code that goes on elsewhere needs the stack pointer only.

use core::arch::{asm, naked_asm};
use core::mem::offset_of;
use core::ptr::{self, NonNull};

use crate::libcall::exception::exception_new_here;
use crate::trap::unwind::raise_here;
use crate::trap::unwind::throw::{rethrow_here, throw_here};

/// The machine's clock: ticks of constant length, 4,096 in a microsecond.
#[inline]
pub(crate) fn ticks() -> u64 {
    let mut ticks = 0_u64;
    // SAFETY: every such processor that compiled code runs on has the instruction; it stores a word.
    unsafe {
        asm!(
            "stckf 0({place})",
            place = in(reg_addr) &raw mut ticks,
            options(nostack)
        );
    }
    ticks
}

/// The machine's number in ELF files.
#[cfg(feature = "profiling")]
pub(crate) const ELF_MACHINE: u32 = 22;

/// Size of what a frame pointer points to, in bytes: the register save area.
pub(crate) const LINK_SIZE: usize = 160;

/// Where the return address is in the register save area, in words.
pub(super) const RETURN_ADDRESS: usize = 14;

/// The caller's frame pointer, and the return address into the caller.
///
/// # Safety
///
/// The frame pointer is that of compiled code whose caller waits for it.
pub(crate) unsafe fn caller(frame: usize) -> (usize, usize) {
    let area: *const usize = ptr::with_exposed_provenance(frame);
    // SAFETY: the caller's promise.
    let next = unsafe { area.read() };
    // SAFETY: the area is larger than that.
    let address = unsafe { area.add(RETURN_ADDRESS).read() };
    (next, address)
}

/// Nothing: instruction fetches see what was written as data.
///
/// # Safety
///
/// None.
pub(crate) unsafe fn flush_instruction_cache(_: *const u8, _: usize) {}

/// The `raise` libcall: context in `r2`, trap code in `r3`.
///
/// The return address is still in `r14`, and the caller's back chain on top of its stack.
///
/// # Safety
///
/// Only compiled code calls this, with its context pointer and a trap code.
#[unsafe(naked)]
pub(crate) unsafe extern "C" fn raise() {
    naked_asm!(
        "lgr %r4, %r14",
        "lg %r5, 0(%r15)",
        // A register that calls keep, but nobody comes back to whom it belongs.
        "lgr %r6, %r15",
        "jg {raise_here}",
        raise_here = sym raise_here,
    )
}

/// Goes on at an address with another stack. The frame is found through the stack.
///
/// # Safety
///
/// There is code at `pc` that can go on with this stack. The frames in between are left without
/// being unwound.
pub(crate) unsafe fn resume(pc: usize, stack_pointer: usize, _: usize) -> ! {
    // SAFETY: the caller's promise. The register of the address is not the one that is written.
    unsafe {
        asm!(
            "lgr %r15, %r3",
            "br %r4",
            in("r3") stack_pointer,
            in("r4") pc,
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
        "stmg %r6, %r15, 48(%r15)",
        "lgr %r11, %r15",
        // The sixth and seventh argument lie above the register save area.
        "lg %r1, 168(%r15)",
        "stg %r15, 0(%r1)",
        "lg %r15, 160(%r15)",
        // Whoever is called has a register save area of its caller's.
        "aghi %r15, -160",
        "stg %r11, 0(%r15)",
        "basr %r14, %r6",
        "lmg %r6, %r15, 48(%r11)",
        "br %r14",
    )
}

/// The registers of compiled code that calls keep, at a call that throws: the caller's register save
/// area up to its last register.
///
/// Handlers of the frame that throws expect in them what was there at the call. Handlers of frames
/// above expect nothing but the stack pointer. Nobody expects anything in floating-point registers:
/// compiled code takes none for kept where it calls.
#[repr(C)]
pub(crate) struct CallerRegisters {
    /// The frame pointer.
    back_chain: usize,
    unused: [usize; 5],
    /// Registers 6 to 13.
    general: [usize; 8],
    return_address: usize,
    stack_pointer: usize,
}

impl CallerRegisters {
    /// What handlers above an adapter to the host expect, whose call returns to an address.
    pub(crate) fn of_adapter(
        _: NonNull<u8>,
        return_address: usize,
        frame_pointer: usize,
    ) -> CallerRegisters {
        CallerRegisters {
            back_chain: frame_pointer,
            unused: [0; 5],
            general: [0; 8],
            return_address,
            stack_pointer: 0,
        }
    }

    /// Where the call returns to.
    pub(crate) fn return_address(&self) -> usize {
        self.return_address
    }

    /// The frame pointer of the function that called.
    pub(crate) fn frame_pointer(&self) -> usize {
        self.back_chain
    }
}

/// The `exception_new` libcall: context in `r2`, tag record in `r3`.
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
        "lgr %r4, %r14",
        "lg %r5, 0(%r15)",
        "jg {exception_new_here}",
        exception_new_here = sym exception_new_here,
    )
}

/// Saves the registers that calls keep in the caller's area and goes to a function that does not
/// return, with the area as the third argument and a new area below it.
macro_rules! throwing_stub {
    ($target:path) => {
        naked_asm!(
            "stmg %r6, %r15, {general}(%r15)",
            "lgr %r4, %r15",
            "aghi %r15, -160",
            "stg %r4, 0(%r15)",
            "jg {target}",
            general = const offset_of!(CallerRegisters, general),
            target = sym $target,
        )
    };
}

/// The `throw` libcall: context in `r2`, exception in `r3`.
///
/// # Safety
///
/// Only compiled code calls this, with its context pointer and an exception.
#[unsafe(naked)]
pub(crate) unsafe extern "C" fn throw() {
    throwing_stub!(throw_here)
}

/// The `rethrow` libcall: context in `r2`, exception in `r3`.
///
/// # Safety
///
/// Only adapters call this, with the context pointer of the instance that they return to, and an
/// exception.
#[unsafe(naked)]
pub(crate) unsafe extern "C" fn rethrow() {
    throwing_stub!(rethrow_here)
}

/// Goes on in a handler, with the exception in the first payload register, which is `r6`.
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
        // The fifth argument is in the payload register already.
        "lmg %r7, %r13, {general} + 8(%r2)",
        "lgr %r15, %r4",
        "br %r3",
        general = const offset_of!(CallerRegisters, general),
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
        "stmg %r6, %r15, 48(%r15)",
        "lgr %r11, %r15",
        "aghi %r15, -224",
        "stg %r11, 0(%r15)",
        // A host's code may keep general registers in these.
        "std %f8, 160(%r15)",
        "std %f9, 168(%r15)",
        "std %f10, 176(%r15)",
        "std %f11, 184(%r15)",
        "std %f12, 192(%r15)",
        "std %f13, 200(%r15)",
        "std %f14, 208(%r15)",
        "std %f15, 216(%r15)",
        "lgr %r1, %r3",
        "lgr %r3, %r15",
        "basr %r14, %r1",
        "lmg %r6, %r15, 48(%r11)",
        "br %r14",
    )
}
