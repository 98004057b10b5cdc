//! A pool without a region: what a pool of some size would do with a sequence of requests.
//!
//! The bookkeeping is that of the real pool, on words that are kept in a map: a pool of gigabytes
//! costs as much as the headers of its blocks. The region starts on a multiple of [`GRANULE`], as a
//! [`StaticPool`](super::StaticPool) does.
#![forbid(unsafe_code)]

use core::alloc::Layout;
use std::collections::BTreeMap;

use super::tlsf::{GRANULE, Tlsf};
use super::words::{WORD, WordStore};

/// Words that are zero until they are written.
struct SparseWords {
    count: usize,
    values: BTreeMap<usize, u32>,
}

impl WordStore for SparseWords {
    /// Bytes from the start of the region.
    type Address = usize;

    fn count(&self) -> usize {
        self.count
    }

    fn address(&self, number: usize) -> usize {
        number.saturating_mul(WORD)
    }

    fn number(&self, address: usize) -> usize {
        address / WORD
    }

    fn align_offset(&self, address: usize, align: usize) -> usize {
        address
            .checked_next_multiple_of(align)
            .map_or(usize::MAX, |next| next - address)
    }

    fn get(&self, number: usize) -> u32 {
        self.values.get(&number).copied().unwrap_or(0)
    }

    fn set(&mut self, number: usize, value: u32) {
        if number < self.count {
            self.values.insert(number, value);
        }
    }
}

/// The model of a pool. Blocks are named by their distance from the start of the region.
pub(crate) struct PoolModel(Tlsf<SparseWords>);

impl PoolModel {
    /// What sizes of pools differ by, in bytes.
    pub(crate) const GRANULE: usize = GRANULE;

    /// A pool of a region of so many bytes. `None` where there is no room for any block.
    pub(crate) fn new(bytes: usize) -> Option<PoolModel> {
        let words = SparseWords {
            count: bytes / WORD,
            values: BTreeMap::new(),
        };
        Tlsf::new(words).map(PoolModel)
    }

    /// The most bytes that blocks have taken at any time.
    pub(crate) fn peak(&self) -> usize {
        self.0.peak()
    }

    /// Places a block.
    pub(crate) fn allocate(&mut self, layout: Layout) -> Option<usize> {
        self.0.allocate(layout.size(), layout.align())
    }

    /// Changes the size of a block, which may move, as the real pool does it.
    pub(crate) fn reallocate(&mut self, block: usize, layout: Layout) -> Option<usize> {
        if self.0.resize(block, layout.size()) {
            return Some(block);
        }
        let moved = self.allocate(layout)?;
        self.free(block);
        Some(moved)
    }

    /// Takes a block back.
    pub(crate) fn free(&mut self, block: usize) {
        self.0.free(block);
    }
}
