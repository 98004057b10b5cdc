//! Arguments that several subcommands share, one concept per file.

#[cfg(feature = "compiler")]
pub mod code;
#[cfg(not(feature = "compiler"))]
#[path = "no_code.rs"]
pub mod code;
pub mod memory;
pub mod profile;
pub mod program;
pub mod size;
#[cfg(feature = "compiler")]
pub mod target;
