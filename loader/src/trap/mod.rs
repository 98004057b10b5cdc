//! Traps: how compiled code stops before it returns.
//!
//! A trap starts in one of two ways. Compiled code calls the `raise` libcall ([`unwind`]), or the
//! processor faults and the signal handler ([`signals`]) finds the faulting instruction in the
//! trap table of a [registered](signals::registry) text. Both end the same way: what happened is written
//! into the thread's current [`Activation`], and control goes to the handler of the entry
//! trampoline, which restores the host's registers and returns 1.
//!
//! Between the trap and the trampoline are frames of compiled code only, so nothing is skipped
//! that has something to drop.

mod activation;
pub mod signals;
pub(crate) mod unwind;

#[cfg(feature = "pulley")]
pub(crate) use activation::TrapInfo;
pub use activation::{Activation, Pending};
