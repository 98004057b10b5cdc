//! Unix with virtual memory and signals.

pub mod clock;
pub mod cpu;
pub mod file;
mod instruction_cache;
pub mod map;
pub mod park;
#[cfg(feature = "profiling")]
pub mod profiler;
mod registers;
pub mod resident;
pub mod signals;
pub mod small;
pub mod thread;

use super::OsError;

/// Whether memory can be guarded by page protection.
pub const HAS_GUARD_PAGES: bool = true;

/// Whether hardware faults can be caught.
pub const HAS_SIGNALS: bool = signals::SUPPORTED;

/// The error of the last call that failed on this thread.
fn last_error() -> OsError {
    #[cfg(any(target_os = "linux", target_os = "emscripten", target_os = "hurd"))]
    // SAFETY: gives the address of a variable of this thread.
    let errno = unsafe { libc::__errno_location() };
    #[cfg(any(target_vendor = "apple", target_os = "freebsd"))]
    // SAFETY: gives the address of a variable of this thread.
    let errno = unsafe { libc::__error() };
    // SAFETY: the address is valid on this thread.
    OsError(unsafe { errno.read() })
}

/// A call's result: minus one means that it failed.
fn check(result: i32) -> Result<i32, OsError> {
    if result == -1 {
        Err(last_error())
    } else {
        Ok(result)
    }
}
