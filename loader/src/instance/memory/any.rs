//! A memory of either kind: a group's, or shared between threads.
//!
//! What instances and handles do with memories is the same for both; here is the one place where
//! they part. [`MemoryRef`] is what an instance keeps, [`AnyMemory`] what it lends.

use core::ptr::NonNull;

use precast_format::trap::TrapCode;

use crate::alloc::Shared;
use crate::facility::Threads;
use crate::instance::context::Pair;
use crate::instance::memory::{ClampedLimit, Expected, MemoryObject, SharedMemory, Woken};
use crate::sys::atomic::AtomicUsize;
use crate::types::MemoryType;

/// A memory that an instance uses, its own or an imported one.
#[derive(Clone)]
pub(crate) enum MemoryRef {
    /// Of a member of the instance's group, or of the instance itself.
    Member(NonNull<MemoryObject>),
    /// Shared; counted.
    Shared(Threads<Shared<SharedMemory>>),
}

impl MemoryRef {
    /// The memory.
    ///
    /// # Safety
    ///
    /// The group that owns a member's memory lives as long as the reference, and is entered
    /// whenever the result is used.
    pub(crate) unsafe fn get(&self) -> AnyMemory<'_> {
        match self {
            // SAFETY: the caller's promise.
            MemoryRef::Member(object) => AnyMemory::Member(unsafe { object.as_ref() }),
            MemoryRef::Shared(memory) => AnyMemory::of_shared(memory),
        }
    }

    /// The shared memory, if it is one.
    pub(crate) fn shared(&self) -> Option<&Shared<SharedMemory>> {
        match self {
            MemoryRef::Member(_) => None,
            MemoryRef::Shared(memory) => Some(memory),
        }
    }
}

/// A memory, while it is used. A member's needs the group to be entered.
#[derive(Clone, Copy)]
pub(crate) enum AnyMemory<'a> {
    /// Of a group.
    Member(&'a MemoryObject),
    /// Shared.
    Shared(Threads<&'a SharedMemory>),
}

macro_rules! either {
    ($self:expr, $memory:ident => $run:expr) => {
        match $self {
            AnyMemory::Member($memory) => $run,
            AnyMemory::Shared($memory) => $run,
        }
    };
}

impl<'a> AnyMemory<'a> {
    /// A shared memory.
    pub(crate) fn of_shared(memory: &'a Threads<Shared<SharedMemory>>) -> AnyMemory<'a> {
        AnyMemory::Shared(memory.map(|memory| &**memory))
    }

    /// The memory of a group, if it is one: what can be borrowed as a slice.
    pub(crate) fn member(self) -> Option<&'a MemoryObject> {
        match self {
            AnyMemory::Member(memory) => Some(memory),
            AnyMemory::Shared(_) => None,
        }
    }

    /// Where compiled code finds base and length.
    pub(crate) fn pair(self) -> NonNull<Pair> {
        either!(self, memory => memory.pair())
    }

    /// The address of the first byte.
    pub(crate) fn base(self) -> NonNull<u8> {
        either!(self, memory => memory.base())
    }

    /// Address space from the base on, in bytes.
    pub(super) fn reserved(self) -> u64 {
        either!(self, memory => memory.reserved())
    }

    /// The declared type.
    pub(crate) fn memory_type(self) -> MemoryType {
        either!(self, memory => memory.memory_type())
    }

    /// The type with the current size as its minimum, as import matching wants it.
    pub(crate) fn current_type(self) -> MemoryType {
        let mut current = self.memory_type();
        current.limits.min = self.pages();
        current
    }

    /// The host's wish for a maximum, where it was not heeded.
    pub(crate) fn clamped_limit(self) -> Option<ClampedLimit> {
        either!(self, memory => memory.clamped_limit())
    }

    /// Length in bytes.
    pub(crate) fn length(self) -> usize {
        either!(self, memory => memory.length())
    }

    /// Length in pages.
    pub(crate) fn pages(self) -> u64 {
        self.length() as u64 >> self.memory_type().page_size_log2
    }

    /// Bytes that take memory once they are touched.
    pub(crate) fn committed(self) -> usize {
        either!(self, memory => memory.committed())
    }

    /// How many of these the system really holds, where it tells.
    pub(crate) fn resident(self) -> Option<usize> {
        either!(self, memory => memory.resident())
    }

    /// Appends pages of zeros; the previous number of pages, or none where limits or memory do not
    /// allow it.
    pub(crate) fn grow(self, delta: u64) -> Option<u64> {
        either!(self, memory => memory.grow(delta))
    }

    /// Copies bytes into the memory, if they fit.
    pub(crate) fn write(self, offset: u64, bytes: &[u8]) -> Result<(), TrapCode> {
        either!(self, memory => memory.write(offset, bytes))
    }

    /// Copies bytes out of the memory, if they are there.
    pub(crate) fn read(self, offset: u64, bytes: &mut [u8]) -> Result<(), TrapCode> {
        either!(self, memory => memory.read(offset, bytes))
    }

    /// Writes the same byte `length` times.
    pub(crate) fn fill(self, offset: u64, value: u8, length: u64) -> Result<(), TrapCode> {
        either!(self, memory => memory.fill(offset, value, length))
    }

    /// Copies bytes, from another memory or within this one.
    pub(crate) fn copy(
        self,
        to: u64,
        source: AnyMemory<'_>,
        from: u64,
        length: u64,
    ) -> Result<(), TrapCode> {
        match (self, source) {
            (AnyMemory::Member(target), AnyMemory::Member(source)) => {
                target.copy(to, source, from, length)
            }
            (AnyMemory::Shared(target), AnyMemory::Shared(source)) => {
                target.copy(to, &source, from, length)
            }
            (AnyMemory::Member(target), AnyMemory::Shared(source)) => {
                target.with_range(to, length, |bytes| source.read(from, bytes))
            }
            (AnyMemory::Shared(target), AnyMemory::Member(source)) => {
                source.with_range(from, length, |bytes| target.write(to, bytes))
            }
        }
    }

    /// `memory.atomic.wait32` and `wait64`, by the instance whose interrupt field `flag` is.
    pub(crate) fn wait(
        self,
        address: u64,
        expected: Expected,
        timeout: i64,
        flag: NonNull<AtomicUsize>,
    ) -> Result<Woken, TrapCode> {
        self.check_atomic(address, expected.size())?;
        match self {
            AnyMemory::Member(_) => Err(TrapCode::ExpectedSharedMemory),
            AnyMemory::Shared(memory) => memory.wait(address, expected, timeout, flag),
        }
    }

    /// `memory.atomic.notify`: how many threads were woken. Nobody waits at memories of a group.
    pub(crate) fn notify(self, address: u64, count: u32) -> Result<u32, TrapCode> {
        self.check_atomic(address, 4)?;
        match self {
            AnyMemory::Member(_) => Ok(0),
            AnyMemory::Shared(memory) => Ok(memory.notify(address, count)),
        }
    }

    /// Checks an address of an atomic instruction that the loader executes.
    fn check_atomic(self, address: u64, size: u64) -> Result<(), TrapCode> {
        if !address.is_multiple_of(size) {
            return Err(TrapCode::UnalignedAtomic);
        }
        let inside = self.check_range(address, size);
        inside.map_err(|_| TrapCode::MemoryOutOfBounds)
    }

    /// How many bytes from an offset on satisfy a condition.
    pub(in crate::instance) fn count_while(
        self,
        start: usize,
        condition: impl Fn(u8) -> bool,
    ) -> usize {
        either!(self, memory => memory.count_while(start, condition))
    }
}
