//! Bytes that stay for as long as the program: in flash, or linked into the executable. Nothing is
//! copied but code.
#![forbid(unsafe_code)]

use crate::open::ArtifactBytes;

/// Takes the bytes as they lie.
pub(crate) const fn open(bytes: &'static [u8]) -> ArtifactBytes {
    ArtifactBytes::Static(bytes)
}
