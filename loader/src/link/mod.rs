//! Linking: what an artifact's code needs, whether this device has it, and what is patched in.
#![forbid(unsafe_code)]

pub(crate) mod plan;
pub(crate) mod requirements;
mod x86_64;
