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
    /// Whether there is an implementation.
    pub const SUPPORTED: bool = true;

    /// The register that is the stack pointer.
    const STACK_POINTER: usize = 15;

    /// Reads program counter, stack pointer and frame pointer.
    ///
    /// Illegal instructions and arithmetic are reported with the address behind the instruction.
    /// The code generator files such traps under an instruction's last byte, all others under its
    /// first.
    pub fn read(context: &libc::ucontext_t, signal: i32) -> (usize, usize, usize) {
        let registers = &context.uc_mcontext;
        let behind = usize::from(signal == libc::SIGILL || signal == libc::SIGFPE);
        let stack = registers.gregs[STACK_POINTER] as usize;
        (registers.psw.addr as usize - behind, stack, stack)
    }

    /// Writes program counter and stack pointer, through which the frame is found.
    pub fn write(context: &mut libc::ucontext_t, pc: usize, stack: usize, _: usize) {
        let registers = &mut context.uc_mcontext;
        registers.psw.addr = pc as u64;
        registers.gregs[STACK_POINTER] = stack as u64;
    }
}

#[cfg(not(all(
    target_os = "linux",
    any(
        target_arch = "aarch64",
        target_arch = "riscv64",
        target_arch = "s390x",
        target_arch = "x86_64"
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
