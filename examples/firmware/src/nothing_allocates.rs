//! The global allocator that nobody asks.
//!
//! The interpreter's crate names the library `alloc`, and a program with that library must have an allocator.
//! The loader uses no part of the interpreter that allocates. This is held by the linker: an allocation would
//! need a function that is nowhere.

use core::alloc::{GlobalAlloc, Layout};

struct Nobody;

unsafe extern "C" {
    /// Is not defined. A program that links does not call it.
    safe fn something_allocates() -> !;
}

// SAFETY: no block is given.
unsafe impl GlobalAlloc for Nobody {
    unsafe fn alloc(&self, _: Layout) -> *mut u8 {
        something_allocates()
    }

    // The interpreter's code has calls of it, for a list that is always empty.
    unsafe fn dealloc(&self, _: *mut u8, _: Layout) {}
}

#[global_allocator]
static NOBODY: Nobody = Nobody;
