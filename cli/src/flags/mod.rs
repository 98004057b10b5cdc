//! Arguments that several subcommands share, one concept per file.

pub mod code;
pub mod memory;
pub mod profile;
pub mod program;
pub mod size;
pub mod target;
