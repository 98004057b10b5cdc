//! The runtime's registry of function types: structure -> number.
//!
//! Entries are counted. The registry itself holds one count of each; the last [`super::FuncType`]
//! takes the entry out again, so that loading and unloading modules forever needs no more memory
//! than the modules that are loaded. An entry keeps the runtime, which keeps the registry: a circle,
//! until that last type breaks it.
//!
//! ```text
//!            root
//!           /    \             a search tree by hash; its links are in the entries, so that it takes
//!     smaller    larger        and keeps no memory of its own
//! ```
#![forbid(unsafe_code)]

#[cfg(feature = "plan")]
use core::alloc::Layout;

use crate::alloc::{Category, OutOfMemory, Shared, SharedArray};
use crate::facility::TypedReferences;
use crate::runtime::Runtime;
use crate::sys::lock::Lock;
use crate::types::ValueType;
use crate::types::group::{Group, GroupStructure, OWN};

/// One structure: parameters, then results, behind what is known of them.
pub(crate) type EntryRef = SharedArray<Entry, ValueType>;

/// What is known of one structure.
pub(crate) struct Entry {
    runtime: Runtime,
    id: u32,
    hash: u32,
    param_count: u32,
    /// What it belongs to, unless its structure says all.
    group: Option<TypedReferences<Shared<Group>>>,
    /// Changed under the registry's lock only.
    links: Lock<Links>,
}

/// What hangs below an entry.
#[derive(Default)]
struct Links {
    /// Entries with smaller hashes.
    smaller: Option<EntryRef>,
    /// Entries with larger hashes, or with the same one.
    larger: Option<EntryRef>,
}

impl Entry {
    pub(crate) fn id(&self) -> u32 {
        self.id
    }

    pub(crate) fn runtime(&self) -> &Runtime {
        &self.runtime
    }

    /// The group, where the structure alone does not make the type.
    pub(crate) fn group(&self) -> Option<&Shared<Group>> {
        match &self.group {
            Some(group) => Some(group),
            None => None,
        }
    }

    /// What hangs on the side of a hash.
    fn next(&self, hash: u32) -> Option<EntryRef> {
        let links = self.links.lock();
        if hash < self.hash {
            links.smaller.clone()
        } else {
            links.larger.clone()
        }
    }

    /// Changes what hangs on the side of a hash.
    fn set_next(&self, hash: u32, next: Option<EntryRef>) {
        let mut links = self.links.lock();
        if hash < self.hash {
            links.smaller = next;
        } else {
            links.larger = next;
        }
    }
}

/// The parameters of an entry.
pub(crate) fn params(entry: &EntryRef) -> &[ValueType] {
    let count = entry.param_count as usize;
    entry.elements().get(..count).unwrap_or(&[])
}

/// The results of an entry.
pub(crate) fn results(entry: &EntryRef) -> &[ValueType] {
    let count = entry.param_count as usize;
    entry.elements().get(count..).unwrap_or(&[])
}

/// A structure that is looked up: how many parameters and results, and each of them by number,
/// parameters first.
#[derive(Clone, Copy)]
pub(crate) struct Structure<'a> {
    pub(crate) params: usize,
    pub(crate) results: usize,
    pub(crate) value_type: &'a dyn Fn(usize) -> ValueType,
}

impl Structure<'_> {
    fn count(&self) -> usize {
        self.params + self.results
    }

    fn hash(&self) -> u32 {
        let start = mix(HASH_START, self.params as u32);
        let hash = (0..self.count()).fold(start, |hash, index| {
            mix(hash, (self.value_type)(index).raw())
        });
        spread(hash)
    }

    fn is(&self, entry: &EntryRef) -> bool {
        let types = entry.elements();
        entry.group().is_none()
            && entry.param_count as usize == self.params
            && types.len() == self.count()
            && types
                .iter()
                .enumerate()
                .all(|(index, value_type)| *value_type == (self.value_type)(index))
    }
}

/// What a hash of nothing is, and one of a word more: FNV-1a.
const HASH_START: u32 = 0x811c_9dc5;

fn mix(hash: u32, word: u32) -> u32 {
    (hash ^ word).wrapping_mul(0x0100_0193)
}

/// The tree is as deep as the upper bits are alike.
fn spread(hash: u32) -> u32 {
    (hash ^ hash >> 15).wrapping_mul(0x85eb_ca6b)
}

/// The hash of a group, from which those of its entries are made.
fn group_hash(structure: &GroupStructure<'_>) -> u32 {
    let counts = (0..structure.count).map(structure.counts);
    let hash = counts.fold(HASH_START, |hash, (params, results)| {
        mix(mix(hash, params as u32), results as u32)
    });
    let values = structure.values();
    values.fold(hash, |hash, (_, _, ty)| mix(hash, ty.raw()))
}

/// Whether an entry is the first of a group with this structure.
fn is_group(structure: &GroupStructure<'_>, entry: &EntryRef) -> bool {
    let Some(group) = entry.group() else {
        return false;
    };
    let is_member = |place| {
        let Some(member) = group.member(place) else {
            return false;
        };
        let (params, results) = (structure.counts)(place);
        let types = member.elements();
        member.param_count as usize == params
            && types.len() == params + results
            && types
                .iter()
                .enumerate()
                .all(|(index, ty)| group.as_looked_up(*ty) == (structure.value_type)(place, index))
    };
    group.first() == entry.id
        && group.count() == structure.count
        && (0..structure.count).all(is_member)
}

/// Every function type that is in use.
pub(crate) struct TypeRegistry {
    root: Option<EntryRef>,
    /// The number of the next entry.
    next: u32,
    /// Whether numbers have been given before.
    wrapped: bool,
}

impl TypeRegistry {
    /// An empty registry.
    pub(crate) const fn new() -> TypeRegistry {
        TypeRegistry {
            root: None,
            next: 0,
            wrapped: false,
        }
    }

    /// The layout of what the entries of a group have in common.
    #[cfg(feature = "plan")]
    pub(crate) const fn group_layout() -> Layout {
        Shared::<Group>::layout()
    }

    /// The layout of a reference to an entry, and of an entry: the values behind it begin where it
    /// ends.
    #[cfg(feature = "plan")]
    pub(crate) const fn entry_layouts() -> (Layout, Layout) {
        (Layout::new::<EntryRef>(), Shared::<Entry>::layout())
    }

    /// The entry of a structure, made where there is none.
    pub(crate) fn intern(
        &mut self,
        runtime: &Runtime,
        structure: Structure<'_>,
    ) -> Result<EntryRef, OutOfMemory> {
        let hash = structure.hash();
        let mut next = self.root.clone();
        while let Some(entry) = next {
            if entry.hash == hash && structure.is(&entry) {
                return Ok(entry);
            }
            next = entry.next(hash);
        }
        let entry = Entry {
            runtime: runtime.clone(),
            id: self.unused_numbers(1)?,
            hash,
            param_count: structure.params as u32,
            group: None,
            links: Lock::new(Links::default()),
        };
        let entry = SharedArray::new(
            runtime.allocator(),
            Category::Types,
            entry,
            structure.count(),
            structure.value_type,
        )?;
        self.hang(entry.clone());
        Ok(entry)
    }

    /// The first entry of a group, which is made where there is none. It keeps the others.
    pub(crate) fn intern_group(
        &mut self,
        runtime: &Runtime,
        structure: GroupStructure<'_>,
    ) -> Result<EntryRef, OutOfMemory> {
        let not_here = OutOfMemory::new(Category::Types, 0);
        if !TypedReferences::IS_BUILT_IN {
            // Artifacts with such types have been refused.
            return Err(not_here);
        }
        let group_hash = group_hash(&structure);
        let hash = spread(group_hash);
        let mut next = self.root.clone();
        while let Some(entry) = next {
            if entry.hash == hash && is_group(&structure, &entry) {
                return Ok(entry);
            }
            next = entry.next(hash);
        }
        let first = self.unused_numbers(structure.count)?;
        let outside = structure.values();
        let outside = outside.filter(|(_, _, ty)| GroupStructure::is_outside(*ty));
        let allocator = runtime.allocator();
        let group = Group::new(allocator, first, structure.count, outside.count())?;
        let made = self.fill_group(runtime, structure, group_hash, &group);
        if made.is_err() {
            // The entries keep the group, which keeps them.
            group.take_members();
        }
        made?;
        for place in 0..structure.count {
            if let Some(member) = group.member(place) {
                self.hang(member);
            }
        }
        // There is no group without types.
        group.member(0).ok_or(not_here)
    }

    /// Makes the entries of a group.
    fn fill_group(
        &self,
        runtime: &Runtime,
        structure: GroupStructure<'_>,
        group_hash: u32,
        group: &Shared<Group>,
    ) -> Result<(), OutOfMemory> {
        for (place, index, ty) in structure.values() {
            if GroupStructure::is_outside(ty) {
                let known = (structure.entry)(place, index);
                // A number whose type is gone is nobody's, and stands for itself.
                if let Some(entry) = known.or_else(|| self.entry_with(ty.function_type()?)) {
                    group.add_reference(entry)?;
                }
            }
        }
        for place in 0..structure.count {
            let (params, results) = (structure.counts)(place);
            let entry = Entry {
                runtime: runtime.clone(),
                id: group.first() + place as u32,
                hash: spread(group_hash.wrapping_add(place as u32)),
                param_count: params as u32,
                group: TypedReferences::hold(group.clone()),
                links: Lock::new(Links::default()),
            };
            let value_type =
                |index| Group::as_stored(group.first(), (structure.value_type)(place, index));
            let count = params + results;
            let allocator = runtime.allocator();
            let entry = SharedArray::new(allocator, Category::Types, entry, count, value_type)?;
            group.add_member(entry)?;
        }
        Ok(())
    }

    /// Hangs an entry, or a part of the tree, to where its hash belongs.
    fn hang(&mut self, part: EntryRef) {
        let Some(mut at) = self.root.clone() else {
            self.root = Some(part);
            return;
        };
        loop {
            let next = at.next(part.hash);
            match next {
                Some(next) => at = next,
                None => {
                    at.set_next(part.hash, Some(part));
                    return;
                }
            }
        }
    }

    /// Takes an entry out of the tree.
    fn unhang(&mut self, entry: &EntryRef) {
        let Links { smaller, larger } = core::mem::take(&mut *entry.links.lock());
        let rest = match (smaller, larger) {
            (Some(smaller), None) => Some(smaller),
            (None, larger) => larger,
            (Some(smaller), Some(larger)) => {
                let mut first = larger.clone();
                loop {
                    let next = first.links.lock().smaller.clone();
                    match next {
                        Some(next) => first = next,
                        None => break,
                    }
                }
                first.links.lock().smaller = Some(smaller);
                Some(larger)
            }
        };
        let mut next = self.root.clone();
        if next
            .as_ref()
            .is_some_and(|root| SharedArray::is_same(root, entry))
        {
            self.root = rest;
            return;
        }
        while let Some(at) = next {
            next = at.next(entry.hash);
            if next
                .as_ref()
                .is_some_and(|next| SharedArray::is_same(next, entry))
            {
                at.set_next(entry.hash, rest);
                return;
            }
        }
    }

    /// The first of so many numbers in a row that no entry has.
    fn unused_numbers(&mut self, count: usize) -> Result<u32, OutOfMemory> {
        let none = OutOfMemory::new(Category::Types, usize::MAX);
        let count = u32::try_from(count).map_err(|_| none)?;
        let mut turns = 0;
        loop {
            let first = self.next;
            let Some(next) = first.checked_add(count).filter(|next| *next <= OWN) else {
                turns += 1;
                if turns > 1 {
                    return Err(none);
                }
                self.next = 0;
                self.wrapped = true;
                continue;
            };
            self.next = next;
            if !self.wrapped || !(first..next).any(|number| self.has_number(number)) {
                return Ok(first);
            }
        }
    }

    /// Whether an entry has the number. Only a runtime that has given all numbers once asks.
    pub(super) fn has_number(&self, number: u32) -> bool {
        self.entry_with(number).is_some()
    }

    /// The entry with a number. Looks at all of them.
    fn entry_with(&self, number: u32) -> Option<EntryRef> {
        let mut hash = self.hash_from(0);
        while let Some(current) = hash {
            // All entries with one hash are on the way to where another one would hang.
            let mut next = self.root.clone();
            while let Some(entry) = next {
                if entry.hash == current && entry.id == number {
                    return Some(entry);
                }
                next = entry.next(current);
            }
            hash = current.checked_add(1).and_then(|from| self.hash_from(from));
        }
        None
    }

    /// The smallest hash of an entry that is at least `from`.
    fn hash_from(&self, from: u32) -> Option<u32> {
        let mut found = None;
        let mut next = self.root.clone();
        while let Some(entry) = next {
            next = if entry.hash < from {
                entry.links.lock().larger.clone()
            } else {
                found = Some(entry.hash);
                entry.links.lock().smaller.clone()
            };
        }
        found
    }

    /// Gives back a count, and forgets the entry if it was the last one beside the registry's.
    ///
    /// Counts grow by cloning an existing `FuncType`, or here under the same lock; the caller's is
    /// about to go. Two counts therefore cannot become more in the meantime.
    pub(crate) fn release(&mut self, entry: EntryRef) {
        let mut gone = self.forget_unused(entry, None);
        // What a group refers to may go with it, and so on: a list in the entries' links, since the
        // way may be longer than the stack.
        while let Some(entry) = gone {
            gone = entry.links.lock().larger.take();
            while let Some(reference) = entry.group().and_then(|it| it.take_reference()) {
                gone = self.forget_unused(reference, gone);
            }
        }
    }

    /// Takes an entry out, with its group, if nobody else uses it. What refers to others is put in
    /// front of the list of those whose references are to be released.
    fn forget_unused(&mut self, entry: EntryRef, gone: Option<EntryRef>) -> Option<EntryRef> {
        let Some(group) = entry.group() else {
            if SharedArray::count(&entry) == 2 {
                self.unhang(&entry);
            }
            return gone;
        };
        if !group.is_last(&entry) {
            return gone;
        }
        for member in group.take_members().iter() {
            self.unhang(member);
        }
        entry.links.lock().larger = gone;
        Some(entry)
    }
}
