//! Traps that compiled code raises itself.

/// Ends the activation: see [`crate::trap::unwind`]. The entry is assembly, because the frame that
/// called it must be looked at before there is another one.
pub(super) const RAISE: unsafe extern "C" fn() = crate::trap::unwind::raise;
