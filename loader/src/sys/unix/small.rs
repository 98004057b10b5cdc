//! Small blocks of memory: those of the C library.

use core::alloc::Layout;
use core::ptr::{self, NonNull};

/// Alignment that `malloc` gives to every block.
pub const ALIGNMENT: usize = align_of::<libc::max_align_t>();

/// A block of the layout, which is not empty.
pub fn allocate(layout: Layout) -> Option<NonNull<u8>> {
    if layout.align() <= ALIGNMENT {
        // SAFETY: any size can be asked for.
        return NonNull::new(unsafe { libc::malloc(layout.size()) }.cast());
    }
    let mut block = ptr::null_mut();
    // SAFETY: a layout's alignment is a power of two; this one is larger than a pointer's.
    let error = unsafe { libc::posix_memalign(&raw mut block, layout.align(), layout.size()) };
    if error == 0 {
        NonNull::new(block.cast())
    } else {
        None
    }
}

/// A block of that many zeros, at least one, aligned to [`ALIGNMENT`].
pub fn allocate_zeroed(size: usize) -> Option<NonNull<u8>> {
    // SAFETY: any size can be asked for.
    NonNull::new(unsafe { libc::calloc(size, 1) }.cast())
}

/// Changes the size of a block, which may move. What is added to a block is not cleared.
///
/// # Safety
///
/// The block came from this module with an alignment of at most [`ALIGNMENT`]; `size` is not zero.
pub unsafe fn reallocate(block: NonNull<u8>, size: usize) -> Option<NonNull<u8>> {
    // SAFETY: the block is the C library's.
    NonNull::new(unsafe { libc::realloc(block.as_ptr().cast(), size) }.cast())
}

/// Takes a block back. The C library knows its layout.
///
/// # Safety
///
/// The block came from this module with this layout and is not used again.
pub unsafe fn free(block: NonNull<u8>, _: Layout) {
    // SAFETY: the block is the C library's.
    unsafe { libc::free(block.as_ptr().cast()) };
}
