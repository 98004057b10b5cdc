//! The functions that C calls, a file for each kind of object.
//!
//! Each takes the promises that a `C` stands for, and is safe code from there on.

pub mod caller;
#[cfg(feature = "wasi-minimal")]
pub mod device_wasi;
pub mod env;
pub mod exception;
pub mod function;
pub mod global;
pub mod heap;
pub mod imports;
pub mod info;
pub mod instance;
pub mod interrupter;
pub mod memory;
pub mod module;
#[cfg(feature = "plan")]
pub mod plan;
pub mod platform;
pub mod runtime;
pub mod table;
pub mod usage;
#[cfg(feature = "wasi")]
pub mod wasi;
