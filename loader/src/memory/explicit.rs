//! Memory whose accesses are compared in code: an ordinary block that may move when it outgrows
//! its capacity.

use core::alloc::Layout;
use core::ptr::NonNull;

use super::CATEGORY;
use crate::alloc::{Allocator, OutOfMemory};

/// Alignment of the base: that of the largest value.
const ALIGNMENT: usize = 16;

/// A block of the runtime's memory.
pub(super) struct ExplicitMemory {
    base: NonNull<u8>,
    length: usize,
    /// Size of the block. What is behind the length is zero.
    capacity: usize,
    allocator: Allocator,
}

// SAFETY: the block is owned.
unsafe impl Send for ExplicitMemory {}
// SAFETY: shared access tells address and length only.
unsafe impl Sync for ExplicitMemory {}

/// The layout of a block, or none where it would be too large.
pub(crate) fn layout(length: usize) -> Result<Layout, OutOfMemory> {
    Layout::from_size_align(length, ALIGNMENT).map_err(|_| OutOfMemory::new(CATEGORY, length))
}

impl ExplicitMemory {
    /// A memory of zeros that does not move while it needs no more than the capacity.
    pub(super) fn new(
        allocator: &Allocator,
        length: usize,
        capacity: usize,
    ) -> Result<ExplicitMemory, OutOfMemory> {
        let capacity = capacity.max(length);
        let layout = layout(capacity)?;
        let base = if capacity == 0 {
            layout.dangling_ptr()
        } else {
            allocator.allocate_zeroed(layout, CATEGORY)?
        };
        Ok(ExplicitMemory {
            base,
            length,
            capacity,
            allocator: allocator.clone(),
        })
    }

    pub(super) fn base(&self) -> NonNull<u8> {
        self.base
    }

    pub(super) fn length(&self) -> usize {
        self.length
    }

    /// Size of the block.
    pub(super) fn capacity(&self) -> usize {
        self.capacity
    }

    /// Grows to a length, with zeros.
    pub(super) fn grow(&mut self, length: usize) -> Result<(), OutOfMemory> {
        if length <= self.capacity {
            self.length = self.length.max(length);
            return Ok(());
        }
        let new = layout(length)?;
        self.base = if self.capacity == 0 {
            self.allocator.allocate_zeroed(new, CATEGORY)?
        } else {
            let old = layout(self.capacity)?;
            // SAFETY: the block came from this allocator with this layout and category.
            unsafe {
                self.allocator
                    .reallocate_zeroed(self.base, old, new, CATEGORY)?
            }
        };
        self.length = length;
        self.capacity = length;
        Ok(())
    }
}

impl Drop for ExplicitMemory {
    fn drop(&mut self) {
        if self.capacity != 0
            && let Ok(layout) = layout(self.capacity)
        {
            // SAFETY: the block came from this allocator with this layout and category.
            unsafe { self.allocator.free(self.base, layout, CATEGORY) };
        }
    }
}
