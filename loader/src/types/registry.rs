//! The runtime's registry of function types: structure -> number.
//!
//! Entries are counted. The registry itself holds one count of each; the last [`super::FuncType`]
//! takes the entry out again, so that loading and unloading modules forever needs no more memory
//! than the modules that are loaded. Numbers are used again; nobody can still hold one then.
#![forbid(unsafe_code)]

use crate::alloc::{Allocator, Category, OutOfMemory, Shared, Vec};
use crate::types::ValueType;

/// One structure.
pub(crate) struct Entry {
    id: u32,
    hash: u64,
    param_count: usize,
    /// Parameters, then results.
    types: Vec<ValueType>,
}

impl Entry {
    pub(crate) fn id(&self) -> u32 {
        self.id
    }

    pub(crate) fn params(&self) -> &[ValueType] {
        self.types.get(..self.param_count).unwrap_or(&[])
    }

    pub(crate) fn results(&self) -> &[ValueType] {
        self.types.get(self.param_count..).unwrap_or(&[])
    }
}

/// Every function type that is in use.
pub(crate) struct TypeRegistry {
    /// The entries by number.
    entries: Vec<Option<Shared<Entry>>>,
    /// Numbers of the entries, in the order of their hashes.
    order: Vec<(u64, u32)>,
    /// How many entries are free.
    free: usize,
}

impl TypeRegistry {
    /// An empty registry.
    pub(crate) fn new(allocator: &Allocator) -> TypeRegistry {
        TypeRegistry {
            entries: Vec::new_in(allocator, Category::Types),
            order: Vec::new_in(allocator, Category::Types),
            free: 0,
        }
    }

    /// The entry of a structure, made where there is none.
    pub(crate) fn intern(
        &mut self,
        allocator: &Allocator,
        params: &[ValueType],
        results: &[ValueType],
    ) -> Result<Shared<Entry>, OutOfMemory> {
        let hash = hash(params, results);
        let start = self.order.partition_point(|(other, _)| *other < hash);
        for (_, id) in self
            .order
            .iter()
            .skip(start)
            .take_while(|(other, _)| *other == hash)
        {
            if let Some(Some(entry)) = self.entries.get(*id as usize)
                && entry.params() == params
                && entry.results() == results
            {
                return Ok(entry.clone());
            }
        }
        let mut types = Vec::new_in(allocator, Category::Types);
        types.try_extend_from_slice(params)?;
        types.try_extend_from_slice(results)?;
        let slot = match self.free {
            0 => self.entries.len(),
            _ => self
                .entries
                .iter()
                .position(Option::is_none)
                .unwrap_or(self.entries.len()),
        };
        let entry = Entry {
            id: slot as u32,
            hash,
            param_count: params.len(),
            types,
        };
        let entry = Shared::new(allocator, Category::Types, entry)?;
        self.order.try_insert(start, (hash, slot as u32))?;
        let kept = Some(entry.clone());
        match self.entries.get_mut(slot) {
            Some(free) => {
                *free = kept;
                self.free -= 1;
            }
            None => {
                if let Err(error) = self.entries.try_push(kept) {
                    self.order.remove(start);
                    return Err(error);
                }
            }
        }
        Ok(entry)
    }

    /// Gives back a count, and forgets the entry if it was the last one beside the registry's.
    ///
    /// Counts grow by cloning an existing `FuncType`, or here under the same lock; the caller's is
    /// about to go. Two counts therefore cannot become more in the meantime.
    pub(crate) fn release(&mut self, entry: Shared<Entry>) {
        if Shared::count(&entry) != 2 {
            return;
        }
        let start = self.order.partition_point(|(other, _)| *other < entry.hash);
        let found = self
            .order
            .iter()
            .skip(start)
            .position(|(_, id)| *id == entry.id);
        if let Some(distance) = found {
            self.order.remove(start + distance);
        }
        if let Some(slot) = self.entries.get_mut(entry.id as usize) {
            *slot = None;
            self.free += 1;
        }
    }
}

/// FNV-1a over the types.
fn hash(params: &[ValueType], results: &[ValueType]) -> u64 {
    let mix = |hash: u64, word: u32| (hash ^ u64::from(word)).wrapping_mul(0x0000_0100_0000_01b3);
    let start = mix(0xcbf2_9ce4_8422_2325, params.len() as u32);
    let middle = params
        .iter()
        .fold(start, |hash, value_type| mix(hash, value_type.raw()));
    results
        .iter()
        .fold(middle, |hash, value_type| mix(hash, value_type.raw()))
}
