//! The platform's allocator as a source of memory.

use core::alloc::Layout;
use core::ptr::NonNull;

use super::{Category, Fresh, RawAllocator};
use crate::sys::heap;

/// The platform's allocator.
pub(super) struct SystemAllocator;

// SAFETY: the platform's allocator keeps all promises.
unsafe impl RawAllocator for SystemAllocator {
    fn allocate(&self, layout: Layout, fresh: Fresh, _: Category) -> Option<NonNull<u8>> {
        match fresh {
            Fresh::Anything => heap::allocate(layout),
            Fresh::Zeros => heap::allocate_zeroed(layout),
        }
    }

    unsafe fn reallocate(
        &self,
        block: NonNull<u8>,
        layout: Layout,
        size: usize,
        fresh: Fresh,
        _: Category,
    ) -> Option<NonNull<u8>> {
        match fresh {
            // SAFETY: the caller's promise; the block is the platform's.
            Fresh::Anything => unsafe { heap::reallocate(block, layout, size) },
            // SAFETY: as above.
            Fresh::Zeros => unsafe { heap::reallocate_zeroed(block, layout, size) },
        }
    }

    unsafe fn free(&self, block: NonNull<u8>, layout: Layout, _: Category) {
        // SAFETY: the caller's promise; the block is the platform's.
        unsafe { heap::free(block, layout) }
    }
}
