//! The runtime's registry of function types: structure -> number.
//!
//! Entries are counted. The registry itself holds one count of each; the last [`super::FuncType`]
//! takes the entry out again, so that loading and unloading modules forever needs no more memory
//! than the modules that are loaded. An entry keeps the runtime, which keeps the registry: a circle,
//! until that last type breaks it.
#![forbid(unsafe_code)]

#[cfg(feature = "plan")]
use core::alloc::Layout;

use crate::alloc::{Allocator, Category, OutOfMemory, SharedArray, Vec};
use crate::runtime::Runtime;
use crate::types::ValueType;

/// One structure: parameters, then results, behind what is known of them.
pub(crate) type EntryRef = SharedArray<Entry, ValueType>;

/// What is known of one structure.
pub(crate) struct Entry {
    runtime: Runtime,
    id: u32,
    hash: u32,
    param_count: u32,
}

impl Entry {
    pub(crate) fn id(&self) -> u32 {
        self.id
    }

    pub(crate) fn runtime(&self) -> &Runtime {
        &self.runtime
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
        (0..self.count()).fold(start, |hash, index| {
            mix(hash, (self.value_type)(index).raw())
        })
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
    /// In the order of their hashes.
    entries: Vec<EntryRef>,
    /// The number of the next entry.
    next: u32,
    /// Whether numbers have been given before.
    wrapped: bool,
}

impl TypeRegistry {
    /// An empty registry.
    pub(crate) fn new(allocator: &Allocator) -> TypeRegistry {
        TypeRegistry {
            entries: Vec::new_in(allocator, Category::Types),
            next: 0,
            wrapped: false,
        }
    }

    /// Makes room for so many more entries, and no more than that.
    pub(crate) fn reserve(&mut self, additional: usize) -> Result<(), OutOfMemory> {
        self.entries.try_reserve_exact(additional)
    }

    /// The layout of the array of so many entries.
    #[cfg(feature = "plan")]
    pub(crate) fn array_layout(count: usize) -> Option<Layout> {
        Layout::array::<EntryRef>(count).ok()
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
        let start = self.entries.partition_point(|entry| entry.hash < hash);
        let same_hash = self.entries.iter().skip(start);
        let mut same_hash = same_hash.take_while(|entry| entry.hash == hash);
        if let Some(entry) = same_hash.find(|entry| structure.is(entry)) {
            return Ok(entry.clone());
        }
        let entry = Entry {
            runtime: runtime.clone(),
            id: self.unused_number(),
            hash,
            param_count: structure.params as u32,
        };
        let entry = SharedArray::new(
            runtime.allocator(),
            Category::Types,
            entry,
            structure.count(),
            structure.value_type,
        )?;
        self.entries.try_insert(start, entry.clone())?;
        Ok(entry)
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
            if !self.wrapped || self.entries.iter().all(|entry| entry.id != number) {
                return number;
            }
        }
    }

    /// Gives back a count, and forgets the entry if it was the last one beside the registry's.
    ///
    /// Counts grow by cloning an existing `FuncType`, or here under the same lock; the caller's is
    /// about to go. Two counts therefore cannot become more in the meantime.
    pub(crate) fn release(&mut self, entry: EntryRef) {
        if SharedArray::count(&entry) != 2 {
            return;
        }
        let start = self
            .entries
            .partition_point(|other| other.hash < entry.hash);
        let found = self
            .entries
            .iter()
            .skip(start)
            .position(|other| other.id == entry.id);
        if let Some(distance) = found {
            self.entries.remove(start + distance);
        }
    }
}
