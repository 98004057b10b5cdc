//! Threads that wait until another one wakes them, or until a moment has passed.
//!
//! A parker lies in the frame of the thread that waits. Whoever wakes it does so under a lock that the
//! thread takes before its frame is gone.

#[cfg(any(not(target_os = "linux"), test))]
mod condition;
#[cfg(target_os = "linux")]
mod futex;

#[cfg(not(target_os = "linux"))]
pub use condition::Parker;
#[cfg(target_os = "linux")]
pub use futex::Parker;

/// Nanoseconds of a second.
const SECOND: u64 = 1_000_000_000;

/// A moment by the clock that nobody sets: nanoseconds since some start.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Deadline(u64);

impl Deadline {
    /// The moment so many nanoseconds from now.
    pub fn after(nanoseconds: u64) -> Deadline {
        Deadline(now().saturating_add(nanoseconds))
    }

    /// As most systems want it. What is centuries away becomes as far as can be said.
    #[cfg(not(target_vendor = "apple"))]
    fn timespec(self) -> libc::timespec {
        timespec(self.0)
    }
}

/// A number of nanoseconds as the system has it.
fn timespec(nanoseconds: u64) -> libc::timespec {
    // Rounding down would end a wait early; so the numbers are exact, or the largest.
    let seconds = libc::time_t::try_from(nanoseconds / SECOND).unwrap_or(libc::time_t::MAX);
    // SAFETY: zeros are numbers; the system may have fields that no name is known of.
    let mut time: libc::timespec = unsafe { core::mem::zeroed() };
    time.tv_sec = seconds;
    time.tv_nsec = (nanoseconds % SECOND) as _;
    time
}

/// The clock.
fn now() -> u64 {
    let mut time = timespec(0);
    // SAFETY: there is room for a time. Every system has this clock; without it, time stands still.
    unsafe { libc::clock_gettime(libc::CLOCK_MONOTONIC, &raw mut time) };
    (time.tv_sec as u64)
        .saturating_mul(SECOND)
        .saturating_add(time.tv_nsec as u64)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::{Duration, Instant};

    macro_rules! parkers {
        ($($module:ident: $parker:ty;)*) => {
            $(mod $module {
                use super::*;

                #[test]
                fn who_is_woken_before_does_not_wait() {
                    let parker = <$parker>::new();
                    parker.unpark();
                    assert!(parker.park(None));
                    assert!(parker.park(Some(Deadline::after(u64::MAX))));
                }

                #[test]
                fn a_wait_ends_at_its_deadline_and_not_before() {
                    let parker = <$parker>::new();
                    let start = Instant::now();
                    assert!(!parker.park(Some(Deadline::after(0))));
                    assert!(!parker.park(Some(Deadline::after(20_000_000))));
                    assert!(start.elapsed() >= Duration::from_millis(20));
                }

                #[test]
                fn another_thread_wakes() {
                    let parker = <$parker>::new();
                    std::thread::scope(|scope| {
                        let waiting = scope.spawn(|| parker.park(None));
                        let limited = scope.spawn(|| {
                            let parker = <$parker>::new();
                            parker.park(Some(Deadline::after(1_000_000)))
                        });
                        assert!(!limited.join().unwrap());
                        parker.unpark();
                        assert!(waiting.join().unwrap());
                    });
                }
            })*
        };
    }

    parkers! {
        chosen: Parker;
        by_condition: condition::Parker;
    }
}
