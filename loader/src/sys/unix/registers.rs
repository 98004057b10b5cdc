//! The registers of an interrupted thread, as the system hands them to a signal handler.
//!
//! One implementation per system and instruction set; where there is none, faults cannot be
//! caught.

#[cfg(all(target_os = "linux", target_arch = "x86_64"))]
mod implementation {
    /// Whether there is an implementation.
    pub const SUPPORTED: bool = true;

    /// Reads program counter, stack pointer and frame pointer.
    pub fn read(context: &libc::ucontext_t) -> (usize, usize, usize) {
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

#[cfg(not(all(target_os = "linux", target_arch = "x86_64")))]
mod implementation {
    /// Whether there is an implementation.
    pub const SUPPORTED: bool = false;

    /// Reads nothing.
    pub fn read(_: &libc::ucontext_t) -> (usize, usize, usize) {
        (0, 0, 0)
    }

    /// Writes nothing.
    pub fn write(_: &mut libc::ucontext_t, _: usize, _: usize, _: usize) {}
}

pub use implementation::{SUPPORTED, read, write};
