//! Ordinary memory: the loader has none of its own. A runtime lives in a pool, or on functions of the
//! host.

use core::alloc::Layout;
use core::ptr::NonNull;

/// No block.
pub fn allocate(_: Layout) -> Option<NonNull<u8>> {
    None
}

/// No block.
pub fn allocate_zeroed(_: Layout) -> Option<NonNull<u8>> {
    None
}

/// No block.
///
/// # Safety
///
/// There is no block to call it with.
pub unsafe fn reallocate(_: NonNull<u8>, _: Layout, _: usize) -> Option<NonNull<u8>> {
    None
}

/// No block.
///
/// # Safety
///
/// There is no block to call it with.
pub unsafe fn reallocate_zeroed(_: NonNull<u8>, _: Layout, _: usize) -> Option<NonNull<u8>> {
    None
}

/// Nothing.
///
/// # Safety
///
/// There is no block to call it with.
pub unsafe fn free(_: NonNull<u8>, _: Layout) {}
