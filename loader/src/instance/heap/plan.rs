//! Where the app heap of an instance is, before there is an instance.
//!
//! ```text
//!   the module's minimum      | data, stack, whatever the program has |
//!   the instance's            | data, stack, whatever the program has | . | app heap |
//!                                                                       ^ up to a granule, where
//!                                                                         pages are that small
//! ```
//!
//! Everything here follows from the module's types and the host's options alone, so that who
//! predicts how much memory an instance takes gets the same numbers as who makes one.
#![forbid(unsafe_code)]

use core::fmt;

use precast_format::Artifact;
use precast_format::brief::{self, MESSAGES};
use precast_format::plain::Decimal;

use crate::facility::AppHeaps;
use crate::instance::heap::ExportedAllocator;
use crate::memory::app_heap::GRANULE;
use crate::types::MemoryType;

/// Why an instance cannot have the app heap that the host asks for. Ask for none: with a heap of
/// zero bytes the module can be instantiated.
#[must_use]
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum AppHeapError {
    /// The module has no memory of its own: it imports its first one, or has none. The heap of an
    /// imported memory belongs to the module that defines it.
    NoMemory,
    /// This loader was built without the feature `app-heap`. Build it with that, or ask for none.
    NotBuiltIn,
    /// The memory may not have so many pages. Ask for a smaller heap, raise the maximum in
    /// [`InstanceOptions`](crate::InstanceOptions), or link the module with a larger one. A memory
    /// that was cut to what the program needs cannot have a heap: compile it whole.
    LimitReached {
        /// How many bytes the host asked for.
        heap_size: usize,
        /// How many pages the memory has without a heap.
        pages: u64,
        /// How many the heap needs; `u64::MAX` where there is no such number.
        heap_pages: u64,
        /// The size of a page in bytes.
        page_size: u64,
        /// How many pages the memory may have, by the module and by the host.
        limit: u64,
    },
}

precast_format::brief!(AppHeapError: NoMemory NotBuiltIn LimitReached);

impl fmt::Display for AppHeapError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !MESSAGES {
            return brief::write(self, f);
        }
        match self {
            AppHeapError::NoMemory => {
                f.write_str("there is no app heap without a memory that the module defines")
            }
            AppHeapError::NotBuiltIn => f.write_str(
                "the loader was built without app heaps; build it with the feature `app-heap`",
            ),
            AppHeapError::LimitReached {
                heap_size,
                pages,
                heap_pages,
                page_size,
                limit,
            } => write!(
                f,
                "an app heap of {} bytes needs {} pages of {} bytes \
                 behind the {} of the memory, which may have {}",
                Decimal(*heap_size as u64),
                Decimal(*heap_pages),
                Decimal(*page_size),
                Decimal(*pages),
                Decimal(*limit)
            ),
        }
    }
}

impl core::error::Error for AppHeapError {}

/// Where the app heap of an instance is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct HeapPlan {
    /// Its first byte in memory 0: a multiple of a granule, behind everything of the program's.
    pub(crate) address: u64,
    /// How many bytes it has: a multiple of a granule.
    pub(crate) bytes: usize,
    /// How many pages memory 0 has more than its type demands.
    pub(crate) pages: u64,
}

impl HeapPlan {
    /// The heap for an instance whose host asks for so many bytes; none where the host asks for
    /// nothing, or the module brings its own allocator. `limited` gives the type of a defined
    /// memory with the maximum that the host allows.
    pub(crate) fn new(
        artifact: &Artifact<'_>,
        heap_size: usize,
        limited: impl FnOnce(MemoryType) -> MemoryType,
    ) -> Result<Option<AppHeaps<HeapPlan>>, AppHeapError> {
        if heap_size == 0 {
            return Ok(None);
        }
        if !AppHeaps::IS_BUILT_IN {
            return Err(AppHeapError::NotBuiltIn);
        }
        if ExportedAllocator::find(artifact).is_some() {
            return Ok(None);
        }
        if artifact.counts().imported_memories > 0 {
            return Err(AppHeapError::NoMemory);
        }
        let memory = artifact.memories().get(0).ok_or(AppHeapError::NoMemory)?;
        HeapPlan::behind(&limited(memory.ty), heap_size).map(AppHeaps::hold)
    }

    /// The heap behind a memory that has nothing but its minimum.
    pub(crate) fn behind(
        memory_type: &MemoryType,
        heap_size: usize,
    ) -> Result<HeapPlan, AppHeapError> {
        let page_size = 1u64 << memory_type.page_size_log2;
        let reachable = memory_type.reachable_pages();
        let pages = memory_type.limits.min;
        let limit = memory_type.limits.max.unwrap_or(reachable).min(reachable);
        let sizes = || {
            const ALIGNMENT: u64 = GRANULE as u64;
            let minimum = pages.checked_mul(page_size)?;
            let address = minimum.checked_next_multiple_of(ALIGNMENT)?;
            let wanted = (heap_size as u64).checked_next_multiple_of(ALIGNMENT)?;
            let more = address.checked_add(wanted)?.checked_sub(minimum)?;
            let more = more.div_ceil(page_size);
            let end = minimum.checked_add(more.checked_mul(page_size)?)?;
            let bytes = end.checked_sub(address)? / ALIGNMENT * ALIGNMENT;
            Some((address, usize::try_from(bytes).ok()?, more))
        };
        let failed = |heap_pages| AppHeapError::LimitReached {
            heap_size,
            pages,
            heap_pages,
            page_size,
            limit,
        };
        let (address, bytes, more) = sizes().ok_or(failed(u64::MAX))?;
        if pages.checked_add(more).is_none_or(|all| all > limit) {
            return Err(failed(more));
        }
        Ok(HeapPlan {
            address,
            bytes,
            pages: more,
        })
    }
}

#[cfg(test)]
mod tests {
    //! Sizes at the edges.

    use super::*;
    use crate::types::Limits;

    fn memory(min: u64, max: Option<u64>, page_size_log2: u8) -> MemoryType {
        MemoryType {
            limits: Limits { min, max },
            is_64: false,
            shared: false,
            page_size_log2,
        }
    }

    fn plan(memory_type: MemoryType, heap_size: usize) -> (u64, usize, u64) {
        let plan = HeapPlan::behind(&memory_type, heap_size).unwrap();
        (plan.address, plan.bytes, plan.pages)
    }

    #[test]
    fn a_heap_takes_whole_pages() {
        assert_eq!(plan(memory(1, None, 16), 1), (65536, 65536, 1));
        assert_eq!(plan(memory(1, None, 16), 65536), (65536, 65536, 1));
        assert_eq!(plan(memory(2, Some(4), 16), 65537), (131072, 131072, 2));
        assert_eq!(plan(memory(0, None, 16), 16), (0, 65536, 1));
        assert_eq!(plan(memory(32, None, 0), 100), (32, 112, 112));
        assert_eq!(plan(memory(33, None, 0), 100), (48, 112, 127));
        assert_eq!(plan(memory(0, Some(16), 0), 1), (0, 16, 16));
    }

    #[test]
    fn a_heap_stays_below_the_maximum() {
        let limited = |min, max, page_size_log2, heap_size| match HeapPlan::behind(
            &memory(min, max, page_size_log2),
            heap_size,
        ) {
            Err(AppHeapError::LimitReached {
                heap_pages, limit, ..
            }) => (heap_pages, limit),
            other => panic!("{other:?}"),
        };
        assert_eq!(limited(1, Some(1), 16, 1), (1, 1));
        assert_eq!(limited(1, Some(2), 16, 65537), (2, 2));
        assert_eq!(limited(65536, None, 16, 1), (1, 65536));
        assert_eq!(limited(2048, Some(2048), 0, 16), (16, 2048));
        assert_eq!(limited(1, None, 16, usize::MAX), (u64::MAX, 65536));
        assert_eq!(limited(1, None, 0, usize::MAX), (u64::MAX, 1 << 32));
        let text = HeapPlan::behind(&memory(3, Some(4), 16), 100_000);
        let text = std::string::ToString::to_string(&text.unwrap_err());
        assert_eq!(
            text,
            "an app heap of 100000 bytes needs 2 pages of 65536 bytes behind the 3 of the memory, \
             which may have 4"
        );
    }
}
