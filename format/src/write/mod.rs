//! Writing: a description of the whole artifact in plain values, and from it the bytes.
//!
//! The writer is deterministic: the same description gives the same bytes. It places sections,
//! numbers expressions and encodes tables; it does not check what the reader checks. Instead every
//! artifact is read again with the loader's reader before it is handed out.

mod builder;
mod handlers;
mod pools;
mod sections;
mod stack_depth;

pub use builder::{
    ArtifactBuilder, CallSite, CustomSection, DataMode, DataSegment, ElementItems, ElementMode,
    ElementSegment, Export, FuncType, Function, Global, HandlerClause, HandlerList, HandlerSite,
    ImagePart, Import, Relocation, SplitArtifact, Table, Tag, Target, TrapSite,
};

use core::fmt;

use crate::error::FormatError;

/// The description cannot be written.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[must_use]
#[non_exhaustive]
pub enum WriteError {
    /// The artifact would not stay below 4 GiB. Split the module.
    TooLarge,
    /// Trap sites or call sites of a function are not in ascending order, or outside of it. Sort
    /// them by text offset.
    Sites {
        /// The defined function.
        function: u32,
    },
    /// The reader refuses what was written: the description contradicts itself. The error says
    /// where.
    Rejected(FormatError),
}

impl fmt::Display for WriteError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            WriteError::TooLarge => f.write_str("the artifact would exceed 4 GiB"),
            WriteError::Sites { function } => {
                write!(
                    f,
                    "trap or call sites of defined function {function} are out of order"
                )
            }
            WriteError::Rejected(error) => write!(f, "the written artifact is refused: {error}"),
        }
    }
}

impl core::error::Error for WriteError {}
