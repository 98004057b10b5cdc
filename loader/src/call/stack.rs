//! Call stacks of their own: regions that the host provides or the runtime allocates.
//!
//! ```text
//!   highest  +--------------------+ <- a call begins here
//!            | compiled code      |
//!   limit    +--------------------+ <- what is compared does not go below
//!            | unchecked code     |    the artifact's stack reserve
//!   floor    +--------------------+ <- compiled code does not go below
//!            | libcalls           |    LIBCALL_STACK_MARGIN
//!            +--------------------+
//!            | reports of faults  |    where the system makes them on the stack of the program
//!   lowest   +--------------------+
//!            | guard page         |    where the runtime allocates, and the device has them
//!            +--------------------+
//! ```
//!
//! Room for reports of faults is added to the regions that the runtime allocates; of the host's it is
//! taken, for calls that may need it.
//!
//! Host code never runs here: host functions, and what grows memories and tables, run on the
//! thread's own stack. Nothing is written in advance.

use core::alloc::Layout;
use core::marker::PhantomData;
use core::mem::MaybeUninit;
use core::ptr::NonNull;

use crate::alloc::{Allocator, Category, OutOfMemory};
use crate::call::error::StackError;
use crate::facility::GuardPages;
use crate::limits::{DEFAULT_STACK, LIBCALL_STACK_MARGIN};
use crate::memory::plain;
use crate::sys::map::{Mapping, page_size, round_to_pages};
use crate::sys::thread::FAULT_STACK;

/// What every stack pointer is a multiple of at a call.
const ALIGNMENT: usize = 16;

/// What a region is filled with where its use is measured.
const PATTERN: u8 = 0xa5;

/// The stack of one call.
#[derive(Clone, Copy, Debug)]
pub struct CallStack {
    /// Lowest address that compiled code may use.
    pub(crate) floor: usize,
    /// How many bytes from the place of the call down to that, where there is no region. Bytecode,
    /// which does not run on the thread's stack, gets a region of this size.
    #[cfg_attr(not(feature = "pulley"), expect(dead_code))]
    pub(crate) bytes: usize,
    /// The region that the call runs on; none is the calling thread's own stack.
    pub(crate) region: Option<RegionPart>,
}

/// The part of a region that a call may use.
#[derive(Clone, Copy, Debug)]
pub(crate) struct RegionPart {
    /// Where the call begins: a multiple of [`ALIGNMENT`].
    pub top: usize,
    /// Lowest address of the region.
    pub lowest: usize,
    /// Address above the region.
    pub highest: usize,
    /// Inaccessible bytes below it.
    pub guard: usize,
    /// Bytes above its lowest address that are kept free for reports of faults already.
    pub faults: usize,
    /// Whether no other call is on the region.
    pub is_whole: bool,
}

/// Whose memory a region is.
#[derive(Debug)]
enum Memory<'a> {
    /// Pages of the system, a guard page below.
    Mapped(GuardPages<Mapping>, Allocator),
    /// A block of the runtime's allocator.
    Allocated(Layout, Allocator),
    /// The host's.
    Borrowed(PhantomData<&'a mut [MaybeUninit<u8>]>),
}

/// A region that calls run on, one at a time.
#[derive(Debug)]
pub(crate) struct StackRegion<'a> {
    lowest: NonNull<u8>,
    /// A multiple of [`ALIGNMENT`] above `lowest`, which is one too.
    size: usize,
    guard: usize,
    faults: usize,
    is_measured: bool,
    memory: Memory<'a>,
}

// SAFETY: the memory is owned, or borrowed exclusively.
unsafe impl Send for StackRegion<'_> {}
// SAFETY: a shared region tells addresses; its bytes are read only where the region is exclusive.
unsafe impl Sync for StackRegion<'_> {}

impl<'a> StackRegion<'a> {
    /// A region of so many bytes, zero being the default size; with a guard page below it where
    /// asked for. Pages are counted whole, the guard page included.
    pub(crate) fn allocate(
        allocator: &Allocator,
        bytes: usize,
        guarded: bool,
    ) -> Result<StackRegion<'static>, StackError> {
        let size = size_or_default(bytes);
        check_size(size)?;
        prepare_libcalls();
        let error = OutOfMemory::new(Category::CallStack, size);
        if guarded && GuardPages::IS_BUILT_IN {
            let guard = page_size();
            let total = StackRegion::mapped_bytes(bytes).ok_or(error)?;
            let mut mapping = Mapping::sparse(total).map_err(|_| error)?;
            mapping.make_inaccessible(0, guard).map_err(|_| error)?;
            let mapping = GuardPages::hold(mapping).ok_or(error)?;
            allocator.charge(Category::CallStack, mapping.size());
            // SAFETY: the mapping is larger than its guard.
            let lowest = unsafe { mapping.base().add(guard) };
            return Ok(StackRegion {
                lowest,
                size: mapping.size() - guard,
                guard,
                faults: FAULT_STACK,
                is_measured: false,
                memory: Memory::Mapped(mapping, allocator.clone()),
            });
        }
        let layout = StackRegion::layout(bytes).ok_or(error)?;
        let lowest = allocator.allocate(layout, Category::CallStack)?;
        Ok(StackRegion {
            lowest,
            size: layout.size() & !(ALIGNMENT - 1),
            guard: 0,
            faults: FAULT_STACK,
            is_measured: false,
            memory: Memory::Allocated(layout, allocator.clone()),
        })
    }

    /// The block of a region without a guard page.
    pub(crate) fn layout(bytes: usize) -> Option<Layout> {
        let size = size_or_default(bytes).checked_add(FAULT_STACK)?;
        Layout::from_size_align(size, ALIGNMENT).ok()
    }

    /// The pages of a region with a guard page, that included.
    pub(crate) fn mapped_bytes(bytes: usize) -> Option<usize> {
        let size = size_or_default(bytes).checked_add(FAULT_STACK)?;
        round_to_pages(size)?.checked_add(page_size())
    }

    /// The host's region; what does not fill an aligned unit at its ends is not used.
    pub(crate) fn borrow(region: &'a mut [MaybeUninit<u8>]) -> Result<StackRegion<'a>, StackError> {
        let (bytes, start) = (region.len(), NonNull::from(region).cast::<u8>());
        let skipped = start.align_offset(ALIGNMENT);
        let size = bytes.saturating_sub(skipped) & !(ALIGNMENT - 1);
        check_size(size)?;
        prepare_libcalls();
        Ok(StackRegion {
            // SAFETY: the region has more bytes than are skipped.
            lowest: unsafe { start.add(skipped) },
            size,
            guard: 0,
            faults: 0,
            is_measured: false,
            memory: Memory::Borrowed(PhantomData),
        })
    }

    /// The stack of a call that has the region to itself.
    pub(crate) fn call_stack(&self) -> CallStack {
        let lowest = self.lowest.as_ptr().expose_provenance();
        let highest = lowest.wrapping_add(self.size);
        CallStack {
            floor: lowest.wrapping_add(LIBCALL_STACK_MARGIN + self.faults),
            bytes: self.size,
            region: Some(RegionPart {
                top: highest,
                lowest,
                highest,
                guard: self.guard,
                faults: self.faults,
                is_whole: true,
            }),
        }
    }

    /// Fills the region, so that its use can be seen.
    pub(crate) fn measure(&mut self) {
        // SAFETY: the bytes are the region's, and no call is on it.
        unsafe { self.lowest.write_bytes(PATTERN, self.size) };
        self.is_measured = true;
    }

    /// How many bytes were written since the region was filled.
    pub(crate) fn high_water(&self) -> Option<usize> {
        if !self.is_measured {
            return None;
        }
        let untouched = (0..self.size).take_while(|offset| {
            // SAFETY: the offset is inside of the region.
            let byte = unsafe { self.lowest.add(*offset) };
            // SAFETY: the region was filled; no call is on it.
            unsafe { byte.read() == PATTERN }
        });
        Some(self.size - untouched.count())
    }
}

/// The size of a region that was asked for.
fn size_or_default(bytes: usize) -> usize {
    if bytes == 0 { DEFAULT_STACK } else { bytes }
}

/// Uses what libcalls use of the system, so that it is ready: where functions of a library are bound
/// at their first call, the binding needs more stack than they do.
pub(crate) fn prepare_libcalls() {
    let mut bytes = [0u8; 64];
    let length = core::hint::black_box(bytes.len() / 2);
    let _ = plain::copy_within(&mut bytes, 0..length, core::hint::black_box(1));
    if let Some(part) = bytes.get_mut(..length) {
        part.fill(core::hint::black_box(1));
    }
    core::hint::black_box(&bytes);
}

/// Refuses what is too small for any module.
fn check_size(bytes: usize) -> Result<(), StackError> {
    if bytes < LIBCALL_STACK_MARGIN + ALIGNMENT {
        return Err(StackError::TooSmall {
            needed: StackError::needed(0),
        });
    }
    Ok(())
}

impl StackError {
    /// The size of a region in which a module with this stack reserve runs at all, wherever the
    /// region begins.
    pub(crate) fn needed(reserve: usize) -> usize {
        reserve
            .saturating_add(LIBCALL_STACK_MARGIN)
            .saturating_add(2 * ALIGNMENT)
    }
}

impl Drop for StackRegion<'_> {
    fn drop(&mut self) {
        match &self.memory {
            Memory::Mapped(mapping, allocator) => {
                allocator.discharge(Category::CallStack, mapping.size());
            }
            Memory::Allocated(layout, allocator) => {
                // SAFETY: `allocate` got the block from there; no call is on it.
                unsafe { allocator.free(self.lowest, *layout, Category::CallStack) }
            }
            Memory::Borrowed(_) => {}
        }
    }
}
