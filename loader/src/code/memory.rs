//! Where executable memory comes from: the platform, or functions of the host.
//!
//! ```text
//!   map ---> writable ---protect---> executable ---flush---> runs ---> unmap
//!     \                     \ refused
//!      \ none                +--------> unmap
//! ```
//!
//! Bare metal has a third way: code that needs no patching runs where the artifact lies. A region
//! that the host sets aside for code is a provider whose `map` hands out parts of it.

use core::ffi::c_void;
use core::fmt;
use core::ptr::NonNull;

use precast_format::layout::TEXT_ALIGNMENT;

use super::block::Block;
use super::{ExecutableCode, OsError};
use crate::alloc::Allocator;
use crate::sys::map::{Mapping, page_size};

/// `(user, size, alignment)`: a block that is readable and writable, or null.
pub type MapFunction = unsafe extern "C" fn(*mut c_void, usize, usize) -> *mut c_void;

/// `(user, block, size)`: makes a block readable and executable, and no longer writable. Zero, or an
/// error number.
pub type ProtectFunction = unsafe extern "C" fn(*mut c_void, *mut c_void, usize) -> i32;

/// `(user, block, size)`: lets instruction fetches see what was written as data.
pub type FlushFunction = unsafe extern "C" fn(*mut c_void, *mut c_void, usize);

/// `(user, block, size)`: takes a block back, protected or not.
pub type UnmapFunction = unsafe extern "C" fn(*mut c_void, *mut c_void, usize);

/// Functions of the host.
#[derive(Clone, Copy)]
pub(super) struct Functions {
    user: *mut c_void,
    map: MapFunction,
    protect: ProtectFunction,
    flush: FlushFunction,
    unmap: UnmapFunction,
}

// SAFETY: the functions can be called from any thread; promised by whoever called `custom`.
unsafe impl Send for Functions {}
// SAFETY: as above.
unsafe impl Sync for Functions {}

impl Functions {
    pub(super) fn map(&self, size: usize) -> Option<NonNull<u8>> {
        let alignment = page_size().max(TEXT_ALIGNMENT as usize);
        // SAFETY: `custom` demands a function that can be called with any size.
        let block = unsafe { (self.map)(self.user, size, alignment) };
        NonNull::new(block.cast())
    }

    /// Publishes a block of [`Functions::map`].
    pub(super) fn protect(&self, block: NonNull<u8>, size: usize) -> Result<(), OsError> {
        let block = block.as_ptr().cast();
        // SAFETY: the block is from `map`, and has been protected neither by us nor by others.
        match unsafe { (self.protect)(self.user, block, size) } {
            0 => {}
            error => return Err(OsError(error)),
        }
        // SAFETY: the block is from `map`.
        unsafe { (self.flush)(self.user, block, size) };
        Ok(())
    }

    /// Gives a block of [`Functions::map`] back.
    ///
    /// # Safety
    ///
    /// Nobody uses the block any more.
    pub(super) unsafe fn unmap(&self, block: NonNull<u8>, size: usize) {
        // SAFETY: the caller's promise.
        unsafe { (self.unmap)(self.user, block.as_ptr().cast(), size) }
    }
}

#[derive(Clone, Copy)]
enum Provider {
    Platform,
    Host(Functions),
}

/// Where a runtime's code is kept. The default is pages of the platform's: mapped from the file
/// where nothing has to be patched, else copied, patched and then protected.
///
/// Whoever provides the memory, its bytes count as [`Category::Code`](crate::Category::Code), and it
/// is never writable and executable at the same time. Memory that cannot be protected is a failure
/// to load.
#[derive(Clone, Copy)]
pub struct CodeMemory {
    provider: Provider,
    in_place: bool,
}

impl CodeMemory {
    /// Pages of the platform's.
    pub const fn platform() -> CodeMemory {
        CodeMemory {
            provider: Provider::Platform,
            in_place: false,
        }
    }

    /// Memory from functions of the host, for all code. `user` is passed to each of them.
    ///
    /// A block is mapped, written, protected, flushed, executed and unmapped, in this order. If it
    /// cannot be protected, or an error comes before, it is unmapped without being executed.
    ///
    /// # Safety
    ///
    /// 1. `map` gives blocks that are valid for reads and writes of so many bytes, aligned as asked,
    ///    and exclusive until unmapped, or null.
    /// 2. After `protect` the block can be executed and nobody writes it. Where the machine has
    ///    memory protection, nobody can: no byte is writable and executable at the same time, nor
    ///    was before. Where `protect` returns another number than zero, it has not made anything
    ///    executable.
    /// 3. What was written before `flush` is what is executed after it.
    /// 4. The functions can be called from any thread that uses the runtime, with `user` valid for
    ///    as long as the runtime and everything made from it, and they do not unwind.
    pub const unsafe fn custom(
        user: *mut c_void,
        map: MapFunction,
        protect: ProtectFunction,
        flush: FlushFunction,
        unmap: UnmapFunction,
    ) -> CodeMemory {
        CodeMemory {
            provider: Provider::Host(Functions {
                user,
                map,
                protect,
                flush,
                unmap,
            }),
            in_place: false,
        }
    }

    /// Lets code run where it lies: that of artifacts which no relocation touches, in bytes that are
    /// lent for ever ([`Source::borrowed`](crate::Source::borrowed)), at an address that is a
    /// multiple of 16. Nothing is mapped or copied for it. All other code is provided as before.
    ///
    /// For machines that execute from flash; a hosted system gives static bytes no such right.
    ///
    /// # Safety
    ///
    /// The bytes of all artifacts that are lent to the runtime are executable and not writable, for
    /// as long as they are lent, and instruction fetches see them.
    pub const unsafe fn in_place(mut self) -> CodeMemory {
        self.in_place = true;
        self
    }

    /// Whether code may be mapped from files.
    pub(crate) fn is_platform(&self) -> bool {
        matches!(self.provider, Provider::Platform)
    }

    /// Code that runs where it lies, if that may be.
    pub(crate) fn lent(
        &self,
        allocator: &Allocator,
        text: &'static [u8],
    ) -> Option<ExecutableCode> {
        let aligned = text.as_ptr().addr().is_multiple_of(TEXT_ALIGNMENT as usize);
        (self.in_place && aligned).then(|| ExecutableCode {
            memory: Block::lent(allocator, text),
            size: text.len(),
        })
    }

    /// A writable block.
    pub(super) fn map(&self, allocator: &Allocator, size: usize) -> Result<Block, OsError> {
        match &self.provider {
            Provider::Platform => Ok(Block::mapped(allocator, Mapping::writable(size)?)),
            Provider::Host(functions) => {
                // The host has no error number for this.
                let base = functions.map(size).ok_or(OsError(0))?;
                Ok(Block::of_host(allocator, *functions, base, size))
            }
        }
    }
}

impl Default for CodeMemory {
    fn default() -> CodeMemory {
        CodeMemory::platform()
    }
}

impl fmt::Debug for CodeMemory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match (&self.provider, self.in_place) {
            (Provider::Platform, false) => "CodeMemory(platform)",
            (Provider::Platform, true) => "CodeMemory(in place, else platform)",
            (Provider::Host(_), false) => "CodeMemory(custom)",
            (Provider::Host(_), true) => "CodeMemory(in place, else custom)",
        })
    }
}
