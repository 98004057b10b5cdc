//! The global allocator where there is no standard library: it has nothing to give.
//!
//! The interpreter's crate names the library `alloc`, and a static library with that must have an
//! allocator. The loader uses no part of the interpreter that allocates: what it needs comes from its
//! runtimes.

use core::alloc::{GlobalAlloc, Layout};
use core::ptr;

struct Nothing;

// SAFETY: no block is given, and so none is used.
unsafe impl GlobalAlloc for Nothing {
    unsafe fn alloc(&self, _: Layout) -> *mut u8 {
        ptr::null_mut()
    }

    unsafe fn dealloc(&self, _: *mut u8, _: Layout) {}
}

#[global_allocator]
static NOTHING: Nothing = Nothing;
