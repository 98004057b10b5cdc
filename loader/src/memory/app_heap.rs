//! The app heap: memory for programs that have no allocator, with its books outside of their reach.
//!
//! ```text
//!   linear memory    | data | stack | libc heap ... | app heap, in granules of 16 bytes |
//!                                                   | a  a  a | b | . | c  c | . | .  . |
//!   used                                              1  1  1   1   0   1  1   0   0  0
//!   starts                                            1  0  0   1   0   1  0   0   0  0
//! ```
//!
//! Two bits for each granule say whether it is used and whether a block starts there; that is all
//! there is. The bits are in a block of the runtime's, whose size follows from the heap's alone. So
//! the program can overwrite what it was given, and everything else in its memory, without any
//! effect on where the next block is: nothing here reads linear memory.
//!
//! Blocks are taken from the lowest hole that is large enough, which keeps large holes whole. The
//! search goes 64 granules at a time, from the lowest one that is free.
#![forbid(unsafe_code)]

use core::ops::Range;

use crate::alloc::{Allocator, Category, OutOfMemory, Vec};

/// Unit of allocation and alignment of blocks, in bytes: that of the largest value.
pub(crate) const GRANULE: usize = 16;

/// Granules that one [`Marks`] describes.
const GROUP: usize = u64::BITS as usize;

/// What is known about 64 granules; the lowest bit stands for the first.
#[derive(Clone, Copy, Default)]
// As many bytes on 32-bit x86, whose 64-bit numbers are aligned to four, as everywhere else.
#[repr(align(8))]
struct Marks {
    used: u64,
    starts: u64,
}

/// How many bytes the books of a heap of this many bytes take, in one block.
pub(crate) const fn bookkeeping_bytes(heap_bytes: usize) -> usize {
    heap_bytes.div_ceil(GRANULE * GROUP) * size_of::<Marks>()
}

/// How full an app heap is. All sizes are in bytes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct AppHeapUsage {
    /// Where the heap begins in linear memory.
    pub address: u64,
    /// How large it is.
    pub size: usize,
    /// What is allocated, in whole granules of 16 bytes.
    pub used: usize,
    /// The most that was ever allocated at once.
    pub peak: usize,
    /// How many blocks are allocated.
    pub blocks: usize,
    /// The largest block that can be allocated.
    pub largest_free: usize,
}

/// The books of a heap.
// As many bytes on 32-bit x86, whose 64-bit numbers are aligned to four, as everywhere else.
#[repr(align(8))]
pub(crate) struct AppHeap {
    marks: Vec<Marks>,
    /// Address of the first granule: a multiple of a granule.
    address: u64,
    granules: usize,
    /// All granules before this one are used.
    lowest_free: usize,
    /// Granules in blocks, now and at most.
    used: usize,
    peak: usize,
    blocks: usize,
}

impl AppHeap {
    /// An empty heap of so many bytes at an address. Both are multiples of a granule.
    ///
    /// No block begins at address zero, because programs take that for no block.
    pub(crate) fn new(
        allocator: &Allocator,
        address: u64,
        bytes: usize,
    ) -> Result<AppHeap, OutOfMemory> {
        let granules = bytes / GRANULE;
        let groups = bookkeeping_bytes(bytes) / size_of::<Marks>();
        let mut marks = Vec::try_with_capacity(allocator, Category::AppHeap, groups)?;
        marks.try_resize(groups, Marks::default())?;
        let mut heap = AppHeap {
            marks,
            address,
            granules,
            lowest_free: 0,
            used: 0,
            peak: 0,
            blocks: 0,
        };
        if address == 0 {
            heap.set_used(0..granules.min(1), true);
        }
        Ok(heap)
    }

    /// The layout of the books of a heap of so many bytes.
    #[cfg(feature = "plan")]
    pub(crate) fn layout(heap_bytes: usize) -> Option<core::alloc::Layout> {
        core::alloc::Layout::array::<Marks>(bookkeeping_bytes(heap_bytes) / size_of::<Marks>()).ok()
    }

    /// The address of a new block of at least so many bytes and one; none where there is no such
    /// hole. At worst, every granule is looked at.
    pub(crate) fn allocate(&mut self, bytes: u64) -> Option<u64> {
        let wanted = usize::try_from(bytes).ok()?.div_ceil(GRANULE).max(1);
        let lowest = self.next_free(self.lowest_free);
        self.lowest_free = lowest;
        let mut start = lowest;
        let block = loop {
            let end = start.checked_add(wanted)?;
            if end > self.granules {
                return None;
            }
            let obstacle = self.next_used(start, end);
            if obstacle == end {
                break start..end;
            }
            start = self.next_free(obstacle);
        };
        if start == lowest {
            self.lowest_free = block.end;
        }
        self.set_used(block, true);
        self.set_start(start, true);
        self.used += wanted;
        self.peak = self.peak.max(self.used);
        self.blocks += 1;
        Some(self.address + (start * GRANULE) as u64)
    }

    /// Takes a block back; says whether there is one at the address. All else changes nothing.
    pub(crate) fn free(&mut self, address: u64) -> bool {
        let Some(block) = self.block(address) else {
            return false;
        };
        self.lowest_free = self.lowest_free.min(block.start);
        self.used -= block.len();
        self.blocks -= 1;
        self.set_start(block.start, false);
        self.set_used(block, false);
        true
    }

    /// How many bytes the block at the address has; none where no block begins there.
    pub(crate) fn size_of(&self, address: u64) -> Option<usize> {
        Some(self.block(address)?.len() * GRANULE)
    }

    /// How full the heap is. Looks at every granule.
    pub(crate) fn usage(&self) -> AppHeapUsage {
        AppHeapUsage {
            address: self.address,
            size: self.granules * GRANULE,
            used: self.used * GRANULE,
            peak: self.peak * GRANULE,
            blocks: self.blocks,
            largest_free: self.largest_hole() * GRANULE,
        }
    }

    /// The number of granules in the largest hole.
    fn largest_hole(&self) -> usize {
        let (mut largest, mut start) = (0, self.next_free(self.lowest_free));
        while start < self.granules {
            let end = self.next_used(start, self.granules);
            largest = largest.max(end - start);
            start = self.next_free(end);
        }
        largest
    }

    /// The granules of the block that begins at an address.
    fn block(&self, address: u64) -> Option<Range<usize>> {
        let offset = usize::try_from(address.checked_sub(self.address)?).ok()?;
        let start = offset / GRANULE;
        if !offset.is_multiple_of(GRANULE) || start >= self.granules {
            return None;
        }
        let bit = self.marks.get(start / GROUP)?.starts >> (start % GROUP);
        let end = |marks: &Marks| marks.starts | !marks.used;
        (bit & 1 != 0).then(|| start..self.next(start + 1, self.granules, end))
    }

    fn next_free(&self, from: usize) -> usize {
        self.next(from, self.granules, |marks| !marks.used)
    }

    fn next_used(&self, from: usize, end: usize) -> usize {
        self.next(from, end, |marks| marks.used)
    }

    /// The first granule of a range whose bit is set in what `select` gives, or its end.
    fn next(&self, from: usize, end: usize, select: impl Fn(&Marks) -> u64) -> usize {
        let mut granule = from;
        while granule < end {
            let marks = self.marks.get(granule / GROUP).copied();
            let ahead = select(&marks.unwrap_or_default()) >> (granule % GROUP);
            if ahead != 0 {
                return end.min(granule + ahead.trailing_zeros() as usize);
            }
            granule = granule - granule % GROUP + GROUP;
        }
        end
    }

    /// Marks granules, a group at a time.
    fn set_used(&mut self, granules: Range<usize>, used: bool) {
        let mut granule = granules.start;
        while granule < granules.end {
            let first = granule % GROUP;
            let count = (GROUP - first).min(granules.end - granule);
            // Between one bit and all of them.
            let bits = (u64::MAX >> (GROUP - count)) << first;
            if let Some(marks) = self.marks.get_mut(granule / GROUP) {
                marks.used = if used {
                    marks.used | bits
                } else {
                    marks.used & !bits
                };
            }
            granule += count;
        }
    }

    fn set_start(&mut self, granule: usize, starts: bool) {
        if let Some(marks) = self.marks.get_mut(granule / GROUP) {
            let bit = 1 << (granule % GROUP);
            marks.starts = if starts {
                marks.starts | bit
            } else {
                marks.starts & !bit
            };
        }
    }
}

#[cfg(test)]
mod tests;
