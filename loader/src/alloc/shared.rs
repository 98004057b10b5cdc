//! A counted value in the runtime's memory, with elements behind it where it wants some.
//!
//! ```text
//!   | references, allocator, size, alignment, category | value | element | element | ...
//! ```
//!
//! The block knows its size, so that a value alone need not know what is behind it to be freed.
//! Elements are the business of the value: it knows how many there are, and drops them.

use core::alloc::Layout;
use core::fmt;
use core::marker::PhantomData;
use core::mem::{ManuallyDrop, offset_of};
use core::ops::Deref;
use core::ptr::NonNull;
use core::sync::atomic::Ordering;

use super::{Allocator, Category, OutOfMemory};

use crate::sys::atomic::AtomicUsize;

#[repr(C)]
struct Header {
    references: AtomicUsize,
    allocator: Allocator,
    /// Bytes of the block.
    size: u32,
    align_log2: u8,
    category: Category,
}

#[repr(C)]
struct Block<T> {
    header: Header,
    value: T,
}

/// A counted reference to a value in the runtime's memory, which is dropped with the last one.
pub struct Shared<T> {
    block: NonNull<Block<T>>,
    owned: PhantomData<Block<T>>,
}

// SAFETY: references are handed out on every thread, and the last one drops the value.
unsafe impl<T: Send + Sync> Send for Shared<T> {}
// SAFETY: as above.
unsafe impl<T: Send + Sync> Sync for Shared<T> {}

/// The layout of a block with so many elements, and where the first of these is.
const fn layout_with<T, E>(count: usize) -> Option<(Layout, usize)> {
    let Ok(elements) = Layout::array::<E>(count) else {
        return None;
    };
    match Layout::new::<Block<T>>().extend(elements) {
        Ok(layout) => Some(layout),
        Err(_) => None,
    }
}

impl<T> Shared<T> {
    /// The layout of the block that [`Shared::new`] asks for.
    pub const fn layout() -> Layout {
        Layout::new::<Block<T>>()
    }

    /// Moves a value into a block of its own. Without memory the value is dropped.
    pub fn new(
        allocator: &Allocator,
        category: Category,
        value: T,
    ) -> Result<Shared<T>, OutOfMemory> {
        Ok(Room::<T, ()>::new(allocator, category, 0)?.fill(value, |_| ()))
    }

    /// How many references there are. Another thread may change that at any time.
    pub fn count(this: &Shared<T>) -> usize {
        this.header().references.load(Ordering::Acquire)
    }

    /// Whether both refer to the same value.
    pub fn is_same(this: &Shared<T>, other: &Shared<T>) -> bool {
        this.block == other.block
    }

    /// The value, to be changed, if there is no other reference to it.
    pub fn get_mut(this: &mut Shared<T>) -> Option<&mut T> {
        if Shared::count(this) != 1 {
            return None;
        }
        // SAFETY: the one reference is borrowed exclusively, so nobody else gets at the block.
        Some(unsafe { &mut this.block.as_mut().value })
    }

    fn header(&self) -> &Header {
        // SAFETY: the block lives as long as a reference is counted.
        unsafe { &self.block.as_ref().header }
    }
}

/// The address of the first element behind a value.
fn element<T, E>(block: NonNull<Block<T>>) -> NonNull<E> {
    let offset = const {
        match layout_with::<T, E>(0) {
            Some((_, offset)) => offset,
            // A type that has no layout could not be named.
            None => 0,
        }
    };
    // The offset is at most the size of the block: the address is not null.
    let address = block.cast::<u8>().as_ptr().wrapping_add(offset);
    NonNull::new(address).map_or(NonNull::dangling(), NonNull::cast)
}

/// The address of the element behind a value that [`Room::fill_one`] placed.
pub(crate) fn element_of<T, E>(value: NonNull<T>) -> NonNull<E> {
    let block = value.addr().get().wrapping_sub(offset_of!(Block<T>, value));
    // A reference to the value reaches the value alone; the room has exposed the whole block.
    let block = core::ptr::with_exposed_provenance_mut(block);
    NonNull::new(block).map_or(NonNull::dangling(), element::<T, E>)
}

/// A block for a value and its elements, with nothing in it yet.
pub(crate) struct Room<T, E> {
    block: NonNull<Block<T>>,
    layout: Layout,
    count: usize,
    allocator: Allocator,
    category: Category,
    elements: PhantomData<E>,
}

impl<T, E> Room<T, E> {
    /// Allocates the block.
    pub(crate) fn new(
        allocator: &Allocator,
        category: Category,
        count: usize,
    ) -> Result<Room<T, E>, OutOfMemory> {
        let too_large = OutOfMemory::new(category, usize::MAX);
        let (layout, _) = layout_with::<T, E>(count).ok_or(too_large)?;
        if u32::try_from(layout.size()).is_err() {
            return Err(too_large);
        }
        let block = allocator.allocate(layout, category)?.cast();
        Ok(Room {
            block,
            layout,
            count,
            allocator: allocator.clone(),
            category,
            elements: PhantomData,
        })
    }

    /// Moves the value and its elements in.
    pub(crate) fn fill(self, value: T, mut make: impl FnMut(usize) -> E) -> Shared<T> {
        let first = element::<T, E>(self.block);
        for index in 0..self.count {
            let element = make(index);
            // SAFETY: the block has room for so many elements from there on.
            let place = unsafe { first.add(index) };
            // SAFETY: the place is inside of the block, aligned, and nobody else's.
            unsafe { place.write(element) };
        }
        self.place(value)
    }

    /// Moves the value and one element in, or none if the room is for none. The value finds it with
    /// [`element_of`].
    pub(crate) fn fill_one(self, value: T, element: E) -> Shared<T> {
        if self.count > 0 {
            // SAFETY: the place is inside of the block, aligned, and nobody else's.
            unsafe { self::element::<T, E>(self.block).write(element) };
        }
        self.place(value)
    }

    /// Moves the value in, and makes a reference of the room.
    fn place(self, value: T) -> Shared<T> {
        let this = ManuallyDrop::new(self);
        let header = Header {
            references: AtomicUsize::new(1),
            // SAFETY: the handle moves into the header; the room is not dropped.
            allocator: unsafe { core::ptr::read(&raw const this.allocator) },
            // `new` has seen that it fits.
            size: this.layout.size() as u32,
            align_log2: this.layout.align().ilog2() as u8,
            category: this.category,
        };
        // SAFETY: the block is large enough, aligned, and nobody else's.
        unsafe { this.block.write(Block { header, value }) };
        this.block.as_ptr().expose_provenance();
        Shared {
            block: this.block,
            owned: PhantomData,
        }
    }
}

impl<T, E> Drop for Room<T, E> {
    fn drop(&mut self) {
        // SAFETY: `new` got the block with this layout and category, and nothing is in it.
        unsafe {
            self.allocator
                .free(self.block.cast(), self.layout, self.category)
        };
    }
}

impl<T> Clone for Shared<T> {
    fn clone(&self) -> Shared<T> {
        self.header().references.fetch_add(1, Ordering::Relaxed);
        Shared {
            block: self.block,
            owned: PhantomData,
        }
    }
}

impl<T> Deref for Shared<T> {
    type Target = T;

    fn deref(&self) -> &T {
        // SAFETY: the block lives as long as a reference is counted.
        unsafe { &self.block.as_ref().value }
    }
}

impl<T> Drop for Shared<T> {
    fn drop(&mut self) {
        if self.header().references.fetch_sub(1, Ordering::Release) != 1 {
            return;
        }
        // A load and no fence: what looks for races knows loads only.
        self.header().references.load(Ordering::Acquire);
        // SAFETY: the value is in its block; offsets of fields are inside.
        let value = unsafe { &raw mut (*self.block.as_ptr()).value };
        // SAFETY: that was the last reference, so the value is dropped here only.
        unsafe { value.drop_in_place() };
        // SAFETY: the header is still there; the allocator moves out once.
        let header = unsafe { self.block.cast::<Header>().read() };
        let (size, align) = (header.size as usize, 1usize << header.align_log2);
        if let Ok(layout) = Layout::from_size_align(size, align) {
            // SAFETY: the room got the block with this layout and category.
            unsafe {
                header
                    .allocator
                    .free(self.block.cast(), layout, header.category)
            };
        }
    }
}

impl<T: fmt::Debug> fmt::Debug for Shared<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(f)
    }
}

/// A counted value with a number of plain elements behind it.
pub(crate) struct SharedArray<T, E: Copy> {
    shared: Shared<T>,
    elements: PhantomData<E>,
}

impl<T, E: Copy> SharedArray<T, E> {
    /// Places a value and its elements in one block. Without memory the value is dropped.
    pub(crate) fn new(
        allocator: &Allocator,
        category: Category,
        value: T,
        count: usize,
        element: impl FnMut(usize) -> E,
    ) -> Result<SharedArray<T, E>, OutOfMemory> {
        let room = Room::new(allocator, category, count)?;
        Ok(SharedArray {
            shared: room.fill(value, element),
            elements: PhantomData,
        })
    }

    /// How many references there are. Another thread may change that at any time.
    pub(crate) fn count(this: &SharedArray<T, E>) -> usize {
        Shared::count(&this.shared)
    }

    /// Whether both refer to the same value.
    pub(crate) fn is_same(this: &SharedArray<T, E>, other: &SharedArray<T, E>) -> bool {
        Shared::is_same(&this.shared, &other.shared)
    }

    /// The elements.
    pub(crate) fn elements(&self) -> &[E] {
        let offset = layout_with::<T, E>(0).map_or(0, |(_, offset)| offset);
        let bytes = (self.shared.header().size as usize).saturating_sub(offset);
        let count = bytes.checked_div(size_of::<E>()).unwrap_or(0);
        let first = element(self.shared.block);
        // SAFETY: `new` placed so many elements there, and nobody changes them.
        unsafe { core::slice::from_raw_parts(first.as_ptr(), count) }
    }
}

impl<T, E: Copy> Clone for SharedArray<T, E> {
    fn clone(&self) -> SharedArray<T, E> {
        SharedArray {
            shared: self.shared.clone(),
            elements: PhantomData,
        }
    }
}

impl<T, E: Copy> Deref for SharedArray<T, E> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.shared
    }
}
