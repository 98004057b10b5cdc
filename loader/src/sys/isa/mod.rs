//! The little assembly that trapping, throwing and changing stacks need, one file per instruction set.

use precast_format::target::{CpuFeatures, Isa};

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

/// The instruction set that this loader was built for.
#[cfg(target_arch = "x86_64")]
pub const ISA: Isa = Isa::X86_64;
/// The instruction set that this loader was built for.
#[cfg(target_arch = "aarch64")]
pub const ISA: Isa = Isa::Aarch64;
/// The instruction set that this loader was built for.
#[cfg(target_arch = "riscv64")]
pub const ISA: Isa = Isa::Riscv64;
/// The instruction set that this loader was built for.
#[cfg(target_arch = "s390x")]
pub const ISA: Isa = Isa::S390x;
/// What this loader runs: there is no native code for this instruction set.
#[cfg(not(any(
    target_arch = "x86_64",
    target_arch = "aarch64",
    target_arch = "riscv64",
    target_arch = "s390x"
)))]
pub const ISA: Isa = if size_of::<usize>() == 4 {
    Isa::Pulley32
} else {
    Isa::Pulley64
};

/// A CPU feature that artifacts for the instruction set can need.
#[derive(Clone, Copy)]
#[allow(
    dead_code,
    reason = "a platform asks by one of the two, or knows no feature"
)]
pub(in crate::sys) struct Feature {
    /// Its bit in a set of features.
    pub(in crate::sys) bit: usize,
    /// LLVM's name of it.
    pub(in crate::sys) name: &'static str,
}

/// The CPU features that there are, of those that artifacts can need.
pub(in crate::sys) fn features(has: impl Fn(Feature) -> bool) -> CpuFeatures {
    let mut features = CpuFeatures(0);
    for (bit, name) in ISA.features().iter().enumerate() {
        if has(Feature { bit, name }) {
            features.0 |= 1 << bit;
        }
    }
    features
}
