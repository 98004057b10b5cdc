//! Linear memory: the bytes, wherever they are.
//!
//! ```text
//!   guard      | context | committed ...... | reserved ............ | guard |   never moves
//!                        ^ base
//!   explicit   | committed ...... |                                            may move
//!              ^ base
//!   fixed      | length ......... | allocated .... |                           never moves
//!              ^ base
//! ```
//!
//! A [`LinearMemory`] knows its bytes, not its type: limits in pages are the business of whoever
//! owns it.

pub(crate) mod address;
pub(crate) mod app_heap;
mod explicit;
mod guard;
pub(crate) mod plain;
pub(crate) mod racy;

use core::ptr::NonNull;

use precast_format::types::MemoryType;

use crate::alloc::{Allocator, Category, OutOfMemory};
use crate::facility::GuardPages;
use crate::sys::file::File;
use crate::sys::resident::resident_bytes;

#[cfg(feature = "plan")]
pub(crate) use explicit::layout as explicit_layout;
#[cfg(feature = "plan")]
pub(crate) use guard::committed_bytes;

use explicit::ExplicitMemory;
use guard::GuardedMemory;

/// Where the bytes of a memory are.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Storage {
    /// At the start of reserved address space, so that accesses need no check and nothing moves.
    Guard {
        /// Address space from the base on that the memory can grow into, in bytes.
        reservation: u64,
        /// Inaccessible bytes behind that.
        guard: u64,
        /// Bytes right below the base that are readable and writable, and zero at first.
        below: u32,
    },
    /// In the runtime's ordinary memory. Every access is checked; growth may move the bytes.
    Explicit,
    /// In the runtime's ordinary memory, all that the memory can ever have at once. Every access is
    /// checked, and nothing moves.
    Fixed {
        /// Bytes that are allocated.
        capacity: u64,
    },
}

enum Bytes {
    Guard(GuardPages<GuardedMemory>),
    Explicit(ExplicitMemory),
}

/// The bytes of a linear memory.
pub struct LinearMemory(Bytes);

/// What a memory of a type has at first, in bytes; none where that is no number.
pub(crate) fn initial_bytes(memory_type: &MemoryType) -> Option<usize> {
    let page_size = 1u64.checked_shl(u32::from(memory_type.page_size_log2))?;
    let length = memory_type.limits.min.checked_mul(page_size)?;
    usize::try_from(length).ok()
}

/// The category of everything here.
const CATEGORY: Category = Category::LinearMemory;

impl LinearMemory {
    /// Makes a memory of as many zeros as its type demands at least.
    pub fn new(
        allocator: &Allocator,
        memory_type: &MemoryType,
        storage: Storage,
    ) -> Result<LinearMemory, OutOfMemory> {
        let too_large = OutOfMemory::new(CATEGORY, usize::MAX);
        let length = initial_bytes(memory_type).ok_or(too_large)?;
        Ok(LinearMemory(match storage {
            Storage::Guard {
                reservation,
                guard,
                below,
            } => {
                let not_here = OutOfMemory::new(CATEGORY, 0);
                if !GuardPages::IS_BUILT_IN {
                    return Err(not_here);
                }
                let memory = GuardedMemory::new(
                    allocator,
                    length,
                    usize::try_from(reservation).map_err(|_| too_large)?,
                    usize::try_from(guard).map_err(|_| too_large)?,
                    below as usize,
                )?;
                Bytes::Guard(GuardPages::hold(memory).ok_or(not_here)?)
            }
            Storage::Explicit => Bytes::Explicit(ExplicitMemory::new(allocator, length, length)?),
            Storage::Fixed { capacity } => {
                let capacity = usize::try_from(capacity).map_err(|_| too_large)?;
                Bytes::Explicit(ExplicitMemory::new(allocator, length, capacity)?)
            }
        }))
    }

    /// The address of the first byte. It may change when an explicit memory grows.
    pub fn base(&self) -> NonNull<u8> {
        match &self.0 {
            Bytes::Guard(memory) => memory.base(),
            Bytes::Explicit(memory) => memory.base(),
        }
    }

    /// How many bytes can be accessed.
    pub fn length(&self) -> usize {
        match &self.0 {
            Bytes::Guard(memory) => memory.length(),
            Bytes::Explicit(memory) => memory.length(),
        }
    }

    /// Address space from the base on where an access either hits the memory or faults, in bytes.
    /// Zero without guard.
    pub fn reserved(&self) -> u64 {
        match &self.0 {
            Bytes::Guard(memory) => memory.reserved() as u64,
            Bytes::Explicit(_) => 0,
        }
    }

    /// Bytes from the base on that take memory once they are touched.
    pub fn committed(&self) -> usize {
        match &self.0 {
            Bytes::Guard(memory) => memory.committed(),
            Bytes::Explicit(memory) => memory.capacity(),
        }
    }

    /// How many of the committed bytes the system really holds, where it tells.
    pub fn resident(&self) -> Option<usize> {
        let start = self.base().as_ptr().addr();
        resident_bytes(start..start.checked_add(self.committed())?)
    }

    /// Grows to a length in bytes, with zeros. After an error the memory is as it was.
    pub fn grow(&mut self, length: usize) -> Result<(), OutOfMemory> {
        match &mut self.0 {
            Bytes::Guard(memory) => memory.grow(length),
            Bytes::Explicit(memory) => memory.grow(length),
        }
    }

    /// Maps a part of a file over bytes that nobody has written yet; what is written later stays
    /// in this process. `false` where that is not possible, for the caller to copy. After an error
    /// the memory must not be used.
    pub fn map_image(
        &mut self,
        file: &File,
        offset: u64,
        address: u64,
        length: usize,
    ) -> Result<bool, OutOfMemory> {
        match (&mut self.0, usize::try_from(address)) {
            (Bytes::Guard(memory), Ok(address)) => memory.map_image(file, offset, address, length),
            _ => Ok(false),
        }
    }
}

#[cfg(test)]
mod tests;
