//! The memory image: initial contents that can be mapped instead of copied.
//!
//! ```text
//! image bytes   | part 0 | part 1 | part 2 |         whole pages, on page boundaries of the file
//!                   |        |        +-------------------+
//!                   +----+   +----+                       |
//!                        v        v                       v
//! memory        |....| part 0 |.| part 1 |...........| part 2 |....|
//! ```

use crate::bytes::{Bytes, Record};
use crate::error::{ErrorKind, FormatError};
use crate::layout::{SectionId, image};
use crate::types::ExternKind;

use super::Artifact;
use super::collection::{Collection, Item};

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
    type Pools = (Bytes<'a>, u32);

    const SECTION: SectionId = SectionId::Image;

    fn read(record: Record<'a>, index: u32, pools: &Self::Pools) -> Result<Self, ErrorKind> {
        if record.u32(image::RESERVED) != 0 {
            return Err(ErrorKind::ReservedBits);
        }
        let first = record.u32(image::FIRST_BYTE);
        let bytes = pools
            .0
            .range(first, record.u32(image::BYTE_COUNT))
            .ok_or(ErrorKind::RangeOutOfBounds)?;
        Ok(ImagePart {
            index,
            memory: record.u32(image::MEMORY),
            address: record.u64(image::ADDRESS),
            // Both lie in the file, which is smaller than 4 GiB.
            file_offset: pools.1.saturating_add(first),
            bytes: bytes.as_slice(),
        })
    }
}

/// Checks alignment, order, and that parts are inside the initial size of their memories.
pub(super) fn check(artifact: &Artifact<'_>) -> Result<(), FormatError> {
    let page_size = artifact.header().page_size();
    let imported = artifact.imported_count(ExternKind::Memory);
    let section = artifact.section(SectionId::ImageBytes);
    let mut next_byte = section.offset;
    let mut previous = (0, 0);
    artifact.image().check_each(artifact, |part| {
        let size = part.bytes.len() as u64;
        if part.file_offset != next_byte {
            return Err(ErrorKind::NotContiguous);
        }
        next_byte += part.bytes.len() as u32;
        // The section starts on a page, and parts are whole pages.
        let aligned = size.is_multiple_of(page_size) && part.address.is_multiple_of(page_size);
        if size == 0 || !aligned {
            return Err(ErrorKind::Misaligned);
        }
        let defined = part
            .memory
            .checked_sub(imported)
            .ok_or(ErrorKind::IndexOutOfRange)?;
        let memory = artifact.memories().read(defined)?;
        let end = part
            .address
            .checked_add(size)
            .ok_or(ErrorKind::RangeOutOfBounds)?;
        if end > memory.ty.min_bytes() {
            return Err(ErrorKind::RangeOutOfBounds);
        }
        if (part.memory, part.address) < previous {
            return Err(ErrorKind::NotAscending);
        }
        previous = (part.memory, end);
        Ok(())
    })?;
    if next_byte != section.offset + section.size {
        let place = next_byte - section.offset;
        return Err(artifact.error(ErrorKind::NotContiguous, SectionId::ImageBytes, place));
    }
    Ok(())
}
