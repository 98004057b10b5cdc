//! Small blocks of memory: those of the process's heap.
//!
//! The heap aligns blocks to 16 bytes. One that needs more lies in a larger one, whose address is in
//! the word below it.

use core::alloc::Layout;
use core::ptr::NonNull;

use windows_sys::Win32::Foundation::HANDLE;
use windows_sys::Win32::System::Memory::{
    GetProcessHeap, HEAP_ZERO_MEMORY, HeapAlloc, HeapFree, HeapReAlloc,
};

/// Alignment that the heap gives to every block.
pub const ALIGNMENT: usize = 16;

/// The heap that every process has.
fn heap() -> HANDLE {
    // SAFETY: takes no arguments.
    unsafe { GetProcessHeap() }
}

/// A block of the heap.
fn take(size: usize, flags: u32) -> Option<NonNull<u8>> {
    // SAFETY: any size can be asked for.
    NonNull::new(unsafe { HeapAlloc(heap(), flags, size) }.cast())
}

/// A block of the layout, which is not empty.
pub fn allocate(layout: Layout) -> Option<NonNull<u8>> {
    if layout.align() <= ALIGNMENT {
        return take(layout.size(), 0);
    }
    let outer = take(layout.size().checked_add(layout.align())?, 0)?;
    // At least one unit of the heap's alignment, in which the address has room.
    let below = layout.align() - outer.as_ptr().addr() % layout.align();
    // SAFETY: the outer block is larger by the alignment.
    let block = unsafe { outer.add(below) };
    // SAFETY: so many bytes lie below the block.
    let word = unsafe { block.cast::<NonNull<u8>>().sub(1) };
    // SAFETY: they are in the outer block, and aligned.
    unsafe { word.write(outer) };
    Some(block)
}

/// A block of that many zeros, at least one, aligned to [`ALIGNMENT`].
pub fn allocate_zeroed(size: usize) -> Option<NonNull<u8>> {
    take(size, HEAP_ZERO_MEMORY)
}

/// Changes the size of a block, which may move. What is added to a block is not cleared.
///
/// # Safety
///
/// The block came from this module with an alignment of at most [`ALIGNMENT`]; `size` is not zero.
pub unsafe fn reallocate(block: NonNull<u8>, size: usize) -> Option<NonNull<u8>> {
    // SAFETY: the block is the heap's.
    let moved = unsafe { HeapReAlloc(heap(), 0, block.as_ptr().cast(), size) };
    NonNull::new(moved.cast())
}

/// Takes a block back.
///
/// # Safety
///
/// The block came from this module with this layout and is not used again.
pub unsafe fn free(block: NonNull<u8>, layout: Layout) {
    let mut block = block;
    if layout.align() > ALIGNMENT {
        // SAFETY: the address of the outer block lies there.
        let word = unsafe { block.cast::<NonNull<u8>>().sub(1) };
        // SAFETY: as above.
        block = unsafe { word.read() };
    }
    // SAFETY: the block is the heap's. What is in use is always taken back.
    unsafe { HeapFree(heap(), 0, block.as_ptr().cast()) };
}
