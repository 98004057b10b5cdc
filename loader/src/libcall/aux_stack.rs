//! The helper for values of the auxiliary stack pointer that are outside of the bounds in the
//! context.
//!
//! # Safety
//!
//! All functions are called by compiled code with the context pointer of the running instance.

use core::ptr::NonNull;

use super::status;
use crate::instance::InstanceData;

/// Decides on a value that is to become the stack pointer: a trap code, or zero where it begins the
/// stack of a thread.
pub(super) unsafe extern "C" fn aux_stack_bounds(context: NonNull<u8>, value: u64) -> u32 {
    // SAFETY: the context is the running instance's.
    let instance = unsafe { InstanceData::from_context(context) };
    status(instance.accept_aux_stack(value))
}
