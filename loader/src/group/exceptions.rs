//! The exceptions of a group: made, kept and freed while the group is entered.
//!
//! The registry is one pointer, made for the first exception. When the last call has left the group
//! and nothing refers to an exception any more, it goes again.

use core::ptr::NonNull;

use super::{Entered, Group};
use crate::alloc::{Box, Category, OutOfMemory};
use crate::exception::object::Object;
use crate::exception::registry::Registry;
use crate::exception::sweep::sweep;
use crate::exception::tag::TagRecordData;
use crate::facility::Exceptions;
use crate::sys::isa;

impl Group {
    /// Shows the registry to `run`, if there is one. Called by the owner only, on a root.
    fn with_exceptions<T>(&self, run: impl FnOnce(&mut Registry) -> T) -> Option<T> {
        // SAFETY: the owner of the group is this thread, and no `run` comes back here.
        let registry = unsafe { &mut *self.exceptions.get() };
        registry.as_mut().map(|registry| run(registry))
    }

    /// Makes the registry, if there is none. Called by the owner only, on a root.
    fn prepare_exceptions(&self) -> Result<(), OutOfMemory> {
        if self.with_exceptions(|_| ()).is_some() {
            return Ok(());
        }
        let allocator = self.runtime.allocator();
        let none = OutOfMemory::new(Category::Exceptions, 0);
        if !Exceptions::IS_BUILT_IN {
            return Err(none);
        }
        let registry = Registry::new(allocator);
        let registry = Box::new(allocator, Category::Exceptions, registry)?;
        let registry = Exceptions::hold(registry).ok_or(none)?;
        // SAFETY: as above.
        unsafe { *self.exceptions.get() = Some(registry) };
        Ok(())
    }

    /// An exception that nobody needs any more, as one of this tag; none where memory has to be asked
    /// for. Called by the owner only.
    ///
    /// # Safety
    ///
    /// The tag belongs to a member of the group.
    pub(crate) unsafe fn reuse_exception(&self, tag: NonNull<TagRecordData>) -> Option<Object> {
        self.root()
            .with_exceptions(|registry| registry.reuse(tag))
            .flatten()
    }

    /// Makes an exception. Called by the owner only, on the thread's own stack.
    ///
    /// # Safety
    ///
    /// The tag belongs to a member of the group.
    pub(crate) unsafe fn new_exception(
        &self,
        tag: NonNull<TagRecordData>,
    ) -> Result<Object, OutOfMemory> {
        let root = self.root();
        root.prepare_exceptions()?;
        if root.with_exceptions(|registry| registry.wants_sweep()) == Some(true) {
            root.sweep_during_call();
        }
        let none = OutOfMemory::new(Category::Exceptions, 0);
        let made = root.with_exceptions(|registry| registry.make(tag));
        match made.unwrap_or(Err(none)) {
            Ok(object) => Ok(object),
            Err(_) => {
                root.sweep_during_call();
                let made = root.with_exceptions(|registry| registry.make(tag));
                made.unwrap_or(Err(none))
            }
        }
    }

    /// Frees what neither members nor the stacks of calls refer to.
    fn sweep_during_call(&self) {
        // SAFETY: `sweep_from` takes the group, and registers and a stack pointer tell where to look.
        unsafe { isa::call_with_registers(core::ptr::from_ref(self).cast(), sweep_from) };
    }

    /// Frees what nothing refers to, given where the stack of a call in progress ends.
    fn sweep(&self, stack_pointer: Option<usize>) {
        // SAFETY: the owner of the group is this thread; a sweep changes no members.
        let members = unsafe { &*self.members.get() };
        self.with_exceptions(|registry| sweep(registry, members.iter(), stack_pointer));
    }

    /// Frees what nothing refers to when the last call has left. Called by the owner only.
    #[inline]
    pub(super) fn settle_exceptions(&self) {
        // SAFETY: the owner of the group is this thread.
        if unsafe { (*self.exceptions.get()).is_some() } {
            self.settle();
        }
    }

    #[cold]
    fn settle(&self) {
        if self.with_exceptions(Registry::wants_sweep_at_rest) == Some(true) {
            self.sweep(None);
        }
        if self.with_exceptions(|registry| registry.count()) == Some(0) {
            // SAFETY: the owner of the group is this thread.
            let _registry = unsafe { (*self.exceptions.get()).take() };
        }
    }

    /// Takes over the exceptions of a group that merges into this one. Called by the owner of both.
    pub(super) fn absorb_exceptions(&self, child: &Group) {
        // SAFETY: both groups are entered by this thread, and they are two different ones.
        let Some(from) = (unsafe { (*child.exceptions.get()).take() }) else {
            return;
        };
        // SAFETY: as above.
        match unsafe { &mut *self.exceptions.get() } {
            Some(into) => into.absorb(Box::into_inner(from.into_inner())),
            place => *place = Some(from),
        }
    }

    /// Notes that the exception is on its way. Called by the owner only.
    pub(crate) fn throw_exception(&self, object: Object) {
        self.root()
            .with_exceptions(|registry| registry.throw(object));
    }

    /// Notes that a handler gets the exception: see [`Registry::deliver`]. Called by the owner only.
    pub(crate) fn deliver_exception(&self, object: Object, keeps: bool) {
        self.root()
            .with_exceptions(|registry| registry.deliver(object, keeps));
    }
}

/// The part of a sweep that knows where registers were written to.
///
/// # Safety
///
/// The first argument is a group that is entered by this thread.
unsafe extern "C" fn sweep_from(group: *const (), stack_pointer: usize) {
    // SAFETY: the caller's promise.
    let group = unsafe { &*group.cast::<Group>() };
    group.sweep(Some(stack_pointer));
}

impl Entered<'_> {
    /// Makes an exception. Called on the thread's own stack.
    ///
    /// # Safety
    ///
    /// The tag belongs to a member of the group.
    pub(crate) unsafe fn new_exception(
        &self,
        tag: NonNull<TagRecordData>,
    ) -> Result<Object, OutOfMemory> {
        // SAFETY: the caller's promise.
        unsafe { self.group.new_exception(tag) }
    }

    /// Notes that the host has a handle to the exception.
    pub(crate) fn escape(&self, object: Object) {
        let root = self.group.root();
        root.with_exceptions(|registry| registry.escape(object));
    }

    /// Notes that the host has one handle less.
    pub(crate) fn release_exception(&self) {
        let root = self.group.root();
        root.with_exceptions(|registry| registry.pressure_more());
    }
}
