//! x86-64 with the System V convention.

use core::arch::naked_asm;
use core::mem::offset_of;

use super::CallerRegisters;
use crate::libcall::exception::exception_new_here;
use crate::trap::unwind::raise_here;
use crate::trap::unwind::throw::{rethrow_here, throw_here};

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

/// The `exception_new` libcall: context in `rdi`, tag record in `rsi`.
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
        "mov rdx, [rsp]",
        "mov rcx, rbp",
        "jmp {exception_new_here}",
        exception_new_here = sym exception_new_here,
    )
}

/// Pushes the registers that calls keep and goes to a function that does not return, with them as the
/// third argument. The jump leaves the stack aligned as after a call.
macro_rules! throwing_stub {
    ($target:path) => {
        naked_asm!(
            "push rbp",
            "push rbx",
            "push r12",
            "push r13",
            "push r14",
            "push r15",
            "mov rdx, rsp",
            "jmp {target}",
            target = sym $target,
        )
    };
}

/// The `throw` libcall: context in `rdi`, exception in `rsi`.
///
/// # Safety
///
/// Only compiled code calls this, with its context pointer and an exception.
#[unsafe(naked)]
pub(crate) unsafe extern "C" fn throw() {
    throwing_stub!(throw_here)
}

/// The `rethrow` libcall: context in `rdi`, exception in `rsi`.
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
        "mov r15, [rdi + {r15}]",
        "mov r14, [rdi + {r14}]",
        "mov r13, [rdi + {r13}]",
        "mov r12, [rdi + {r12}]",
        "mov rbx, [rdi + {rbx}]",
        "mov rsp, rdx",
        "mov rbp, rcx",
        "mov rax, r8",
        "jmp rsi",
        r15 = const offset_of!(CallerRegisters, r15),
        r14 = const offset_of!(CallerRegisters, r14),
        r13 = const offset_of!(CallerRegisters, r13),
        r12 = const offset_of!(CallerRegisters, r12),
        rbx = const offset_of!(CallerRegisters, rbx),
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
        "push rbp",
        "mov rbp, rsp",
        "push rbx",
        "push r12",
        "push r13",
        "push r14",
        "push r15",
        // Aligned at the call.
        "sub rsp, 8",
        "mov rax, rsi",
        "mov rsi, rsp",
        "call rax",
        "mov rsp, rbp",
        "pop rbp",
        "ret",
    )
}
