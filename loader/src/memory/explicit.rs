//! Memory whose accesses are compared in code: an ordinary block that may move when it grows.

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
    allocator: Allocator,
}

// SAFETY: the block is owned.
unsafe impl Send for ExplicitMemory {}
// SAFETY: shared access tells address and length only.
unsafe impl Sync for ExplicitMemory {}

/// The layout of a block, or none where it would be too large.
fn layout(length: usize) -> Result<Layout, OutOfMemory> {
    Layout::from_size_align(length, ALIGNMENT).map_err(|_| OutOfMemory::new(CATEGORY, length))
}

impl ExplicitMemory {
    /// A memory of zeros.
    pub(super) fn new(allocator: &Allocator, length: usize) -> Result<ExplicitMemory, OutOfMemory> {
        let layout = layout(length)?;
        let base = if length == 0 {
            layout.dangling_ptr()
        } else {
            allocator.allocate_zeroed(layout, CATEGORY)?
        };
        Ok(ExplicitMemory {
            base,
            length,
            allocator: allocator.clone(),
        })
    }

    pub(super) fn base(&self) -> NonNull<u8> {
        self.base
    }

    pub(super) fn length(&self) -> usize {
        self.length
    }

    /// Grows to a length, with zeros.
    pub(super) fn grow(&mut self, length: usize) -> Result<(), OutOfMemory> {
        if length <= self.length {
            return Ok(());
        }
        let new = layout(length)?;
        if self.length == 0 {
            self.base = self.allocator.allocate_zeroed(new, CATEGORY)?;
            self.length = length;
            return Ok(());
        }
        let old = layout(self.length)?;
        // SAFETY: the block came from this allocator with this layout and category.
        self.base = unsafe {
            self.allocator
                .reallocate_zeroed(self.base, old, new, CATEGORY)?
        };
        self.length = length;
        Ok(())
    }
}

impl Drop for ExplicitMemory {
    fn drop(&mut self) {
        if self.length != 0
            && let Ok(layout) = layout(self.length)
        {
            // SAFETY: the block came from this allocator with this layout and category.
            unsafe { self.allocator.free(self.base, layout, CATEGORY) };
        }
    }
}
