//! A growing array in the runtime's memory.

use core::alloc::Layout;
use core::fmt;
use core::marker::PhantomData;
use core::ops::{Deref, DerefMut};
use core::ptr::{self, NonNull};
use core::slice;

use super::{Allocator, Category, OutOfMemory};

/// Elements that the first growth makes room for.
const FIRST_CAPACITY: usize = 4;

/// A growing array. It dereferences to a slice; what needs memory begins with `try_`.
pub struct Vec<T> {
    block: Block,
    owned: PhantomData<T>,
}

// SAFETY: an array owns its elements; the allocator can be used from any thread.
unsafe impl<T: Send> Send for Vec<T> {}
// SAFETY: as above; a shared array gives shared references only.
unsafe impl<T: Sync> Sync for Vec<T> {}

/// What an array is apart from the type of its elements, so that there is one way to grow for all.
struct Block {
    elements: NonNull<u8>,
    length: usize,
    /// Elements that fit into the block; there is a block if the elements have a size and this is
    /// not zero.
    capacity: usize,
    allocator: Allocator,
    category: Category,
}

/// How much room is made.
enum Growth {
    /// Twice as much as there was, if there is memory.
    Doubled,
    /// As much as is asked for.
    Exact,
}

impl Block {
    fn out_of_memory(&self, element: Layout, elements: usize) -> OutOfMemory {
        OutOfMemory::new(self.category, elements.saturating_mul(element.size()))
    }

    /// Makes room for so many more elements.
    fn reserve(
        &mut self,
        element: Layout,
        additional: usize,
        growth: Growth,
    ) -> Result<(), OutOfMemory> {
        let wanted = self.length.saturating_add(additional);
        if wanted <= self.capacity {
            return Ok(());
        }
        if let Growth::Doubled = growth {
            let doubled = self.capacity.saturating_mul(2).max(FIRST_CAPACITY);
            if doubled > wanted && self.set_capacity(element, doubled).is_ok() {
                return Ok(());
            }
        }
        self.set_capacity(element, wanted)
    }

    /// Makes room for exactly this many elements of a type that has a size: more than there are, or
    /// as many, and not none.
    fn set_capacity(&mut self, element: Layout, capacity: usize) -> Result<(), OutOfMemory> {
        let layout = |elements: usize| {
            let size = elements.checked_mul(element.size())?;
            Layout::from_size_align(size, element.align()).ok()
        };
        let error = self.out_of_memory(element, capacity);
        let new = layout(capacity).ok_or(error)?;
        self.elements = match layout(self.capacity) {
            Some(old) if old.size() != 0 => {
                // SAFETY: the block was allocated with this layout, by this function.
                unsafe {
                    self.allocator
                        .reallocate(self.elements, old, new, self.category)?
                }
            }
            _ => self.allocator.allocate(new, self.category)?,
        };
        self.capacity = capacity;
        Ok(())
    }
}

impl<T> Vec<T> {
    /// An empty array, which has no block yet.
    pub fn new_in(allocator: &Allocator, category: Category) -> Vec<T> {
        Vec {
            block: Block {
                elements: NonNull::<T>::dangling().cast(),
                length: 0,
                capacity: if size_of::<T>() == 0 { usize::MAX } else { 0 },
                allocator: allocator.clone(),
                category,
            },
            owned: PhantomData,
        }
    }

    /// An empty array with room for `capacity` elements, and no more.
    pub fn try_with_capacity(
        allocator: &Allocator,
        category: Category,
        capacity: usize,
    ) -> Result<Vec<T>, OutOfMemory> {
        let mut array = Vec::new_in(allocator, category);
        array.try_reserve_exact(capacity)?;
        Ok(array)
    }

    /// The request for a block with room for this many elements, as
    /// [`Vec::try_with_capacity`] makes it. None where there is no block: for no elements, for such
    /// without a size, and for more than an address space holds.
    #[must_use]
    pub fn layout(capacity: usize) -> Option<Layout> {
        Layout::array::<T>(capacity)
            .ok()
            .filter(|layout| layout.size() != 0)
    }

    /// Where the first element is, or would be.
    fn elements(&self) -> NonNull<T> {
        self.block.elements.cast()
    }

    /// How many elements fit without another block.
    pub fn capacity(&self) -> usize {
        self.block.capacity
    }

    /// Where memory comes from.
    pub fn allocator(&self) -> &Allocator {
        &self.block.allocator
    }

    /// Makes room for this many more elements.
    pub fn try_reserve(&mut self, additional: usize) -> Result<(), OutOfMemory> {
        self.block
            .reserve(Layout::new::<T>(), additional, Growth::Doubled)
    }

    /// Makes room for this many more elements, and no more than that.
    pub fn try_reserve_exact(&mut self, additional: usize) -> Result<(), OutOfMemory> {
        self.block
            .reserve(Layout::new::<T>(), additional, Growth::Exact)
    }

    /// Gives back the room that no element takes. After an error the array is as it was.
    pub fn try_shrink_to_fit(&mut self) -> Result<(), OutOfMemory> {
        if self.block.length == 0 || self.block.length == self.block.capacity || size_of::<T>() == 0
        {
            return Ok(());
        }
        let length = self.block.length;
        self.block.set_capacity(Layout::new::<T>(), length)
    }

    /// Appends without asking for memory; gives the value back where there is no room.
    pub(crate) fn push_within_capacity(&mut self, value: T) -> Result<(), T> {
        if self.block.length == self.block.capacity {
            return Err(value);
        }
        // SAFETY: `length` is below `capacity`, so the place is inside of the block.
        let place = unsafe { self.elements().add(self.block.length) };
        // SAFETY: the place is inside of the block and holds no element.
        unsafe { place.write(value) };
        self.block.length += 1;
        Ok(())
    }

    /// Appends an element. Without memory it is dropped.
    pub fn try_push(&mut self, value: T) -> Result<(), OutOfMemory> {
        self.try_reserve(1)?;
        self.push_within_capacity(value)
            .map_err(|_| self.block.out_of_memory(Layout::new::<T>(), 1))
    }

    /// Appends all elements that the iterator gives.
    pub fn try_extend(&mut self, values: impl IntoIterator<Item = T>) -> Result<(), OutOfMemory> {
        let values = values.into_iter();
        self.try_reserve(values.size_hint().0)?;
        for value in values {
            self.try_push(value)?;
        }
        Ok(())
    }

    /// Appends copies of all elements, or none of them.
    pub fn try_extend_from_slice(&mut self, values: &[T]) -> Result<(), OutOfMemory>
    where
        T: Copy,
    {
        self.try_reserve(values.len())?;
        // SAFETY: `length` is at most `capacity`.
        let end = unsafe { self.elements().add(self.block.length) };
        // SAFETY: there is room for that many elements at the end, in a block of our own.
        unsafe { ptr::copy_nonoverlapping(values.as_ptr(), end.as_ptr(), values.len()) };
        self.block.length += values.len();
        Ok(())
    }

    /// Cuts, or appends clones of a value, so that there are `length` elements.
    pub fn try_resize(&mut self, length: usize, value: T) -> Result<(), OutOfMemory>
    where
        T: Clone,
    {
        self.truncate(length);
        self.try_reserve_exact(length.saturating_sub(self.block.length))?;
        while self.block.length < length {
            if self.push_within_capacity(value.clone()).is_err() {
                return Err(self.block.out_of_memory(Layout::new::<T>(), length));
            }
        }
        Ok(())
    }

    /// Inserts an element before `index`, or at the end where `index` is beyond it.
    pub fn try_insert(&mut self, index: usize, value: T) -> Result<(), OutOfMemory> {
        self.try_reserve(1)?;
        let index = index.min(self.block.length);
        // SAFETY: the index is at most `length`, which is below `capacity`.
        let place = unsafe { self.elements().add(index) };
        // SAFETY: as above.
        let next = unsafe { place.add(1) };
        // SAFETY: there is room for one element behind the last one.
        unsafe { ptr::copy(place.as_ptr(), next.as_ptr(), self.block.length - index) };
        // SAFETY: the element that was here has moved.
        unsafe { place.write(value) };
        self.block.length += 1;
        Ok(())
    }

    /// Takes out the element at `index`, if there is one; those behind it move up.
    pub fn remove(&mut self, index: usize) -> Option<T> {
        let last = self.block.length.checked_sub(1)?;
        if index > last {
            return None;
        }
        // SAFETY: the index is below `length`.
        let place = unsafe { self.elements().add(index) };
        // SAFETY: there is an element, which nobody reads here again.
        let value = unsafe { place.read() };
        // SAFETY: the index is below `length`, so this is at most its end.
        let next = unsafe { place.add(1) };
        // SAFETY: so many elements are behind the place, which holds none any more.
        unsafe { ptr::copy(next.as_ptr(), place.as_ptr(), last - index) };
        self.block.length = last;
        Some(value)
    }

    /// Takes out the element at `index`, if there is one; the last one takes its place.
    pub fn swap_remove(&mut self, index: usize) -> Option<T> {
        let last = self.block.length.checked_sub(1)?;
        if index > last {
            return None;
        }
        self.swap(index, last);
        self.pop()
    }

    /// Takes out the last element.
    pub fn pop(&mut self) -> Option<T> {
        self.block.length = self.block.length.checked_sub(1)?;
        // SAFETY: the place is inside of the block.
        let last = unsafe { self.elements().add(self.block.length) };
        // SAFETY: the element is initialised, and no longer counted.
        Some(unsafe { last.read() })
    }

    /// Drops all elements from `length` on.
    pub fn truncate(&mut self, length: usize) {
        let Some(tail) = self.get_mut(length..).map(ptr::from_mut) else {
            return;
        };
        // Before anything is dropped: should a drop unwind, the rest leaks and is not dropped twice.
        self.block.length = length;
        // SAFETY: these elements are initialised, and no longer counted.
        unsafe { tail.drop_in_place() };
    }

    /// Drops all elements; the block stays.
    pub fn clear(&mut self) {
        self.truncate(0);
    }

    /// The elements.
    pub fn as_slice(&self) -> &[T] {
        // SAFETY: `length` elements are initialised; the array is borrowed.
        unsafe { slice::from_raw_parts(self.elements().as_ptr(), self.block.length) }
    }

    /// The elements.
    pub fn as_mut_slice(&mut self) -> &mut [T] {
        // SAFETY: `length` elements are initialised; the array is borrowed exclusively.
        unsafe { slice::from_raw_parts_mut(self.elements().as_ptr(), self.block.length) }
    }
}

impl<T> Deref for Vec<T> {
    type Target = [T];

    fn deref(&self) -> &[T] {
        self.as_slice()
    }
}

impl<T> DerefMut for Vec<T> {
    fn deref_mut(&mut self) -> &mut [T] {
        self.as_mut_slice()
    }
}

impl<'a, T> IntoIterator for &'a Vec<T> {
    type Item = &'a T;
    type IntoIter = slice::Iter<'a, T>;

    fn into_iter(self) -> slice::Iter<'a, T> {
        self.iter()
    }
}

impl<'a, T> IntoIterator for &'a mut Vec<T> {
    type Item = &'a mut T;
    type IntoIter = slice::IterMut<'a, T>;

    fn into_iter(self) -> slice::IterMut<'a, T> {
        self.iter_mut()
    }
}

impl<T> Drop for Vec<T> {
    fn drop(&mut self) {
        self.clear();
        if size_of::<T>() != 0
            && let Ok(layout) = Layout::array::<T>(self.block.capacity)
            && layout.size() != 0
        {
            // SAFETY: the block was allocated with this layout, and nothing is in it any more.
            unsafe {
                self.block
                    .allocator
                    .free(self.block.elements, layout, self.block.category)
            };
        }
    }
}

impl<T: fmt::Debug> fmt::Debug for Vec<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.as_slice().fmt(f)
    }
}
