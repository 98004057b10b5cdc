//! The registers of an interrupted thread, as the system hands them to an exception handler.

use windows_sys::Win32::System::Diagnostics::Debug::CONTEXT;

/// Reads program counter, stack pointer and frame pointer.
#[cfg(target_arch = "x86_64")]
pub fn read(context: &CONTEXT) -> (usize, usize, usize) {
    (
        context.Rip as usize,
        context.Rsp as usize,
        context.Rbp as usize,
    )
}

/// Writes program counter, stack pointer and frame pointer.
#[cfg(target_arch = "x86_64")]
pub fn write(context: &mut CONTEXT, pc: usize, stack: usize, frame: usize) {
    context.Rip = pc as u64;
    context.Rsp = stack as u64;
    context.Rbp = frame as u64;
}

/// Reads program counter, stack pointer and frame pointer.
#[cfg(target_arch = "aarch64")]
pub fn read(context: &CONTEXT) -> (usize, usize, usize) {
    // SAFETY: the registers have names and numbers; both are plain numbers.
    let frame = unsafe { context.Anonymous.Anonymous.Fp };
    (context.Pc as usize, context.Sp as usize, frame as usize)
}

/// Writes program counter, stack pointer and frame pointer.
#[cfg(target_arch = "aarch64")]
pub fn write(context: &mut CONTEXT, pc: usize, stack: usize, frame: usize) {
    context.Pc = pc as u64;
    context.Sp = stack as u64;
    context.Anonymous.Anonymous.Fp = frame as u64;
}
