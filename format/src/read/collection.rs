//! Arrays of records, read as values of one type.

use core::marker::PhantomData;

use crate::bytes::{Record, Records};
use crate::error::{ErrorKind, FormatError};
use crate::layout::SectionId;

use super::Artifact;

/// What a section's records are read as. Sealed: the module that defines it is private.
pub trait Item<'a>: Copy {
    /// What the records refer to: strings, expressions, bytes.
    type Pools: Copy + core::fmt::Debug;

    /// The section of the records.
    const SECTION: SectionId;

    /// Reads a record. Numbers and ranges are checked here, relations between records elsewhere.
    fn read(record: Record<'a>, index: u32, pools: &Self::Pools) -> Result<Self, ErrorKind>;
}

/// The records of one section.
#[derive(Clone, Copy, Debug)]
pub struct Collection<'a, T: Item<'a>> {
    records: Records<'a>,
    pub(super) pools: T::Pools,
    marker: PhantomData<T>,
}

impl<'a, T: Item<'a>> Collection<'a, T> {
    pub(super) fn new(artifact: &Artifact<'a>, pools: T::Pools) -> Collection<'a, T> {
        let bytes = artifact.section_bytes(T::SECTION);
        Collection {
            records: Records::new(bytes, T::SECTION.unit()),
            pools,
            marker: PhantomData,
        }
    }

    /// How many there are.
    pub fn len(&self) -> u32 {
        self.records.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.records.is_empty()
    }

    /// The one with this index, or `None` beyond the end.
    pub fn get(&self, index: u32) -> Option<T> {
        self.read(index).ok()
    }

    /// All of them in order.
    pub fn iter(&self) -> Items<'a, T> {
        Items {
            collection: *self,
            next: 0,
        }
    }

    pub(super) fn record(&self, index: u32) -> Option<Record<'a>> {
        self.records.get(index)
    }

    pub(super) fn read(&self, index: u32) -> Result<T, ErrorKind> {
        let record = self.records.get(index).ok_or(ErrorKind::IndexOutOfRange)?;
        T::read(record, index, &self.pools)
    }

    /// Reads and checks every record; the first error gets its place in the file.
    pub(super) fn check_each(
        &self,
        artifact: &Artifact<'a>,
        mut check: impl FnMut(T) -> Result<(), ErrorKind>,
    ) -> Result<(), FormatError> {
        for index in 0..self.len() {
            self.read(index)
                .and_then(&mut check)
                .map_err(|kind| artifact.error(kind, T::SECTION, index))?;
        }
        Ok(())
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
        let item = self.collection.get(self.next)?;
        self.next += 1;
        Some(item)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        let rest = self.collection.len().saturating_sub(self.next) as usize;
        (rest, Some(rest))
    }
}

impl<'a, T: Item<'a>> ExactSizeIterator for Items<'a, T> {}

/// The name at a place in the strings.
pub(super) fn string(strings: &str, offset: u32, size: u32) -> Result<&str, ErrorKind> {
    let (start, size) = (offset as usize, size as usize);
    let end = start.checked_add(size).ok_or(ErrorKind::RangeOutOfBounds)?;
    if end > strings.len() {
        return Err(ErrorKind::RangeOutOfBounds);
    }
    // The strings are UTF-8; what is left to check is that no character is cut.
    strings.get(start..end).ok_or(ErrorKind::InvalidUtf8)
}
