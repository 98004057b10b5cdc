//! The platform that firmware brings along, for all of the loader.
//!
//! It belongs to the device and not to a runtime: a thread that calls from one runtime into another is
//! the same thread, and a trap in the inner call must not end the outer one.

use core::cell::UnsafeCell;
use core::ptr::NonNull;

use crate::platform::{Platform, Unknown};

/// What is installed.
struct Installed(UnsafeCell<&'static dyn Platform>);

// SAFETY: it changes only where `install` is called, which demands that nobody else looks.
unsafe impl Sync for Installed {}

static INSTALLED: Installed = Installed(UnsafeCell::new(&Unknown));

/// Says what the device offers. Where the loader knows the operating system, nothing is asked of it.
///
/// # Safety
///
/// Nothing of the loader was used before, or is by another thread meanwhile, with the exception of an
/// earlier call of this function.
pub unsafe fn install(platform: &'static dyn Platform) {
    // SAFETY: nobody else looks; promised by the caller.
    unsafe { *INSTALLED.0.get() = platform };
}

/// What the device offers.
#[allow(dead_code, reason = "operating systems are asked directly")]
pub(super) fn platform() -> &'static dyn Platform {
    // SAFETY: nothing changes it once the loader is in use.
    unsafe { *INSTALLED.0.get() }
}

/// Has this processor fetch what was written to a block, which can be read.
pub(crate) fn flush(block: NonNull<u8>, size: usize) {
    // SAFETY: the block can be read: it is one that the platform has given.
    unsafe { super::isa::flush_instruction_cache(block.as_ptr(), size) };
}
