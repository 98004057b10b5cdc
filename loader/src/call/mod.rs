//! Calls: from the host into compiled code, and back.
//!
//! [`func`] and [`typed`] are what the host calls, [`entry`] enters the code, [`host`] is what the
//! code calls, [`stack`] where it
//! runs, [`error`] and [`backtrace`] what is left when it does not return.

pub(crate) mod backtrace;
pub(crate) mod caller;
pub(crate) mod entry;
pub(crate) mod error;
pub(crate) mod exec_env;
pub(crate) mod func;
pub(crate) mod host;
pub(crate) mod stack;
pub(crate) mod typed;
pub(crate) mod value;
mod values;
