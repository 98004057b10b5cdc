//! Data segments: bytes for memories.

use crate::bytes::Record;
use crate::error::ErrorKind;
use crate::layout::{self, SectionId, data_segment};
use crate::types::ExternKind;

use super::Artifact;
use super::collection::{Collection, Item};
use super::elements::is_active;
use super::expressions::Expression;
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
    const SECTION: SectionId = SectionId::Data;

    fn read(artifact: &'a Artifact<'a>, record: &Record, index: u32) -> Self {
        let first = record.u32(data_segment::FIRST_BYTE);
        let count = record.u32(data_segment::BYTE_COUNT);
        DataSegment {
            index,
            mode: match record.u32(data_segment::MODE) {
                layout::MODE_ACTIVE => DataMode::Active {
                    memory: record.u32(data_segment::MEMORY),
                    offset: Expression::at(artifact, record.u32(data_segment::OFFSET)),
                },
                _ => DataMode::Passive,
            },
            in_image: record.u32(data_segment::FLAGS) & layout::FLAG_IN_IMAGE != 0,
            bytes: artifact.bytes_of(SectionId::DataBytes, first, count),
        }
    }
}

/// Checks the place of a segment.
pub(super) fn check(checker: &mut Checker<'_>, record: &Record) -> Result<(), ErrorKind> {
    let (mode, memory) = (
        record.u32(data_segment::MODE),
        record.u32(data_segment::MEMORY),
    );
    let offset = record.u32(data_segment::OFFSET);
    let in_image = record.u32(data_segment::FLAGS) & layout::FLAG_IN_IMAGE != 0;
    if is_active(mode, memory, offset)? {
        // An image is made for memories of our own alone.
        if in_image && memory < checker.artifact.imported_count(ExternKind::Memory) {
            return Err(ErrorKind::IndexOutOfRange);
        }
        checker.offset(ExternKind::Memory, memory, offset)
    } else if in_image {
        Err(ErrorKind::UnknownNumber)
    } else {
        Ok(())
    }
}
