//! x86-64 with the convention of Windows.
//!
//! Arguments are in `rcx`, `rdx`, `r8` and `r9`, further ones on the stack. Whoever calls leaves 32
//! bytes above the return address to the function that it calls; so a stub that passes arguments on the
//! stack, or has pushed something, calls with such room of its own instead of jumping. Calls keep `rsi`
//! and `rdi`, too, and the upper vector registers: compiled code of the `tail` convention changes them,
//! and its entry trampolines put them back.
//!
//! `throw` and `rethrow` are called by the System V convention, since Cranelift's handlers need to know
//! which registers a call that throws keeps.

use core::arch::naked_asm;
use core::mem::offset_of;

use super::CallerRegisters;
use crate::libcall::exception::exception_new_here;
use crate::trap::unwind::raise_here;
use crate::trap::unwind::throw::{rethrow_here, throw_here};

/// The `raise` libcall: context in `rcx`, trap code in `edx`.
///
/// The caller's frame pointer is still in `rbp`, and the return address on top of the stack. Both
/// become arguments, with the address of the latter's slot, above which the caller's frame lies.
///
/// # Safety
///
/// Only compiled code calls this, with its context pointer and a trap code.
#[unsafe(naked)]
pub(crate) unsafe extern "C" fn raise() {
    naked_asm!(
        "mov r8, [rsp]",
        "mov r9, rbp",
        "mov rax, rsp",
        // Room for five arguments, aligned at the call.
        "sub rsp, 40",
        "mov [rsp + 32], rax",
        "call {raise_here}",
        "ud2",
        raise_here = sym raise_here,
    )
}

/// Calls a function of the C convention with four arguments on another stack, and gives back what
/// it returns in the first result register.
///
/// The address from which on the present stack is free goes to `saved` before that, so that the
/// function can come back here for a while.
///
/// The system's record of where the thread's stack lies stays as it is. Only vectored handlers are
/// asked about faults on the other stack, and functions there must not need more of it than a page
/// at a time.
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
        // Above frame pointer, return address and the room of 32 bytes.
        "mov r10, [rbp + 48]",
        "mov r11, [rbp + 56]",
        "mov rax, [rbp + 64]",
        "mov [rax], rsp",
        "lea rsp, [r11 - 32]",
        "call r10",
        "mov rsp, rbp",
        "pop rbp",
        "ret",
    )
}

/// The `exception_new` libcall: context in `rcx`, tag record in `rdx`.
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
        "mov r8, [rsp]",
        "mov r9, rbp",
        "jmp {exception_new_here}",
        exception_new_here = sym exception_new_here,
    )
}

/// Pushes the registers that calls keep, and calls a function that does not return, with them as the
/// third argument. The first two are where the System V convention has them.
macro_rules! throwing_stub {
    ($target:path) => {
        naked_asm!(
            "push rbp",
            "push rbx",
            "push r12",
            "push r13",
            "push r14",
            "push r15",
            "mov rcx, rdi",
            "mov rdx, rsi",
            "mov r8, rsp",
            // Aligned at the call.
            "sub rsp, 40",
            "call {target}",
            "ud2",
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
        // Above the return address and the room of 32 bytes.
        "mov rax, [rsp + 40]",
        "mov r15, [rcx + {r15}]",
        "mov r14, [rcx + {r14}]",
        "mov r13, [rcx + {r13}]",
        "mov r12, [rcx + {r12}]",
        "mov rbx, [rcx + {rbx}]",
        "mov rsp, r8",
        "mov rbp, r9",
        "jmp rdx",
        r15 = const offset_of!(CallerRegisters, r15),
        r14 = const offset_of!(CallerRegisters, r14),
        r13 = const offset_of!(CallerRegisters, r13),
        r12 = const offset_of!(CallerRegisters, r12),
        rbx = const offset_of!(CallerRegisters, rbx),
    )
}

/// Writes the registers that calls keep to the stack, and calls a function with the first argument and
/// the stack pointer below them. References are never in vector registers.
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
        "push rsi",
        "push rdi",
        "push r12",
        "push r13",
        "push r14",
        "push r15",
        "mov rax, rdx",
        "mov rdx, rsp",
        // Aligned at the call.
        "sub rsp, 40",
        "call rax",
        "mov rsp, rbp",
        "pop rbp",
        "ret",
    )
}
