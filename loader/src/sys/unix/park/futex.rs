//! Parking by the system call that Linux has for it.

use core::ptr;
use core::sync::atomic::{AtomicU32, Ordering};

use super::Deadline;

/// Matches every wake-up.
const EVERY: u32 = u32::MAX;

/// Where one thread waits.
pub struct Parker {
    /// One once it was woken.
    woken: AtomicU32,
}

impl Parker {
    /// A place where nobody was woken yet.
    pub const fn new() -> Parker {
        Parker {
            woken: AtomicU32::new(0),
        }
    }

    /// Waits until another thread has called [`Parker::unpark`], or the deadline has passed; says
    /// whether it was the former.
    pub fn park(&self, deadline: Option<Deadline>) -> bool {
        let time = deadline.map(Deadline::timespec);
        let time = time.as_ref().map_or(ptr::null(), ptr::from_ref);
        while self.woken.load(Ordering::Acquire) == 0 {
            let operation = libc::FUTEX_WAIT_BITSET | libc::FUTEX_PRIVATE_FLAG;
            let word = self.woken.as_ptr();
            let none: *const u32 = ptr::null();
            // SAFETY: the word is this value's, and the time is null or a deadline by the monotonic
            // clock, as this operation wants it.
            let result =
                unsafe { libc::syscall(libc::SYS_futex, word, operation, 0u32, time, none, EVERY) };
            // A signal, or a word that has changed by now, is a reason to look again.
            if result == -1 && super::super::last_error().0 == libc::ETIMEDOUT {
                return self.woken.load(Ordering::Acquire) != 0;
            }
        }
        true
    }

    /// Wakes the thread that waits here, or will.
    pub fn unpark(&self) {
        self.woken.store(1, Ordering::Release);
        let operation = libc::FUTEX_WAKE | libc::FUTEX_PRIVATE_FLAG;
        let word = self.woken.as_ptr();
        // SAFETY: the system looks for threads that wait at the address, and does not access it.
        unsafe { libc::syscall(libc::SYS_futex, word, operation, 1u32) };
    }
}
