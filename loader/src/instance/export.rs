//! Exports: what an instance offers, and anything that can be imported.
#![forbid(unsafe_code)]

use crate::call::func::Func;
use crate::exception::tag::Tag;
use crate::group::{Busy, GroupRef};
use crate::instance::global::Global;
use crate::instance::memory::Memory;
use crate::instance::table::Table;
use crate::runtime::Runtime;
use crate::types::ExternType;

/// Something that an instance exports or imports.
#[derive(Clone, Debug)]
pub enum Extern {
    /// A function.
    Func(Func),
    /// A table.
    Table(Table),
    /// A linear memory.
    Memory(Memory),
    /// A global.
    Global(Global),
    /// A tag of exceptions.
    Tag(Tag),
}

impl Extern {
    /// The function, if it is one.
    pub fn into_func(self) -> Option<Func> {
        if let Extern::Func(func) = self {
            Some(func)
        } else {
            None
        }
    }

    /// The table, if it is one.
    pub fn into_table(self) -> Option<Table> {
        if let Extern::Table(table) = self {
            Some(table)
        } else {
            None
        }
    }

    /// The memory, if it is one.
    pub fn into_memory(self) -> Option<Memory> {
        if let Extern::Memory(memory) = self {
            Some(memory)
        } else {
            None
        }
    }

    /// The global, if it is one.
    pub fn into_global(self) -> Option<Global> {
        if let Extern::Global(global) = self {
            Some(global)
        } else {
            None
        }
    }

    /// The tag, if it is one.
    pub fn into_tag(self) -> Option<Tag> {
        if let Extern::Tag(tag) = self {
            Some(tag)
        } else {
            None
        }
    }

    /// The type, with the current size as the minimum of tables and memories.
    pub fn current_type(&self) -> Result<ExternType, Busy> {
        Ok(match self {
            Extern::Func(func) => ExternType::Function(func.func_type()),
            Extern::Table(table) => {
                let _group = table.group().enter()?;
                ExternType::Table(table.object().current_type())
            }
            Extern::Memory(memory) => ExternType::Memory(memory.current_type()?),
            Extern::Global(global) => ExternType::Global(global.global_type()),
            Extern::Tag(tag) => ExternType::Tag(tag.func_type()),
        })
    }

    /// The group that it belongs to; a host function and a shared memory have none.
    pub(crate) fn group(&self) -> Option<&GroupRef> {
        match self {
            Extern::Func(func) => func.group(),
            Extern::Table(table) => Some(table.group()),
            Extern::Memory(memory) => memory.group(),
            Extern::Global(global) => Some(global.group()),
            Extern::Tag(tag) => Some(tag.group()),
        }
    }
}

impl Extern {
    /// The runtime that it belongs to, where it knows.
    pub(crate) fn runtime(&self) -> Option<&Runtime> {
        match self {
            Extern::Memory(memory) => Some(memory.runtime()),
            item => item.group().map(GroupRef::runtime),
        }
    }
}

impl From<Func> for Extern {
    fn from(func: Func) -> Extern {
        Extern::Func(func)
    }
}

impl From<Table> for Extern {
    fn from(table: Table) -> Extern {
        Extern::Table(table)
    }
}

impl From<Memory> for Extern {
    fn from(memory: Memory) -> Extern {
        Extern::Memory(memory)
    }
}

impl From<Global> for Extern {
    fn from(global: Global) -> Extern {
        Extern::Global(global)
    }
}

impl From<Tag> for Extern {
    fn from(tag: Tag) -> Extern {
        Extern::Tag(tag)
    }
}
