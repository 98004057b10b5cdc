//! Memories as the host holds them: a handle, and an exclusive slice.

use core::fmt;
use core::ops::{Deref, DerefMut};
use core::ptr::NonNull;

use precast_format::context::PointerWidth;
use precast_format::types::WASM_PAGE_SIZE_LOG2;

use crate::alloc::{NATIVE_WIDTH, Shared};
use crate::call::error::CallError;
use crate::facility::Threads;
use crate::group::{Busy, Entered, GroupRef, Linked, Member, linking};
use crate::instance::memory::{AnyMemory, MemoryObject, MemoryRef, SharedMemory};
use crate::limits::{HOST_MEMORY_GUARD, HOST_MEMORY_RESERVATION};
use crate::memory::Storage;
use crate::runtime::Runtime;
use crate::types::MemoryType;

/// A linear memory: exported by an instance, or made by the host to be imported.
///
/// A memory whose type is shared belongs to nobody: instances of any number of threads may import
/// it, and every thread may use its handles at any time, whoever is inside of an instance.
#[derive(Clone)]
pub struct Memory(Kind);

#[derive(Clone)]
enum Kind {
    Member {
        group: GroupRef,
        object: NonNull<MemoryObject>,
    },
    Shared(Threads<Shared<SharedMemory>>),
}

// SAFETY: the object belongs to a member of the group and is only touched while that is entered;
// a shared memory is for all threads.
unsafe impl Send for Memory {}
// SAFETY: as above.
unsafe impl Sync for Memory {}

/// Being inside of what a memory belongs to.
pub(super) struct Inside<'a> {
    memory: AnyMemory<'a>,
    /// None for a shared memory.
    _group: Option<Entered<'a>>,
}

impl<'a> Deref for Inside<'a> {
    type Target = AnyMemory<'a>;

    fn deref(&self) -> &AnyMemory<'a> {
        &self.memory
    }
}

impl Memory {
    /// Makes a memory of zeros. Where the runtime has guard pages, it can be imported by code that
    /// relies on them.
    ///
    /// A shared memory never moves: without guard pages, all that it may ever have is allocated at
    /// once.
    pub fn new(runtime: &Runtime, memory_type: MemoryType) -> Result<Memory, CallError> {
        let guard_pages = runtime.device().guard_pages;
        let storage = Memory::storage(&memory_type, guard_pages, NATIVE_WIDTH);
        if memory_type.shared {
            let memory = SharedMemory::new(runtime, memory_type, storage)?;
            return Ok(Memory(Kind::Shared(memory)));
        }
        let group = GroupRef::new(runtime)?;
        let object = {
            let entered = group.enter()?;
            let object = MemoryObject::new(runtime, memory_type, storage)?;
            let object = Linked::new(runtime, object)?;
            object.own_pair();
            let pointer = NonNull::from(&**object);
            entered.adopt(Member::Memory(linking(object)?));
            pointer
        };
        Ok(Memory(Kind::Member { group, object }))
    }

    /// Where a memory that the host makes is, on a machine with pointers of this width. One with
    /// 32 bits has no room for a reservation, and no code that relies on one.
    pub(crate) fn storage(
        memory_type: &MemoryType,
        guard_pages: bool,
        width: PointerWidth,
    ) -> Storage {
        let is_guarded = guard_pages
            && matches!(width, PointerWidth::Bits64)
            && !memory_type.is_64
            && memory_type.page_size_log2 == WASM_PAGE_SIZE_LOG2;
        if is_guarded {
            Storage::Guard {
                reservation: HOST_MEMORY_RESERVATION,
                guard: HOST_MEMORY_GUARD,
                below: 0,
            }
        } else if memory_type.shared {
            Storage::Fixed {
                capacity: memory_type.max_bytes(),
            }
        } else {
            Storage::Explicit
        }
    }

    /// The memory behind a reference that an instance of the group has.
    pub(crate) fn from_reference(memory: &MemoryRef, group: GroupRef) -> Memory {
        Memory(match memory {
            MemoryRef::Member(object) => Kind::Member {
                group,
                object: *object,
            },
            MemoryRef::Shared(memory) => Kind::Shared(memory.clone()),
        })
    }

    /// What an instance keeps of a memory that it imports.
    pub(crate) fn reference(&self) -> MemoryRef {
        match &self.0 {
            Kind::Member { object, .. } => MemoryRef::Member(*object),
            Kind::Shared(memory) => MemoryRef::Shared(memory.clone()),
        }
    }

    /// The memory, of which nothing may be used that changes before its group is entered.
    pub(crate) fn object(&self) -> AnyMemory<'_> {
        match &self.0 {
            // SAFETY: the handle keeps the group, and so the object, alive.
            Kind::Member { object, .. } => AnyMemory::Member(unsafe { object.as_ref() }),
            Kind::Shared(memory) => AnyMemory::of_shared(memory),
        }
    }

    /// What tells it from other memories.
    pub(crate) fn address(&self) -> usize {
        match &self.0 {
            Kind::Member { object, .. } => object.addr().get(),
            Kind::Shared(memory) => core::ptr::from_ref::<SharedMemory>(memory).addr(),
        }
    }

    /// The group; a shared memory has none.
    pub(crate) fn group(&self) -> Option<&GroupRef> {
        match &self.0 {
            Kind::Member { group, .. } => Some(group),
            Kind::Shared(_) => None,
        }
    }

    /// The runtime that the memory belongs to.
    pub(crate) fn runtime(&self) -> &Runtime {
        match &self.0 {
            Kind::Member { group, .. } => group.runtime(),
            Kind::Shared(memory) => memory.runtime(),
        }
    }

    /// Enters what the memory belongs to.
    pub(super) fn enter(&self) -> Result<Inside<'_>, Busy> {
        let group = self.group().map(GroupRef::enter).transpose()?;
        Ok(Inside {
            memory: self.object(),
            _group: group,
        })
    }

    /// The memory's declared type.
    pub fn memory_type(&self) -> MemoryType {
        self.object().memory_type()
    }

    /// The type with the current size as its minimum.
    pub(crate) fn current_type(&self) -> Result<MemoryType, Busy> {
        Ok(self.enter()?.current_type())
    }

    /// The size in pages. That of a shared memory may be larger by the time the number is used.
    pub fn size(&self) -> Result<u64, Busy> {
        Ok(self.enter()?.pages())
    }

    /// The size in bytes.
    pub fn len(&self) -> Result<usize, Busy> {
        Ok(self.enter()?.length())
    }

    /// Whether there is not a single byte.
    pub fn is_empty(&self) -> Result<bool, Busy> {
        Ok(self.len()? == 0)
    }

    /// Appends pages; the previous number, or `None` where limits or memory do not allow it.
    pub fn grow(&self, delta: u64) -> Result<Option<u64>, Busy> {
        Ok(self.enter()?.grow(delta))
    }

    /// Copies bytes out of the memory. While other threads write them, the result is some mixture
    /// of old and new ones.
    pub fn read(&self, offset: u64, bytes: &mut [u8]) -> Result<(), CallError> {
        self.enter()?
            .read(offset, bytes)
            .map_err(|_| CallError::OutOfBounds)
    }

    /// Copies bytes into the memory. Other threads may see a part of them before the rest.
    pub fn write(&self, offset: u64, bytes: &[u8]) -> Result<(), CallError> {
        self.enter()?
            .write(offset, bytes)
            .map_err(|_| CallError::OutOfBounds)
    }

    /// The whole memory as a slice. Until it is dropped, nothing else enters the memory's
    /// instances: calls and other accesses get [`Busy`].
    ///
    /// # Errors
    ///
    /// When the instances are in use, or the memory is shared.
    pub fn borrow_mut(&self) -> Result<MemoryMut<'_>, BorrowError> {
        match &self.0 {
            Kind::Member { group, .. } => {
                let entered = group.enter()?;
                let object = self.object().member().ok_or(BorrowError::Shared)?;
                Ok(MemoryMut::new(object, entered))
            }
            Kind::Shared(_) => Err(BorrowError::Shared),
        }
    }
}

impl fmt::Debug for Memory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "memory {:?}", self.memory_type())
    }
}

/// Why a memory cannot be had as a slice.
#[must_use]
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum BorrowError {
    /// Its instances are in use. Try again when they are not.
    Busy(Busy),
    /// Other threads may write the bytes at any time, so that nobody has them as a slice. Copy them
    /// with [`Memory::read`] and [`Memory::write`].
    Shared,
}

impl BorrowError {
    /// What is wrong, and what to do.
    pub(crate) const SHARED: &str =
        "the memory is shared with other threads: copy its bytes with `read` and `write`";
}

impl From<Busy> for BorrowError {
    fn from(busy: Busy) -> BorrowError {
        BorrowError::Busy(busy)
    }
}

impl fmt::Display for BorrowError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            BorrowError::Busy(busy) => busy.fmt(f),
            BorrowError::Shared => f.write_str(BorrowError::SHARED),
        }
    }
}

impl core::error::Error for BorrowError {}

/// An exclusive slice of a whole memory.
pub struct MemoryMut<'a> {
    bytes: &'a mut [u8],
    group: Entered<'a>,
}

impl<'a> MemoryMut<'a> {
    /// Borrows a member's memory.
    pub(crate) fn new(memory: &'a MemoryObject, group: Entered<'a>) -> MemoryMut<'a> {
        group.borrow_memory();
        let (base, length) = (memory.base(), memory.length());
        // SAFETY: the group is entered by this thread, and until the value is dropped nobody
        // enters it again: neither compiled code nor another handle touches or moves the bytes.
        let bytes = unsafe { core::slice::from_raw_parts_mut(base.as_ptr(), length) };
        MemoryMut { bytes, group }
    }
}

impl Drop for MemoryMut<'_> {
    fn drop(&mut self) {
        self.group.give_back();
    }
}

impl Deref for MemoryMut<'_> {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        self.bytes
    }
}

impl DerefMut for MemoryMut<'_> {
    fn deref_mut(&mut self) -> &mut [u8] {
        self.bytes
    }
}

impl fmt::Debug for MemoryMut<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} bytes of memory", self.bytes.len())
    }
}
