//! Defined linear memories.

use crate::bytes::Record;
use crate::layout::SectionId;
use crate::types::{ExternKind, MemoryType};

use super::Artifact;
use super::collection::{Collection, Item};
use super::declarations::Declaration;

/// The defined memories of a module.
pub type Memories<'a> = Collection<'a, Memory>;

/// A defined memory.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Memory {
    /// Its index among the defined memories.
    pub index: u32,
    /// Its type.
    pub ty: MemoryType,
}

impl<'a> Item<'a> for Memory {
    const SECTION: SectionId = SectionId::Memories;

    fn read(_: &'a Artifact<'a>, record: &Record, index: u32) -> Self {
        Memory {
            index,
            ty: Declaration::defined(ExternKind::Memory, record).memory(),
        }
    }
}
