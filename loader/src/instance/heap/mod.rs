//! Heaps of programs: memory inside of the program's own, allocated by the host.
//!
//! A program with an allocator exports it ([`exported`]); one without gets an app heap at the end of
//! its memory, if the host asks for one ([`plan`]). Either way the host calls the same functions.
#![forbid(unsafe_code)]

mod error;
mod exported;
mod plan;

use core::cell::RefCell;

use crate::call::caller::Caller;
use crate::call::error::CallError;
use crate::call::exec_env::CallContext;
use crate::group::Busy;
use crate::instance::memory::AnyMemory;
use crate::instance::{Instance, InstanceData};
use crate::memory::app_heap::{AppHeap, AppHeapUsage};

pub use error::HeapError;
pub(crate) use exported::ExportedAllocator;
pub use plan::AppHeapError;
pub(crate) use plan::HeapPlan;

impl Instance {
    /// Allocates memory inside of the program's: with the allocator that it exports, else in its
    /// app heap. The address of at least so many bytes, aligned to 16 in the app heap and as the
    /// program does it otherwise. A request of nothing counts as one of a byte.
    ///
    /// The bytes are what they were before. The app heap is made with
    /// [`InstanceOptions::heap_size`](crate::InstanceOptions::heap_size); an exported allocator is
    /// `malloc` and `free`, or `__new` with `__release` or with `__pin` and `__unpin`.
    ///
    /// # Errors
    ///
    /// See [`HeapError`]. Nothing of the runtime's memory is used, except by what the program does.
    pub fn module_malloc(
        &self,
        context: &mut impl CallContext,
        bytes: u64,
    ) -> Result<u64, HeapError> {
        let data = self.data();
        if data.app_heap().is_some() {
            return self.with_app_heap(|heap| {
                let address = heap.allocate(bytes);
                address.ok_or(HeapError::OutOfMemory { requested: bytes })
            });
        }
        let allocator = self.exported_allocator().ok_or(HeapError::NoHeap)?;
        let address = allocator.allocate(self, context, bytes)?;
        let _group = self.group.enter()?;
        if !data.heap_holds(address, bytes) {
            let requested = bytes;
            return Err(HeapError::BadAddress { address, requested });
        }
        Ok(address)
    }

    /// Frees what [`Instance::module_malloc`] or [`Instance::module_dup_data`] allocated.
    ///
    /// The app heap knows its blocks. Whether an exported allocator does is the program's business:
    /// an address that is in its memory is passed on.
    ///
    /// # Errors
    ///
    /// See [`HeapError`]. Zero is the address of no allocation.
    pub fn module_free(
        &self,
        context: &mut impl CallContext,
        address: u64,
    ) -> Result<(), HeapError> {
        let not_an_allocation = HeapError::NotAnAllocation { address };
        let data = self.data();
        if data.app_heap().is_some() {
            return self.with_app_heap(|heap| {
                if heap.free(address) {
                    Ok(())
                } else {
                    Err(not_an_allocation)
                }
            });
        }
        let allocator = self.exported_allocator().ok_or(HeapError::NoHeap)?;
        {
            let _group = self.group.enter()?;
            if address == 0 || !data.heap_holds(address, 1) {
                return Err(not_an_allocation);
            }
        }
        allocator.free(self, context, address)
    }

    /// Makes an allocation of `old_bytes` larger or smaller, by allocating anew: the address of
    /// another one, with the same bytes up to the smaller size. Two of the program's own allocations
    /// are there for a moment.
    ///
    /// # Errors
    ///
    /// See [`HeapError`]. The old allocation is then as it was, unless the program's allocator failed to
    /// free it.
    pub fn module_realloc(
        &self,
        context: &mut impl CallContext,
        address: u64,
        old_bytes: u64,
        new_bytes: u64,
    ) -> Result<u64, HeapError> {
        let data = self.data();
        {
            let _group = self.group.enter()?;
            let known = match data.app_heap() {
                Some(heap) => {
                    let heap = heap.try_borrow().map_err(|_| CallError::Busy(Busy))?;
                    let size = heap.size_of(address);
                    size.is_some_and(|size| old_bytes <= size as u64)
                }
                None => address != 0 && data.heap_holds(address, old_bytes),
            };
            if !known {
                return Err(HeapError::NotAnAllocation { address });
            }
        }
        let new = self.module_malloc(context, new_bytes)?;
        {
            let _group = self.group.enter()?;
            let memory = data.heap_memory();
            let length = old_bytes.min(new_bytes);
            memory
                .and_then(|memory| memory.copy(new, memory, address, length).ok())
                .ok_or(HeapError::BadAddress {
                    address: new,
                    requested: new_bytes,
                })?;
        }
        self.module_free(context, address)?;
        Ok(new)
    }

    /// Allocates as [`Instance::module_malloc`] does, and copies bytes there. Their address.
    ///
    /// ```no_run
    /// # use precast_loader::{CallContext, Instance};
    /// # fn example(app: &Instance, env: &mut impl CallContext) -> Result<(), Box<dyn core::error::Error>> {
    /// let text = app.module_dup_data(env, b"hello\0")?;
    /// app.func::<(u32,), ()>("greet")?.call(env, (text as u32,))?;
    /// app.module_free(env, text)?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// See [`HeapError`].
    pub fn module_dup_data(
        &self,
        context: &mut impl CallContext,
        bytes: &[u8],
    ) -> Result<u64, HeapError> {
        let requested = bytes.len() as u64;
        let address = self.module_malloc(context, requested)?;
        let _group = self.group.enter()?;
        let memory = self.data().heap_memory();
        memory
            .and_then(|memory| memory.write(address, bytes).ok())
            .ok_or(HeapError::BadAddress { address, requested })?;
        Ok(address)
    }

    /// How full the app heap is; none where there is no app heap. Takes time with the heap's size.
    pub fn app_heap(&self) -> Result<Option<AppHeapUsage>, Busy> {
        let _group = self.group.enter()?;
        let heap = self.data().app_heap();
        heap.map(|heap| Ok(heap.try_borrow().map_err(|_| Busy)?.usage()))
            .transpose()
    }

    /// How many bytes a block of the app heap has, which may be more than were asked for; none
    /// where no block begins at the address, or there is no app heap.
    pub fn app_heap_size_of(&self, address: u64) -> Result<Option<usize>, Busy> {
        let _group = self.group.enter()?;
        match self.data().app_heap() {
            Some(heap) => Ok(heap.try_borrow().map_err(|_| Busy)?.size_of(address)),
            None => Ok(None),
        }
    }

    fn exported_allocator(&self) -> Option<ExportedAllocator> {
        ExportedAllocator::find(self.module().artifact())
    }

    fn with_app_heap<T>(
        &self,
        run: impl FnOnce(&mut AppHeap) -> Result<T, HeapError>,
    ) -> Result<T, HeapError> {
        let _group = self.group.enter()?;
        let heap = self.data().app_heap().ok_or(HeapError::NoHeap)?;
        let mut heap = heap.try_borrow_mut().map_err(|_| CallError::Busy(Busy))?;
        run(&mut heap)
    }
}

impl InstanceData {
    /// The books of the app heap, if there is one.
    fn app_heap(&self) -> Option<&RefCell<AppHeap>> {
        self.app_heap.first()
    }

    /// The memory that allocations are in.
    fn heap_memory(&self) -> Option<AnyMemory<'_>> {
        if self.app_heap().is_some() {
            self.memory(0)
        } else {
            self.main_memory()
        }
    }

    /// Whether a segment ends behind what the memory has without the app heap.
    pub(super) fn reaches_app_heap(&self, memory: u32, address: u64, length: usize) -> bool {
        let declared = self.module().artifact().memory_type(memory);
        let end = address.saturating_add(length as u64);
        memory == 0
            && self.app_heap().is_some()
            && declared.is_none_or(|declared| end > declared.min_bytes())
    }

    /// Whether that memory has these bytes.
    fn heap_holds(&self, address: u64, bytes: u64) -> bool {
        self.heap_memory()
            .is_some_and(|memory| memory.check_range(address, bytes).is_ok())
    }
}

impl Caller<'_> {
    /// Allocates memory inside of the caller's, as [`Instance::module_malloc`] does.
    pub fn module_malloc(&mut self, bytes: u64) -> Result<u64, HeapError> {
        self.instance().module_malloc(self, bytes)
    }

    /// Frees memory inside of the caller's, as [`Instance::module_free`] does.
    pub fn module_free(&mut self, address: u64) -> Result<(), HeapError> {
        self.instance().module_free(self, address)
    }

    /// Copies bytes to new memory inside of the caller's, as [`Instance::module_dup_data`] does.
    pub fn module_dup_data(&mut self, bytes: &[u8]) -> Result<u64, HeapError> {
        self.instance().module_dup_data(self, bytes)
    }
}
