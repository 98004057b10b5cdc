//! Shared memories: what threads have in common, outside of all groups.
//!
//! ```text
//!   instance of thread 1 --+
//!   instance of thread 2 --+--> block: references | base, length | growth | bytes
//!   handles of the host  --+           counted      read by code   locked
//! ```
//!
//! Whoever has a reference may use the memory, at any time and on any thread; entering a group has
//! nothing to do with it. The base never changes and the length only grows, so that a range that
//! was inside once stays inside.

use core::mem::offset_of;
use core::ptr::NonNull;
use core::sync::atomic::{AtomicU32, Ordering};

use precast_format::trap::TrapCode;

use crate::alloc::{Category, OutOfMemory, Shared};
use crate::facility::Threads;
use crate::instance::context::Pair;
use crate::instance::error::InstantiateError;
use crate::instance::memory::growth::{Pages, pages_after};
use crate::instance::memory::image::place_images;
use crate::instance::memory::object::range;
use crate::instance::memory::waiters::{self, Waiters, Woken};
use crate::instance::memory::{ClampedLimit, GrowthFailure, GrowthObserver, StorageChoice};
use crate::memory::{LinearMemory, Storage, racy};
use crate::module::Module;
use crate::runtime::Runtime;
use crate::sys::atomic::AtomicUsize;
use crate::sys::atomic::load_u64;
use crate::sys::lock::Lock;
use crate::sys::park::Deadline;
use crate::sys::resident::resident_bytes;
use crate::types::MemoryType;

/// Base and length as compiled code reads them, the length atomically: see [`Pair`].
#[repr(C)]
struct SharedPair {
    base: usize,
    length: AtomicUsize,
}

// Code reads a memory's pair in the same way, whoever made it.
const _: () = assert!(
    size_of::<SharedPair>() == size_of::<Pair>()
        && offset_of!(SharedPair, base) == offset_of!(Pair, base)
        && offset_of!(SharedPair, length) == offset_of!(Pair, length)
);

/// The value that a thread expects where it waits.
#[derive(Clone, Copy)]
pub(crate) enum Expected {
    /// Of `memory.atomic.wait32`.
    Bits32(u32),
    /// Of `memory.atomic.wait64`.
    Bits64(u64),
}

impl Expected {
    /// Bytes of the value, of which its address is a multiple.
    pub(crate) fn size(self) -> u64 {
        match self {
            Expected::Bits32(_) => 4,
            Expected::Bits64(_) => 8,
        }
    }

    /// Whether it is the one at an address.
    ///
    /// # Safety
    ///
    /// The address is aligned to the size, and so many bytes there are a shared memory's.
    unsafe fn is_at(self, place: *mut u8) -> bool {
        match self {
            Expected::Bits32(value) => {
                // SAFETY: the caller's promise.
                let found = unsafe { AtomicU32::from_ptr(place.cast()) };
                u32::from_le(found.load(Ordering::SeqCst)) == value
            }
            Expected::Bits64(value) => {
                // SAFETY: the caller's promise.
                let found = unsafe { load_u64(place.cast()) };
                u64::from_le(found) == value
            }
        }
    }
}

/// A shared memory. It lies in a counted block, and goes with the last reference.
pub(crate) struct SharedMemory {
    pair: SharedPair,
    base: NonNull<u8>,
    memory_type: MemoryType,
    reserved: u64,
    /// The bytes as the one who grows them sees them.
    growth: Lock<LinearMemory>,
    /// Who waits at an address.
    waiters: Lock<Waiters>,
    /// Counting the memories that the one who made it imports; zero for a memory of the host's.
    index: u32,
    clamped: Option<ClampedLimit>,
    observer: Option<GrowthObserver>,
    runtime: Runtime,
}

// SAFETY: the bytes are owned; they are accessed atomically wherever they are accessed.
unsafe impl Send for SharedMemory {}
// SAFETY: as above. The length is atomic, growth is locked, all else never changes.
unsafe impl Sync for SharedMemory {}

impl SharedMemory {
    /// Makes a memory of an instance.
    pub(crate) fn create(
        module: &Module,
        plan: &StorageChoice,
        memory: &precast_format::read::Memory,
    ) -> Result<Threads<Shared<SharedMemory>>, InstantiateError> {
        SharedMemory::check_built_in()?;
        let runtime = module.runtime();
        let memory_type = plan.enlarged(memory.index, memory.ty);
        let storage = plan.storage(&memory_type, 0);
        let mut bytes = LinearMemory::new(runtime.linear_memory(), &memory_type, storage)?;
        let index = plan.index(memory.index);
        place_images(&mut bytes, module, index)?;
        let mut shared = SharedMemory::of(runtime, memory_type, bytes);
        shared.index = index;
        shared.clamped = plan.clamped(memory.index, &memory_type);
        shared.observer = plan.observer();
        Ok(SharedMemory::place(shared)?)
    }

    /// Makes a memory of zeros for the host.
    pub(super) fn new(
        runtime: &Runtime,
        memory_type: MemoryType,
        storage: Storage,
    ) -> Result<Threads<Shared<SharedMemory>>, OutOfMemory> {
        SharedMemory::check_built_in()?;
        let bytes = LinearMemory::new(runtime.linear_memory(), &memory_type, storage)?;
        SharedMemory::place(SharedMemory::of(runtime, memory_type, bytes))
    }

    fn of(runtime: &Runtime, memory_type: MemoryType, bytes: LinearMemory) -> SharedMemory {
        let base = bytes.base();
        SharedMemory {
            pair: SharedPair {
                base: base.as_ptr().expose_provenance(),
                length: AtomicUsize::new(bytes.length()),
            },
            base,
            memory_type,
            reserved: bytes.reserved(),
            growth: Lock::new(bytes),
            waiters: Lock::new(Waiters::new()),
            index: 0,
            clamped: None,
            observer: None,
            runtime: runtime.clone(),
        }
    }

    /// Whether there are shared memories. Artifacts that define one have been refused otherwise; what
    /// does not exist has no memory either.
    fn check_built_in() -> Result<(), OutOfMemory> {
        match Threads::IS_BUILT_IN {
            true => Ok(()),
            false => Err(OutOfMemory::new(Category::LinearMemory, 0)),
        }
    }

    fn place(memory: SharedMemory) -> Result<Threads<Shared<SharedMemory>>, OutOfMemory> {
        let allocator = memory.runtime.allocator().clone();
        let memory = Shared::new(&allocator, Category::Instance, memory)?;
        Threads::hold(memory).ok_or(OutOfMemory::new(Category::LinearMemory, 0))
    }

    /// The layout of a shared memory's block.
    #[cfg(feature = "plan")]
    pub(crate) const fn layout() -> core::alloc::Layout {
        Shared::<SharedMemory>::layout()
    }

    /// The runtime that the memory belongs to.
    pub(crate) fn runtime(&self) -> &Runtime {
        &self.runtime
    }

    /// Where compiled code finds base and length, for as long as the memory lives.
    pub(crate) fn pair(&self) -> NonNull<Pair> {
        NonNull::from(&self.pair).cast()
    }

    /// The address of the first byte.
    pub(crate) fn base(&self) -> NonNull<u8> {
        self.base
    }

    /// Address space from the base on, in bytes.
    pub(super) fn reserved(&self) -> u64 {
        self.reserved
    }

    /// The declared type.
    pub(crate) fn memory_type(&self) -> MemoryType {
        self.memory_type
    }

    /// The host's wish for a maximum, where it was not heeded.
    pub(super) fn clamped_limit(&self) -> Option<ClampedLimit> {
        self.clamped
    }

    /// Length in bytes. Another thread may make it larger at any time.
    pub(crate) fn length(&self) -> usize {
        self.pair.length.load(Ordering::Acquire)
    }

    /// Bytes that take memory once they are touched.
    pub(super) fn committed(&self) -> usize {
        self.growth.lock().committed()
    }

    /// How many of these the system really holds, where it tells.
    pub(super) fn resident(&self) -> Option<usize> {
        let start = self.base.as_ptr().addr();
        resident_bytes(start..start.checked_add(self.committed())?)
    }

    /// Appends pages of zeros; the previous number of pages, or none where limits or memory do not
    /// allow it. Then the observer is told the reason.
    ///
    /// Of threads that grow at the same time, each gets pages of its own.
    pub(crate) fn grow(&self, delta: u64) -> Option<u64> {
        match self.try_grow(delta) {
            Ok(previous) => Some(previous),
            Err(failure) => {
                if let Some(observer) = &self.observer {
                    observer.notify(failure);
                }
                None
            }
        }
    }

    fn try_grow(&self, delta: u64) -> Result<u64, GrowthFailure> {
        // The lock is free again when the observer is told. Nothing is allocated under it: what
        // does not have guard pages has all of its bytes.
        let mut bytes = self.growth.lock();
        let previous = bytes.length() as u64 >> self.memory_type.page_size_log2;
        let Pages { pages, length } = pages_after(&self.memory_type, self.index, previous, delta)?;
        bytes
            .grow(length)
            .map_err(|error| GrowthFailure::OutOfMemory {
                memory: self.index,
                pages,
                error,
            })?;
        // Who sees the new length sees the pages.
        self.pair.length.store(bytes.length(), Ordering::Release);
        Ok(previous)
    }

    /// The address of a range, if it is in the memory now; then it stays there.
    fn at(&self, offset: u64, length: u64) -> Result<*mut u8, TrapCode> {
        let range = range(self.length(), offset, length)?;
        Ok(self.base.as_ptr().wrapping_add(range.start))
    }

    /// Copies bytes into the memory, if they fit. Other threads may see a part of them.
    pub(super) fn write(&self, offset: u64, bytes: &[u8]) -> Result<(), TrapCode> {
        let to = self.at(offset, bytes.len() as u64)?;
        // SAFETY: the range is the memory's; nobody has a reference to bytes of shared memories.
        unsafe { racy::copy_in(to, bytes.as_ptr(), bytes.len()) };
        Ok(())
    }

    /// Copies bytes out of the memory, if they are there. Other threads may write them meanwhile.
    pub(super) fn read(&self, offset: u64, bytes: &mut [u8]) -> Result<(), TrapCode> {
        let from = self.at(offset, bytes.len() as u64)?;
        // SAFETY: the range is the memory's; nobody has a reference to bytes of shared memories.
        unsafe { racy::copy_out(bytes.as_mut_ptr(), from, bytes.len()) };
        Ok(())
    }

    /// Writes the same byte `length` times.
    pub(super) fn fill(&self, offset: u64, value: u8, length: u64) -> Result<(), TrapCode> {
        let to = self.at(offset, length)?;
        // SAFETY: the range is the memory's, so the length is a number of bytes that there are.
        unsafe { racy::fill(to, value, length as usize) };
        Ok(())
    }

    /// Copies bytes, from another shared memory or within this one.
    pub(super) fn copy(
        &self,
        to: u64,
        source: &SharedMemory,
        from: u64,
        length: u64,
    ) -> Result<(), TrapCode> {
        let (to, from) = (self.at(to, length)?, source.at(from, length)?);
        // SAFETY: both ranges are their memories', so the length is a number of bytes that there
        // are.
        unsafe { racy::copy_between(to, from, length as usize) };
        Ok(())
    }

    /// Waits at an address until it is notified, if the value there is the expected one.
    ///
    /// `flag` is the interrupt field of the instance that waits. The address was aligned and in
    /// bounds; a negative timeout is none.
    pub(super) fn wait(
        &self,
        address: u64,
        expected: Expected,
        timeout: i64,
        flag: NonNull<AtomicUsize>,
    ) -> Result<Woken, TrapCode> {
        let place = self.at(address, expected.size())?;
        let deadline = u64::try_from(timeout).ok().map(Deadline::after);
        // SAFETY: the bytes are in bounds, and all threads access them atomically or not at all.
        let is_expected = || unsafe { expected.is_at(place) };
        // SAFETY: the instance runs the instruction, so that it outlives the wait.
        Ok(unsafe { waiters::wait(&self.waiters, address, flag, is_expected, deadline) })
    }

    /// Wakes threads that wait at an address, at most `count`; says how many.
    pub(super) fn notify(&self, address: u64, count: u32) -> u32 {
        self.waiters.lock().notify(address, count)
    }

    /// Ends the waits of the instance with this flag, which is set.
    pub(crate) fn interrupt(&self, flag: NonNull<AtomicUsize>) {
        self.waiters.lock().interrupt(flag);
    }

    /// How many bytes from an offset on satisfy a condition.
    pub(super) fn count_while(&self, start: usize, condition: impl Fn(u8) -> bool) -> usize {
        let length = self.length().saturating_sub(start);
        let from = self.base.as_ptr().wrapping_add(start);
        // SAFETY: so many bytes of the memory follow.
        unsafe { racy::count_while(from, length, condition) }
    }
}
