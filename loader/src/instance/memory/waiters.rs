//! Threads that wait at addresses of a shared memory: `memory.atomic.wait32`, `wait64`, `notify`.
//!
//! ```text
//!   frame of thread 1     frame of thread 2     frame of thread 3
//!   | address, parker | <-> | address, parker | <-> | address, parker |     longest wait first
//! ```
//!
//! A thread that waits puts itself, in its own frame, into the list; so nothing is allocated. The
//! lock of the list is held when the value at the address is compared, so that no notification is
//! lost between that and the wait; and a thread takes itself out under the lock before its frame is
//! gone. What is waited at is a number: any address, of any alignment, can be looked for.

use core::ptr::{self, NonNull};
use core::sync::atomic::Ordering;

use crate::sys::atomic::AtomicUsize;
use crate::sys::lock::Lock;
use crate::sys::park::{Deadline, Parker};

/// Why a thread does not wait any more.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum State {
    /// It does.
    Waiting,
    /// It was notified.
    Notified,
    /// The host wants its instance to stop.
    Interrupted,
}

/// A thread that waits. Touched under the lock of the list, but for the parker.
struct Waiter {
    address: u64,
    /// Which instance waits.
    interrupt: NonNull<AtomicUsize>,
    state: State,
    previous: *mut Waiter,
    next: *mut Waiter,
    parker: Parker,
}

/// How a wait ended. The numbers are the instruction's results.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Woken {
    /// By a notification.
    Notified = 0,
    /// Before it began: the value at the address is another one.
    NotEqual = 1,
    /// By the timeout.
    TimedOut = 2,
    /// By the host.
    Interrupted = 3,
}

/// The threads that wait, the one that has waited longest first.
pub(super) struct Waiters {
    first: *mut Waiter,
    last: *mut Waiter,
}

// SAFETY: the list points to frames of threads that wait for as long as they are in it; a lock lets
// one thread at a time have the list and the waiters.
unsafe impl Send for Waiters {}

impl Waiters {
    /// Nobody waits.
    pub(super) const fn new() -> Waiters {
        Waiters {
            first: ptr::null_mut(),
            last: ptr::null_mut(),
        }
    }

    /// Puts a waiter at the end.
    ///
    /// # Safety
    ///
    /// The waiter is in no list, and stays where it is until it was taken out.
    unsafe fn push(&mut self, waiter: *mut Waiter) {
        // SAFETY: the caller's promise.
        unsafe { (*waiter).previous = self.last };
        if self.last.is_null() {
            self.first = waiter;
        } else {
            // SAFETY: who is in the list is there.
            unsafe { (*self.last).next = waiter };
        }
        self.last = waiter;
    }

    /// Takes a waiter out.
    ///
    /// # Safety
    ///
    /// The waiter is in this list.
    unsafe fn remove(&mut self, waiter: *mut Waiter) {
        // SAFETY: the caller's promise.
        let found = unsafe { &*waiter };
        let (previous, next) = (found.previous, found.next);
        if previous.is_null() {
            self.first = next;
        } else {
            // SAFETY: who is in the list is there.
            unsafe { (*previous).next = next };
        }
        if next.is_null() {
            self.last = previous;
        } else {
            // SAFETY: as above.
            unsafe { (*next).previous = previous };
        }
    }

    /// Takes out and wakes those that the condition chooses, at most `limit`; says how many.
    fn wake(&mut self, limit: u32, state: State, choose: impl Fn(&Waiter) -> bool) -> u32 {
        let (mut woken, mut next) = (0, self.first);
        while woken < limit && !next.is_null() {
            let waiter = next;
            // SAFETY: who is in the list is there, and nobody changes it meanwhile.
            let found = unsafe { &*waiter };
            next = found.next;
            if !choose(found) {
                continue;
            }
            // SAFETY: the waiter is in the list.
            unsafe { self.remove(waiter) };
            // SAFETY: the list is borrowed exclusively, and with it the state.
            unsafe { (*waiter).state = state };
            // The thread leaves its frame only after it had the lock, which is ours.
            // SAFETY: so the parker is there; it is for all threads.
            unsafe { &(*waiter).parker }.unpark();
            woken += 1;
        }
        woken
    }

    /// Wakes threads that wait at an address.
    pub(super) fn notify(&mut self, address: u64, count: u32) -> u32 {
        self.wake(count, State::Notified, |waiter| waiter.address == address)
    }

    /// Ends the waits of the instance with this flag.
    pub(super) fn interrupt(&mut self, flag: NonNull<AtomicUsize>) {
        self.wake(u32::MAX, State::Interrupted, |waiter| {
            waiter.interrupt == flag
        });
    }
}

/// Waits until somebody notifies the address, if the value there is the expected one.
///
/// # Safety
///
/// `flag` is the interrupt field of the instance that waits, which outlives the wait.
pub(super) unsafe fn wait(
    list: &Lock<Waiters>,
    address: u64,
    flag: NonNull<AtomicUsize>,
    is_expected: impl FnOnce() -> bool,
    deadline: Option<Deadline>,
) -> Woken {
    let mut waiter = Waiter {
        address,
        interrupt: flag,
        state: State::Waiting,
        previous: ptr::null_mut(),
        next: ptr::null_mut(),
        parker: Parker::new(),
    };
    // From here on all accesses are through this pointer.
    let place = &raw mut waiter;
    {
        let mut waiters = list.lock();
        // SAFETY: the caller's promise. Whoever interrupts sets the flag before it takes the lock.
        if unsafe { flag.as_ref() }.load(Ordering::SeqCst) != 0 {
            return Woken::Interrupted;
        }
        if !is_expected() {
            return Woken::NotEqual;
        }
        // SAFETY: the waiter stays in this frame until it is taken out: below, or by whoever wakes
        // it, which happens before the lock is ours again.
        unsafe { waiters.push(place) };
    }
    // SAFETY: the parker is for all threads; nobody makes a reference to it that is exclusive.
    let parker = unsafe { &(*place).parker };
    parker.park(deadline);
    let mut waiters = list.lock();
    // SAFETY: the lock is ours.
    match unsafe { (*place).state } {
        State::Notified => Woken::Notified,
        State::Interrupted => Woken::Interrupted,
        State::Waiting => {
            // SAFETY: nobody has taken the waiter out.
            unsafe { waiters.remove(place) };
            Woken::TimedOut
        }
    }
}

#[cfg(test)]
mod tests;
