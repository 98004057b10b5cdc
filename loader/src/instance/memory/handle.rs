//! Memories as the host holds them: a handle, and an exclusive slice.

use core::fmt;
use core::ops::{Deref, DerefMut};
use core::ptr::NonNull;

use precast_format::types::WASM_PAGE_SIZE_LOG2;

use crate::call::error::CallError;
use crate::group::{Busy, Entered, GroupRef, Linked, Member};
use crate::instance::memory::MemoryObject;
use crate::limits::{HOST_MEMORY_GUARD, HOST_MEMORY_RESERVATION};
use crate::memory::Storage;
use crate::runtime::Runtime;
use crate::types::MemoryType;

/// A linear memory: exported by an instance, or made by the host to be imported.
#[derive(Clone)]
pub struct Memory {
    group: GroupRef,
    object: NonNull<MemoryObject>,
}

// SAFETY: the object belongs to a member of the group and is only touched while that is entered.
unsafe impl Send for Memory {}
// SAFETY: as above.
unsafe impl Sync for Memory {}

impl Memory {
    /// Makes a memory of zeros. Where the runtime has guard pages, it can be imported by code that
    /// relies on them.
    pub fn new(runtime: &Runtime, memory_type: MemoryType) -> Result<Memory, CallError> {
        let storage = Memory::storage(&memory_type, runtime.device().guard_pages);
        let group = GroupRef::new(runtime)?;
        let object = {
            let entered = group.enter()?;
            let object = MemoryObject::new(runtime, memory_type, storage)?;
            let object = Linked::new(runtime, object)?;
            object.own_pair();
            let pointer = NonNull::from(&**object);
            entered.adopt(Member::Memory(object));
            pointer
        };
        Ok(Memory { group, object })
    }

    /// Where a memory that the host makes is.
    pub(crate) fn storage(memory_type: &MemoryType, guard_pages: bool) -> Storage {
        let is_guarded =
            guard_pages && !memory_type.is_64 && memory_type.page_size_log2 == WASM_PAGE_SIZE_LOG2;
        if is_guarded {
            Storage::Guard {
                reservation: HOST_MEMORY_RESERVATION,
                guard: HOST_MEMORY_GUARD,
                below: 0,
            }
        } else {
            Storage::Explicit
        }
    }

    /// The memory behind a member's pointer.
    pub(crate) fn from_object(object: NonNull<MemoryObject>, group: GroupRef) -> Memory {
        Memory { group, object }
    }

    pub(crate) fn object(&self) -> &MemoryObject {
        // SAFETY: the handle keeps the group, and so the object, alive.
        unsafe { self.object.as_ref() }
    }

    pub(crate) fn pointer(&self) -> NonNull<MemoryObject> {
        self.object
    }

    pub(crate) fn group(&self) -> &GroupRef {
        &self.group
    }

    /// The memory's declared type.
    pub fn memory_type(&self) -> MemoryType {
        self.object().memory_type()
    }

    /// The size in pages.
    pub fn size(&self) -> Result<u64, Busy> {
        let _group = self.group.enter()?;
        Ok(self.object().pages())
    }

    /// The size in bytes.
    pub fn len(&self) -> Result<usize, Busy> {
        let _group = self.group.enter()?;
        Ok(self.object().length())
    }

    /// Whether there is not a single byte.
    pub fn is_empty(&self) -> Result<bool, Busy> {
        Ok(self.len()? == 0)
    }

    /// Appends pages; the previous number, or `None` where limits or memory do not allow it.
    pub fn grow(&self, delta: u64) -> Result<Option<u64>, Busy> {
        let _group = self.group.enter()?;
        Ok(self.object().grow(delta))
    }

    /// Copies bytes out of the memory.
    pub fn read(&self, offset: u64, bytes: &mut [u8]) -> Result<(), CallError> {
        let _group = self.group.enter()?;
        self.object()
            .read(offset, bytes)
            .map_err(|_| CallError::OutOfBounds)
    }

    /// Copies bytes into the memory.
    pub fn write(&self, offset: u64, bytes: &[u8]) -> Result<(), CallError> {
        let _group = self.group.enter()?;
        self.object()
            .write(offset, bytes)
            .map_err(|_| CallError::OutOfBounds)
    }

    /// The whole memory as a slice. Until it is dropped, nothing else enters the memory's
    /// instances: calls and other accesses get [`Busy`].
    pub fn borrow_mut(&self) -> Result<MemoryMut<'_>, Busy> {
        Ok(MemoryMut::new(self.object(), self.group.enter()?))
    }
}

impl fmt::Debug for Memory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "memory {:?}", self.memory_type())
    }
}

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
