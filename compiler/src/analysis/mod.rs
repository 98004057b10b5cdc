//! What can be proved about the whole module before any of it is translated.

mod aux_stack;
mod call_graph;
mod covered;
mod records;
mod shrink;
mod stack_arguments;
mod stack_depth;
mod stack_frames;
mod stack_limit;
mod usage;

pub(crate) use call_graph::Calls;
pub(crate) use covered::CoveredFunctions;
pub(crate) use records::FunctionRecords;
pub(crate) use shrink::shrink_memory;
pub(crate) use stack_depth::StackDepths;
pub(crate) use stack_frames::StackFrames;
pub(crate) use stack_limit::check_stack_limit;
pub(crate) use usage::Usage;
