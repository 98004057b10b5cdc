//! The little assembly that trapping, throwing and changing stacks need, one file per instruction set.

#[cfg(target_arch = "x86_64")]
pub(in crate::sys) mod cpuid;

#[cfg(target_arch = "s390x")]
#[path = "s390x_frames.rs"]
mod interrupted;
#[cfg(target_arch = "aarch64")]
#[path = "aarch64.rs"]
mod native;
#[cfg(target_arch = "riscv64")]
#[path = "riscv64.rs"]
mod native;
#[cfg(target_arch = "s390x")]
#[path = "s390x.rs"]
mod native;
#[cfg(target_arch = "x86_64")]
#[path = "x86_64.rs"]
mod native;

// Bytecode alone runs where there is no code generator.
#[cfg(not(any(
    target_arch = "aarch64",
    target_arch = "riscv64",
    target_arch = "s390x",
    target_arch = "x86_64"
)))]
#[path = "none.rs"]
mod native;

#[cfg(not(any(
    target_arch = "aarch64",
    target_arch = "riscv64",
    target_arch = "s390x",
    target_arch = "x86_64",
    feature = "pulley"
)))]
compile_error!(
    "there is no native code for this instruction set; build the loader with the feature `pulley`"
);

#[cfg(target_arch = "s390x")]
pub(crate) use interrupted::{Interrupted, STACK_POINTER, interrupted_frame};
#[cfg(feature = "profiling")]
pub(crate) use native::ELF_MACHINE;
#[allow(unused_imports, reason = "some systems have a call for it")]
pub(crate) use native::flush_instruction_cache;
pub(crate) use native::{
    CallerRegisters, LINK_SIZE, call_on_stack, call_with_registers, caller, exception_new, land,
    raise, resume, rethrow, throw, ticks,
};
