//! What a group owns, as a list that takes no memory of its own.

use core::cell::UnsafeCell;
use core::ops::{Deref, DerefMut};
use core::ptr::NonNull;

use super::Group;
use crate::alloc::{Box, Category, OutOfMemory};
use crate::call::error::CallError;
use crate::exception::tag::TagObject;
use crate::facility::{HostReferences, Linking};
use crate::instance::InstanceData;
use crate::instance::global::GlobalObject;
use crate::instance::memory::MemoryObject;
use crate::instance::record::HostRecord;
use crate::instance::table::TableObject;
use crate::runtime::Runtime;

/// A member and the one that the group got before it.
pub(crate) struct Linked<T> {
    next: UnsafeCell<Option<Member>>,
    value: T,
}

impl<T> Linked<T> {
    /// The layout of a member's block.
    #[cfg(feature = "plan")]
    pub(crate) const fn layout() -> core::alloc::Layout {
        Box::<Linked<T>>::layout()
    }

    /// Moves a member into a block of its own.
    pub(crate) fn new(runtime: &Runtime, value: T) -> Result<Box<Linked<T>>, OutOfMemory> {
        let next = UnsafeCell::new(None);
        Box::new(
            runtime.allocator(),
            Category::Instance,
            Linked { next, value },
        )
    }
}

impl<T> Deref for Linked<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.value
    }
}

impl<T> DerefMut for Linked<T> {
    fn deref_mut(&mut self) -> &mut T {
        &mut self.value
    }
}

/// What a group owns.
pub(crate) enum Member {
    /// An instance with everything that it defines.
    Instance(Box<Linked<InstanceData>>),
    /// A memory that the host made.
    Memory(Linking<Box<Linked<MemoryObject>>>),
    /// A table that the host made.
    Table(Linking<Box<Linked<TableObject>>>),
    /// A global that the host made.
    Global(Linking<Box<Linked<GlobalObject>>>),
    /// A tag that the host made.
    Tag(Linking<Box<Linked<TagObject>>>),
    /// What stands for a host function that no instance imports.
    Function(HostReferences<Box<Linked<HostRecord>>>),
}

impl Member {
    /// Tells the member which group it is in.
    pub(super) fn set_group(&self, group: NonNull<Group>) {
        match self {
            Member::Instance(instance) => instance.membership().set(group),
            // Whoever refers to these is an instance or a handle, and knows the group itself.
            Member::Memory(_)
            | Member::Table(_)
            | Member::Global(_)
            | Member::Tag(_)
            | Member::Function(_) => {}
        }
    }

    /// The place of the member behind this one.
    fn next(&self) -> &UnsafeCell<Option<Member>> {
        match self {
            Member::Instance(member) => &member.next,
            Member::Memory(member) => &member.next,
            Member::Table(member) => &member.next,
            Member::Global(member) => &member.next,
            Member::Tag(member) => &member.next,
            Member::Function(member) => &member.next,
        }
    }
}

/// What the host made for instances to import.
///
/// # Errors
///
/// [`CallError::NotBuiltIn`] where instances cannot import it.
pub(crate) fn linking<T>(made: T) -> Result<Linking<T>, CallError> {
    Linking::hold(made).ok_or(CallError::NotBuiltIn)
}

/// A group's members, the youngest first. A member brings the place for the link along, so that
/// nothing is allocated for the list.
#[derive(Default)]
pub(super) struct Members {
    first: Option<Member>,
    count: usize,
}

impl Members {
    /// Puts a member in front.
    pub(super) fn push(&mut self, mut member: Member) {
        self.set_next(&mut member);
        self.first = Some(member);
        self.count += 1;
    }

    /// How many there are.
    pub(super) fn count(&self) -> usize {
        self.count
    }

    /// Hangs the list behind a member.
    fn set_next(&mut self, member: &mut Member) {
        // SAFETY: the member is borrowed exclusively, and so is the list.
        unsafe { *member.next().get() = self.first.take() };
    }

    /// Takes the first member out.
    pub(super) fn pop(&mut self) -> Option<Member> {
        let member = self.first.take()?;
        // SAFETY: the member is owned, and it is the only way to the place.
        self.first = unsafe { (*member.next().get()).take() };
        self.count -= 1;
        Some(member)
    }

    /// The members, the youngest first.
    pub(super) fn iter(&self) -> impl Iterator<Item = &Member> {
        core::iter::successors(self.first.as_ref(), |member| {
            // SAFETY: places change only while the list is borrowed exclusively.
            unsafe { (*member.next().get()).as_ref() }
        })
    }
}

impl Drop for Members {
    fn drop(&mut self) {
        // One after the other: a long list would be a deep recursion.
        while self.pop().is_some() {}
    }
}
