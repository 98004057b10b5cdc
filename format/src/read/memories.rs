//! Defined linear memories.

use crate::bytes::Record;
use crate::error::{ErrorKind, FormatError};
use crate::layout::{SectionId, memory};
use crate::types::MemoryType;

use super::Artifact;
use super::collection::{Collection, Item};
use super::imports::memory_type;
use super::validate::check_memory_type;

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
    type Pools = ();

    const SECTION: SectionId = SectionId::Memories;

    fn read(record: Record<'a>, index: u32, _: &()) -> Result<Self, ErrorKind> {
        let ty = memory_type(
            record.u32(memory::FLAGS),
            record.u32(memory::PAGE_SIZE_LOG2),
            record.u64(memory::MIN),
            record.u64(memory::MAX),
        )?;
        Ok(Memory { index, ty })
    }
}

/// Checks types.
pub(super) fn check(artifact: &Artifact<'_>) -> Result<(), FormatError> {
    artifact
        .memories()
        .check_each(artifact, |memory| check_memory_type(&memory.ty))
}
