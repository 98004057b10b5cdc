//! A device without an operating system that the loader knows: the firmware says what it has
//! ([`crate::platform`]).

pub mod clock;
pub mod cpu;
pub mod file;
pub mod heap;
pub mod map;
pub mod park;
pub mod resident;
pub mod signals;
pub mod thread;

use super::OsError;
use super::embedder::platform;

/// Whether memory can be guarded by page protection.
pub const HAS_GUARD_PAGES: bool = false;

/// Whether hardware faults can be caught.
pub const HAS_SIGNALS: bool = signals::SUPPORTED;

/// What there is no number for.
const NOT_THERE: OsError = OsError(0);
