//! Two-level segregated fit: which parts of the region are free, found in constant time.
//!
//! ```text
//!   region   | lists | steps | block | block | block ...                     |
//!
//!   block    | size, free? | size of the block before | payload ............ |
//!            | size, free  | size of the block before | next | previous | .. |   when free
//!            <------------- 8 bytes -----------------> ^ a multiple of 16
//! ```
//!
//! Blocks are measured in granules of 16 bytes and named by the number of their first one, so that
//! two 32-bit words are a header on every machine. Free blocks hang in lists by size: the first
//! level is the power of two, the second one eighth of it. A bit for each list that is not empty
//! leads to the next larger size in two steps. Neighbours that are free are one block, always.
#![forbid(unsafe_code)]

use super::words::{WORD, WordStore};

/// What sizes are counted in, in bytes. It is the alignment of every payload, too.
pub(super) const GRANULE: usize = 16;

const GRANULE_WORDS: usize = GRANULE / WORD;

/// Words of a header.
const HEADER: usize = 2;

/// Bytes of a header.
pub(super) const HEADER_BYTES: usize = HEADER * WORD;

/// Lists of each level.
const STEPS: u32 = 1 << STEPS_LOG2;

const STEPS_LOG2: u32 = 3;

/// The bit of a size that says that the block is free.
const FREE: u32 = 1 << 31;

/// The most granules that a pool can have.
const MOST_GRANULES: usize = FREE as usize - 1;

/// No block.
const NONE: u32 = u32::MAX;

/// How many blocks of the list that holds larger and smaller ones are looked at.
const LOOKS: usize = 8;

/// The bookkeeping of a pool, in its own words or in a model of them.
pub(super) struct Tlsf<W> {
    words: W,
    /// A bit for each level with a list that is not empty.
    levels: u32,
    level_count: u32,
    /// The word where the first block begins.
    first: usize,
    /// Granules of all blocks together, of the used ones now, and of those at most.
    granules: u32,
    used: u32,
    peak: u32,
}

/// The list for blocks of a size: level and step.
fn class(size: u32) -> (u32, u32) {
    if size < STEPS {
        (0, size)
    } else {
        let log2 = size.ilog2();
        let step = (size >> (log2 - STEPS_LOG2)) & (STEPS - 1);
        (log2 - STEPS_LOG2 + 1, step)
    }
}

/// The first list that holds no block below the size.
fn class_above(size: u32) -> (u32, u32) {
    if size < STEPS {
        class(size)
    } else {
        class(size + (1 << (size.ilog2() - STEPS_LOG2)) - 1)
    }
}

/// The granules of a block with so many bytes of payload.
fn granules(bytes: usize) -> Option<u32> {
    let granules = bytes.checked_add(HEADER_BYTES)?.div_ceil(GRANULE);
    u32::try_from(granules)
        .ok()
        .filter(|granules| *granules < FREE)
}

impl<W: WordStore> Tlsf<W> {
    /// Makes one free block of the words. `None` where there is no room for any.
    pub(super) fn new(words: W) -> Option<Tlsf<W>> {
        let limit = (words.count() / GRANULE_WORDS).min(MOST_GRANULES);
        let (level, _) = class(limit as u32);
        let level_count = level + 1;
        let lists = (level_count * (STEPS + 1)) as usize;
        if lists + HEADER >= words.count() {
            return None;
        }
        // Payloads are aligned, so headers are not.
        let payload = words.address(lists + HEADER);
        let first = lists + words.align_offset(payload, GRANULE) / WORD;
        let granules = words.count().checked_sub(first)? / GRANULE_WORDS;
        let granules = granules.min(MOST_GRANULES) as u32;
        if granules == 0 {
            return None;
        }
        let mut pool = Tlsf {
            words,
            levels: 0,
            level_count,
            first,
            granules,
            used: 0,
            peak: 0,
        };
        for list in 0..(level_count * STEPS) as usize {
            pool.words.set(list, NONE);
        }
        for level in 0..level_count {
            pool.set_steps(level, 0);
        }
        pool.set_size(0, granules);
        pool.set_size_before(0, 0);
        pool.link(0);
        Some(pool)
    }

    /// Bytes of all blocks, headers included.
    pub(super) fn capacity(&self) -> usize {
        self.granules as usize * GRANULE
    }

    /// Bytes of all free blocks, headers included.
    pub(super) fn free_bytes(&self) -> usize {
        (self.granules - self.used) as usize * GRANULE
    }

    /// The most bytes of used blocks at any time, headers included.
    pub(super) fn peak(&self) -> usize {
        self.peak as usize * GRANULE
    }

    /// The payload of the largest free block. It is in the last list; that one is walked.
    pub(super) fn largest_free(&self) -> usize {
        let Some(level) = self.levels.checked_ilog2() else {
            return 0;
        };
        let step = self.steps(level).checked_ilog2().unwrap_or(0);
        let mut block = self.head(level, step);
        let mut largest = 0;
        while block != NONE {
            largest = largest.max(self.size(block));
            block = self.next_free(block);
        }
        (largest as usize * GRANULE).saturating_sub(HEADER_BYTES)
    }

    /// A payload of so many bytes.
    pub(super) fn allocate(&mut self, bytes: usize, align: usize) -> Option<W::Address> {
        let size = granules(bytes)?;
        // With a larger alignment the payload may begin that much later.
        let slack = u32::try_from(align / GRANULE).ok()?.saturating_sub(1);
        let wanted = size.checked_add(slack).filter(|wanted| *wanted < FREE)?;
        let block = self.find(wanted)?;
        let gap = self.words.align_offset(self.payload(block), align) / GRANULE;
        let block = self.take(block, gap as u32, size);
        self.use_more(size);
        Some(self.payload(block))
    }

    /// Takes a payload back.
    pub(super) fn free(&mut self, payload: W::Address) {
        let block = self.block(payload);
        let used = self.is_used(block);
        debug_assert!(
            used,
            "a block of the pool is freed twice, or is none of its own"
        );
        if !used {
            return;
        }
        self.used -= self.size(block);
        self.release(block);
    }

    /// Changes the size of a payload where it is, if there is room behind it.
    pub(super) fn resize(&mut self, payload: W::Address, bytes: usize) -> bool {
        let block = self.block(payload);
        let Some(wanted) = granules(bytes) else {
            return false;
        };
        debug_assert!(self.is_used(block), "not a used block of the pool");
        let old = self.size(block);
        let next = self.after(block).filter(|next| self.is_free(*next));
        let room = old + next.map_or(0, |next| self.size(next));
        if wanted > room {
            return false;
        }
        if let Some(next) = next {
            self.unlink(next);
        }
        // The used size is never zero here, as `granules` counts the header.
        self.used -= old;
        self.use_more(wanted);
        self.set_size(block, wanted);
        if room > wanted {
            self.add_free(block + wanted, room - wanted, wanted);
        } else {
            self.tell_next(block);
        }
        true
    }

    fn use_more(&mut self, size: u32) {
        self.used += size;
        self.peak = self.peak.max(self.used);
    }

    /// A free block of at least this size, still in its list.
    fn find(&self, size: u32) -> Option<u32> {
        // A close fit first, else a hole that was just left would be passed over.
        let (level, step) = class(size);
        if level >= self.level_count {
            return None;
        }
        let mut block = self.head(level, step);
        for _ in 0..LOOKS {
            if block == NONE {
                break;
            }
            if self.size(block) >= size {
                return Some(block);
            }
            block = self.next_free(block);
        }
        let (level, step) = class_above(size);
        if level >= self.level_count {
            return None;
        }
        let steps = self.steps(level) & (u32::MAX << step);
        if steps != 0 {
            return Some(self.head(level, steps.trailing_zeros()));
        }
        let levels = self.levels & (u32::MAX << (level + 1));
        if levels == 0 {
            return None;
        }
        let level = levels.trailing_zeros();
        Some(self.head(level, self.steps(level).trailing_zeros()))
    }

    /// Cuts a used block out of a free one: `gap` granules of it stay free before, the rest behind.
    fn take(&mut self, block: u32, gap: u32, size: u32) -> u32 {
        self.unlink(block);
        let room = self.size(block) - gap;
        let taken = block + gap;
        if gap > 0 {
            self.set_size(block, gap);
            self.link(block);
            self.set_size_before(taken, gap);
        }
        self.set_size(taken, size);
        if room > size {
            self.add_free(taken + size, room - size, size);
        } else {
            self.tell_next(taken);
        }
        taken
    }

    /// Makes a free block behind one of the given size; there is no free one behind it.
    fn add_free(&mut self, block: u32, size: u32, before: u32) {
        self.set_size(block, size);
        self.set_size_before(block, before);
        self.release(block);
    }

    /// Frees a block, as one with those of its neighbours that are free.
    fn release(&mut self, block: u32) {
        let mut start = block;
        let mut size = self.size(block);
        if let Some(next) = self.after(block).filter(|next| self.is_free(*next)) {
            self.unlink(next);
            size += self.size(next);
        }
        if let Some(before) = self.before(block).filter(|before| self.is_free(*before)) {
            self.unlink(before);
            start = before;
            size += self.size(before);
        }
        self.set_size(start, size);
        self.tell_next(start);
        self.link(start);
    }

    /// Puts a block at the head of its list.
    fn link(&mut self, block: u32) {
        let size = self.size(block);
        let (level, step) = class(size);
        let next = self.head(level, step);
        self.set_size(block, size | FREE);
        self.set_next_free(block, next);
        self.set_previous_free(block, NONE);
        if next != NONE {
            self.set_previous_free(next, block);
        }
        self.set_head(level, step, block);
        self.set_steps(level, self.steps(level) | 1 << step);
        self.levels |= 1 << level;
    }

    /// Takes a block out of its list.
    fn unlink(&mut self, block: u32) {
        let size = self.size(block);
        let (next, previous) = (self.next_free(block), self.previous_free(block));
        self.set_size(block, size);
        if next != NONE {
            self.set_previous_free(next, previous);
        }
        if previous != NONE {
            self.set_next_free(previous, next);
            return;
        }
        let (level, step) = class(size);
        self.set_head(level, step, next);
        if next == NONE {
            self.set_steps(level, self.steps(level) & !(1 << step));
            if self.steps(level) == 0 {
                self.levels &= !(1 << level);
            }
        }
    }

    /// Whether there is a used block with this number, as far as it and its neighbours tell. One
    /// that was freed has the mark of a free one, or is no neighbour of those around it any more.
    fn is_used(&self, block: u32) -> bool {
        if block >= self.granules {
            return false;
        }
        // With the mark of a free block it is larger than the pool.
        let size = self.words.get(self.word(block));
        let before = self.size_before(block);
        size != 0
            && size <= self.granules - block
            && before <= block
            && (before == 0) == (block == 0)
            && (before == 0 || self.size(block - before) == before)
            && self
                .after(block)
                .is_none_or(|next| self.size_before(next) == size)
    }

    /// The block behind.
    fn after(&self, block: u32) -> Option<u32> {
        let next = block + self.size(block);
        (next < self.granules).then_some(next)
    }

    /// The block before.
    fn before(&self, block: u32) -> Option<u32> {
        let size = self.size_before(block);
        if size == 0 {
            None
        } else {
            block.checked_sub(size)
        }
    }

    /// Writes the block's size into the block behind.
    fn tell_next(&mut self, block: u32) {
        if let Some(next) = self.after(block) {
            self.set_size_before(next, self.size(block));
        }
    }

    /// The word where a block begins.
    fn word(&self, block: u32) -> usize {
        self.first + block as usize * GRANULE_WORDS
    }

    fn payload(&self, block: u32) -> W::Address {
        self.words.address(self.word(block) + HEADER)
    }

    /// The block of a payload.
    fn block(&self, payload: W::Address) -> u32 {
        let words = self.words.number(payload).wrapping_sub(self.first + HEADER);
        debug_assert!(words.is_multiple_of(GRANULE_WORDS), "not a payload");
        u32::try_from(words / GRANULE_WORDS).unwrap_or(NONE)
    }

    fn size(&self, block: u32) -> u32 {
        self.words.get(self.word(block)) & !FREE
    }

    fn is_free(&self, block: u32) -> bool {
        self.words.get(self.word(block)) & FREE != 0
    }

    fn set_size(&mut self, block: u32, size: u32) {
        self.words.set(self.word(block), size);
    }

    fn size_before(&self, block: u32) -> u32 {
        self.words.get(self.word(block) + 1)
    }

    fn set_size_before(&mut self, block: u32, size: u32) {
        self.words.set(self.word(block) + 1, size);
    }

    fn next_free(&self, block: u32) -> u32 {
        self.words.get(self.word(block) + HEADER)
    }

    fn set_next_free(&mut self, block: u32, next: u32) {
        self.words.set(self.word(block) + HEADER, next);
    }

    fn previous_free(&self, block: u32) -> u32 {
        self.words.get(self.word(block) + HEADER + 1)
    }

    fn set_previous_free(&mut self, block: u32, previous: u32) {
        self.words.set(self.word(block) + HEADER + 1, previous);
    }

    fn head(&self, level: u32, step: u32) -> u32 {
        self.words.get((level * STEPS + step) as usize)
    }

    fn set_head(&mut self, level: u32, step: u32, block: u32) {
        self.words.set((level * STEPS + step) as usize, block);
    }

    fn steps(&self, level: u32) -> u32 {
        self.words.get((self.level_count * STEPS + level) as usize)
    }

    fn set_steps(&mut self, level: u32, steps: u32) {
        let word = (self.level_count * STEPS + level) as usize;
        self.words.set(word, steps);
    }

    /// Walks the pool and compares everything that is said twice.
    #[cfg(test)]
    pub(super) fn check(&self) {
        let (mut block, mut before, mut used, mut free) = (0, 0, 0, 0);
        let mut was_free = false;
        while block < self.granules {
            let (size, is_free) = (self.size(block), self.is_free(block));
            assert_ne!(size, 0);
            assert_eq!(self.size_before(block), before);
            assert!(!(was_free && is_free), "two free neighbours");
            if is_free {
                free += 1;
                let (level, step) = class(size);
                assert_ne!(self.levels & 1 << level, 0);
                assert_ne!(self.steps(level) & 1 << step, 0);
                let mut listed = self.head(level, step);
                while listed != block {
                    assert_ne!(listed, NONE, "a free block in no list");
                    listed = self.next_free(listed);
                }
            } else {
                used += size;
            }
            (before, was_free) = (size, is_free);
            block += size;
        }
        assert_eq!(block, self.granules);
        assert_eq!(used, self.used);
        let mut listed = 0;
        for level in 0..self.level_count {
            for step in 0..STEPS {
                let mut block = self.head(level, step);
                let is_empty = self.steps(level) & 1 << step == 0;
                assert_eq!(block == NONE, is_empty);
                while block != NONE {
                    listed += 1;
                    block = self.next_free(block);
                }
            }
        }
        assert_eq!(listed, free);
    }
}
