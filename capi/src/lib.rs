//! The loader as a C library: `include/precast.h` is made from this crate's functions and their text.
//!
//! ```text
//!   C --> api/ (one file for each kind of object) --> boundary/ (handles, pointers) --> precast-loader
//! ```
//!
//! The library has no state of its own. What C holds are handles, blocks in the memory of the runtime
//! that they belong to, so that a runtime in a pool takes nothing from anywhere else. Whatever goes
//! wrong is a status and, if C wants to know more, a report in C's own memory. No panic crosses the
//! border.
//!
//! Functions that can be called by C are `unsafe` for whoever calls them from Rust: what they want of
//! their pointers stands in their text, and all of them want what `boundary::C::promises` says.

#![no_std]
#![allow(non_camel_case_types, reason = "the names are C's")]
#![allow(
    clippy::missing_safety_doc,
    reason = "the promises are the same for all functions, and stand once, above"
)]
#![allow(
    clippy::too_many_arguments,
    reason = "C has no other way to pass a list"
)]

#[cfg(feature = "std")]
extern crate std;

pub mod api;
pub mod error;
pub mod host;
pub mod status;
pub mod text;
pub mod types;
pub mod value;
/// cbindgen:ignore
#[cfg(feature = "wasm-c-api")]
pub mod wasm_c_api;

mod boundary;
mod failure;
#[cfg(all(feature = "panic-handler", feature = "pulley", not(feature = "std")))]
mod no_allocator;
#[cfg(all(feature = "panic-handler", not(feature = "std")))]
mod panic_handler;
