//! Helpers that count calls and time per function.
//!
//! Each call of a function that is counted has a [`ProfileFrame`] in its stack frame. They are linked,
//! innermost first, from the activation in whose stack they lie:
//!
//! ```text
//!   activation A: frame of g -> frame of f           A called the host, which made
//!   activation B: frame of k -> frame of h           B, whose outermost frame ends in g's account
//! ```
//!
//! What leaves frames without returning through them, a trap or an exception, comes by [`cut`] before
//! anything else uses their stack: so the list never leads to a frame that is gone. No memory is
//! allocated, however deep calls go.
//!
//! # Safety
//!
//! All functions are called by compiled code with the context pointer of the running instance.

use core::cell::Cell;
use core::ptr::{self, NonNull};

use precast_format::context::PROFILE_FRAME_SIZE;

use crate::call::entry::activation_of;
use crate::instance::InstanceData;
use crate::instance::call_profile::CallCounter;
use crate::sys::isa;
use crate::trap::{Activation, unwind};

/// A call in progress, in the stack frame of the function that is called, or that calls an import.
pub(crate) struct ProfileFrame {
    /// The call around it in the same activation, or null.
    previous: *const ProfileFrame,
    counter: *const CallCounter,
    /// When it began.
    start: u64,
    /// Ticks in calls that it made.
    inner: Cell<u64>,
}

const _: () = {
    assert!(size_of::<ProfileFrame>() <= PROFILE_FRAME_SIZE as usize);
    assert!(align_of::<ProfileFrame>() <= align_of::<u64>());
};

/// A call of the function begins.
pub(super) unsafe extern "C" fn profile_enter(
    context: NonNull<u8>,
    frame: NonNull<ProfileFrame>,
    function: u32,
) {
    // SAFETY: the context is the running instance's.
    let instance = unsafe { InstanceData::from_context(context) };
    let Some(counter) = instance.call_counter(function) else {
        return;
    };
    add(&counter.calls, 1);
    add(&counter.active, 1);
    // SAFETY: compiled code runs, so the activation is that of a call in progress.
    let activation = unsafe { activation_of(context) };
    // SAFETY: nobody else looks at the activation now.
    let list = unsafe { &raw mut (*activation).profile_frames };
    // SAFETY: as above.
    let previous = unsafe { list.read() }.cast();
    let call = ProfileFrame {
        previous,
        counter,
        start: isa::ticks(),
        inner: Cell::new(0),
    };
    // SAFETY: the frame is compiled code's, as large as the constant says, and ours until it ends.
    unsafe { frame.write(call) };
    // SAFETY: as above.
    unsafe { list.write(frame.as_ptr().cast_const().cast()) };
}

/// The innermost call ends, if it is this one.
pub(super) unsafe extern "C" fn profile_leave(context: NonNull<u8>, frame: NonNull<ProfileFrame>) {
    let now = isa::ticks();
    // SAFETY: compiled code runs, so the activation is that of a call in progress.
    let activation = unsafe { activation_of(context) };
    // SAFETY: nobody else looks at the activation now.
    let activation = unsafe { &mut *activation };
    if activation.profile_frames == frame.as_ptr().cast_const().cast() {
        // SAFETY: the list leads to frames of calls in progress.
        unsafe { end_innermost(activation, now) };
    }
}

/// Ends the calls whose frames lie below an address, because control leaves them: to a handler at
/// that stack pointer, or out of the activation with the largest address.
///
/// # Safety
///
/// The stack below the activation's frames has not been used for anything else since they ran.
pub(crate) unsafe fn cut(activation: &mut Activation, stack_pointer: usize) {
    if activation.profile_frames.is_null() {
        return;
    }
    let now = isa::ticks();
    while !activation.profile_frames.is_null() && activation.profile_frames.addr() < stack_pointer {
        // SAFETY: the list leads to frames of calls in progress.
        unsafe { end_innermost(activation, now) };
    }
}

/// Takes the innermost call off the list and accounts for it.
///
/// # Safety
///
/// The list is not empty, and leads to frames of calls in progress.
unsafe fn end_innermost(activation: &mut Activation, now: u64) {
    let frame: *const ProfileFrame = activation.profile_frames.cast();
    // SAFETY: the caller's promise.
    let frame = unsafe { &*frame };
    // SAFETY: the counter is that of an instance whose code runs.
    let counter = unsafe { &*frame.counter };
    let ticks = now.saturating_sub(frame.start);
    add(&counter.own, ticks.saturating_sub(frame.inner.get()));
    let active = counter.active.get().saturating_sub(1);
    counter.active.set(active);
    if active == 0 {
        add(&counter.total, ticks);
    }
    activation.profile_frames = frame.previous.cast();
    let outer = match frame.previous.is_null() {
        false => frame.previous,
        // The call that made the activation, by way of the host.
        true => unwind::callers(activation)
            .map(|caller| caller.profile_frames)
            .find(|frames| !frames.is_null())
            .map_or(ptr::null(), |frames| frames.cast()),
    };
    // SAFETY: as above; outer activations have not ended.
    if let Some(outer) = unsafe { outer.as_ref() } {
        add(&outer.inner, ticks);
    }
}

fn add(cell: &Cell<u64>, number: u64) {
    cell.set(cell.get().wrapping_add(number));
}
