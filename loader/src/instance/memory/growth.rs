//! What the host is told about the limits of memories: why a growth failed, which wish was cut.
//!
//! The program gets -1 whatever the reason; whoever sizes a device wants to know which it was.
#![forbid(unsafe_code)]

use core::fmt;

use crate::alloc::{Category, OutOfMemory};
use crate::types::MemoryType;

/// Why a memory did not grow.
#[must_use]
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum GrowthFailure {
    /// The memory may not have so many pages. Raise the module's maximum, or the one in
    /// [`InstanceOptions`](crate::InstanceOptions).
    LimitReached {
        /// The memory, counting those that the instance imports.
        memory: u32,
        /// How many pages it would have had; `u64::MAX` where there is no such number.
        pages: u64,
        /// How many it may have.
        limit: u64,
    },
    /// There are no bytes for the pages. Give the runtime more memory, or the artifact a larger
    /// reservation.
    OutOfMemory {
        /// The memory, counting those that the instance imports.
        memory: u32,
        /// How many pages it would have had.
        pages: u64,
        /// What was asked of the allocator or the system.
        error: OutOfMemory,
    },
}

impl fmt::Display for GrowthFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            GrowthFailure::LimitReached {
                memory,
                pages,
                limit,
            } => write!(
                f,
                "memory {memory} may have {limit} pages and wants {pages}"
            ),
            GrowthFailure::OutOfMemory {
                memory,
                pages,
                error,
            } => write!(f, "memory {memory} wants {pages} pages: {error}"),
        }
    }
}

impl core::error::Error for GrowthFailure {}

/// The size of a memory that has grown.
#[derive(Clone, Copy)]
pub(super) struct Pages {
    pub(super) pages: u64,
    /// Bytes.
    pub(super) length: usize,
}

/// The size that a memory of this type and index has after it grew, if it may have that.
pub(super) fn pages_after(
    memory_type: &MemoryType,
    memory: u32,
    previous: u64,
    delta: u64,
) -> Result<Pages, GrowthFailure> {
    let reachable = memory_type.reachable_pages();
    let limit = memory_type.limits.max.unwrap_or(reachable).min(reachable);
    let pages = match previous.checked_add(delta) {
        Some(pages) if pages <= limit => pages,
        pages => {
            return Err(GrowthFailure::LimitReached {
                memory,
                pages: pages.unwrap_or(u64::MAX),
                limit,
            });
        }
    };
    let length = pages
        .checked_mul(1 << memory_type.page_size_log2)
        .and_then(|bytes| usize::try_from(bytes).ok());
    let length = length.ok_or(GrowthFailure::OutOfMemory {
        memory,
        pages,
        error: OutOfMemory::new(Category::LinearMemory, usize::MAX),
    })?;
    Ok(Pages { pages, length })
}

/// A function of the host that is told why memories of an instance did not grow.
///
/// It is called on the thread that asked for the growth, within `memory.grow` or
/// [`Memory::grow`](crate::Memory::grow); for shared memories that is any thread. It must not panic, and what it does to the instance has
/// no effect on the outcome.
#[derive(Clone, Copy)]
pub struct GrowthObserver {
    user: usize,
    notify: fn(usize, GrowthFailure),
}

impl GrowthObserver {
    /// An observer. `user` is passed to the function: an index, or an address with exposed
    /// provenance.
    pub const fn new(user: usize, notify: fn(usize, GrowthFailure)) -> GrowthObserver {
        GrowthObserver { user, notify }
    }

    pub(super) fn notify(&self, failure: GrowthFailure) {
        (self.notify)(self.user, failure);
    }
}

impl PartialEq for GrowthObserver {
    /// Whether function and user are the same.
    fn eq(&self, other: &GrowthObserver) -> bool {
        self.user == other.user && core::ptr::fn_addr_eq(self.notify, other.notify)
    }
}

impl Eq for GrowthObserver {}

impl fmt::Debug for GrowthObserver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "GrowthObserver({:#x})", self.user)
    }
}

/// A maximum that the host wished for and that the memory's type does not allow.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
// As many bytes on 32-bit x86, whose 64-bit numbers are aligned to four, as everywhere else.
#[repr(align(8))]
pub struct ClampedLimit {
    /// The memory, counting those that the instance imports.
    pub memory: u32,
    /// The wish, in pages.
    pub requested: u64,
    /// The maximum that holds, in pages: the module's minimum or its maximum.
    pub applied: u64,
}
