//! A counted value in the runtime's memory.

use core::alloc::Layout;
use core::fmt;
use core::marker::PhantomData;
use core::ops::Deref;
use core::ptr::NonNull;
use core::sync::atomic::{AtomicUsize, Ordering, fence};

use super::{Allocator, Category, OutOfMemory};

struct Block<T> {
    references: AtomicUsize,
    allocator: Allocator,
    category: Category,
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

impl<T> Shared<T> {
    /// Moves a value into a block of its own. Without memory the value is dropped.
    pub fn new(
        allocator: &Allocator,
        category: Category,
        value: T,
    ) -> Result<Shared<T>, OutOfMemory> {
        let layout = Layout::new::<Block<T>>();
        let block = allocator.allocate(layout, category)?.cast::<Block<T>>();
        let references = AtomicUsize::new(1);
        let contents = Block {
            references,
            allocator: allocator.clone(),
            category,
            value,
        };
        // SAFETY: the block has the right layout and is nobody else's.
        unsafe { block.write(contents) };
        Ok(Shared {
            block,
            owned: PhantomData,
        })
    }

    /// How many references there are. Another thread may change that at any time.
    pub fn count(this: &Shared<T>) -> usize {
        this.block().references.load(Ordering::Acquire)
    }

    /// Whether both refer to the same value.
    pub fn is_same(this: &Shared<T>, other: &Shared<T>) -> bool {
        this.block == other.block
    }

    fn block(&self) -> &Block<T> {
        // SAFETY: the block lives as long as a reference is counted.
        unsafe { self.block.as_ref() }
    }
}

impl<T> Clone for Shared<T> {
    fn clone(&self) -> Shared<T> {
        self.block().references.fetch_add(1, Ordering::Relaxed);
        Shared {
            block: self.block,
            owned: PhantomData,
        }
    }
}

impl<T> Deref for Shared<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.block().value
    }
}

impl<T> Drop for Shared<T> {
    fn drop(&mut self) {
        if self.block().references.fetch_sub(1, Ordering::Release) != 1 {
            return;
        }
        fence(Ordering::Acquire);
        // SAFETY: that was the last reference; the contents move out once.
        let Block {
            allocator,
            category,
            value,
            ..
        } = unsafe { self.block.read() };
        // SAFETY: `new` got the block with this layout and category.
        unsafe { allocator.free(self.block.cast(), Layout::new::<Block<T>>(), category) };
        drop(value);
    }
}

impl<T: fmt::Debug> fmt::Debug for Shared<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(f)
    }
}
