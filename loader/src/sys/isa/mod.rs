//! The little assembly that trapping and changing stacks need, one file per instruction set.

#[cfg(target_arch = "x86_64")]
mod x86_64;
#[cfg(target_arch = "x86_64")]
pub(crate) use x86_64::{call_on_stack, raise, resume};

#[cfg(not(target_arch = "x86_64"))]
compile_error!("this instruction set has no file in loader/src/sys/isa yet");
