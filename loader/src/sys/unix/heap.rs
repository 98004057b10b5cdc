//! Ordinary memory from the C library.

use core::alloc::Layout;
use core::ptr::{self, NonNull};

/// Alignment that `malloc` gives to every block.
const MALLOC_ALIGNMENT: usize = align_of::<libc::max_align_t>();

/// A block of the layout, which is not empty.
pub fn allocate(layout: Layout) -> Option<NonNull<u8>> {
    if layout.align() <= MALLOC_ALIGNMENT {
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

/// A block of zeros of the layout, which is not empty. Large ones cost nothing until touched.
pub fn allocate_zeroed(layout: Layout) -> Option<NonNull<u8>> {
    if layout.align() <= MALLOC_ALIGNMENT {
        // SAFETY: any size can be asked for.
        return NonNull::new(unsafe { libc::calloc(layout.size(), 1) }.cast());
    }
    let block = allocate(layout)?;
    // SAFETY: the block has the layout's size and is nobody else's.
    unsafe { block.write_bytes(0, layout.size()) };
    Some(block)
}

/// Changes the size of a block, which may move.
///
/// # Safety
///
/// The block came from this module with this layout; `size` is not zero.
pub unsafe fn reallocate(block: NonNull<u8>, layout: Layout, size: usize) -> Option<NonNull<u8>> {
    if layout.align() <= MALLOC_ALIGNMENT {
        // SAFETY: the block is the C library's.
        return NonNull::new(unsafe { libc::realloc(block.as_ptr().cast(), size) }.cast());
    }
    let new = allocate(Layout::from_size_align(size, layout.align()).ok()?)?;
    let kept = layout.size().min(size);
    // SAFETY: both blocks have that many bytes, and they are two different ones.
    unsafe { ptr::copy_nonoverlapping(block.as_ptr(), new.as_ptr(), kept) };
    // SAFETY: the caller's promise.
    unsafe { free(block) };
    Some(new)
}

/// Takes a block back.
///
/// # Safety
///
/// The block came from this module and is not used again.
pub unsafe fn free(block: NonNull<u8>) {
    // SAFETY: the block is the C library's.
    unsafe { libc::free(block.as_ptr().cast()) }
}
