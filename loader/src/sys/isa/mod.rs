//! The little assembly that trapping, throwing and changing stacks need, one file per instruction set.

#[cfg(target_arch = "x86_64")]
mod x86_64;
#[cfg(all(target_arch = "x86_64", feature = "profiling"))]
pub(crate) use x86_64::ELF_MACHINE;
#[cfg(target_arch = "x86_64")]
pub(crate) use x86_64::{
    CallerRegisters, call_on_stack, call_with_registers, exception_new, land, raise, resume,
    rethrow, throw, ticks,
};

#[cfg(not(target_arch = "x86_64"))]
compile_error!("this instruction set has no file in loader/src/sys/isa yet");
