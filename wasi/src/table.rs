//! The descriptor table: small numbers for open things, the lowest free one first.

use std::sync::{Arc, Mutex};

use crate::descriptor::{Descriptor, lock};
use crate::errno::Errno;

/// The descriptors of one context. Calls take an entry out as a shared reference and work without the
/// lock, so that a thread that waits for input does not hold up the others.
pub(crate) struct Table {
    entries: Mutex<Vec<Option<Arc<Descriptor>>>>,
    limit: usize,
}

impl Table {
    pub fn new(entries: Vec<Descriptor>, limit: usize) -> Table {
        let entries = entries
            .into_iter()
            .map(|entry| Some(Arc::new(entry)))
            .collect();
        Table {
            entries: Mutex::new(entries),
            limit,
        }
    }

    pub fn get(&self, fd: u32) -> Result<Arc<Descriptor>, Errno> {
        let entries = lock(&self.entries);
        entries
            .get(fd as usize)
            .and_then(Option::clone)
            .ok_or(Errno::BadDescriptor)
    }

    /// Whether another descriptor fits.
    pub fn has_room(&self) -> Result<(), Errno> {
        let entries = lock(&self.entries);
        if entries.len() < self.limit || entries.iter().any(Option::is_none) {
            Ok(())
        } else {
            Err(Errno::TooManyDescriptors)
        }
    }

    pub fn insert(&self, descriptor: Descriptor) -> Result<u32, Errno> {
        let mut entries = lock(&self.entries);
        let free = entries
            .iter()
            .position(Option::is_none)
            .unwrap_or(entries.len());
        if free == entries.len() {
            if free >= self.limit {
                return Err(Errno::TooManyDescriptors);
            }
            entries.push(None);
        }
        entries[free] = Some(Arc::new(descriptor));
        u32::try_from(free).map_err(|_| Errno::TooManyDescriptors)
    }

    /// Forgets a descriptor; it is closed when the last call that uses it is over.
    pub fn remove(&self, fd: u32) -> Result<(), Errno> {
        let removed = lock(&self.entries)
            .get_mut(fd as usize)
            .and_then(Option::take);
        removed.map(drop).ok_or(Errno::BadDescriptor)
    }

    /// Moves `from` onto `to`; both have to be open.
    pub fn renumber(&self, from: u32, to: u32) -> Result<(), Errno> {
        let mut entries = lock(&self.entries);
        let (from, to) = (from as usize, to as usize);
        let open = |index: usize| entries.get(index).is_some_and(Option::is_some);
        if !open(from) || !open(to) {
            return Err(Errno::BadDescriptor);
        }
        if from == to {
            return Ok(());
        }
        let moved = entries[from].take();
        let closed = std::mem::replace(&mut entries[to], moved);
        // Closing can wait for the system; it does so without the lock.
        drop(entries);
        drop(closed);
        Ok(())
    }
}
