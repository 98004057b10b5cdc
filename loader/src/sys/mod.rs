//! The platform: everything that the loader asks of the system it runs on.
//!
//! One folder per platform with the same files in each, so that a port is one folder:
//!
//! ```text
//!   small     allocate, reallocate and free blocks that are smaller than mappings
//!   map       reserve, commit, protect and map address space
//!   file      open files for mapping
//!   park      let threads wait for each other
//!   resident  how much of a range is in physical memory
//!   signals   catch hardware faults
//!   thread    identity, stack bounds and the current activation of a thread
//!   cpu       instruction set and CPU features
//!   clock     the time
//!   profiler  what a profiler sees of the process (with the feature `profiling`)
//! ```
//!
//! Without one of the systems it is `device`, which asks the firmware ([`embedder`]) and has no pages, so
//! that it has a [`heap`] of its own. Beside them stands what depends on the instruction set alone ([`isa`]).
//!
//! Errors are the system's numbers ([`OsError`]); the modules above turn them into their own.

pub mod atomic;
pub mod embedder;
#[cfg(any(unix, windows))]
pub mod heap;
pub mod isa;
pub mod lock;

#[cfg(not(any(unix, windows)))]
#[path = "device/mod.rs"]
mod platform;
#[cfg(unix)]
#[path = "unix/mod.rs"]
mod platform;
#[cfg(windows)]
#[path = "windows/mod.rs"]
mod platform;

#[cfg(not(any(unix, windows)))]
pub use platform::heap;
#[cfg(feature = "profiling")]
pub use platform::profiler;
pub use platform::{
    HAS_GUARD_PAGES, HAS_SIGNALS, clock, cpu, file, map, park, resident, signals, thread,
};

use core::fmt;

pub use map::page_size;
pub use thread::thread_token;

/// The system refused something.
#[must_use]
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct OsError(pub i32);

impl fmt::Display for OsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "system error {}", self.0)
    }
}

impl core::error::Error for OsError {}
