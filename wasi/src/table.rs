//! The descriptor table: small numbers for open things, the lowest free one first.
//!
//! The table is one block. It begins with room for exactly what the context starts with; when it is
//! full, its room doubles, but not beyond the limit; it never shrinks. Where there is no memory for
//! that, it grows by the one entry that is needed.

use std::alloc::Layout;
use std::sync::Mutex;

use precast_loader::alloc::{PortableLayout, Shared, Vec};
use precast_loader::{Allocator, Category, OutOfMemory};

use crate::descriptor::{Descriptor, lock};
use crate::errno::Errno;

/// What the table is made of.
type Entry = Option<Shared<Descriptor>>;

/// The descriptors of one context. Calls take an entry out as a shared reference and work without the
/// lock, so that a thread that waits for input does not hold up the others.
pub(crate) struct Table {
    entries: Mutex<Vec<Entry>>,
    limit: usize,
}

/// The room of a full table after it has grown.
fn grown(room: usize, limit: usize) -> usize {
    room.saturating_mul(2).clamp(1, limit.max(1))
}

/// The room of a table that began with `first` entries, once `open` were open at a time.
fn room(first: usize, open: usize, limit: usize) -> usize {
    let mut room = first;
    while room < open.min(limit) {
        room = grown(room, limit);
    }
    room
}

/// The request for one descriptor.
pub(crate) const DESCRIPTOR: PortableLayout =
    PortableLayout::new(Shared::<Descriptor>::layout(), 88, 8);

/// An entry of the table.
pub(crate) const ENTRY: PortableLayout = PortableLayout::new(Layout::new::<Entry>(), 4, 4);

/// The table's block, once `open` of at most `limit` descriptors were open at a time in a context
/// that began with `first`; by the layout of an entry.
pub(crate) fn layout(entry: Layout, first: usize, open: usize, limit: usize) -> Option<Layout> {
    let size = entry.size().checked_mul(room(first, open, limit))?;
    let layout = Layout::from_size_align(size, entry.align()).ok();
    layout.filter(|layout| layout.size() != 0)
}

impl Table {
    /// An empty table with room for what the context starts with.
    pub fn with_room(
        allocator: &Allocator,
        first: usize,
        limit: usize,
    ) -> Result<Table, OutOfMemory> {
        let entries = Vec::try_with_capacity(allocator, Category::Wasi, first)?;
        Ok(Table {
            entries: Mutex::new(entries),
            limit,
        })
    }

    /// Appends a descriptor that the context starts with.
    pub fn push(&mut self, descriptor: Descriptor) -> Result<(), OutOfMemory> {
        let entries = self
            .entries
            .get_mut()
            .unwrap_or_else(std::sync::PoisonError::into_inner);
        let descriptor = Shared::new(entries.allocator(), Category::Wasi, descriptor)?;
        entries.try_push(Some(descriptor))
    }

    pub fn get(&self, fd: u32) -> Result<Shared<Descriptor>, Errno> {
        let entries = lock(&self.entries);
        entries
            .get(fd as usize)
            .and_then(Option::clone)
            .ok_or(Errno::BadDescriptor)
    }

    /// Makes room and takes memory for another descriptor, before it is opened: a file is not
    /// created or cut for a guest that cannot have it. Only another thread can still take the place.
    pub fn reserve(&self, allocator: &Allocator) -> Result<Vacancy, Errno> {
        let mut entries = lock(&self.entries);
        if !entries.iter().any(Option::is_none) {
            self.grow(&mut entries)?;
        }
        drop(entries);
        let vacant = Descriptor::vacant();
        Ok(Vacancy(Shared::new(allocator, Category::Wasi, vacant)?))
    }

    /// Sees to it that an entry can be appended.
    fn grow(&self, entries: &mut Vec<Entry>) -> Result<(), Errno> {
        if entries.len() >= self.limit {
            return Err(Errno::TooManyDescriptors);
        }
        let room = entries.capacity();
        if entries.len() == room {
            let more = grown(room, self.limit).saturating_sub(room);
            entries
                .try_reserve_exact(more)
                .or_else(|_| entries.try_reserve_exact(1))?;
        }
        Ok(())
    }

    /// Enters what was opened. Without a place for it, it is closed after the lock is released.
    pub fn insert(&self, vacancy: Vacancy, descriptor: Descriptor) -> Result<u32, Errno> {
        let descriptor = vacancy.fill(descriptor)?;
        let mut entries = lock(&self.entries);
        let free = entries
            .iter()
            .position(Option::is_none)
            .unwrap_or(entries.len());
        if free == entries.len() {
            self.grow(&mut entries)?;
            entries.try_push(None)?;
        }
        let number = u32::try_from(free).map_err(|_| Errno::TooManyDescriptors)?;
        entries[free] = Some(descriptor);
        Ok(number)
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

/// Memory for a descriptor that is about to be opened.
pub(crate) struct Vacancy(Shared<Descriptor>);

impl Vacancy {
    fn fill(mut self, descriptor: Descriptor) -> Result<Shared<Descriptor>, Errno> {
        // It was never handed out, so that there is no other reference.
        *Shared::get_mut(&mut self.0).ok_or(Errno::NoMemory)? = descriptor;
        Ok(self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::room;

    #[test]
    fn the_room_doubles_up_to_the_limit() {
        assert_eq!(room(3, 0, 1024), 3);
        assert_eq!(room(3, 3, 1024), 3);
        assert_eq!(room(3, 4, 1024), 6);
        assert_eq!(room(3, 7, 1024), 12);
        assert_eq!(room(3, 7, 10), 10);
        assert_eq!(room(3, 1000, 10), 10);
        assert_eq!(room(3, usize::MAX, usize::MAX), usize::MAX);
    }
}
