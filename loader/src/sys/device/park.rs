//! Threads that wait for each other, by letting others run until it is time.

use core::sync::atomic::Ordering;

use super::platform;

use crate::sys::atomic::AtomicBool;

/// A moment by the clock that nobody sets: nanoseconds since some start; none without a clock.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Deadline(Option<u64>);

impl Deadline {
    /// The moment so many nanoseconds from now.
    pub fn after(nanoseconds: u64) -> Deadline {
        let now = platform().monotonic_time();
        Deadline(now.map(|now| now.saturating_add(nanoseconds)))
    }

    /// Whether it is there. Without a clock nobody would ever know, and waits must end.
    fn has_passed(self) -> bool {
        match (self.0, platform().monotonic_time()) {
            (Some(moment), Some(now)) => moment <= now,
            _ => true,
        }
    }
}

/// Where one thread waits.
pub struct Parker {
    woken: AtomicBool,
}

impl Parker {
    /// A place where nobody was woken yet.
    pub const fn new() -> Parker {
        Parker {
            woken: AtomicBool::new(false),
        }
    }

    /// Waits until another thread has called [`Parker::unpark`], or the deadline has passed; says
    /// whether it was the former.
    pub fn park(&self, deadline: Option<Deadline>) -> bool {
        while !self.woken.load(Ordering::Acquire) {
            if deadline.is_some_and(Deadline::has_passed) {
                return self.woken.load(Ordering::Acquire);
            }
            platform().yield_now();
        }
        true
    }

    /// Wakes the thread that waits here, or will.
    pub fn unpark(&self) {
        self.woken.store(true, Ordering::Release);
    }
}
