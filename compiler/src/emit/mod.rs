//! What the compiler writes: artifacts, object files, and listings for people.

mod artifact;
mod clif;
mod handlers;
mod image;
mod listing;
mod object;
mod types;

pub(crate) use artifact::artifact;
pub use clif::clif;
pub use listing::{disassemble, listing};
pub(crate) use object::object;
pub use object::{ObjectMachine, ObjectOptions};

/// Which functions a listing shows.
#[derive(Debug, Clone, Default)]
pub enum FunctionFilter {
    /// All of them.
    #[default]
    All,
    /// Those whose name contains the text, or whose index it is.
    Named(String),
}

impl FunctionFilter {
    /// Whether the function with this index and name is shown.
    pub fn selects(&self, index: u32, name: Option<&str>) -> bool {
        match self {
            FunctionFilter::All => true,
            FunctionFilter::Named(text) => {
                text.parse() == Ok(index) || name.is_some_and(|name| name.contains(text.as_str()))
            }
        }
    }
}
