//! Bytes of an artifact in the runtime's memory.
#![forbid(unsafe_code)]

use crate::alloc::{Category, OutOfMemory, Vec};
use crate::runtime::Runtime;

/// Copies bytes of the host's, so that it may do with them what it likes.
pub(crate) fn copy(runtime: &Runtime, bytes: &[u8]) -> Result<Vec<u8>, OutOfMemory> {
    let mut copy = Vec::new_in(runtime.allocator(), Category::Artifact);
    copy.try_reserve_exact(bytes.len())?;
    copy.try_extend_from_slice(bytes)?;
    Ok(copy)
}

/// Keeps the first bytes. Where the rest cannot be given back, the block stays as large as it is.
pub(crate) fn shrink(mut bytes: Vec<u8>, size: usize) -> Vec<u8> {
    bytes.truncate(size);
    // Only a block that has to move can fail to shrink.
    let _ = bytes.try_shrink_to_fit();
    bytes
}
