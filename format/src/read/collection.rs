//! Arrays of records, read as values of one type.

use core::fmt;
use core::marker::PhantomData;

use crate::bytes::Record;
use crate::layout::SectionId;

use super::Artifact;

/// What a section's records are read as. Sealed: the module that defines it is private.
pub trait Item<'a>: Copy {
    /// The section of the records.
    const SECTION: SectionId;

    /// Reads a record. It has been checked; of one that has not, the value is some value.
    fn read(artifact: &'a Artifact<'a>, record: &Record, index: u32) -> Self;
}

/// The records of one section.
pub struct Collection<'a, T: Item<'a>> {
    pub(super) artifact: &'a Artifact<'a>,
    marker: PhantomData<T>,
}

impl<'a, T: Item<'a>> Clone for Collection<'a, T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<'a, T: Item<'a>> Copy for Collection<'a, T> {}

impl<'a, T: Item<'a>> fmt::Debug for Collection<'a, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Collection").field(&T::SECTION).finish()
    }
}

impl<'a, T: Item<'a>> Collection<'a, T> {
    pub(super) const fn new(artifact: &'a Artifact<'a>) -> Collection<'a, T> {
        Collection {
            artifact,
            marker: PhantomData,
        }
    }

    /// How many there are.
    pub fn len(&self) -> u32 {
        self.artifact.count(T::SECTION)
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The one with this index, or `None` beyond the end.
    pub fn get(&self, index: u32) -> Option<T> {
        let record = self.artifact.get(T::SECTION, index)?;
        Some(T::read(self.artifact, &record, index))
    }

    /// All of them in order.
    pub fn iter(&self) -> Items<'a, T> {
        Items {
            collection: *self,
            next: 0,
        }
    }

    /// The one that is found by halving: `compare` says how it is to the one that it gets. Ends where
    /// there is none, or where `compare` does not know.
    pub(super) fn search(
        &self,
        mut compare: impl FnMut(u32) -> Option<core::cmp::Ordering>,
    ) -> Option<u32> {
        let (mut low, mut high) = (0, self.len());
        while low < high {
            let middle = low + (high - low) / 2;
            match compare(middle)? {
                core::cmp::Ordering::Less => low = middle + 1,
                core::cmp::Ordering::Greater => high = middle,
                core::cmp::Ordering::Equal => return Some(middle),
            }
        }
        None
    }
}

impl<'a, T: Item<'a>> IntoIterator for Collection<'a, T> {
    type Item = T;
    type IntoIter = Items<'a, T>;

    fn into_iter(self) -> Items<'a, T> {
        self.iter()
    }
}

impl<'a, T: Item<'a>> IntoIterator for &Collection<'a, T> {
    type Item = T;
    type IntoIter = Items<'a, T>;

    fn into_iter(self) -> Items<'a, T> {
        self.iter()
    }
}

/// Iterates over the records of a section.
#[derive(Clone)]
pub struct Items<'a, T: Item<'a>> {
    collection: Collection<'a, T>,
    next: u32,
}

impl<'a, T: Item<'a>> Iterator for Items<'a, T> {
    type Item = T;

    fn next(&mut self) -> Option<T> {
        // What is returned is made in its place, without a look at it.
        let index = self.next;
        self.next = index.saturating_add(1);
        self.collection.get(index)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        let rest = self.collection.len().saturating_sub(self.next) as usize;
        (rest, Some(rest))
    }
}

impl<'a, T: Item<'a>> ExactSizeIterator for Items<'a, T> {}
