//! Ordinary memory where there are pages: small blocks from the system's heap, large ones as mappings of
//! their own.
//!
//! A heap recycles what was freed, and then has to clear it. A mapping is zero without being touched, and
//! on some systems extends in place or moves without a copy. Where a block comes from follows from its
//! layout alone.

use core::alloc::Layout;
use core::ptr::{self, NonNull};

use super::map::{Mapping, page_size, round_to_pages};
use super::platform::small;

/// Size in bytes from which a block is a mapping: where C libraries do the same.
const LARGE: usize = 128 << 10;

/// Whether blocks of the layout are mappings.
fn is_mapped(layout: Layout) -> bool {
    layout.size() >= LARGE && layout.align() <= page_size()
}

/// A block of the layout, which is not empty.
pub fn allocate(layout: Layout) -> Option<NonNull<u8>> {
    if is_mapped(layout) {
        return allocate_mapped(layout.size());
    }
    small::allocate(layout)
}

/// A block of zeros of the layout, which is not empty. Large ones cost nothing until touched.
pub fn allocate_zeroed(layout: Layout) -> Option<NonNull<u8>> {
    if is_mapped(layout) {
        return allocate_mapped(layout.size());
    }
    if layout.align() <= small::ALIGNMENT {
        return small::allocate_zeroed(layout.size());
    }
    let block = small::allocate(layout)?;
    // SAFETY: the block has the layout's size and is nobody else's.
    unsafe { block.write_bytes(0, layout.size()) };
    Some(block)
}

/// Zeros that cost nothing until touched.
fn allocate_mapped(size: usize) -> Option<NonNull<u8>> {
    Some(Mapping::sparse(size).ok()?.into_base())
}

/// Changes the size of a block, which may move. What is added to a block is not cleared.
///
/// # Safety
///
/// The block came from this module with this layout; `size` is not zero.
pub unsafe fn reallocate(block: NonNull<u8>, layout: Layout, size: usize) -> Option<NonNull<u8>> {
    let new_layout = Layout::from_size_align(size, layout.align()).ok()?;
    match (is_mapped(layout), is_mapped(new_layout)) {
        (true, true) => {
            // SAFETY: by the caller's promise the block is a mapping of so many bytes.
            let mut mapping = unsafe { Mapping::from_base(block, round_to_pages(layout.size())?) };
            let resized = mapping.resize(size);
            let base = mapping.into_base();
            return resized.is_ok().then_some(base);
        }
        (false, false) if layout.align() <= small::ALIGNMENT => {
            // SAFETY: the block is the heap's, of that alignment.
            return unsafe { small::reallocate(block, size) };
        }
        _ => {}
    }
    let new = allocate(new_layout)?;
    let kept = layout.size().min(size);
    // SAFETY: both blocks have that many bytes, and they are two different ones.
    unsafe { ptr::copy_nonoverlapping(block.as_ptr(), new.as_ptr(), kept) };
    // SAFETY: the caller's promise.
    unsafe { free(block, layout) };
    Some(new)
}

/// As [`reallocate`], but what is added is zero. Pages that are new to a large block are not
/// touched.
///
/// # Safety
///
/// As for [`reallocate`].
pub unsafe fn reallocate_zeroed(
    block: NonNull<u8>,
    layout: Layout,
    size: usize,
) -> Option<NonNull<u8>> {
    let new_layout = Layout::from_size_align(size, layout.align()).ok()?;
    // SAFETY: the caller's promise.
    let moved = unsafe { reallocate(block, layout, size)? };
    let old = layout.size().min(size);
    let stale = if is_mapped(layout) && is_mapped(new_layout) {
        // An earlier, larger size may have left something in the last page.
        round_to_pages(old)?.min(size)
    } else if is_mapped(new_layout) {
        // The block is a fresh mapping.
        old
    } else {
        size
    };
    // SAFETY: the block has more bytes than it had.
    let tail = unsafe { moved.add(old) };
    // SAFETY: so many bytes follow, in a block that is the caller's.
    unsafe { tail.write_bytes(0, stale - old) };
    Some(moved)
}

/// Takes a block back.
///
/// # Safety
///
/// The block came from this module with this layout and is not used again.
pub unsafe fn free(block: NonNull<u8>, layout: Layout) {
    if is_mapped(layout) {
        // The sum did not overflow when the block was made.
        let size = round_to_pages(layout.size()).unwrap_or(layout.size());
        // SAFETY: by the caller's promise the block is a mapping of so many bytes.
        drop(unsafe { Mapping::from_base(block, size) });
        return;
    }
    // SAFETY: the block is the heap's, and the layout is its own.
    unsafe { small::free(block, layout) };
}
