//! Clocks: the time of day, a clock that only runs forward, and processor time.
//!
//! The monotonic clock starts near zero with the context: how long the host has been up is not for
//! the guest to know.

use crate::context::WasiContext;
use crate::errno::Errno;
use crate::memory::GuestMemory;
use crate::sys;

/// The time of day.
pub(crate) const REALTIME: u32 = 0;
/// The clock that only runs forward.
pub(crate) const MONOTONIC: u32 = 1;

/// Where the monotonic clock of a context starts, on the host's clock.
pub(crate) struct Origin(u64);

impl Origin {
    pub fn now() -> Origin {
        // One less, so that no reading is zero, which programs take for "not set".
        Origin(sys::clock_now(MONOTONIC).unwrap_or(0).saturating_sub(1))
    }
}

impl WasiContext {
    /// What a clock shows, in nanoseconds.
    pub(crate) fn clock_now(&self, clock: u32) -> Result<u64, Errno> {
        let time = sys::clock_now(clock)?;
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
        memory.write_u64(resolution, sys::clock_resolution(clock)?)
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
