//! Linear memories as instances and hosts hold them.
//!
//! [`MemoryObject`] wraps the storage of `crate::memory` and keeps the [`Pair`] up to date that
//! compiled code reads. [`Memory`] is the host's handle; [`MemoryMut`] an exclusive slice.

use core::cell::{Cell, UnsafeCell};
use core::fmt;
use core::ops::{Deref, DerefMut};
use core::ptr::NonNull;

use precast_format::trap::TrapCode;
use precast_format::tunables::BoundsChecks;
use precast_format::types::WASM_PAGE_SIZE_LOG2;

use crate::alloc::{Box, Category};
use crate::call::error::CallError;
use crate::group::{Busy, Entered, GroupRef, Member};
use crate::instance::InstanceOptions;
use crate::instance::context::Pair;
use crate::instance::error::InstantiateError;
use crate::limits::{HOST_MEMORY_GUARD, HOST_MEMORY_RESERVATION};
use crate::memory::{LinearMemory, Storage};
use crate::module::Module;
use crate::runtime::Runtime;
use crate::types::MemoryType;

/// How the memories of an instance are stored: what the code relies on, and what the host allows.
#[derive(Clone, Copy)]
pub(crate) struct MemoryPlan {
    bounds_checks: BoundsChecks,
    reservation: u64,
    guard: u64,
    imported_memories: u32,
    first_is_guarded: bool,
    max_pages: Option<u64>,
}

impl MemoryPlan {
    /// The plan for an instance of the module.
    pub(crate) fn new(module: &Module, options: &InstanceOptions) -> MemoryPlan {
        let artifact = module.artifact();
        let tunables = &artifact.header().tunables;
        let mut plan = MemoryPlan {
            bounds_checks: tunables.bounds_checks,
            reservation: tunables.memory_reservation,
            guard: tunables.memory_guard,
            imported_memories: artifact.counts().imported_memories,
            first_is_guarded: false,
            max_pages: options.max_memory_pages,
        };
        plan.first_is_guarded = artifact
            .memories()
            .get(0)
            .is_some_and(|memory| plan.is_guarded(&memory.ty));
        plan
    }

    /// Whether code relies on guard pages around a memory of this type.
    fn is_guarded(&self, memory_type: &MemoryType) -> bool {
        self.bounds_checks == BoundsChecks::Guard
            && !memory_type.is_64
            && memory_type.page_size_log2 == WASM_PAGE_SIZE_LOG2
    }

    /// Whether a defined memory begins at the context pointer.
    pub(crate) fn holds_context(&self, defined: u32) -> bool {
        defined == 0 && self.imported_memories == 0 && self.first_is_guarded
    }

    /// Where the bytes of a memory of this type are. `below` bytes under the base are writable.
    fn storage(&self, memory_type: &MemoryType, below: u32) -> Storage {
        if self.is_guarded(memory_type) {
            Storage::Guard {
                reservation: self.reservation,
                guard: self.guard,
                below,
            }
        } else {
            Storage::Explicit
        }
    }

    /// Whether code relies on what an imported memory does not have.
    pub(crate) fn accepts(&self, memory: &MemoryObject) -> bool {
        !self.is_guarded(&memory.memory_type)
            || memory.reserved() >= self.reservation.saturating_add(self.guard)
    }
}

/// A memory and where compiled code finds it.
///
/// All methods need the group to be entered; they are called by whoever is inside, compiled code's
/// helpers included, and make no reference that outlives them.
pub(crate) struct MemoryObject {
    memory: UnsafeCell<LinearMemory>,
    memory_type: MemoryType,
    /// In the owner's context, or `own_pair`.
    pair: Cell<NonNull<Pair>>,
    own_pair: UnsafeCell<Pair>,
}

impl MemoryObject {
    /// Makes a memory of an instance.
    pub(crate) fn create(
        module: &Module,
        plan: &MemoryPlan,
        memory: &precast_format::read::Memory,
        below: u32,
    ) -> Result<Box<MemoryObject>, InstantiateError> {
        let mut memory_type = memory.ty;
        let limit = plan
            .max_pages
            .map(|pages| pages.max(memory_type.limits.min));
        memory_type.limits.max = match (memory_type.limits.max, limit) {
            (Some(max), Some(limit)) => Some(max.min(limit)),
            (max, limit) => max.or(limit),
        };
        let object = MemoryObject::new(
            module.runtime(),
            memory_type,
            plan.storage(&memory_type, below),
        )?;
        let index = plan.imported_memories.saturating_add(memory.index);
        for part in module.artifact().image() {
            if part.memory == index {
                object.place_image(module, &part)?;
            }
        }
        Ok(object)
    }

    /// Makes a memory of zeros.
    fn new(
        runtime: &Runtime,
        memory_type: MemoryType,
        storage: Storage,
    ) -> Result<Box<MemoryObject>, crate::alloc::OutOfMemory> {
        let memory = LinearMemory::new(runtime.allocator(), &memory_type, storage)?;
        let object = MemoryObject {
            memory: UnsafeCell::new(memory),
            memory_type,
            pair: Cell::new(NonNull::dangling()),
            own_pair: UnsafeCell::new(Pair { base: 0, length: 0 }),
        };
        let object = Box::new(runtime.allocator(), Category::Instance, object)?;
        object.pair.set(NonNull::from(&object.own_pair).cast());
        object.publish();
        Ok(object)
    }

    /// Puts a part of the initial contents in place.
    fn place_image(
        &self,
        module: &Module,
        part: &precast_format::read::ImagePart<'_>,
    ) -> Result<(), InstantiateError> {
        // SAFETY: see `with`.
        let memory = unsafe { &mut *self.memory.get() };
        if let Some(file) = module.file_mapping()
            && memory.map_image(
                file.file(),
                u64::from(part.file_offset),
                part.address,
                part.bytes.len(),
            )
        {
            return Ok(());
        }
        self.write(part.address, part.bytes).map_err(|code| {
            InstantiateError::Trap(crate::call::error::Trap::new(
                code,
                crate::call::backtrace::Backtrace::empty(),
            ))
        })
    }

    /// Moves the pair into the owner's context.
    ///
    /// # Safety
    ///
    /// The pair stays writable while the object lives, and nobody else writes it.
    pub(crate) unsafe fn move_pair(&self, pair: NonNull<Pair>) {
        self.pair.set(pair);
        self.publish();
    }

    /// Where compiled code finds base and length.
    pub(crate) fn pair(&self) -> NonNull<Pair> {
        self.pair.get()
    }

    /// The address of the first byte.
    pub(crate) fn base(&self) -> NonNull<u8> {
        // SAFETY: see `with`.
        unsafe { &*self.memory.get() }.base()
    }

    /// Address space from the base on, in bytes.
    fn reserved(&self) -> u64 {
        // SAFETY: see `with`.
        unsafe { &*self.memory.get() }.reserved()
    }

    /// The declared type.
    pub(crate) fn memory_type(&self) -> MemoryType {
        self.memory_type
    }

    /// The type with the current size as its minimum, as import matching wants it.
    pub(crate) fn current_type(&self) -> MemoryType {
        let mut current = self.memory_type;
        current.limits.min = self.pages();
        current
    }

    /// Length in bytes.
    pub(crate) fn length(&self) -> usize {
        // SAFETY: see `with`.
        unsafe { &*self.memory.get() }.length()
    }

    /// Length in pages.
    pub(crate) fn pages(&self) -> u64 {
        self.length() as u64 >> self.memory_type.page_size_log2
    }

    /// Appends pages of zeros; the previous number of pages, or none where limits or memory do not
    /// allow it.
    pub(crate) fn grow(&self, delta: u64) -> Option<u64> {
        let previous = self.pages();
        let pages = previous.checked_add(delta)?;
        let reachable = self.memory_type.reachable_pages();
        if pages
            > self
                .memory_type
                .limits
                .max
                .unwrap_or(reachable)
                .min(reachable)
        {
            return None;
        }
        let bytes = pages.checked_mul(1 << self.memory_type.page_size_log2)?;
        // SAFETY: see `with`.
        let memory = unsafe { &mut *self.memory.get() };
        memory.grow(usize::try_from(bytes).ok()?).ok()?;
        self.publish();
        Some(previous)
    }

    /// Copies bytes into the memory, if they fit.
    pub(crate) fn write(&self, offset: u64, bytes: &[u8]) -> Result<(), TrapCode> {
        self.with(|memory| {
            let range = range(memory.len(), offset, bytes.len() as u64)?;
            memory
                .get_mut(range)
                .ok_or(TrapCode::MemoryOutOfBounds)?
                .copy_from_slice(bytes);
            Ok(())
        })
    }

    /// Copies bytes out of the memory, if they are there.
    pub(crate) fn read(&self, offset: u64, bytes: &mut [u8]) -> Result<(), TrapCode> {
        self.with(|memory| {
            let range = range(memory.len(), offset, bytes.len() as u64)?;
            bytes.copy_from_slice(memory.get(range).ok_or(TrapCode::MemoryOutOfBounds)?);
            Ok(())
        })
    }

    /// Writes the same byte `length` times.
    pub(crate) fn fill(&self, offset: u64, value: u8, length: u64) -> Result<(), TrapCode> {
        self.with(|memory| {
            let range = range(memory.len(), offset, length)?;
            memory
                .get_mut(range)
                .ok_or(TrapCode::MemoryOutOfBounds)?
                .fill(value);
            Ok(())
        })
    }

    /// Copies bytes, from another memory or within this one.
    pub(crate) fn copy(
        &self,
        to: u64,
        source: &MemoryObject,
        from: u64,
        length: u64,
    ) -> Result<(), TrapCode> {
        if core::ptr::eq(self, source) {
            return self.with(|memory| {
                let to = range(memory.len(), to, length)?;
                let from = range(memory.len(), from, length)?;
                memory.copy_within(from, to.start);
                Ok(())
            });
        }
        source.with(|source| {
            let from = range(source.len(), from, length)?;
            self.write(to, source.get(from).ok_or(TrapCode::MemoryOutOfBounds)?)
        })
    }

    /// Shows the bytes to `run`.
    fn with<T>(&self, run: impl FnOnce(&mut [u8]) -> T) -> T {
        let (base, length) = (self.base(), self.length());
        // SAFETY: the group is entered by this thread, compiled code is not running, no slice is
        // borrowed, and none of the closures of this module comes back to the same memory.
        run(unsafe { core::slice::from_raw_parts_mut(base.as_ptr(), length) })
    }

    /// Writes base and length where compiled code finds them.
    fn publish(&self) {
        let pair = Pair {
            base: self.base().as_ptr().expose_provenance(),
            length: self.length(),
        };
        // SAFETY: the pair is writable, as `move_pair` demands.
        unsafe { self.pair.get().write(pair) };
    }
}

/// The range of `length` bytes from `start`, if it fits.
fn range(size: usize, start: u64, length: u64) -> Result<core::ops::Range<usize>, TrapCode> {
    match start.checked_add(length) {
        // Both are at most `size`.
        Some(end) if end <= size as u64 => Ok(start as usize..end as usize),
        _ => Err(TrapCode::MemoryOutOfBounds),
    }
}

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
        let is_guarded = runtime.device().guard_pages
            && !memory_type.is_64
            && memory_type.page_size_log2 == WASM_PAGE_SIZE_LOG2;
        let storage = if is_guarded {
            Storage::Guard {
                reservation: HOST_MEMORY_RESERVATION,
                guard: HOST_MEMORY_GUARD,
                below: 0,
            }
        } else {
            Storage::Explicit
        };
        let group = GroupRef::new(runtime)?;
        let object = {
            let entered = group.enter()?;
            let object = MemoryObject::new(runtime, memory_type, storage)?;
            let pointer = NonNull::from(&*object);
            entered.adopt(Member::Memory(object))?;
            pointer
        };
        Ok(Memory { group, object })
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
