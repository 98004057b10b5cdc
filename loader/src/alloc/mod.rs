//! The one way to memory: every allocation of the loader is fallible and goes through here.
//!
//! ```text
//!   Box, Vec, String, Shared      containers; no method of theirs allocates without a Result
//!     Allocator                   counted handle; adds up bytes per category
//!       system | custom | pool    where the bytes come from
//! ```
//!
//! Nothing here falls back to the process's global allocator, and nothing panics for want of
//! memory.

mod account;
mod boxed;
mod category;
mod custom;
mod pool;
mod portable;
mod shared;
mod slab;
mod string;
mod system;
mod vec;

use core::alloc::Layout;
use core::fmt;
use core::mem::MaybeUninit;
use core::ptr::NonNull;
use core::sync::atomic::Ordering;

use precast_format::brief::{self, MESSAGES};
use precast_format::plain::{Decimal, Text};

use account::Account;

use crate::facility::{CustomAllocators, SystemHeap};
use crate::sys::atomic::AtomicUsize;

pub use account::Usage;
pub use boxed::Box;
pub use category::{Category, Lifetime};
pub use custom::CustomAllocator;
#[cfg(feature = "plan")]
pub(crate) use pool::PoolModel;
pub use pool::{PoolUsage, StaticPool};
pub(crate) use portable::NATIVE_WIDTH;
pub use portable::PortableLayout;
pub use shared::Shared;
pub(crate) use shared::{Room, SharedArray, element_of};
pub(crate) use slab::{Array, Slab, SlabLayout};
pub use string::String;
pub use vec::Vec;

/// An allocation failed. Give the runtime more memory, or load less into it.
#[must_use]
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct OutOfMemory {
    category: Category,
    bytes: usize,
}

impl OutOfMemory {
    /// A request of this many bytes failed; `usize::MAX` where the size cannot be expressed.
    pub const fn new(category: Category, bytes: usize) -> OutOfMemory {
        OutOfMemory { category, bytes }
    }

    /// What the memory was for.
    pub const fn category(self) -> Category {
        self.category
    }

    /// How many bytes were asked for.
    pub const fn bytes(self) -> usize {
        self.bytes
    }
}

impl fmt::Display for OutOfMemory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !MESSAGES {
            brief::write(&self.category, f)?;
            return write!(f, " {}", Decimal(self.bytes as u64));
        }
        let category = Text(self.category.name());
        match self.bytes {
            usize::MAX => write!(f, "no memory for {category}: too large for this machine"),
            bytes => write!(
                f,
                "no memory for {} bytes of {category}",
                Decimal(bytes as u64)
            ),
        }
    }
}

impl core::error::Error for OutOfMemory {}

/// What is in bytes that are new.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Fresh {
    /// Whatever was there.
    Anything,
    /// Zeros.
    Zeros,
}

/// A source of memory.
///
/// # Safety
///
/// 1. A block is valid for reads and writes of its layout's size, aligned as asked, and nobody
///    else's until it is freed.
/// 2. A block that was reallocated keeps its contents up to the smaller size. One that could not
///    be reallocated stays as it is.
/// 3. New bytes are zero where that is asked for.
/// 4. All methods can be called from any thread, and none of them unwinds.
unsafe trait RawAllocator {
    /// A block, or `None` where there is none. The layout's size is not zero.
    fn allocate(&self, layout: Layout, fresh: Fresh, category: Category) -> Option<NonNull<u8>>;

    /// Changes the size of a block, which may move.
    ///
    /// # Safety
    ///
    /// The block came from this allocator with this layout and category. `size` is neither zero
    /// nor too large for the layout's alignment.
    unsafe fn reallocate(
        &self,
        block: NonNull<u8>,
        layout: Layout,
        size: usize,
        fresh: Fresh,
        category: Category,
    ) -> Option<NonNull<u8>>;

    /// Takes a block back.
    ///
    /// # Safety
    ///
    /// The block came from this allocator with this layout and category, and is not used again.
    unsafe fn free(&self, block: NonNull<u8>, layout: Layout, category: Category);
}

/// Clears what a block has got beyond its old size, if that is asked for.
///
/// # Safety
///
/// The block has `size` bytes and is the caller's.
unsafe fn clear_added(block: NonNull<u8>, old: usize, size: usize, fresh: Fresh) {
    if fresh == Fresh::Zeros
        && let Some(added) = size.checked_sub(old)
    {
        // SAFETY: the old size is no larger than the block.
        let tail = unsafe { block.add(old) };
        // SAFETY: so many bytes follow, in a block that is the caller's.
        unsafe { tail.write_bytes(0, added) };
    }
}

/// A source of memory that this loader was built without has none.
const NOT_BUILT_IN: OutOfMemory = OutOfMemory::new(Category::Runtime, size_of::<State>());

/// Where the bytes come from.
enum Source {
    System(SystemHeap<system::SystemAllocator>),
    Custom(CustomAllocators<CustomAllocator>),
    Pool(pool::PoolAllocator),
}

impl Source {
    fn raw(&self) -> &dyn RawAllocator {
        match self {
            Source::System(system) => &**system,
            Source::Custom(custom) => &**custom,
            Source::Pool(pool) => pool,
        }
    }

    fn pool(&self) -> Option<&pool::PoolAllocator> {
        if let Source::Pool(pool) = self {
            Some(pool)
        } else {
            None
        }
    }
}

struct State {
    references: AtomicUsize,
    source: Source,
    /// The allocator that counts for this one; `None` where the state is a [`Root`]'s.
    counted_by: Option<Allocator>,
}

/// The state of an allocator that counts for itself.
#[repr(C)]
struct Root {
    state: State,
    account: Account,
}

/// A handle to the runtime's allocator. Clones are handles to the same one; it goes away with the
/// last of them, which every block holds too.
pub struct Allocator(NonNull<State>);

// SAFETY: the count and the account are atomic, and a source can be used from any thread.
unsafe impl Send for Allocator {}
// SAFETY: as above.
unsafe impl Sync for Allocator {}

impl Allocator {
    /// The platform's allocator. Without the feature `system-heap` it has no memory.
    pub fn system() -> Result<Allocator, OutOfMemory> {
        let system = SystemHeap::hold(system::SystemAllocator);
        Allocator::new(Source::System(system.ok_or(NOT_BUILT_IN)?))
    }

    /// Functions of the host. Without the feature `custom-allocators` they are not asked, and there is no
    /// memory.
    pub fn custom(functions: CustomAllocator) -> Result<Allocator, OutOfMemory> {
        let functions = CustomAllocators::hold(functions).ok_or(NOT_BUILT_IN)?;
        Allocator::new(Source::Custom(functions))
    }

    /// A region of the host's, and nothing else. See [`StaticPool`] for a way to one.
    ///
    /// The region may start and end anywhere. It is never given back; with
    /// [`Allocator::pool_at`] the host can use it again.
    pub fn pool(region: &'static mut [MaybeUninit<u8>]) -> Result<Allocator, OutOfMemory> {
        let bytes = region.len();
        // SAFETY: the region is borrowed exclusively and for ever.
        unsafe { Allocator::pool_at(NonNull::from(region).cast(), bytes) }
    }

    /// As [`Allocator::pool`], by address and length in bytes.
    ///
    /// # Safety
    ///
    /// The region is valid for reads and writes, and nobody else uses it until the allocator, the
    /// runtime and everything made from it are gone.
    pub unsafe fn pool_at(start: NonNull<u8>, bytes: usize) -> Result<Allocator, OutOfMemory> {
        // SAFETY: the caller's promise; every block holds the allocator.
        let pool = unsafe { pool::PoolAllocator::new(start, bytes) };
        let error = OutOfMemory::new(Category::Runtime, size_of::<State>());
        Allocator::new(Source::Pool(pool.ok_or(error)?))
    }

    /// The layout of the block that an allocator takes from itself.
    #[cfg(feature = "plan")]
    pub(crate) const fn layout() -> Layout {
        Layout::new::<Root>()
    }

    /// The layout of the block that [`Allocator::beside`] takes.
    #[cfg(feature = "plan")]
    pub(crate) const fn layout_beside() -> Layout {
        Layout::new::<State>()
    }

    /// Functions of the host as a source of its own, whose blocks this allocator counts.
    pub(crate) fn beside(&self, functions: CustomAllocator) -> Result<Allocator, OutOfMemory> {
        let functions = CustomAllocators::hold(functions).ok_or(NOT_BUILT_IN)?;
        let block = self.allocate(Layout::new::<State>(), Category::Runtime)?;
        let state = block.cast::<State>();
        // SAFETY: the block has the layout of a `State` and is nobody else's.
        unsafe {
            state.write(State {
                references: AtomicUsize::new(1),
                source: Source::Custom(functions),
                counted_by: Some(self.clone()),
            })
        };
        Ok(Allocator(state))
    }

    /// Places the state in memory of the source itself.
    fn new(source: Source) -> Result<Allocator, OutOfMemory> {
        let layout = Layout::new::<Root>();
        let category = Category::Runtime;
        let block = source.raw().allocate(layout, Fresh::Anything, category);
        let root = block
            .ok_or(OutOfMemory::new(category, layout.size()))?
            .cast::<Root>();
        let account = Account::default();
        account.add(category, layout.size());
        if let Some(pool) = source.pool() {
            account.add(category, pool.overhead());
        }
        let state = State {
            references: AtomicUsize::new(1),
            source,
            counted_by: None,
        };
        // SAFETY: the block has the layout of a `Root` and is nobody else's.
        unsafe { root.write(Root { state, account }) };
        Ok(Allocator(root.cast()))
    }

    fn state(&self) -> &State {
        // SAFETY: the state lives as long as a handle is counted.
        unsafe { self.0.as_ref() }
    }

    fn account(&self) -> &Account {
        match &self.state().counted_by {
            Some(other) => other.account(),
            None => {
                let root = self.0.cast::<Root>();
                // SAFETY: `new` made the state a root's, with which it lives.
                &unsafe { root.as_ref() }.account
            }
        }
    }

    /// Current and peak bytes of a category.
    pub fn usage(&self, category: Category) -> Usage {
        self.account().usage(category)
    }

    /// How full the pool is, if there is one.
    pub fn pool_usage(&self) -> Option<PoolUsage> {
        self.state().source.pool().map(pool::PoolAllocator::usage)
    }

    /// Counts bytes that come from elsewhere, such as mapped memory.
    pub(crate) fn charge(&self, category: Category, bytes: usize) {
        self.account().add(category, bytes);
    }

    /// Counts a block of [`Allocator::charge`] with another size.
    pub(crate) fn recharge(&self, category: Category, old: usize, new: usize) {
        self.account().resize(category, old, new);
    }

    /// Takes back what [`Allocator::charge`] counted.
    pub(crate) fn discharge(&self, category: Category, bytes: usize) {
        self.account().subtract(category, bytes);
    }

    /// A block of the layout, which is not empty.
    pub(crate) fn allocate(
        &self,
        layout: Layout,
        category: Category,
    ) -> Result<NonNull<u8>, OutOfMemory> {
        self.allocate_fresh(layout, Fresh::Anything, category)
    }

    /// A block of zeros of the layout, which is not empty.
    pub(crate) fn allocate_zeroed(
        &self,
        layout: Layout,
        category: Category,
    ) -> Result<NonNull<u8>, OutOfMemory> {
        self.allocate_fresh(layout, Fresh::Zeros, category)
    }

    fn allocate_fresh(
        &self,
        layout: Layout,
        fresh: Fresh,
        category: Category,
    ) -> Result<NonNull<u8>, OutOfMemory> {
        let block = self.state().source.raw().allocate(layout, fresh, category);
        let block = block.ok_or(OutOfMemory::new(category, layout.size()))?;
        self.charge(category, layout.size());
        Ok(block)
    }

    /// Changes the size of a block, which may move. After an error it is as it was.
    ///
    /// # Safety
    ///
    /// The block came from this allocator with this layout and category.
    pub(crate) unsafe fn reallocate(
        &self,
        block: NonNull<u8>,
        layout: Layout,
        new: Layout,
        category: Category,
    ) -> Result<NonNull<u8>, OutOfMemory> {
        // SAFETY: the caller's promise.
        unsafe { self.reallocate_fresh(block, layout, new, Fresh::Anything, category) }
    }

    /// As [`Allocator::reallocate`], but what is added is zero.
    ///
    /// # Safety
    ///
    /// As for [`Allocator::reallocate`].
    pub(crate) unsafe fn reallocate_zeroed(
        &self,
        block: NonNull<u8>,
        layout: Layout,
        new: Layout,
        category: Category,
    ) -> Result<NonNull<u8>, OutOfMemory> {
        // SAFETY: the caller's promise.
        unsafe { self.reallocate_fresh(block, layout, new, Fresh::Zeros, category) }
    }

    /// # Safety
    ///
    /// As for [`Allocator::reallocate`].
    unsafe fn reallocate_fresh(
        &self,
        block: NonNull<u8>,
        layout: Layout,
        new: Layout,
        fresh: Fresh,
        category: Category,
    ) -> Result<NonNull<u8>, OutOfMemory> {
        let error = OutOfMemory::new(category, new.size());
        let raw = self.state().source.raw();
        if new.size() == 0 || new.align() != layout.align() {
            return Err(error);
        }
        // SAFETY: the caller's promise; the new size is a layout's of the same alignment.
        let moved = unsafe { raw.reallocate(block, layout, new.size(), fresh, category) };
        let moved = moved.ok_or(error)?;
        self.recharge(category, layout.size(), new.size());
        Ok(moved)
    }

    /// Takes a block back.
    ///
    /// # Safety
    ///
    /// The block came from this allocator with this layout and category, and is not used again.
    pub(crate) unsafe fn free(&self, block: NonNull<u8>, layout: Layout, category: Category) {
        // SAFETY: the caller's promise.
        unsafe { self.state().source.raw().free(block, layout, category) };
        self.discharge(category, layout.size());
    }
}

impl Clone for Allocator {
    fn clone(&self) -> Allocator {
        self.state().references.fetch_add(1, Ordering::Relaxed);
        Allocator(self.0)
    }
}

impl Drop for Allocator {
    fn drop(&mut self) {
        if self.state().references.fetch_sub(1, Ordering::Release) != 1 {
            return;
        }
        // A load and no fence: what looks for races knows loads only.
        self.state().references.load(Ordering::Acquire);
        // SAFETY: that was the last handle; the state is moved out and not used in place again.
        let state = unsafe { self.0.read() };
        let category = Category::Runtime;
        let block = self.0.cast();
        match state.counted_by {
            // SAFETY: `beside` got the block from this allocator with this layout and category.
            Some(other) => unsafe { other.free(block, Layout::new::<State>(), category) },
            None => {
                let raw = state.source.raw();
                // SAFETY: `new` got the block from this source with this layout and category.
                unsafe { raw.free(block, Layout::new::<Root>(), category) }
            }
        }
    }
}

impl fmt::Debug for Allocator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.state().source {
            Source::System(_) => "Allocator(system)",
            Source::Custom(_) => "Allocator(custom)",
            Source::Pool(_) => "Allocator(pool)",
        })
    }
}

#[cfg(test)]
mod tests;
