//! The caller: what a host function may know and touch of the instance that called it.

use core::ptr::NonNull;

use crate::call::entry;
use crate::call::error::HostError;
use crate::call::stack::CallStack;
use crate::group::{Busy, Entered};
use crate::instance::export::Extern;
use crate::instance::memory::{AnyMemory, BorrowError, Memory, MemoryMut};
use crate::instance::{Instance, InstanceData};
use crate::runtime::Runtime;

/// The instance that called a host function.
///
/// It also is the context for calls back into WebAssembly.
pub struct Caller<'a> {
    instance: &'a InstanceData,
    group: Entered<'a>,
}

impl<'a> Caller<'a> {
    /// The instance whose context this is.
    ///
    /// # Safety
    ///
    /// 1. `context` is the context pointer of an instance that outlives the value.
    /// 2. The instance's group is entered by this thread for as long.
    pub(crate) unsafe fn new(context: NonNull<u8>) -> Result<Caller<'a>, Busy> {
        // SAFETY: 1.
        let instance = unsafe { InstanceData::from_context(context) };
        Ok(Caller {
            instance,
            group: instance.group().enter()?,
        })
    }

    /// The calling instance.
    pub fn instance(&self) -> Instance {
        Instance::from_data(self.instance)
    }

    /// The runtime.
    pub fn runtime(&self) -> &Runtime {
        self.instance.runtime()
    }

    /// What the calling instance exports under this name.
    pub fn export(&self, name: &str) -> Option<Extern> {
        self.instance().export(name)
    }

    /// The memory that the calling instance exports under this name.
    pub fn memory(&self, name: &str) -> Option<Memory> {
        self.instance().memory(name)
    }

    /// The caller's main memory as a slice: the one exported as `memory`, else memory 0.
    ///
    /// The slice is exclusive: until it is dropped, no call enters these instances. A shared memory
    /// cannot be had so; [`Caller::main_memory`] has methods that copy.
    pub fn memory_mut(&mut self) -> Result<MemoryMut<'_>, HostError> {
        let memory = self
            .any_memory()
            .ok_or(HostError::Message("the caller has no memory"))?;
        let memory = memory
            .member()
            .ok_or(HostError::Message(BorrowError::SHARED))?;
        Ok(MemoryMut::new(memory, self.instance.group().enter()?))
    }

    /// The caller's main memory: the one exported as `memory`, else memory 0.
    pub fn main_memory(&self) -> Option<Memory> {
        self.instance.main_memory_handle()
    }

    pub(crate) fn any_memory(&self) -> Option<AnyMemory<'a>> {
        self.instance.main_memory()
    }

    /// Whether the host wants the instance to stop, through an [`Interrupter`](crate::Interrupter). A
    /// host function that takes long looks here and returns, with whatever result: then the trap
    /// follows.
    pub fn is_interrupted(&self) -> bool {
        self.instance.context().is_interrupted()
    }

    pub(crate) fn group(&self) -> &Entered<'a> {
        &self.group
    }

    /// What is left of the stack of the call in progress.
    pub(crate) fn inherited_stack(&self) -> CallStack {
        // SAFETY: the instance called this host function, so that call is in progress.
        unsafe { entry::inherited_stack(self.instance.context().pointer()) }
    }
}
