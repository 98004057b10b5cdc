//! Memory at the start of reserved address space: accesses need no check, and nothing ever moves.
//!
//! ```text
//!   start of the mapping                                              end of the mapping
//!   | unused | below | committed ........ | reserved ......... | guard |
//!   +----------------+--------------------+--------------------+-------+
//!     read, write      read, write          no access            no access
//!                    ^ base, on a page boundary
//! ```
//!
//! Only what is committed counts as used, and only what is touched costs memory. The bytes below
//! the base hold the instance context, so that one register addresses both.

use core::ptr::NonNull;

use super::CATEGORY;
use crate::alloc::{Allocator, OutOfMemory};
use crate::sys::file::File;
use crate::sys::map::{Mapping, page_size, round_to_pages};

/// What is counted for a new memory with so many bytes, and so many below its base.
#[cfg(feature = "plan")]
pub(crate) fn committed_bytes(length: usize, below: usize) -> Option<usize> {
    round_to_pages(below)?.checked_add(round_to_pages(length)?)
}

/// A reservation of address space, committed from its start on.
pub(super) struct GuardedMemory {
    mapping: Mapping,
    /// Offset of the base in the mapping: whole pages.
    base: usize,
    length: usize,
    /// Bytes from the base on that are readable and writable: whole pages.
    committed: usize,
    /// Bytes from the base on that may become so: whole pages.
    reservation: usize,
    allocator: Allocator,
}

impl GuardedMemory {
    /// Reserves address space, and commits `below` bytes under the base and `length` from it on.
    pub(super) fn new(
        allocator: &Allocator,
        length: usize,
        reservation: usize,
        guard: usize,
        below: usize,
    ) -> Result<GuardedMemory, OutOfMemory> {
        let sizes = || {
            let base = round_to_pages(below)?;
            let committed = round_to_pages(length)?;
            let reservation = round_to_pages(reservation)?.max(committed);
            let size = base
                .checked_add(reservation)?
                .checked_add(round_to_pages(guard)?)?;
            Some((base, committed, reservation, size))
        };
        let out_of_memory = OutOfMemory::new(CATEGORY, reservation.saturating_add(guard));
        let (base, committed, reservation, size) = sizes().ok_or(out_of_memory)?;
        // A memory that can hold nothing has an address all the same.
        let mut mapping = Mapping::reserve(size.max(page_size())).map_err(|_| out_of_memory)?;
        // Both parts are adjacent, and both sizes are part of the reserved one.
        let used = base + committed;
        mapping
            .commit(0, used)
            .map_err(|_| OutOfMemory::new(CATEGORY, used))?;
        allocator.charge(CATEGORY, used);
        let allocator = allocator.clone();
        Ok(GuardedMemory {
            mapping,
            base,
            length,
            committed,
            reservation,
            allocator,
        })
    }

    pub(super) fn base(&self) -> NonNull<u8> {
        // SAFETY: the base is inside of the mapping, or at its end.
        unsafe { self.mapping.base().add(self.base) }
    }

    pub(super) fn length(&self) -> usize {
        self.length
    }

    /// Bytes from the base to the end of the mapping.
    pub(super) fn reserved(&self) -> usize {
        self.mapping.size() - self.base
    }

    /// Bytes from the base on that are readable and writable.
    pub(super) fn committed(&self) -> usize {
        self.committed
    }

    /// Commits what is missing for a length.
    pub(super) fn grow(&mut self, length: usize) -> Result<(), OutOfMemory> {
        let out_of_memory = OutOfMemory::new(CATEGORY, length);
        let wanted = round_to_pages(length).ok_or(out_of_memory)?;
        if wanted > self.reservation {
            return Err(out_of_memory);
        }
        if wanted > self.committed {
            let more = wanted - self.committed;
            let start = self.base + self.committed;
            self.mapping
                .commit(start, more)
                .map_err(|_| out_of_memory)?;
            let (old, new) = (self.base + self.committed, self.base + wanted);
            self.allocator.recharge(CATEGORY, old, new);
            self.committed = wanted;
        }
        self.length = self.length.max(length);
        Ok(())
    }

    /// Maps a part of a file over committed pages that are zero. `false` where that is not possible
    /// and nothing has changed. After an error the memory must not be used.
    pub(super) fn map_image(
        &mut self,
        file: &File,
        offset: u64,
        address: usize,
        length: usize,
    ) -> Result<bool, OutOfMemory> {
        let pages = page_size();
        let aligned = offset.is_multiple_of(pages as u64)
            && address.is_multiple_of(pages)
            && length.is_multiple_of(pages);
        let inside = address
            .checked_add(length)
            .is_some_and(|end| end <= self.committed);
        // A mapping that reaches behind the end of the file would fault later instead of now.
        let there = offset.checked_add(length as u64);
        let there = there.is_some_and(|end| file.size().is_ok_and(|size| end <= size));
        if !(aligned && inside && there) {
            return Ok(false);
        }
        self.mapping
            .copy_on_write(self.base + address, length, file, offset)
            .map_err(|_| OutOfMemory::new(CATEGORY, length))
    }
}

impl Drop for GuardedMemory {
    fn drop(&mut self) {
        self.allocator
            .discharge(CATEGORY, self.base + self.committed);
    }
}
