//! x86-64 with the System V convention.

use core::arch::{asm, naked_asm};

use crate::trap::unwind::raise_here;

/// The `raise` libcall: context in `rdi`, trap code in `esi`.
///
/// The caller's frame pointer is still in `rbp`, and the return address on top of the stack. Both
/// become arguments, with the address of the latter's slot, above which the caller's frame lies.
/// The jump leaves the stack aligned as after a call.
///
/// # Safety
///
/// Only compiled code calls this, with its context pointer and a trap code.
#[unsafe(naked)]
pub(crate) unsafe extern "C" fn raise() {
    naked_asm!(
        "mov rdx, [rsp]",
        "mov rcx, rbp",
        "mov r8, rsp",
        "jmp {raise_here}",
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
    // SAFETY: the caller's promise. The operands are in registers that none of the moves changes
    // before it is read.
    unsafe {
        asm!(
            "mov rsp, {stack_pointer}",
            "mov rbp, {frame_pointer}",
            "jmp {pc}",
            pc = in(reg) pc,
            stack_pointer = in(reg) stack_pointer,
            frame_pointer = in(reg) frame_pointer,
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
        "push rbp",
        "mov rbp, rsp",
        // The seventh argument lies above frame pointer and return address.
        "mov rax, [rbp + 16]",
        "mov [rax], rsp",
        "mov rsp, r9",
        "call r8",
        "mov rsp, rbp",
        "pop rbp",
        "ret",
    )
}
