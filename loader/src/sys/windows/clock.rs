//! A clock that only goes forward.

use core::sync::atomic::{AtomicU64, Ordering};

use windows_sys::Win32::System::Performance::{QueryPerformanceCounter, QueryPerformanceFrequency};

/// Nanoseconds of a second.
const SECOND: u128 = 1_000_000_000;

/// Nanoseconds of the system's performance counter; zero where it does not tell.
pub fn now() -> u64 {
    let mut ticks = 0;
    // SAFETY: there is room for the answer.
    if unsafe { QueryPerformanceCounter(&raw mut ticks) } == 0 {
        return 0;
    }
    let nanoseconds = u128::from(ticks.cast_unsigned()) * SECOND / u128::from(ticks_per_second());
    nanoseconds as u64
}

/// How fast the counter runs; it does not change while the system runs.
fn ticks_per_second() -> u64 {
    static FREQUENCY: AtomicU64 = AtomicU64::new(0);
    let known = FREQUENCY.load(Ordering::Relaxed);
    if known != 0 {
        return known;
    }
    let mut frequency = 0;
    // SAFETY: there is room for the answer. The call never fails, and never says zero.
    unsafe { QueryPerformanceFrequency(&raw mut frequency) };
    let frequency = frequency.cast_unsigned().max(1);
    FREQUENCY.store(frequency, Ordering::Relaxed);
    frequency
}
