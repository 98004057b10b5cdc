//! Threads that wait until another one wakes them, or until a moment has passed.
//!
//! A parker lies in the frame of the thread that waits. Whoever wakes it does so under a lock that the
//! thread takes before its frame is gone.

use core::ptr;
use core::sync::atomic::{AtomicU32, Ordering};

use windows_sys::Win32::System::Threading::{INFINITE, WaitOnAddress, WakeByAddressSingle};

use super::clock;

/// Nanoseconds of a millisecond, in which the system counts waits.
const MILLISECOND: u64 = 1_000_000;

/// A moment by the clock that nobody sets: nanoseconds since some start.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Deadline(u64);

impl Deadline {
    /// The moment so many nanoseconds from now.
    pub fn after(nanoseconds: u64) -> Deadline {
        Deadline(clock::now().saturating_add(nanoseconds))
    }

    /// Milliseconds until then, as the system wants to know them: rounded up, since a wait must not
    /// end early. What is weeks away is waited for in parts. Zero means that it has passed.
    fn left(self) -> u32 {
        let left = self.0.saturating_sub(clock::now());
        u32::try_from(left.div_ceil(MILLISECOND))
            .map_or(INFINITE - 1, |left| left.min(INFINITE - 1))
    }
}

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
        let asleep = 0u32;
        while self.woken.load(Ordering::Acquire) == 0 {
            let left = deadline.map_or(INFINITE, Deadline::left);
            if left == 0 {
                return self.woken.load(Ordering::Acquire) != 0;
            }
            let (word, expected) = (self.woken.as_ptr().cast_const(), ptr::from_ref(&asleep));
            // Whatever ends the wait is a reason to look again.
            // SAFETY: both addresses are those of words of so many bytes, which outlive the call.
            unsafe { WaitOnAddress(word.cast(), expected.cast(), size_of::<u32>(), left) };
        }
        true
    }

    /// Wakes the thread that waits here, or will.
    pub fn unpark(&self) {
        self.woken.store(1, Ordering::Release);
        // SAFETY: the system looks for threads that wait at the address, and does not access it.
        unsafe { WakeByAddressSingle(self.woken.as_ptr().cast_const().cast()) };
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::{Duration, Instant};

    #[test]
    fn who_is_woken_before_does_not_wait() {
        let parker = Parker::new();
        parker.unpark();
        assert!(parker.park(None));
        assert!(parker.park(Some(Deadline::after(u64::MAX))));
    }

    #[test]
    fn a_wait_ends_at_its_deadline_and_not_before() {
        let parker = Parker::new();
        let start = Instant::now();
        assert!(!parker.park(Some(Deadline::after(0))));
        assert!(!parker.park(Some(Deadline::after(20_000_000))));
        assert!(start.elapsed() >= Duration::from_millis(20));
    }

    #[test]
    fn another_thread_wakes() {
        let parker = Parker::new();
        std::thread::scope(|scope| {
            let waiting = scope.spawn(|| parker.park(None));
            parker.unpark();
            assert!(waiting.join().unwrap());
        });
    }
}
