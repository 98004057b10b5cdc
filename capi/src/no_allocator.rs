//! A heap that has nothing to give, for static libraries without `std`.
//!
//! The interpreter of bytecode names the heap of Rust's `alloc`, so that a library with it must have
//! one. Nothing of the interpreter that is used here takes anything from it.

use core::alloc::{GlobalAlloc, Layout};

/// The heap.
struct Nothing;

// SAFETY: no block is ever given.
unsafe impl GlobalAlloc for Nothing {
    unsafe fn alloc(&self, _: Layout) -> *mut u8 {
        core::ptr::null_mut()
    }

    unsafe fn dealloc(&self, _: *mut u8, _: Layout) {}
}

#[global_allocator]
static NOTHING: Nothing = Nothing;
