//! A value of its own in the runtime's memory.
//!
//! ```text
//!   | allocator, category | value |
//!                         ^ what `into_raw` gives
//! ```
//!
//! The block knows its allocator, so that a pointer alone is enough to free it.

use core::alloc::Layout;
use core::fmt;
use core::marker::PhantomData;
use core::mem::{ManuallyDrop, offset_of};
use core::ops::{Deref, DerefMut};
use core::ptr::NonNull;

use super::{Allocator, Category, OutOfMemory};

#[repr(C)]
struct Header {
    allocator: Allocator,
    category: Category,
}

#[repr(C)]
struct Block<T> {
    header: Header,
    value: T,
}

/// An owned value in the runtime's memory.
pub struct Box<T> {
    block: NonNull<Block<T>>,
    owned: PhantomData<T>,
}

// SAFETY: a box owns its value; the allocator can be used from any thread.
unsafe impl<T: Send> Send for Box<T> {}
// SAFETY: as above; a shared box gives shared references only.
unsafe impl<T: Sync> Sync for Box<T> {}

impl<T> Box<T> {
    /// The layout of the block that [`Box::new`] asks for.
    pub const fn layout() -> Layout {
        Layout::new::<Block<T>>()
    }

    /// Moves a value into a block of its own. Without memory the value is dropped.
    pub fn new(allocator: &Allocator, category: Category, value: T) -> Result<Box<T>, OutOfMemory> {
        let layout = Layout::new::<Block<T>>();
        let block = allocator.allocate(layout, category)?.cast::<Block<T>>();
        let allocator = allocator.clone();
        // SAFETY: the block has the right layout and is nobody else's.
        unsafe {
            block.write(Block {
                header: Header {
                    allocator,
                    category,
                },
                value,
            })
        };
        Ok(Box {
            block,
            owned: PhantomData,
        })
    }

    /// Where the value is.
    fn value(&self) -> NonNull<T> {
        // SAFETY: the value is that far inside of its block.
        unsafe { self.block.byte_add(offset_of!(Block<T>, value)) }.cast()
    }

    /// Gives up ownership: the address of the value, which does not change.
    pub fn into_raw(this: Box<T>) -> NonNull<T> {
        ManuallyDrop::new(this).value()
    }

    /// Takes ownership back.
    ///
    /// # Safety
    ///
    /// The pointer came from [`Box::into_raw`] for the same `T`, and is not used for anything
    /// else afterwards.
    pub unsafe fn from_raw(value: NonNull<T>) -> Box<T> {
        // SAFETY: the value is that far inside of its block.
        let block = unsafe { value.byte_sub(offset_of!(Block<T>, value)) };
        Box {
            block: block.cast(),
            owned: PhantomData,
        }
    }

    /// Moves the value out and frees the block.
    pub fn into_inner(this: Box<T>) -> T {
        let this = ManuallyDrop::new(this);
        // SAFETY: the box is not dropped, so the block is moved out once.
        let Block { header, value } = unsafe { this.block.read() };
        // SAFETY: `new` got it with this layout and category; its contents have moved.
        unsafe {
            header.allocator.free(
                this.block.cast(),
                Layout::new::<Block<T>>(),
                header.category,
            )
        };
        value
    }
}

impl<T> Deref for Box<T> {
    type Target = T;

    fn deref(&self) -> &T {
        // SAFETY: the box owns the value.
        unsafe { self.value().as_ref() }
    }
}

impl<T> DerefMut for Box<T> {
    fn deref_mut(&mut self) -> &mut T {
        // SAFETY: the box owns the value.
        unsafe { self.value().as_mut() }
    }
}

impl<T> Drop for Box<T> {
    fn drop(&mut self) {
        // SAFETY: the value is dropped in place, here only.
        unsafe { self.value().drop_in_place() };
        // SAFETY: allocator and category are still there; they move out once.
        let header = unsafe { self.block.cast::<Header>().read() };
        let layout = Layout::new::<Block<T>>();
        // SAFETY: `new` got the block with this layout and category.
        unsafe {
            header
                .allocator
                .free(self.block.cast(), layout, header.category)
        };
    }
}

impl<T: fmt::Debug> fmt::Debug for Box<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(f)
    }
}
