//! Initial contents of memories, laid out so that a hosted loader can map them.
//!
//! Where every active segment of a module has a constant offset and lies inside the memory's
//! initial size, the pages they touch are written into the artifact as the memory will hold them.
//! A page that no segment touches takes no space.

use std::collections::BTreeMap;

use crate::module::{Module, SegmentMode};

/// Consecutive pages of one memory.
pub(crate) struct Image {
    /// Memory index, imports included.
    pub memory: u32,
    /// Address of the first byte in the memory; a multiple of the page size.
    pub address: u64,
    /// The pages.
    pub bytes: Vec<u8>,
}

/// Builds the images of a module for pages of this size, or nothing where instantiation has to
/// run the segments one by one.
pub(crate) fn images(module: &Module<'_>, page_size_log2: u8) -> Option<Vec<Image>> {
    if page_size_log2 == 0 {
        return None;
    }
    let page_size = 1u64 << page_size_log2;
    let mut pages: BTreeMap<(u32, u64), Vec<u8>> = BTreeMap::new();
    for segment in &module.data {
        let SegmentMode::Active { index, offset } = &segment.mode else {
            continue;
        };
        if *index < module.imported_memories {
            return None;
        }
        let memory = &module.memories[*index as usize];
        let length = memory.min_bytes();
        let mut address = offset.constant_address()?;
        let end = address.checked_add(segment.bytes.len() as u64)?;
        // A page of the image must not reach beyond the memory.
        if end > length || (end.next_multiple_of(page_size) > length && !segment.bytes.is_empty()) {
            return None;
        }
        let mut rest = segment.bytes;
        while !rest.is_empty() {
            let within = (address % page_size) as usize;
            let (now, later) = rest.split_at(rest.len().min(page_size as usize - within));
            let page = pages
                .entry((*index, address / page_size))
                .or_insert_with(|| vec![0; page_size as usize]);
            page[within..within + now.len()].copy_from_slice(now);
            address += now.len() as u64;
            rest = later;
        }
    }
    let mut images: Vec<Image> = Vec::new();
    for ((memory, page), bytes) in pages {
        let address = page * page_size;
        match images.last_mut() {
            Some(last)
                if last.memory == memory && last.address + last.bytes.len() as u64 == address =>
            {
                last.bytes.extend_from_slice(&bytes);
            }
            _ => images.push(Image {
                memory,
                address,
                bytes,
            }),
        }
    }
    Some(images)
}
