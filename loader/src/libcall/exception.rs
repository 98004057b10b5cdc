//! Helpers for exceptions.
//!
//! # Safety
//!
//! All functions are called by compiled code with the context pointer of the running instance.

use core::ptr::{self, NonNull};

use precast_format::trap::TrapCode;

use crate::call::entry::{has_host_stack, on_thread_stack};
use crate::exception::tag::TagRecordData;
use crate::instance::InstanceData;
use crate::trap::unwind::raise_here;

/// Throws an exception: see [`crate::trap::unwind`]. The entry is assembly, because registers and the
/// frame that called it must be looked at before there is another one.
pub(super) const THROW: unsafe extern "C" fn() = crate::sys::isa::throw;

/// Lets an exception that an adapter got go on.
pub(super) const RETHROW: unsafe extern "C" fn() = crate::sys::isa::rethrow;

/// Makes an exception. The entry is assembly, because the frame that called it may have to be looked
/// at.
pub(super) const EXCEPTION_NEW: unsafe extern "C" fn() = crate::sys::isa::exception_new;

/// What stands for an exception that was not made because there is not enough stack. Exceptions are
/// aligned.
const NO_STACK: usize = 1;

/// A new exception of a tag, or zero without memory for it. Where the thread's stack is not enough to
/// ask for memory, the code that called at `pc` with this frame traps.
///
/// One that the last handler has taken the values out of is used again, if it fits. Everything else
/// may call the host's allocator, and is done on the thread's own stack.
pub(crate) unsafe extern "C" fn exception_new_here(
    context: NonNull<u8>,
    tag: NonNull<TagRecordData>,
    pc: usize,
    frame_pointer: usize,
) -> usize {
    // SAFETY: the caller's promise.
    let made = unsafe { new_exception(context, tag) };
    made.unwrap_or_else(|| {
        let here = ptr::from_ref(&made).addr();
        let code = TrapCode::StackOverflow as u32;
        // SAFETY: this is the context of the code that called, whose frame lies above this one.
        unsafe { raise_here(context.as_ptr(), code, pc, frame_pointer, here) }
    })
}

/// A new exception of a tag, or zero without memory for it; none where the thread's stack is not
/// enough to ask for memory.
///
/// # Safety
///
/// That of this file.
pub(crate) unsafe fn new_exception(
    context: NonNull<u8>,
    tag: NonNull<TagRecordData>,
) -> Option<usize> {
    // SAFETY: the context is the running instance's.
    let instance = unsafe { InstanceData::from_context(context) };
    // SAFETY: the running instance's tags belong to its group.
    if let Some(object) = unsafe { instance.group().reuse_exception(tag) } {
        return Some(object.address());
    }
    let arguments = [
        context.as_ptr().cast_const().cast(),
        tag.as_ptr().cast_const().cast(),
        ptr::null(),
    ];
    // SAFETY: compiled code of the running instance is behind this, and `make` takes the two.
    let made = unsafe { on_thread_stack(context, arguments, make) };
    (made != NO_STACK).then_some(made)
}

/// The part that runs on the thread's own stack.
///
/// # Safety
///
/// The arguments are the first of [`exception_new_here`].
unsafe extern "C" fn make(context: *const (), tag: *const (), _: *const ()) -> usize {
    let context = NonNull::new(context.cast_mut().cast::<u8>());
    let tag = NonNull::new(tag.cast_mut().cast::<TagRecordData>());
    let (Some(context), Some(tag)) = (context, tag) else {
        return 0;
    };
    // Code that relies on a guard page can come closer to the end of the thread's stack.
    // SAFETY: the context is the running instance's.
    if !unsafe { has_host_stack(context) } {
        return NO_STACK;
    }
    // SAFETY: the context is the running instance's.
    let instance = unsafe { InstanceData::from_context(context) };
    // SAFETY: the running instance's tags belong to its group.
    let made = unsafe { instance.group().new_exception(tag) };
    made.map_or(0, |object| object.address())
}
