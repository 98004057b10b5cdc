//! A clock that only goes forward, if the firmware has one.

use super::platform;

/// Nanoseconds; always zero without a clock.
pub fn now() -> u64 {
    platform().monotonic_time().unwrap_or(0)
}
