//! The loader: checks an artifact, maps it, relocates it and runs it, with no compiler on board.
//!
//! The crate is `no_std` at its core. Every allocation is fallible and goes through one interface;
//! no input, however malformed, makes it panic.
//!
//! Data walks one way: bytes -> [`open`] -> plan -> writable code -> executable code -> [`Module`]
//! -> [`Instance`] -> call.

#![no_std]

#[cfg(feature = "std")]
extern crate std;

pub mod alloc;
pub mod sys;
pub mod trap;
