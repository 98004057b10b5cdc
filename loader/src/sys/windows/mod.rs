//! Windows, 64 bits wide.
//!
//! The functions are the system's own, by the declarations that Microsoft generates from its
//! metadata. Three things differ from Unix in kind:
//!
//! - Address space comes in units of 64 KiB, and a range that was reserved in one piece is given back
//!   in one piece. So a part of a file is never put in the middle of a range: it is copied.
//! - A fault is handled on the stack of the program that faulted. Whoever runs on a region of its own
//!   needs room there for the record of a fault ([`thread::FAULT_STACK`]).
//! - A thread's stack is committed from its top on, a page at a time, by faults that the system takes
//!   itself. Code that skips a page is stopped; compiled code for Windows therefore touches each one.

pub mod clock;
pub mod cpu;
pub mod file;
pub mod map;
pub mod park;
#[cfg(feature = "profiling")]
pub mod profiler;
mod registers;
pub mod resident;
pub mod signals;
pub mod small;
pub mod thread;

use windows_sys::Win32::Foundation::GetLastError;
use windows_sys::core::BOOL;

use super::OsError;

/// Whether memory can be guarded by page protection.
pub const HAS_GUARD_PAGES: bool = true;

/// Whether hardware faults can be caught.
pub const HAS_SIGNALS: bool = true;

/// The error of the last call that failed on this thread.
fn last_error() -> OsError {
    // SAFETY: reads a number of this thread's.
    OsError(unsafe { GetLastError() }.cast_signed())
}

/// A call's result: zero means that it failed.
fn check(result: BOOL) -> Result<(), OsError> {
    if result == 0 {
        Err(last_error())
    } else {
        Ok(())
    }
}
