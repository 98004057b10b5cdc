//! The context: everything that a guest can reach.
//!
//! ```text
//!   WasiContext -> | State: text, table, origin |          one block
//!                     |       `-> | descriptor, ... |      one block, which grows
//!                     |              `-> | Descriptor |    one block each
//!                     `-> | arguments, ..., input |        one block
//! ```
//!
//! All of it is in the memory of the runtime that the context was built for.

use precast_loader::Allocator;
use precast_loader::alloc::Shared;

use crate::builder::WasiContextBuilder;
use crate::clock::Origin;
use crate::descriptor::Descriptor;
use crate::errno::Errno;
use crate::table::{Table, Vacancy};
use crate::text::{Strings, Text};

/// What a guest can reach. Clones are handles to the same state, for any number of instances and
/// threads; the last one closes what is open and gives the memory back.
#[derive(Clone)]
pub struct WasiContext {
    pub(crate) state: Shared<State>,
}

pub(crate) struct State {
    pub text: Text,
    pub args: Strings,
    pub environment: Strings,
    pub table: Table,
    pub origin: Origin,
}

impl WasiContext {
    /// Starts a context that reaches nothing: no arguments, no environment, no files, and standard
    /// streams that lead nowhere.
    pub fn builder() -> WasiContextBuilder {
        WasiContextBuilder::new()
    }

    pub(crate) fn descriptor(&self, fd: u32) -> Result<Shared<Descriptor>, Errno> {
        self.state.table.get(fd)
    }

    /// Makes room and takes memory for a descriptor that is about to be opened.
    pub(crate) fn reserve(&self) -> Result<Vacancy, Errno> {
        self.state.table.reserve(self.allocator())
    }

    /// The memory that the context is in.
    pub(crate) fn allocator(&self) -> &Allocator {
        self.state.text.allocator()
    }
}

impl std::fmt::Debug for WasiContext {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("WasiContext")
            .finish_non_exhaustive()
    }
}
