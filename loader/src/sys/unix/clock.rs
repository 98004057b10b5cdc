//! A clock that only goes forward.

use core::mem::MaybeUninit;

/// Nanoseconds of the system's monotonic clock; zero where it does not tell.
pub fn now() -> u64 {
    let mut time = MaybeUninit::<libc::timespec>::uninit();
    // SAFETY: there is room for the answer.
    if unsafe { libc::clock_gettime(libc::CLOCK_MONOTONIC, time.as_mut_ptr()) } != 0 {
        return 0;
    }
    // SAFETY: the call succeeded and filled it.
    let time = unsafe { time.assume_init() };
    (time.tv_sec as u64)
        .wrapping_mul(1_000_000_000)
        .wrapping_add(time.tv_nsec as u64)
}
