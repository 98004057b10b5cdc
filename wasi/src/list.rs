//! A list for the time of one call: short ones lie on the stack, longer ones in the runtime's memory.
//!
//! Guests pass one or two buffers and wait for one or two things. The common call therefore asks for
//! no memory, and works in a pool that is full.

use std::ops::{Deref, DerefMut};

use precast_loader::alloc::Vec;
use precast_loader::{Allocator, Category, OutOfMemory};

/// How many elements fit without an allocation.
const INLINE: usize = 8;

/// A list of at most as many elements as it was made for. It dereferences to a slice.
#[derive(Debug)]
pub struct List<T> {
    inline: [T; INLINE],
    /// How many of the inline elements count.
    used: usize,
    /// What is used instead, where there are more.
    spilled: Option<Vec<T>>,
}

impl<T> List<T> {
    /// An empty list on the stack, for few elements. `empty` gives what fills it meanwhile.
    fn inline(empty: impl Fn() -> T) -> List<T> {
        List {
            inline: std::array::from_fn(|_| empty()),
            used: 0,
            spilled: None,
        }
    }

    /// An empty list with room for so many elements.
    pub(crate) fn with_room(
        allocator: &Allocator,
        room: usize,
        empty: impl Fn() -> T,
    ) -> Result<List<T>, OutOfMemory> {
        let mut list = List::inline(empty);
        if room > INLINE {
            list.spilled = Some(Vec::try_with_capacity(allocator, Category::Wasi, room)?);
        }
        Ok(list)
    }

    /// An empty list with room for so many elements; for a few, if there is no memory for so many.
    pub(crate) fn with_room_or_few(
        allocator: &Allocator,
        room: usize,
        empty: impl Fn() -> T,
    ) -> List<T> {
        List::with_room(allocator, room, &empty).unwrap_or_else(|_| List::inline(&empty))
    }

    /// How many elements there can be.
    pub(crate) fn room(&self) -> usize {
        self.spilled.as_ref().map_or(INLINE, Vec::capacity)
    }

    /// Appends an element, if there is room for it.
    pub(crate) fn push(&mut self, element: T) {
        if self.len() >= self.room() {
            return;
        }
        match &mut self.spilled {
            // There is room, so nothing is asked for and nothing can fail.
            Some(spilled) => drop(spilled.try_push(element)),
            None => {
                self.inline[self.used] = element;
                self.used += 1;
            }
        }
    }
}

impl<T> Deref for List<T> {
    type Target = [T];

    fn deref(&self) -> &[T] {
        match &self.spilled {
            Some(spilled) => spilled,
            None => &self.inline[..self.used],
        }
    }
}

impl<T> DerefMut for List<T> {
    fn deref_mut(&mut self) -> &mut [T] {
        match &mut self.spilled {
            Some(spilled) => spilled,
            None => &mut self.inline[..self.used],
        }
    }
}
