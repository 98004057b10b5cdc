//! Growth, for memories and tables alike.
//!
//! It may call the host: its allocator, and who observes growth. So it is done on the thread's own
//! stack.
//!
//! # Safety
//!
//! The function is called on behalf of compiled code, with the context pointer of the running instance.

use core::cell::Cell;
use core::ptr::{self, NonNull};

use super::FAILED;
use crate::call::entry::{has_host_stack, on_thread_stack};
use crate::instance::InstanceData;

/// What grows, and the previous size.
struct Growth<F> {
    context: NonNull<u8>,
    grow: F,
    result: Cell<u64>,
}

/// Runs a growth of the running instance: the previous size, or all ones.
pub(super) unsafe fn grow<F: Fn(&InstanceData) -> Option<u64>>(
    context: NonNull<u8>,
    grow: F,
) -> u64 {
    let growth = Growth {
        context,
        grow,
        result: Cell::new(FAILED),
    };
    let arguments = [ptr::from_ref(&growth).cast(), ptr::null(), ptr::null()];
    // SAFETY: compiled code of the running instance is behind this, and `run` takes the value.
    unsafe { on_thread_stack(context, arguments, run::<F>) };
    growth.result.get()
}

/// The part that runs on the thread's own stack.
///
/// # Safety
///
/// The first argument points to a [`Growth`] of the running instance, for this type.
unsafe extern "C" fn run<F: Fn(&InstanceData) -> Option<u64>>(
    growth: *const (),
    _: *const (),
    _: *const (),
) -> usize {
    // SAFETY: the caller's promise.
    let growth = unsafe { &*growth.cast::<Growth<F>>() };
    // Code that relies on a guard page can come closer to the end of the thread's stack.
    // SAFETY: the context is the running instance's.
    if !unsafe { has_host_stack(growth.context) } {
        return 0;
    }
    // SAFETY: the context is the running instance's.
    let instance = unsafe { InstanceData::from_context(growth.context) };
    growth.result.set((growth.grow)(instance).unwrap_or(FAILED));
    0
}
