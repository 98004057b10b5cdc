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
use crate::instance::call_profile::books::CallBooks;
use crate::sys::isa;
use crate::trap::{Activation, unwind};

/// How many calls of other instances may lie between a call and the one that its path goes on from.
const MOST_FOREIGN_CALLS: usize = 16;

/// A call in progress, in the stack frame of the function that is called, or that calls an import.
pub(crate) struct ProfileFrame {
    /// The call around it in the same activation, or null.
    previous: *const ProfileFrame,
    books: *const CallBooks,
    function: u32,
    /// The path of calls, in the books.
    path: u32,
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
    let Some(books) = instance.call_books() else {
        return;
    };
    let Some(counter) = books.counter(function) else {
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
    let path = if books.has_paths() {
        // SAFETY: the list leads to frames of calls in progress.
        let parent = unsafe { path_of_caller(books, activation, previous) };
        books.path(parent, function)
    } else {
        0
    };
    let call = ProfileFrame {
        previous,
        books,
        function,
        path,
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
    // SAFETY: they are those of an instance whose code runs.
    let books = unsafe { &*frame.books };
    let ticks = now.saturating_sub(frame.start);
    let own = ticks.saturating_sub(frame.inner.get());
    if let Some(counter) = books.counter(frame.function) {
        add(&counter.own, own);
        let active = counter.active.get().saturating_sub(1);
        counter.active.set(active);
        if active == 0 {
            add(&counter.total, ticks);
        }
    }
    books.spend(frame.path, own);
    activation.profile_frames = frame.previous.cast();
    let outer = caller(activation, frame.previous);
    // SAFETY: the list leads to frames of calls in progress.
    if let Some(outer) = unsafe { outer.as_ref() } {
        add(&outer.inner, ticks);
    }
}

/// The call around one whose predecessor in its own activation is this.
fn caller(activation: &Activation, previous: *const ProfileFrame) -> *const ProfileFrame {
    if !previous.is_null() {
        return previous;
    }
    // It made the activation, by way of the host.
    unwind::callers(activation)
        .map(|caller| caller.profile_frames)
        .find(|frames| !frames.is_null())
        .map_or(ptr::null(), |frames| frames.cast())
}

/// The path of the innermost call of the same instance, which is not far away; else the empty path.
///
/// # Safety
///
/// `previous` is null or a call in progress, and so is everything that it leads to; `activation`
/// points to the activation in progress.
unsafe fn path_of_caller(
    books: &CallBooks,
    activation: *const Activation,
    previous: *const ProfileFrame,
) -> u32 {
    // SAFETY: the caller's promise; nobody changes the activation meanwhile.
    let activation = unsafe { &*activation };
    let mut frame = caller(activation, previous);
    for _ in 0..MOST_FOREIGN_CALLS {
        // SAFETY: the caller's promise.
        let Some(call) = (unsafe { frame.as_ref() }) else {
            break;
        };
        if ptr::eq(call.books, books) {
            return call.path;
        }
        frame = call.previous;
    }
    0
}

fn add(cell: &Cell<u64>, number: u64) {
    cell.set(cell.get().wrapping_add(number));
}
