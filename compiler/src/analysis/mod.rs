//! What can be proved about the whole module before any of it is translated.

mod records;
mod usage;

pub(crate) use records::FunctionRecords;
pub(crate) use usage::Usage;
