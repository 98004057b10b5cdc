//! A memory as its instances see it: the bytes, and the [`Pair`] that compiled code reads.

use core::cell::{Cell, UnsafeCell};
use core::ptr::NonNull;

use precast_format::trap::TrapCode;

use crate::alloc::OutOfMemory;
use crate::instance::context::Pair;
use crate::instance::error::InstantiateError;
use crate::instance::memory::growth::{Pages, pages_after};
use crate::instance::memory::image::place_images;
use crate::instance::memory::{ClampedLimit, GrowthFailure, GrowthObserver, StorageChoice};
use crate::memory::{LinearMemory, Storage, plain};
use crate::module::Module;
use crate::runtime::Runtime;
use crate::types::MemoryType;

/// A memory and where compiled code finds it.
///
/// All methods need the group to be entered; they are called by whoever is inside, compiled code's
/// helpers included, and make no reference that outlives them.
pub(crate) struct MemoryObject {
    memory: UnsafeCell<LinearMemory>,
    memory_type: MemoryType,
    /// In the owner's context, or `own_pair`; dangling while the object is made.
    pair: Cell<NonNull<Pair>>,
    own_pair: UnsafeCell<Pair>,
    /// Counting the memories that the owner imports; zero for a memory of the host's.
    index: u32,
    clamped: Option<ClampedLimit>,
    observer: Option<GrowthObserver>,
}

impl MemoryObject {
    /// Makes a memory of an instance.
    pub(crate) fn create(
        module: &Module,
        plan: &StorageChoice,
        memory: &precast_format::read::Memory,
        below: u32,
    ) -> Result<MemoryObject, InstantiateError> {
        let memory_type = plan.enlarged(memory.index, memory.ty);
        let mut object = MemoryObject::new(
            module.runtime(),
            memory_type,
            plan.storage(&memory_type, below),
        )?;
        let index = plan.index(memory.index);
        place_images(object.memory.get_mut(), module, index)?;
        object.index = index;
        object.clamped = plan.clamped(memory.index, &memory_type);
        object.observer = plan.observer();
        Ok(object)
    }

    /// Makes a memory of zeros. It has no pair until [`MemoryObject::move_pair`] or
    /// [`MemoryObject::own_pair`].
    pub(super) fn new(
        runtime: &Runtime,
        memory_type: MemoryType,
        storage: Storage,
    ) -> Result<MemoryObject, OutOfMemory> {
        let memory = LinearMemory::new(runtime.linear_memory(), &memory_type, storage)?;
        Ok(MemoryObject {
            memory: UnsafeCell::new(memory),
            memory_type,
            pair: Cell::new(NonNull::dangling()),
            own_pair: UnsafeCell::new(Pair { base: 0, length: 0 }),
            index: 0,
            clamped: None,
            observer: None,
        })
    }

    /// Lets the object keep its pair. It must not move from here on.
    pub(super) fn own_pair(&self) {
        self.pair.set(NonNull::from(&self.own_pair).cast());
        self.publish();
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
    pub(super) fn reserved(&self) -> u64 {
        // SAFETY: see `with`.
        unsafe { &*self.memory.get() }.reserved()
    }

    /// The declared type.
    pub(crate) fn memory_type(&self) -> MemoryType {
        self.memory_type
    }

    /// The host's wish for a maximum, where it was not heeded.
    pub(crate) fn clamped_limit(&self) -> Option<ClampedLimit> {
        self.clamped
    }

    /// Length in bytes.
    pub(crate) fn length(&self) -> usize {
        // SAFETY: see `with`.
        unsafe { &*self.memory.get() }.length()
    }

    /// Bytes that take memory once they are touched.
    pub(crate) fn committed(&self) -> usize {
        // SAFETY: see `with`.
        unsafe { &*self.memory.get() }.committed()
    }

    /// How many of these the system really holds, where it tells.
    pub(crate) fn resident(&self) -> Option<usize> {
        // SAFETY: see `with`.
        unsafe { &*self.memory.get() }.resident()
    }

    /// Length in pages.
    pub(crate) fn pages(&self) -> u64 {
        self.length() as u64 >> self.memory_type.page_size_log2
    }

    /// Appends pages of zeros; the previous number of pages, or none where limits or memory do not
    /// allow it. Then the observer is told the reason.
    pub(crate) fn grow(&self, delta: u64) -> Option<u64> {
        let previous = self.pages();
        match self.try_grow(previous, delta) {
            Ok(()) => Some(previous),
            Err(failure) => {
                if let Some(observer) = &self.observer {
                    observer.notify(failure);
                }
                None
            }
        }
    }

    /// Grows by a number of pages.
    fn try_grow(&self, previous: u64, delta: u64) -> Result<(), GrowthFailure> {
        let Pages { pages, length } = pages_after(&self.memory_type, self.index, previous, delta)?;
        // SAFETY: see `with`.
        let storage = unsafe { &mut *self.memory.get() };
        storage
            .grow(length)
            .map_err(|error| GrowthFailure::OutOfMemory {
                memory: self.index,
                pages,
                error,
            })?;
        self.publish();
        Ok(())
    }

    /// Copies bytes into the memory, if they fit.
    pub(crate) fn write(&self, offset: u64, bytes: &[u8]) -> Result<(), TrapCode> {
        self.with(|memory| {
            let range = range(memory.len(), offset, bytes.len() as u64)?;
            let place = memory.get_mut(range).ok_or(TrapCode::MemoryOutOfBounds)?;
            plain::copy(place, bytes);
            Ok(())
        })
    }

    /// Copies bytes out of the memory, if they are there.
    pub(crate) fn read(&self, offset: u64, bytes: &mut [u8]) -> Result<(), TrapCode> {
        self.with(|memory| {
            let range = range(memory.len(), offset, bytes.len() as u64)?;
            plain::copy(bytes, memory.get(range).ok_or(TrapCode::MemoryOutOfBounds)?);
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
                plain::copy_within(memory, from, to.start).ok_or(TrapCode::MemoryOutOfBounds)
            });
        }
        source.with(|source| {
            let from = range(source.len(), from, length)?;
            self.write(to, source.get(from).ok_or(TrapCode::MemoryOutOfBounds)?)
        })
    }

    /// Shows a range to `run`, which does not come back here.
    pub(super) fn with_range(
        &self,
        offset: u64,
        length: u64,
        run: impl FnOnce(&mut [u8]) -> Result<(), TrapCode>,
    ) -> Result<(), TrapCode> {
        self.with(|memory| {
            let range = range(memory.len(), offset, length)?;
            run(memory.get_mut(range).ok_or(TrapCode::MemoryOutOfBounds)?)
        })
    }

    /// How many bytes from an offset on satisfy a condition.
    pub(super) fn count_while(&self, start: usize, condition: impl Fn(u8) -> bool) -> usize {
        self.with(|memory| {
            let bytes = memory.get(start..).unwrap_or_default().iter();
            bytes.take_while(|byte| condition(**byte)).count()
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
pub(super) fn range(
    size: usize,
    start: u64,
    length: u64,
) -> Result<core::ops::Range<usize>, TrapCode> {
    match start.checked_add(length) {
        // Both are at most `size`.
        Some(end) if end <= size as u64 => Ok(start as usize..end as usize),
        _ => Err(TrapCode::MemoryOutOfBounds),
    }
}
