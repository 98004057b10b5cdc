//! What can be proved about the whole module before any of it is translated.

mod aux_stack;
mod records;
mod shrink;
mod usage;

pub(crate) use records::FunctionRecords;
pub(crate) use shrink::shrink_memory;
pub(crate) use usage::Usage;
