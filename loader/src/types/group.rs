//! Recursion groups: function types that live and go together.
//!
//! A type that is in a group of several, or that refers to types, is known by its group: by the
//! types of all members, in which a reference into the group is told by its place. So the entries of
//! a group refer to each other by number, and to earlier types, which have to stay as long.
//!
//! ```text
//!   entry -> group <- entry          the group counts all of its entries, and is in use as long as
//!     ^       | |       ^            anything else does that for one of them
//!     +-------+ +-------+
//! ```
#![forbid(unsafe_code)]

use crate::alloc::{Allocator, Category, OutOfMemory, Shared, Vec};
use crate::sys::lock::Lock;
use crate::types::ValueType;
use crate::types::registry::EntryRef;

/// References into the group that is looked up have numbers from here on, in the order of their
/// place. The registry gives smaller ones.
pub(crate) const OWN: u32 = ValueType::TYPE_NUMBERS / 2;

/// What the entries of a group have in common.
pub(crate) struct Group {
    /// The number of the first entry; the others follow.
    first: u32,
    count: u32,
    lists: Lock<Lists>,
}

struct Lists {
    members: Vec<EntryRef>,
    /// Earlier types that members refer to, each as often.
    references: Vec<EntryRef>,
}

impl Group {
    /// A group whose members are still to come.
    pub(crate) fn new(
        allocator: &Allocator,
        first: u32,
        count: usize,
        references: usize,
    ) -> Result<Shared<Group>, OutOfMemory> {
        let mut lists = Lists {
            members: Vec::new_in(allocator, Category::Types),
            references: Vec::new_in(allocator, Category::Types),
        };
        lists.members.try_reserve_exact(count)?;
        lists.references.try_reserve_exact(references)?;
        let group = Group {
            first,
            // A module has at most a million types.
            count: count as u32,
            lists: Lock::new(lists),
        };
        Shared::new(allocator, Category::Types, group)
    }

    /// How many entries it has.
    pub(crate) fn count(&self) -> usize {
        self.count as usize
    }

    /// The number of the first entry.
    pub(crate) fn first(&self) -> u32 {
        self.first
    }

    /// Adds the next entry.
    pub(crate) fn add_member(&self, entry: EntryRef) -> Result<(), OutOfMemory> {
        self.lists.lock().members.try_push(entry)
    }

    /// Keeps an earlier type.
    pub(crate) fn add_reference(&self, entry: EntryRef) -> Result<(), OutOfMemory> {
        self.lists.lock().references.try_push(entry)
    }

    /// The entry at a place.
    pub(crate) fn member(&self, place: usize) -> Option<EntryRef> {
        self.lists.lock().members.get(place).cloned()
    }

    /// Takes the entries out.
    pub(crate) fn take_members(&self) -> Vec<EntryRef> {
        let members = &mut self.lists.lock().members;
        let empty = Vec::new_in(members.allocator(), Category::Types);
        core::mem::replace(members, empty)
    }

    /// Takes one of the earlier types out.
    pub(crate) fn take_reference(&self) -> Option<EntryRef> {
        self.lists.lock().references.pop()
    }

    /// Whether a count of this entry is the only one beside those of the registry and the group.
    ///
    /// Looks at the entries after it first: a module that lets its types go one after the other is
    /// then told at the first look that there are more.
    pub(crate) fn is_last(&self, entry: &EntryRef) -> bool {
        let lists = self.lists.lock();
        let (before, after) = lists
            .members
            .split_at_checked(self.place(entry.id()))
            .unwrap_or_default();
        let mut others = after.iter().skip(1).chain(before);
        EntryRef::count(entry) == 3 && others.all(|other| EntryRef::count(other) == 2)
    }

    /// The place of a number in the group; beyond the end for those of others.
    fn place(&self, number: u32) -> usize {
        number.wrapping_sub(self.first) as usize
    }

    /// A type as it is looked up: with its place where it refers into the group.
    pub(crate) fn as_looked_up(&self, ty: ValueType) -> ValueType {
        match ty.function_type() {
            Some(number) if self.place(number) < self.count() => {
                ty.with_function_type(OWN.saturating_add(number - self.first))
            }
            _ => ty,
        }
    }

    /// A type that is looked up as entries have it.
    pub(crate) fn as_stored(first: u32, ty: ValueType) -> ValueType {
        match ty.function_type() {
            Some(number) if number >= OWN => ty.with_function_type(first + (number - OWN)),
            _ => ty,
        }
    }
}

/// A group that is looked up.
#[derive(Clone, Copy)]
pub(crate) struct GroupStructure<'a> {
    /// How many types it has.
    pub(crate) count: usize,
    /// Numbers of parameters and of results of the type at a place.
    pub(crate) counts: &'a dyn Fn(usize) -> (usize, usize),
    /// A parameter or result of the type at a place, parameters first; where that refers into the
    /// group, its number is [`OWN`] and the place.
    pub(crate) value_type: &'a dyn Fn(usize, usize) -> ValueType,
    /// The entry that the same refers to, if that is known without the registry.
    pub(crate) entry: &'a dyn Fn(usize, usize) -> Option<EntryRef>,
}

impl GroupStructure<'_> {
    /// Each parameter and result: place of the type, number, and what it is.
    pub(crate) fn values(&self) -> impl Iterator<Item = (usize, usize, ValueType)> {
        (0..self.count).flat_map(move |place| {
            let (params, results) = (self.counts)(place);
            (0..params + results).map(move |index| (place, index, (self.value_type)(place, index)))
        })
    }

    /// Whether a value refers to an earlier type.
    pub(crate) fn is_outside(ty: ValueType) -> bool {
        ty.function_type().is_some_and(|number| number < OWN)
    }
}
