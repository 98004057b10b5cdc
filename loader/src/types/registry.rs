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

use crate::alloc::{Category, OutOfMemory, SharedArray};
use crate::runtime::Runtime;
use crate::sys::lock::Lock;
use crate::types::ValueType;

/// One structure: parameters, then results, behind what is known of them.
pub(crate) type EntryRef = SharedArray<Entry, ValueType>;

/// What is known of one structure.
pub(crate) struct Entry {
    runtime: Runtime,
    id: u32,
    hash: u32,
    param_count: u32,
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

    /// FNV-1a over the types.
    fn hash(&self) -> u32 {
        let mix = |hash: u32, word: u32| (hash ^ word).wrapping_mul(0x0100_0193);
        let start = mix(0x811c_9dc5, self.params as u32);
        let hash = (0..self.count()).fold(start, |hash, index| {
            mix(hash, (self.value_type)(index).raw())
        });
        // The tree is as deep as the upper bits are alike.
        (hash ^ hash >> 15).wrapping_mul(0x85eb_ca6b)
    }

    fn is(&self, entry: &EntryRef) -> bool {
        let types = entry.elements();
        entry.param_count as usize == self.params
            && types.len() == self.count()
            && types
                .iter()
                .enumerate()
                .all(|(index, value_type)| *value_type == (self.value_type)(index))
    }
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

    /// The layout of an entry with so many parameters and results.
    #[cfg(feature = "plan")]
    pub(crate) const fn entry_layout(count: usize) -> Option<Layout> {
        EntryRef::layout(count)
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
            id: self.unused_number(),
            hash,
            param_count: structure.params as u32,
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

    /// A number that no entry has.
    fn unused_number(&mut self) -> u32 {
        loop {
            let number = self.next;
            // The largest number stands for types that there are not.
            self.next = match number.checked_add(1) {
                Some(next) if next < u32::MAX => next,
                _ => {
                    self.wrapped = true;
                    0
                }
            };
            if !self.wrapped || !self.has_number(number) {
                return number;
            }
        }
    }

    /// Whether an entry has the number. Only a runtime that has given all numbers once asks.
    pub(super) fn has_number(&self, number: u32) -> bool {
        let mut hash = self.hash_from(0);
        while let Some(current) = hash {
            // All entries with one hash are on the way to where another one would hang.
            let mut next = self.root.clone();
            while let Some(entry) = next {
                if entry.hash == current && entry.id == number {
                    return true;
                }
                next = entry.next(current);
            }
            hash = current.checked_add(1).and_then(|from| self.hash_from(from));
        }
        false
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
        if SharedArray::count(&entry) == 2 {
            self.unhang(&entry);
        }
    }
}
