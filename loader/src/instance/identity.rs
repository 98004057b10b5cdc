//! Which handles are to the same thing.
//!
//! Handles are values: two of them to one function are different ones. An API in which references are
//! compared, or carry something of the host's, needs to know what they have in common. That is an
//! address, here a number: nothing else that is alive has the same.
#![forbid(unsafe_code)]

use crate::instance::Instance;
use crate::instance::export::Extern;

impl Extern {
    /// A number that all handles to this have, and none to anything else that is alive.
    ///
    /// A host function has one wherever it is imported, and when it is exported again. The number means
    /// something for as long as a handle keeps what it is of.
    pub fn identity(&self) -> usize {
        match self {
            Extern::Func(func) => func.address(),
            Extern::Table(table) => table.pointer().addr().get(),
            Extern::Memory(memory) => memory.address(),
            Extern::Global(global) => global.slot().addr().get(),
            Extern::Tag(tag) => tag.record().addr().get(),
        }
    }
}

impl Instance {
    /// A number that all handles to this instance have, and none to another one that is alive.
    pub fn identity(&self) -> usize {
        core::ptr::from_ref(self.data()).addr()
    }
}
