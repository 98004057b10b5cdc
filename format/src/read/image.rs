//! The memory image: initial contents that can be mapped instead of copied.
//!
//! ```text
//! image bytes   | part 0 | part 1 | part 2 |         whole pages, on page boundaries of the file
//!                   |        |        +-------------------+
//!                   +----+   +----+                       |
//!                        v        v                       v
//! memory        |....| part 0 |.| part 1 |...........| part 2 |....|
//! ```

use crate::bytes::Record;
use crate::error::ErrorKind;
use crate::layout::{SectionId, image};
use crate::types::ExternKind;

use super::Artifact;
use super::collection::{Collection, Item};
use super::validate::Checker;

/// The parts of the memory image, ascending by memory and address.
pub type ImageParts<'a> = Collection<'a, ImagePart<'a>>;

/// Initial contents of a range of a defined memory: whole pages of the target.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ImagePart<'a> {
    /// Its index.
    pub index: u32,
    /// The memory, imports first; a defined one.
    pub memory: u32,
    /// Where the range starts in the memory.
    pub address: u64,
    /// Where its bytes start in the file.
    pub file_offset: u32,
    /// Its bytes.
    pub bytes: &'a [u8],
}

impl<'a> Item<'a> for ImagePart<'a> {
    const SECTION: SectionId = SectionId::Image;

    fn read(artifact: &'a Artifact<'a>, record: &Record, index: u32) -> Self {
        let (first, count) = (record.u32(image::FIRST_BYTE), record.u32(image::BYTE_COUNT));
        let start = artifact.section(SectionId::ImageBytes).offset;
        ImagePart {
            index,
            memory: record.u32(image::MEMORY),
            address: record.u64(image::ADDRESS),
            // Both lie in the file, which is smaller than 4 GiB.
            file_offset: start.saturating_add(first),
            bytes: artifact.bytes_of(SectionId::ImageBytes, first, count),
        }
    }
}

/// Checks alignment, order, and that parts are inside the initial size of their memories.
pub(super) fn check(checker: &mut Checker<'_>, record: &Record) -> Result<(), ErrorKind> {
    let artifact = checker.artifact;
    let (memory, address) = (record.u32(image::MEMORY), record.u64(image::ADDRESS));
    let size = record.u32(image::BYTE_COUNT);
    // The section starts on a page, and parts are whole pages.
    let within_page = artifact.header().page_size() - 1;
    if size == 0 || (u64::from(size) | address) & within_page != 0 {
        return Err(ErrorKind::Misaligned);
    }
    // An image is made for memories of our own alone.
    if memory < artifact.imported_count(ExternKind::Memory) {
        return Err(ErrorKind::IndexOutOfRange);
    }
    let ty = artifact.memory_type(memory);
    let ty = ty.ok_or(ErrorKind::IndexOutOfRange)?;
    let end = address.checked_add(u64::from(size));
    let end = end.filter(|end| *end <= ty.min_bytes());
    let end = end.ok_or(ErrorKind::RangeOutOfBounds)?;
    if memory != checker.counter {
        // The first part of another memory.
        if memory < checker.counter {
            return Err(ErrorKind::NotAscending);
        }
        checker.counter = memory;
        checker.end = 0;
    }
    checker.ascend(address, 0)?;
    checker.end = end;
    Ok(())
}
