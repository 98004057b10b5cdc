//! Linking: what an artifact's code needs, whether this device has it, and what is patched in.

pub(crate) mod plan;
pub(crate) mod requirements;
mod x86_64;
