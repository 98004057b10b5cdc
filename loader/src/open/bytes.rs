//! Bytes of the host that the loader copies, so that the host may do with them what it likes.
#![forbid(unsafe_code)]

use crate::alloc::{Category, Vec};
use crate::error::LoadError;
use crate::open::ArtifactBytes;
use crate::runtime::Runtime;

/// Copies the bytes.
pub(crate) fn copy(runtime: &Runtime, bytes: &[u8]) -> Result<ArtifactBytes, LoadError> {
    let mut copy = Vec::new_in(runtime.allocator(), Category::Artifact);
    copy.try_reserve_exact(bytes.len())?;
    copy.try_extend_from_slice(bytes)?;
    Ok(ArtifactBytes::Copied(copy))
}
