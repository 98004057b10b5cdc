//! One region of the host's as the source of all memory.
//!
//! ```text
//!   StaticPool ---take---> &'static mut [MaybeUninit<u8>] ---Allocator::pool---> blocks
//! ```
//!
//! Every request of the runtime is served from the region, those for linear memories included, and
//! from nowhere else; what does not fit is an error. The host can provide linear memories by functions
//! of its own ([`RuntimeOptions::linear_memory`](crate::RuntimeOptions)). Two things are not memory in
//! this sense, and come from the platform where it has them: pages that can be executed, unless the
//! host provides them ([`CodeMemory`](crate::CodeMemory)), and read-only mappings of artifact files.
//! Reserved address space for memories with guard pages is a third one, and it is refused unless
//! [`RuntimeOptions::platform_mappings`](crate::RuntimeOptions) allows it.
//!
//! The allocator is our own ([`tlsf`]), after a look at two well-kept libraries. `talc` documents that
//! a request may look through all free blocks; real-time users want constant time. `rlsf` has it, by
//! the algorithm used here, at 16 bytes for each block in steps of 32 on 64-bit machines. The
//! number of its lists, and so the largest pool, is fixed when it is compiled: lists for 4 GiB take
//! 1.7 KiB of every pool, where the smallest runtimes live in 16. Its stable interface tells neither
//! how much is free nor the largest block, and does not notice a block that is freed twice. Ours
//! takes 8 bytes for each block in steps of 16 on every machine, sizes its lists after the region
//! (324 bytes for 16 KiB), and is some 400 lines, of which two functions touch memory.

#[cfg(feature = "plan")]
mod model;
mod tlsf;
mod words;

use core::alloc::Layout;
use core::cell::UnsafeCell;
use core::mem::MaybeUninit;
use core::ptr::NonNull;
use core::sync::atomic::Ordering;

use super::{Category, Fresh, RawAllocator, clear_added};
use crate::sys::atomic::AtomicBool;
use crate::sys::lock::Lock;

#[cfg(feature = "plan")]
pub(crate) use model::PoolModel;
use tlsf::Tlsf;
use words::Words;

/// How full a pool is. Sizes include what the pool adds to each block, where not said otherwise.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct PoolUsage {
    /// Bytes of the region that blocks can take.
    pub capacity: usize,
    /// Bytes that no block takes now.
    pub free: usize,
    /// The size of the largest free block, without what the pool adds to it.
    pub largest_free: usize,
    /// The most bytes that blocks have taken at any time.
    pub peak: usize,
}

/// A region of so many bytes for a pool, to be put in a `static`.
///
/// ```
/// use precast_loader::{Runtime, RuntimeOptions, StaticPool};
///
/// static POOL: StaticPool<16384> = StaticPool::new();
///
/// let region = POOL.take().expect("nobody else has it");
/// let runtime = Runtime::with_pool(region, RuntimeOptions::default())?;
/// # Ok::<(), precast_loader::OutOfMemory>(())
/// ```
#[repr(C, align(16))]
pub struct StaticPool<const BYTES: usize> {
    region: UnsafeCell<[MaybeUninit<u8>; BYTES]>,
    taken: AtomicBool,
}

// SAFETY: the flag lets one caller have the region, and only once.
unsafe impl<const BYTES: usize> Sync for StaticPool<BYTES> {}

impl<const BYTES: usize> StaticPool<BYTES> {
    /// A region that is still there.
    pub const fn new() -> StaticPool<BYTES> {
        StaticPool {
            region: UnsafeCell::new([MaybeUninit::uninit(); BYTES]),
            taken: AtomicBool::new(false),
        }
    }

    /// The region, the first time.
    #[expect(clippy::mut_from_ref, reason = "the flag lets one caller have it")]
    pub fn take(&'static self) -> Option<&'static mut [MaybeUninit<u8>]> {
        if self.taken.swap(true, Ordering::AcqRel) {
            return None;
        }
        // SAFETY: the flag was not set before, so this is the only reference there ever is.
        Some(unsafe { &mut *self.region.get() })
    }
}

impl<const BYTES: usize> Default for StaticPool<BYTES> {
    fn default() -> StaticPool<BYTES> {
        StaticPool::new()
    }
}

/// A pool as a source of memory.
pub(super) struct PoolAllocator {
    pool: Lock<Tlsf<Words>>,
    /// Bytes of the region that no block can take.
    overhead: usize,
}

impl PoolAllocator {
    /// Makes a pool of a region. `None` where there is no room for any block.
    ///
    /// # Safety
    ///
    /// The region is valid for reads and writes, and used for nothing else as long as the pool or a
    /// block of it is there.
    pub(super) unsafe fn new(start: NonNull<u8>, bytes: usize) -> Option<PoolAllocator> {
        // SAFETY: the caller's promise. Blocks are used by those who get them.
        let pool = Tlsf::new(unsafe { Words::new(start, bytes) })?;
        let overhead = bytes - pool.capacity();
        Some(PoolAllocator {
            pool: Lock::new(pool),
            overhead,
        })
    }

    /// Bytes of the region that no block can take.
    pub(super) fn overhead(&self) -> usize {
        self.overhead
    }

    pub(super) fn usage(&self) -> PoolUsage {
        let pool = self.pool.lock();
        PoolUsage {
            capacity: pool.capacity(),
            free: pool.free_bytes(),
            largest_free: pool.largest_free(),
            peak: pool.peak(),
        }
    }
}

// SAFETY: blocks are parts of the region that belong to one caller each and are aligned as asked. A
// block that cannot be resized in place is copied before it is freed. The lock lets any thread in.
// Only where debug assertions are on, and the promises of `free` are broken, is there a panic.
unsafe impl RawAllocator for PoolAllocator {
    fn allocate(&self, layout: Layout, fresh: Fresh, _: Category) -> Option<NonNull<u8>> {
        let block = self.pool.lock().allocate(layout.size(), layout.align())?;
        // SAFETY: the block has the layout's size and is exclusive.
        unsafe { clear_added(block, 0, layout.size(), fresh) };
        Some(block)
    }

    unsafe fn reallocate(
        &self,
        block: NonNull<u8>,
        layout: Layout,
        size: usize,
        fresh: Fresh,
        category: Category,
    ) -> Option<NonNull<u8>> {
        let moved = if self.pool.lock().resize(block, size) {
            block
        } else {
            let moved = self.pool.lock().allocate(size, layout.align())?;
            let kept = layout.size().min(size);
            // SAFETY: both blocks have that many bytes, and they are two different ones.
            unsafe { moved.copy_from_nonoverlapping(block, kept) };
            // SAFETY: the caller's promise; the contents have moved.
            unsafe { self.free(block, layout, category) };
            moved
        };
        // SAFETY: the block has the new size and is exclusive.
        unsafe { clear_added(moved, layout.size(), size, fresh) };
        Some(moved)
    }

    unsafe fn free(&self, block: NonNull<u8>, _: Layout, _: Category) {
        self.pool.lock().free(block);
    }
}

#[cfg(test)]
mod tests;
