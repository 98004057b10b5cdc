//! Bytes that the host gave away, in a block of the process's global allocator. They are counted as
//! the module's, whoever allocated them.

use core::mem::ManuallyDrop;

use crate::alloc::{Allocator, Category};
use crate::runtime::Runtime;

/// The host's former own.
pub(crate) struct GivenBytes {
    bytes: std::vec::Vec<u8>,
    allocator: Allocator,
}

impl GivenBytes {
    /// Takes the bytes over.
    pub(crate) fn new(runtime: &Runtime, bytes: std::vec::Vec<u8>) -> GivenBytes {
        let allocator = runtime.allocator().clone();
        allocator.charge(Category::Artifact, bytes.capacity());
        GivenBytes { bytes, allocator }
    }

    /// All of them.
    pub(crate) fn as_slice(&self) -> &[u8] {
        &self.bytes
    }

    /// The size of their block.
    pub(crate) fn capacity(&self) -> usize {
        self.bytes.capacity()
    }

    /// Keeps the first bytes. Where the rest cannot be given back, the block stays as large as it is.
    pub(crate) fn truncate(&mut self, size: usize) {
        let before = self.bytes.capacity();
        self.bytes.truncate(size);
        self.bytes = shrink(core::mem::take(&mut self.bytes));
        let after = self.bytes.capacity();
        self.allocator.recharge(Category::Artifact, before, after);
    }
}

impl Drop for GivenBytes {
    fn drop(&mut self) {
        let size = self.bytes.capacity();
        self.allocator.discharge(Category::Artifact, size);
    }
}

/// What `shrink_to_fit` does, except that it leaves the block alone where there is no memory, instead
/// of aborting.
fn shrink(bytes: std::vec::Vec<u8>) -> std::vec::Vec<u8> {
    let (length, capacity) = (bytes.len(), bytes.capacity());
    let Ok(layout) = core::alloc::Layout::array::<u8>(capacity) else {
        return bytes;
    };
    if length == 0 || length == capacity {
        return bytes;
    }
    let mut bytes = ManuallyDrop::new(bytes);
    // SAFETY: the block is the global allocator's with this layout, and the new size is not zero and
    // smaller.
    let moved = unsafe { std::alloc::realloc(bytes.as_mut_ptr(), layout, length) };
    if moved.is_null() {
        return ManuallyDrop::into_inner(bytes);
    }
    // SAFETY: the block has `length` bytes, all of them initialised, and belongs to nobody else: what
    // it was before is not dropped.
    unsafe { std::vec::Vec::from_raw_parts(moved, length, length) }
}
