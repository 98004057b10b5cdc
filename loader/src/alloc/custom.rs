//! Functions of the host as a source of memory, each told what the memory is for.

use core::alloc::Layout;
use core::ffi::c_void;
use core::fmt;
use core::ptr::NonNull;

use super::{Category, Fresh, RawAllocator, clear_added};

/// `(user, category, size, alignment)`: a block, or null.
pub type AllocateFunction = unsafe extern "C" fn(*mut c_void, u32, usize, usize) -> *mut c_void;

/// `(user, category, block, old size, new size, alignment)`: the block, moved or not, or null.
pub type ReallocateFunction =
    unsafe extern "C" fn(*mut c_void, u32, *mut c_void, usize, usize, usize) -> *mut c_void;

/// `(user, category, block, size, alignment)`.
pub type FreeFunction = unsafe extern "C" fn(*mut c_void, u32, *mut c_void, usize, usize);

/// Memory from functions of the host, so that it can place each category where it wants.
///
/// The category is passed as its number, see [`Category`].
#[derive(Clone, Copy)]
pub struct CustomAllocator {
    user: *mut c_void,
    allocate: AllocateFunction,
    allocate_zeroed: Option<AllocateFunction>,
    reallocate: ReallocateFunction,
    free: FreeFunction,
}

// SAFETY: the functions can be called from any thread; promised by whoever called `new`.
unsafe impl Send for CustomAllocator {}
// SAFETY: as above.
unsafe impl Sync for CustomAllocator {}

impl CustomAllocator {
    /// Wraps the functions. `user` is passed to each of them.
    ///
    /// # Safety
    ///
    /// 1. Blocks are valid for reads and writes, aligned as asked, and exclusive until freed.
    /// 2. Reallocation keeps the contents up to the smaller size, and leaves the block alone where
    ///    it returns null.
    /// 3. The functions can be called from any thread that uses the runtime, with `user` valid for
    ///    as long as the runtime and everything made from it, and they do not unwind.
    pub unsafe fn new(
        user: *mut c_void,
        allocate: AllocateFunction,
        reallocate: ReallocateFunction,
        free: FreeFunction,
    ) -> CustomAllocator {
        CustomAllocator {
            user,
            allocate,
            allocate_zeroed: None,
            reallocate,
            free,
        }
    }

    /// With a function for blocks of zeros, where the host can have them for less than clearing a
    /// block, which is what happens else.
    ///
    /// # Safety
    ///
    /// As for [`CustomAllocator::new`], and the blocks are zero. Such a block is reallocated and
    /// freed as any other.
    pub unsafe fn zeroed(mut self, allocate_zeroed: AllocateFunction) -> CustomAllocator {
        self.allocate_zeroed = Some(allocate_zeroed);
        self
    }
}

impl fmt::Debug for CustomAllocator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "CustomAllocator({:p})", self.user)
    }
}

// SAFETY: promised by whoever called `new`.
unsafe impl RawAllocator for CustomAllocator {
    fn allocate(&self, layout: Layout, fresh: Fresh, category: Category) -> Option<NonNull<u8>> {
        let zeroed = self.allocate_zeroed.filter(|_| fresh == Fresh::Zeros);
        let function = zeroed.unwrap_or(self.allocate);
        // SAFETY: `new` demands functions that can be called with any size and alignment.
        let block = unsafe { function(self.user, category as u32, layout.size(), layout.align()) };
        let block = NonNull::new(block.cast())?;
        if zeroed.is_none() {
            // SAFETY: the block has the layout's size and is exclusive.
            unsafe { clear_added(block, 0, layout.size(), fresh) };
        }
        Some(block)
    }

    unsafe fn reallocate(
        &self,
        block: NonNull<u8>,
        layout: Layout,
        size: usize,
        fresh: Fresh,
        category: Category,
    ) -> Option<NonNull<u8>> {
        // SAFETY: the block is from `allocate`, by the caller's promise.
        let moved = unsafe {
            (self.reallocate)(
                self.user,
                category as u32,
                block.as_ptr().cast(),
                layout.size(),
                size,
                layout.align(),
            )
        };
        let moved = NonNull::new(moved.cast())?;
        // SAFETY: the block has the new size and is exclusive.
        unsafe { clear_added(moved, layout.size(), size, fresh) };
        Some(moved)
    }

    unsafe fn free(&self, block: NonNull<u8>, layout: Layout, category: Category) {
        let (size, align) = (layout.size(), layout.align());
        // SAFETY: the block is from `allocate`, by the caller's promise.
        unsafe {
            (self.free)(
                self.user,
                category as u32,
                block.as_ptr().cast(),
                size,
                align,
            )
        }
    }
}
