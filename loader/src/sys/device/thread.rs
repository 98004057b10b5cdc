//! What belongs to a thread: the firmware knows which one runs, and where its stack is.

use core::ptr;

use super::{OsError, platform};
use crate::trap::Activation;

/// What reports of faults take on a stack, in bytes: there are none.
pub const FAULT_STACK: usize = 0;

/// Whether the end of a region can be found out by touching what is below it.
pub const REGIONS_CAN_END_IN_FAULTS: bool = false;

/// A number that no other running thread has; never zero.
pub fn thread_token() -> usize {
    ptr::from_ref(platform().thread()).addr()
}

/// Lets other threads run.
pub fn yield_now() {
    platform().yield_now();
}

/// The innermost activation of this thread, or null.
pub fn current_activation() -> *mut Activation {
    ptr::with_exposed_provenance_mut(platform().thread().get())
}

/// Makes an activation the current one of this thread.
pub fn set_current_activation(activation: *mut Activation) {
    platform().thread().set(activation.expose_provenance());
}

/// Lowest address of this thread's stack, and the address above it, if the firmware says.
pub fn stack_bounds() -> Option<(usize, usize)> {
    platform().stack()
}

/// Nothing: no fault is reported.
pub fn ensure_signal_stack() -> Result<(), OsError> {
    Ok(())
}

/// Bytes of a stack for reports of faults.
pub fn signal_stack_size() -> usize {
    0
}

/// Nothing guards the stack.
pub fn restore_stack_guard() {}
