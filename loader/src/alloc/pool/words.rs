//! The region as 32-bit words with numbers: the only place where the pool touches memory.
//!
//! A number that is out of range reads as zero and is not written, so that no mistake in the
//! bookkeeping reaches beyond the region.

use core::ptr::NonNull;

/// Bytes of a word.
pub(super) const WORD: usize = size_of::<u32>();

/// Words that a pool keeps its bookkeeping in: those of its region, or a model of them.
pub(super) trait WordStore {
    /// What stands for the place of a word.
    type Address: Copy;

    /// How many words there are.
    fn count(&self) -> usize;

    /// The address of a word, or one past the last.
    fn address(&self, number: usize) -> Self::Address;

    /// The number of the word at an address, which is that of a word of this region.
    fn number(&self, address: Self::Address) -> usize;

    /// Bytes from an address to the next one with an alignment, which is a power of two.
    fn align_offset(&self, address: Self::Address, align: usize) -> usize;

    /// A word's value. A number that is out of range reads as zero.
    fn get(&self, number: usize) -> u32;

    /// Changes a word. A number that is out of range is not written.
    fn set(&mut self, number: usize, value: u32);
}

/// So many words that belong to the pool.
pub(super) struct Words {
    base: NonNull<u32>,
    count: usize,
}

// SAFETY: the words are the pool's alone, as `new` demands.
unsafe impl Send for Words {}

impl Words {
    /// The words of a region. Its start is rounded up to a word, its end down.
    ///
    /// # Safety
    ///
    /// The region is valid for reads and writes. Whatever of it a word was not given away with
    /// [`Words::address`] is used by nobody else for as long as the value lives.
    pub(super) unsafe fn new(start: NonNull<u8>, bytes: usize) -> Words {
        let skipped = start.align_offset(WORD);
        let count = bytes.saturating_sub(skipped) / WORD;
        let base = if count == 0 {
            NonNull::dangling()
        } else {
            // SAFETY: at least one word follows there, inside of the region.
            unsafe { start.add(skipped) }.cast()
        };
        Words { base, count }
    }
}

impl WordStore for Words {
    type Address = NonNull<u8>;

    fn count(&self) -> usize {
        self.count
    }

    fn address(&self, number: usize) -> NonNull<u8> {
        debug_assert!(number <= self.count, "a word outside of the pool");
        // SAFETY: the number is at most that of the end.
        unsafe { self.base.add(number.min(self.count)) }.cast()
    }

    fn number(&self, address: NonNull<u8>) -> usize {
        let bytes = address.addr().get().wrapping_sub(self.base.addr().get());
        bytes / WORD
    }

    fn align_offset(&self, address: NonNull<u8>, align: usize) -> usize {
        let excess = address.addr().get() & align.wrapping_sub(1);
        align.wrapping_sub(excess) & align.wrapping_sub(1)
    }

    fn get(&self, number: usize) -> u32 {
        debug_assert!(number < self.count, "a word outside of the pool");
        if number >= self.count {
            return 0;
        }
        // SAFETY: the number is in range.
        let word = unsafe { self.base.add(number) };
        // SAFETY: the caller reads what it has written: headers, and links in free blocks.
        unsafe { word.read() }
    }

    fn set(&mut self, number: usize, value: u32) {
        debug_assert!(number < self.count, "a word outside of the pool");
        if number < self.count {
            // SAFETY: the number is in range.
            let word = unsafe { self.base.add(number) };
            // SAFETY: the word is the pool's: a header, or part of a free block.
            unsafe { word.write(value) };
        }
    }
}
