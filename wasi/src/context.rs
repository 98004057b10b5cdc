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
//!
//! # Threads
//!
//! Any number of threads may use a context at the same time. Text and arguments never change; all
//! else is behind one of these locks:
//!
//! | lock | of | held |
//! |---|---|---|
//! | the table's | a context | to look up, enter or take out a number; asks for memory to grow |
//! | position | a directory | while the system lists it |
//! | turn | a descriptor | for a call on something that is ready, and to change its flags |
//! | stream | a stream of the host program's | while its object reads or writes |
//!
//! A call takes its descriptor out of the table as a shared reference, so that nobody waits with the
//! table's lock, and what is closed or renumbered meanwhile stays open until the call is over. No
//! lock is taken while another is held, but for the allocator's own. Waiting for input, for room or
//! for time is done without a lock, except in objects of the host program's: those are used by one
//! thread at a time. Positions of files and their data are the system's business.

use std::sync::OnceLock;

use precast_loader::Allocator;
use precast_loader::alloc::Shared;

use crate::alarm::Alarm;
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

// As many bytes on 32-bit x86, whose 64-bit numbers are aligned to four, as everywhere else.
#[repr(align(8))]
pub(crate) struct State {
    pub text: Text,
    pub args: Strings,
    pub environment: Strings,
    pub table: Table,
    pub origin: Origin,
    /// What ends the waiting of calls, once somebody wants that.
    pub alarm: OnceLock<Alarm>,
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
