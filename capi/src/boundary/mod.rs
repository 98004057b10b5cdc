//! The border to C: every pointer that comes or goes passes here, and nowhere else.
//!
//! C makes promises with every call, which no code can check: that a pointer is null, or leads to
//! what the function's text asks for, and that handles are not used after they were freed. A value
//! of type [`C`] says that they were made. The functions in `api/` begin by taking them, in the one
//! unsafe block that each has; all else is safe code.

pub mod handle;
pub mod pointer;

use crate::error::{self, precast_error};
use crate::failure::Failure;
use crate::status::precast_status;

/// The promises of whoever calls a function of the library.
#[derive(Clone, Copy)]
pub struct C(());

impl C {
    /// Takes the promises.
    ///
    /// # Safety
    ///
    /// The pointers that C passes to the function are null, or valid for what the function's text
    /// says of them, for as long as it says.
    pub const unsafe fn promises() -> C {
        C(())
    }

    /// Runs a function of the library: what it fails with becomes a status and a report.
    pub fn run(
        self,
        error: *mut precast_error,
        body: impl FnOnce() -> Result<(), Failure>,
    ) -> precast_status {
        match guarded(body) {
            Ok(()) => precast_status::PRECAST_OK,
            Err(Failure::Reported(status)) => status,
            Err(failure) => {
                error::report(self, error, &failure);
                failure.status()
            }
        }
    }

    /// Runs a function of the library that cannot fail.
    pub fn quietly(self, body: impl FnOnce()) {
        let _ = guarded(|| {
            body();
            Ok(())
        });
    }
}

/// No panic crosses the border.
#[cfg(feature = "std")]
fn guarded(body: impl FnOnce() -> Result<(), Failure>) -> Result<(), Failure> {
    // What a panic leaves half-done is the loader's own; it has no panic that it knows of.
    std::panic::catch_unwind(std::panic::AssertUnwindSafe(body)).unwrap_or(Err(Failure::Panic))
}

/// Without `std` a panic does not unwind.
#[cfg(not(feature = "std"))]
fn guarded(body: impl FnOnce() -> Result<(), Failure>) -> Result<(), Failure> {
    body()
}
