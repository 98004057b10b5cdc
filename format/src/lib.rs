//! The Precast artifact: what the compiler writes and the loader reads.
//!
//! One file format, described normatively in `FORMAT.md`, and the ABI that goes with it. The
//! crate has two users: the compiler fills a [`write::ArtifactBuilder`], the loader calls
//! [`Artifact::parse`]. Both take every number from [`layout`], [`trap`], [`libcall`] and
//! [`context`]; no magic number, section id or offset stands anywhere else.
//!
//! Reading is safe on any bytes: it does not panic, does not allocate, does not recurse, and its
//! work is linear in the size of the file. Having an [`Artifact`] means that every index, offset,
//! length and string in it has been checked once, except for the lookup tables that serve
//! diagnostics; those are decoded with bounds at each lookup.
//!
//! Nothing here knows the host: the artifact's target decides about pointer widths and pages.

#![no_std]
#![forbid(unsafe_code)]

#[cfg(feature = "write")]
extern crate alloc;

pub mod aux_stack;
pub mod brief;
pub mod bytes;
pub mod context;
pub mod envelope;
pub mod error;
pub mod features;
pub mod layout;
pub mod libcall;
pub mod plain;
pub mod read;
pub mod relocation;
pub mod stack_depth;
pub mod static_module;
pub mod target;
pub mod trap;
pub mod tunables;
pub mod types;
#[cfg(feature = "write")]
pub mod write;

pub use error::{ErrorKind, FormatError};
pub use read::Artifact;
