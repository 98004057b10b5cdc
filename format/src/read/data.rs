//! Data segments: bytes for memories.

use crate::bytes::{Bytes, Record};
use crate::error::{ErrorKind, FormatError};
use crate::layout::{self, SectionId, data_segment};
use crate::types::ExternKind;

use super::Artifact;
use super::collection::{Collection, Item};
use super::expressions::{Expression, Expressions};
use super::validate::Checker;

/// The data segments of a module.
pub type DataSegments<'a> = Collection<'a, DataSegment<'a>>;

/// A data segment.
#[derive(Clone, Copy, Debug)]
pub struct DataSegment<'a> {
    /// Its index.
    pub index: u32,
    /// What happens to it.
    pub mode: DataMode<'a>,
    /// Whether the memory image holds its bytes. Then nothing is copied at instantiation; for
    /// `memory.init` the segment counts as dropped.
    pub in_image: bool,
    /// Its bytes; usually none where the image holds them.
    pub bytes: &'a [u8],
}

/// What happens to a data segment.
#[derive(Clone, Copy, Debug)]
pub enum DataMode<'a> {
    /// Copied by instructions.
    Passive,
    /// Copied at instantiation, unless the image holds its bytes.
    Active {
        /// The memory, imports first.
        memory: u32,
        /// Where in the memory; of the memory's index type.
        offset: Expression<'a>,
    },
}

impl<'a> Item<'a> for DataSegment<'a> {
    type Pools = (Bytes<'a>, Expressions<'a>);

    const SECTION: SectionId = SectionId::Data;

    fn read(record: Record<'a>, index: u32, pools: &Self::Pools) -> Result<Self, ErrorKind> {
        let (bytes, expressions) = *pools;
        let memory = record.u32(data_segment::MEMORY);
        let offset = record.optional(data_segment::OFFSET);
        let mode = match (record.u32(data_segment::MODE), offset) {
            (layout::MODE_ACTIVE, Some(offset)) => DataMode::Active {
                memory,
                offset: expressions.read(offset)?,
            },
            (layout::MODE_PASSIVE, None) if memory == 0 => DataMode::Passive,
            _ => return Err(ErrorKind::UnknownNumber),
        };
        let flags = record.u32(data_segment::FLAGS);
        if flags & !layout::FLAG_IN_IMAGE != 0 {
            return Err(ErrorKind::ReservedBits);
        }
        let bytes = bytes
            .range(
                record.u32(data_segment::FIRST_BYTE),
                record.u32(data_segment::BYTE_COUNT),
            )
            .ok_or(ErrorKind::RangeOutOfBounds)?;
        Ok(DataSegment {
            index,
            mode,
            in_image: flags & layout::FLAG_IN_IMAGE != 0,
            bytes: bytes.as_slice(),
        })
    }
}

/// Checks memories, offsets and ranges.
pub(super) fn check(artifact: &Artifact<'_>, checker: &mut Checker) -> Result<(), FormatError> {
    let globals = artifact.index_space(ExternKind::Global);
    let imported_memories = artifact.imported_count(ExternKind::Memory);
    let segments = artifact.data();
    let mut next_byte = 0;
    segments.check_each(artifact, |segment| {
        let record = segments
            .record(segment.index)
            .ok_or(ErrorKind::IndexOutOfRange)?;
        if record.u32(data_segment::FIRST_BYTE) != next_byte {
            return Err(ErrorKind::NotContiguous);
        }
        next_byte += record.u32(data_segment::BYTE_COUNT);
        match segment.mode {
            DataMode::Active { memory, offset } => {
                let ty = artifact
                    .memory_type(memory)
                    .ok_or(ErrorKind::IndexOutOfRange)?;
                // An image is made for memories of our own alone.
                if segment.in_image && memory < imported_memories {
                    return Err(ErrorKind::IndexOutOfRange);
                }
                checker.expression(artifact, &offset, ty.index_type(), globals)
            }
            DataMode::Passive if segment.in_image => Err(ErrorKind::UnknownNumber),
            DataMode::Passive => Ok(()),
        }
    })?;
    if next_byte != artifact.section(SectionId::DataBytes).size {
        return Err(artifact.error(ErrorKind::NotContiguous, SectionId::DataBytes, next_byte));
    }
    Ok(())
}
