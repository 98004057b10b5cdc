//! z/Architecture with the ELF convention of Linux.
//!
//! There is no frame pointer. What stands for it is the stack pointer at the entry of a function,
//! where its caller has a register save area: compiled code keeps it in the lowest word of its
//! frame (the back chain), and saves the return address, register 14, in slot 14 of that area.

use core::arch::{asm, naked_asm};

use crate::trap::unwind::raise_here;

/// Size of what a frame pointer points to, in bytes: the register save area.
pub(crate) const LINK_SIZE: usize = 160;

/// Where the return address is in the register save area, in words.
const RETURN_ADDRESS: usize = 14;

/// The caller's frame pointer, and the return address into the caller.
///
/// # Safety
///
/// The frame pointer is that of compiled code whose caller waits for it.
pub(crate) unsafe fn caller(frame: usize) -> (usize, usize) {
    // SAFETY: the caller's promise.
    let area =
        unsafe { core::ptr::with_exposed_provenance::<[usize; RETURN_ADDRESS + 1]>(frame).read() };
    (area[0], area[RETURN_ADDRESS])
}

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
    // SAFETY: the caller's promise.
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
        // The sixth and seventh argument lie above the register save area.
        "stmg %r6, %r15, 48(%r15)",
        "lgr %r11, %r15",
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
