//! Several arrays in one block, for objects with many parts: one block costs less than ten.
//!
//! ```text
//!   | array of A | array of B | ...      SlabLayout says how large; Slab::take cuts off the next
//! ```
//!
//! An [`Array`] has room for a number of elements that never changes, so they never move.

use core::alloc::Layout;
use core::marker::PhantomData;
use core::ops::{Deref, DerefMut};
use core::ptr::NonNull;
use core::slice;

use super::{Allocator, Category, OutOfMemory};

/// How large a block for some arrays is.
#[derive(Clone, Copy, Debug)]
pub(crate) struct SlabLayout(Option<Layout>);

impl SlabLayout {
    /// No arrays.
    pub(crate) const fn new() -> SlabLayout {
        SlabLayout(Some(Layout::new::<()>()))
    }

    /// One more array, of so many elements. Larger alignments first leave no gaps.
    #[inline(always)]
    pub(crate) const fn array<T>(self, count: usize) -> SlabLayout {
        self.elements(Layout::new::<T>(), count)
    }

    /// As [`SlabLayout::array`], by the layout of an element.
    #[inline(always)]
    pub(crate) const fn elements(self, element: Layout, count: usize) -> SlabLayout {
        let (Some(layout), Some(size)) = (self.0, element.size().checked_mul(count)) else {
            return SlabLayout(None);
        };
        let Ok(array) = Layout::from_size_align(size, element.align()) else {
            return SlabLayout(None);
        };
        SlabLayout(match layout.extend(array) {
            Ok((layout, _)) => Some(layout),
            Err(_) => None,
        })
    }

    /// The block, which may be empty; `None` where there cannot be such a block.
    pub(crate) const fn layout(self) -> Option<Layout> {
        self.0
    }
}

/// A block that arrays are cut off from.
pub(crate) struct Slab {
    block: NonNull<u8>,
    /// Bytes of the block.
    size: u32,
    /// Bytes that are cut off.
    taken: u32,
    allocator: Allocator,
    align_log2: u8,
    category: Category,
}

// SAFETY: the block is owned; whoever takes arrays has them.
unsafe impl Send for Slab {}
// SAFETY: shared access does nothing.
unsafe impl Sync for Slab {}

impl Slab {
    /// Allocates the block.
    pub(crate) fn new(
        allocator: &Allocator,
        category: Category,
        layout: SlabLayout,
    ) -> Result<Slab, OutOfMemory> {
        let too_large = OutOfMemory::new(category, usize::MAX);
        let layout = layout.layout().ok_or(too_large)?;
        let size = u32::try_from(layout.size()).map_err(|_| too_large)?;
        let block = match layout.size() {
            0 => NonNull::dangling(),
            _ => allocator.allocate(layout, category)?,
        };
        Ok(Slab {
            block,
            size,
            taken: 0,
            allocator: allocator.clone(),
            align_log2: layout.align().ilog2() as u8,
            category,
        })
    }

    /// Allocates the block, and fills it with zeros.
    pub(crate) fn zeroed(
        allocator: &Allocator,
        category: Category,
        layout: SlabLayout,
    ) -> Result<Slab, OutOfMemory> {
        let slab = Slab::new(allocator, category, layout)?;
        // SAFETY: the block has so many bytes, and nobody else knows it.
        unsafe { slab.block.write_bytes(0, slab.size as usize) };
        Ok(slab)
    }

    /// The address behind the block.
    pub(crate) fn end(&self) -> NonNull<u8> {
        // SAFETY: the block has so many bytes.
        unsafe { self.block.add(self.size as usize) }
    }

    /// The address so many bytes before the end of the block, if that is inside.
    pub(crate) fn before_end(&self, size: usize) -> Option<NonNull<u8>> {
        let offset = (self.size as usize).checked_sub(size)?;
        // SAFETY: the offset is inside of the block.
        Some(unsafe { self.block.add(offset) })
    }

    /// Cuts off an array with room for so many elements, in the order of the layout. What the layout has
    /// not counted has no room.
    ///
    /// # Safety
    ///
    /// The array is not used after the slab is gone.
    pub(crate) unsafe fn take<T>(&mut self, count: usize) -> Array<T> {
        let element = Layout::new::<T>();
        let (elements, capacity) = self.cut(element, count);
        Array {
            elements: elements.cast(),
            length: 0,
            capacity,
            owned: PhantomData,
        }
    }

    /// Cuts off room for so many elements, whatever they are: an address as they want it, and for how
    /// many of them there is room.
    #[inline(never)]
    fn cut(&mut self, element: Layout, count: usize) -> (NonNull<u8>, u32) {
        let none = (element.dangling_ptr(), 0);
        let start = (self.taken as usize).checked_next_multiple_of(element.align());
        let size = count.checked_mul(element.size());
        let (Some(start), Some(size)) = (start, size) else {
            return none;
        };
        let end = start.saturating_add(size);
        if size == 0 || end > self.size as usize {
            return none;
        }
        // At most the size, which is such a number.
        self.taken = end as u32;
        // SAFETY: the start is inside of the block.
        (unsafe { self.block.add(start) }, count as u32)
    }
}

impl Drop for Slab {
    fn drop(&mut self) {
        let layout = Layout::from_size_align(self.size as usize, 1 << self.align_log2);
        if let Ok(layout) = layout
            && layout.size() != 0
        {
            // SAFETY: `new` got the block with this layout and category; the arrays are gone, as
            // `take` demands.
            unsafe { self.allocator.free(self.block, layout, self.category) };
        }
    }
}

/// An array with fixed room, inside of a [`Slab`]. Its elements do not move.
pub(crate) struct Array<T> {
    elements: NonNull<T>,
    length: u32,
    capacity: u32,
    owned: PhantomData<T>,
}

// SAFETY: an array owns its elements.
unsafe impl<T: Send> Send for Array<T> {}
// SAFETY: as above; a shared array gives shared references only.
unsafe impl<T: Sync> Sync for Array<T> {}

impl<T> Array<T> {
    /// Appends an element and tells where it is. Without room the element is dropped.
    pub(crate) fn push(&mut self, value: T) -> Option<NonNull<T>> {
        if self.length == self.capacity {
            return None;
        }
        // SAFETY: `length` is below `capacity`, so the place is inside of the slab.
        let place = unsafe { self.elements.add(self.length as usize) };
        // SAFETY: the place is inside of the slab and holds no element.
        unsafe { place.write(value) };
        self.length += 1;
        Some(place)
    }
}

impl<T> Deref for Array<T> {
    type Target = [T];

    fn deref(&self) -> &[T] {
        // SAFETY: `length` elements are initialised; the array is borrowed.
        unsafe { slice::from_raw_parts(self.elements.as_ptr(), self.length as usize) }
    }
}

impl<T> DerefMut for Array<T> {
    fn deref_mut(&mut self) -> &mut [T] {
        // SAFETY: `length` elements are initialised; the array is borrowed exclusively.
        unsafe { slice::from_raw_parts_mut(self.elements.as_ptr(), self.length as usize) }
    }
}

impl<T> Drop for Array<T> {
    fn drop(&mut self) {
        let elements: *mut [T] = &raw mut **self;
        // SAFETY: the elements are initialised, and nobody sees them again.
        unsafe { elements.drop_in_place() };
    }
}
