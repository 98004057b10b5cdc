//! Clocks: the time of day, a clock that only runs forward, and processor time.
//!
//! The monotonic clock starts near zero with the context: how long the host has been up is not for
//! the guest to know.

use rustix::time::{ClockId, Timespec};

use crate::context::WasiContext;
use crate::errno::Errno;
use crate::memory::GuestMemory;

const NANOSECONDS: u64 = 1_000_000_000;

/// The time of day.
pub(crate) const REALTIME: u32 = 0;
/// The clock that only runs forward.
pub(crate) const MONOTONIC: u32 = 1;

/// Where the monotonic clock of a context starts, on the host's clock.
pub(crate) struct Origin(u64);

impl Origin {
    pub fn now() -> Origin {
        // One less, so that no reading is zero, which programs take for "not set".
        Origin(read(ClockId::Monotonic).saturating_sub(1))
    }
}

fn host_clock(clock: u32) -> Result<ClockId, Errno> {
    match clock {
        REALTIME => Ok(ClockId::Realtime),
        MONOTONIC => Ok(ClockId::Monotonic),
        2 => Ok(ClockId::ProcessCPUTime),
        3 => Ok(ClockId::ThreadCPUTime),
        _ => Err(Errno::Invalid),
    }
}

/// Nanoseconds, which suffice until the year 2554.
fn nanoseconds(time: Timespec) -> u64 {
    let seconds = u64::try_from(time.tv_sec).unwrap_or(0);
    let rest = u64::try_from(time.tv_nsec).unwrap_or(0);
    seconds.saturating_mul(NANOSECONDS).saturating_add(rest)
}

fn read(clock: ClockId) -> u64 {
    nanoseconds(rustix::time::clock_gettime(clock))
}

impl WasiContext {
    /// What a clock shows, in nanoseconds.
    pub(crate) fn clock_now(&self, clock: u32) -> Result<u64, Errno> {
        let time = read(host_clock(clock)?);
        Ok(if clock == MONOTONIC {
            time.saturating_sub(self.state.origin.0)
        } else {
            time
        })
    }

    /// Writes the resolution of a clock.
    ///
    /// # Errors
    ///
    /// [`Errno::Invalid`] if there is no such clock, [`Errno::Fault`] for a bad pointer.
    pub fn clock_res_get(
        &self,
        memory: &mut GuestMemory<'_>,
        clock: u32,
        resolution: u32,
    ) -> Result<(), Errno> {
        let time = rustix::time::clock_getres(host_clock(clock)?);
        memory.write_u64(resolution, nanoseconds(time))
    }

    /// Writes the time of a clock. The precision that the guest asks for is always met.
    ///
    /// # Errors
    ///
    /// [`Errno::Invalid`] if there is no such clock, [`Errno::Fault`] for a bad pointer.
    pub fn clock_time_get(
        &self,
        memory: &mut GuestMemory<'_>,
        clock: u32,
        _precision: u64,
        time: u32,
    ) -> Result<(), Errno> {
        let now = self.clock_now(clock)?;
        memory.write_u64(time, now)
    }
}
