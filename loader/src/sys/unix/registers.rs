//! The registers of an interrupted thread, as the system hands them to a signal handler.
//!
//! One implementation per system and instruction set; where there is none, faults cannot be
//! caught.

#[cfg(all(target_os = "linux", target_arch = "x86_64"))]
mod implementation {
    /// Whether there is an implementation.
    pub const SUPPORTED: bool = true;

    /// Reads program counter, stack pointer and frame pointer.
    pub fn read(context: &libc::ucontext_t, _: i32) -> (usize, usize, usize) {
        let registers = &context.uc_mcontext.gregs;
        (
            registers[libc::REG_RIP as usize] as usize,
            registers[libc::REG_RSP as usize] as usize,
            registers[libc::REG_RBP as usize] as usize,
        )
    }

    /// Writes program counter, stack pointer and frame pointer.
    pub fn write(context: &mut libc::ucontext_t, pc: usize, stack: usize, frame: usize) {
        let registers = &mut context.uc_mcontext.gregs;
        registers[libc::REG_RIP as usize] = pc as libc::greg_t;
        registers[libc::REG_RSP as usize] = stack as libc::greg_t;
        registers[libc::REG_RBP as usize] = frame as libc::greg_t;
    }
}

#[cfg(all(target_os = "linux", target_arch = "aarch64"))]
mod implementation {
    /// Whether there is an implementation.
    pub const SUPPORTED: bool = true;

    /// Where the general registers have the frame pointer.
    const FRAME_POINTER: usize = 29;

    /// Reads program counter, stack pointer and frame pointer.
    pub fn read(context: &libc::ucontext_t, _: i32) -> (usize, usize, usize) {
        let registers = &context.uc_mcontext;
        (
            registers.pc as usize,
            registers.sp as usize,
            registers.regs[FRAME_POINTER] as usize,
        )
    }

    /// Writes program counter, stack pointer and frame pointer.
    pub fn write(context: &mut libc::ucontext_t, pc: usize, stack: usize, frame: usize) {
        let registers = &mut context.uc_mcontext;
        registers.pc = pc as u64;
        registers.sp = stack as u64;
        registers.regs[FRAME_POINTER] = frame as u64;
    }
}

#[cfg(all(target_os = "linux", target_arch = "riscv64"))]
mod implementation {
    /// Whether there is an implementation.
    pub const SUPPORTED: bool = true;

    /// Where the registers have the program counter; `x0` is never saved.
    const PROGRAM_COUNTER: usize = 0;
    /// Where the registers have the stack pointer.
    const STACK_POINTER: usize = 2;
    /// Where the registers have the frame pointer.
    const FRAME_POINTER: usize = 8;

    /// Reads program counter, stack pointer and frame pointer.
    pub fn read(context: &libc::ucontext_t, _: i32) -> (usize, usize, usize) {
        let registers = &context.uc_mcontext.__gregs;
        (
            registers[PROGRAM_COUNTER] as usize,
            registers[STACK_POINTER] as usize,
            registers[FRAME_POINTER] as usize,
        )
    }

    /// Writes program counter, stack pointer and frame pointer.
    pub fn write(context: &mut libc::ucontext_t, pc: usize, stack: usize, frame: usize) {
        let registers = &mut context.uc_mcontext.__gregs;
        registers[PROGRAM_COUNTER] = pc as u64;
        registers[STACK_POINTER] = stack as u64;
        registers[FRAME_POINTER] = frame as u64;
    }
}

#[cfg(all(target_os = "linux", target_arch = "s390x"))]
mod implementation {
    use crate::sys::isa::{Interrupted, STACK_POINTER, interrupted_frame};
    use crate::sys::page_size;

    /// Whether there is an implementation.
    pub const SUPPORTED: bool = true;

    /// Reads program counter and stack pointer. There is no frame pointer.
    ///
    /// Illegal instructions and arithmetic are reported with the address behind the instruction.
    /// The code generator files such traps under an instruction's last byte, all others under its
    /// first.
    pub fn read(context: &libc::ucontext_t, signal: i32) -> (usize, usize, usize) {
        let registers = &context.uc_mcontext;
        let behind = usize::from(signal == libc::SIGILL || signal == libc::SIGFPE);
        let pc = (registers.psw.addr as usize).wrapping_sub(behind);
        (pc, registers.gregs[STACK_POINTER] as usize, 0)
    }

    /// Finds the frame pointer of compiled code that faulted, at an address if it was an access. The
    /// system rounds the address down to its page.
    ///
    /// # Safety
    ///
    /// The code does not go on, and the stack is there but for what follows its end.
    pub unsafe fn frame(context: &libc::ucontext_t, signal: i32, address: Option<usize>) -> usize {
        let (pc, stack_pointer, _) = read(context, signal);
        let page = |address: usize| address & !(page_size() - 1);
        let interrupted = Interrupted {
            pc,
            registers: &context.uc_mcontext.gregs,
            overflown: address.is_some_and(|address| page(stack_pointer) == page(address)),
        };
        // SAFETY: the caller's promise.
        unsafe { interrupted_frame(&interrupted) }
    }

    /// Whether an instruction that compares and traps has done so. The system tells it with a code
    /// of zero, which a signal that a process sends has as well; but that one has no address, which
    /// here is the instruction's. None is longer than six bytes.
    pub fn is_trap_without_code(details: &libc::siginfo_t, context: &libc::ucontext_t) -> bool {
        if details.si_signo != libc::SIGFPE || details.si_code != 0 {
            return false;
        }
        // SAFETY: the bytes are there whatever they mean, and any are a number.
        let address = unsafe { details.si_addr() }.addr();
        let behind = context.uc_mcontext.psw.addr as usize;
        (1..=6).contains(&behind.wrapping_sub(address))
    }

    /// Writes program counter and stack pointer, through which the frame is found.
    pub fn write(context: &mut libc::ucontext_t, pc: usize, stack: usize, _: usize) {
        let registers = &mut context.uc_mcontext;
        registers.psw.addr = pc as u64;
        registers.gregs[STACK_POINTER] = stack as u64;
    }
}

/// Whether compiled code has trapped and the system gives it no code of its own.
#[cfg(not(all(target_os = "linux", target_arch = "s390x")))]
pub fn is_trap_without_code(_: &libc::siginfo_t, _: &libc::ucontext_t) -> bool {
    false
}

/// The frame pointer of compiled code that faulted, perhaps at an address.
///
/// # Safety
///
/// The code does not go on, and the stack is there but for what follows its end.
#[cfg(not(all(target_os = "linux", target_arch = "s390x")))]
pub unsafe fn frame(context: &libc::ucontext_t, signal: i32, _: Option<usize>) -> usize {
    read(context, signal).2
}

#[cfg(all(
    target_vendor = "apple",
    any(target_arch = "aarch64", target_arch = "x86_64")
))]
mod implementation {
    /// Whether there is an implementation.
    pub const SUPPORTED: bool = true;

    /// Reads program counter, stack pointer and frame pointer.
    pub fn read(context: &libc::ucontext_t, _: i32) -> (usize, usize, usize) {
        // SAFETY: the system lets the field point to the registers that it has saved.
        let registers = unsafe { &(*context.uc_mcontext).__ss };
        #[cfg(target_arch = "aarch64")]
        let (pc, stack, frame) = (registers.__pc, registers.__sp, registers.__fp);
        #[cfg(target_arch = "x86_64")]
        let (pc, stack, frame) = (registers.__rip, registers.__rsp, registers.__rbp);
        (pc as usize, stack as usize, frame as usize)
    }

    /// Writes program counter, stack pointer and frame pointer.
    pub fn write(context: &mut libc::ucontext_t, pc: usize, stack: usize, frame: usize) {
        let (pc, stack, frame) = (pc as u64, stack as u64, frame as u64);
        // SAFETY: as for reading; they are the handler's to change.
        let registers = unsafe { &mut (*context.uc_mcontext).__ss };
        #[cfg(target_arch = "aarch64")]
        {
            (registers.__pc, registers.__sp, registers.__fp) = (pc, stack, frame);
        }
        #[cfg(target_arch = "x86_64")]
        {
            (registers.__rip, registers.__rsp, registers.__rbp) = (pc, stack, frame);
        }
    }
}

#[cfg(all(target_os = "freebsd", target_arch = "x86_64"))]
mod implementation {
    /// Whether there is an implementation.
    pub const SUPPORTED: bool = true;

    /// Reads program counter, stack pointer and frame pointer.
    pub fn read(context: &libc::ucontext_t, _: i32) -> (usize, usize, usize) {
        let registers = &context.uc_mcontext;
        (
            registers.mc_rip as usize,
            registers.mc_rsp as usize,
            registers.mc_rbp as usize,
        )
    }

    /// Writes program counter, stack pointer and frame pointer.
    pub fn write(context: &mut libc::ucontext_t, pc: usize, stack: usize, frame: usize) {
        let registers = &mut context.uc_mcontext;
        registers.mc_rip = pc as libc::register_t;
        registers.mc_rsp = stack as libc::register_t;
        registers.mc_rbp = frame as libc::register_t;
    }
}

#[cfg(not(any(
    all(
        target_vendor = "apple",
        any(target_arch = "aarch64", target_arch = "x86_64")
    ),
    all(target_os = "freebsd", target_arch = "x86_64"),
    all(
        target_os = "linux",
        any(
            target_arch = "aarch64",
            target_arch = "riscv64",
            target_arch = "s390x",
            target_arch = "x86_64"
        )
    )
)))]
mod implementation {
    /// Whether there is an implementation.
    pub const SUPPORTED: bool = false;

    /// Reads nothing.
    pub fn read(_: &libc::ucontext_t, _: i32) -> (usize, usize, usize) {
        (0, 0, 0)
    }

    /// Writes nothing.
    pub fn write(_: &mut libc::ucontext_t, _: usize, _: usize, _: usize) {}
}

pub use implementation::{SUPPORTED, read, write};
#[cfg(all(target_os = "linux", target_arch = "s390x"))]
pub use implementation::{frame, is_trap_without_code};
