//! The platform's allocator as a source of memory.

use core::alloc::Layout;
use core::ptr::NonNull;

use super::{Category, RawAllocator};
use crate::sys::heap;

/// The platform's allocator.
pub(super) struct SystemAllocator;

// SAFETY: the platform's allocator keeps all three promises.
unsafe impl RawAllocator for SystemAllocator {
    fn allocate(&self, layout: Layout, _: Category) -> Option<NonNull<u8>> {
        heap::allocate(layout)
    }

    fn allocate_zeroed(&self, layout: Layout, _: Category) -> Option<NonNull<u8>> {
        heap::allocate_zeroed(layout)
    }

    unsafe fn reallocate(
        &self,
        block: NonNull<u8>,
        layout: Layout,
        size: usize,
        _: Category,
    ) -> Option<NonNull<u8>> {
        // SAFETY: the caller's promise; the block is the platform's.
        unsafe { heap::reallocate(block, layout, size) }
    }

    unsafe fn reallocate_zeroed(
        &self,
        block: NonNull<u8>,
        layout: Layout,
        size: usize,
        _: Category,
    ) -> Option<NonNull<u8>> {
        // SAFETY: the caller's promise; the block is the platform's.
        unsafe { heap::reallocate_zeroed(block, layout, size) }
    }

    unsafe fn free(&self, block: NonNull<u8>, layout: Layout, _: Category) {
        // SAFETY: the caller's promise; the block is the platform's.
        unsafe { heap::free(block, layout) }
    }
}
