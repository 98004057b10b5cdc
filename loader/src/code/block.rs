//! A block of code memory, whoever provided it: it knows how to be published and given back, and it
//! is counted.

use core::ptr::NonNull;

use super::OsError;
use super::memory::Functions;
use crate::alloc::{Allocator, Category};
use crate::sys::map::Mapping;

enum Origin {
    /// Pages of the platform's.
    Mapped(Mapping),
    /// A block from functions of the host.
    Host {
        functions: Functions,
        base: NonNull<u8>,
        size: usize,
    },
    /// A part of a lent artifact, which is executable, or of the program's text.
    Lent(NonNull<u8>),
}

// SAFETY: code memory belongs to the process, not to a thread, and the functions can be called from
// any of them.
unsafe impl Send for Origin {}
// SAFETY: a shared block only tells where it is.
unsafe impl Sync for Origin {}

/// Memory of code.
pub(super) struct Block {
    origin: Origin,
    allocator: Allocator,
}

impl Block {
    fn new(allocator: &Allocator, origin: Origin) -> Block {
        let block = Block {
            origin,
            allocator: allocator.clone(),
        };
        if let Some(size) = block.counted() {
            allocator.charge(Category::Code, size);
        }
        block
    }

    pub(super) fn mapped(allocator: &Allocator, mapping: Mapping) -> Block {
        Block::new(allocator, Origin::Mapped(mapping))
    }

    pub(super) fn of_host(
        allocator: &Allocator,
        functions: Functions,
        base: NonNull<u8>,
        size: usize,
    ) -> Block {
        let origin = Origin::Host {
            functions,
            base,
            size,
        };
        Block::new(allocator, origin)
    }

    /// For code that the processor runs, the caller's promise is the one of
    /// [`CodeMemory::in_place`](super::CodeMemory::in_place), or a linker's.
    pub(super) fn lent(allocator: &Allocator, text: &'static [u8]) -> Block {
        Block::new(allocator, Origin::Lent(NonNull::from(text).cast()))
    }

    /// Bytes that the runtime takes for it.
    fn counted(&self) -> Option<usize> {
        match &self.origin {
            Origin::Mapped(mapping) => Some(mapping.size()),
            Origin::Host { size, .. } => Some(*size),
            Origin::Lent(_) => None,
        }
    }

    /// The first byte.
    pub(super) fn base(&self) -> NonNull<u8> {
        match &self.origin {
            Origin::Mapped(mapping) => mapping.base(),
            Origin::Host { base, .. } | Origin::Lent(base) => *base,
        }
    }

    /// Whether it is a part of a lent artifact.
    pub(super) fn is_lent(&self) -> bool {
        matches!(self.origin, Origin::Lent(_))
    }

    /// Takes the right to write away and gives the right to execute.
    pub(super) fn publish(&mut self) -> Result<(), OsError> {
        match &mut self.origin {
            Origin::Mapped(mapping) => {
                let size = mapping.size();
                mapping.make_executable(0, size)
            }
            Origin::Host {
                functions,
                base,
                size,
            } => functions.protect(*base, *size),
            Origin::Lent(_) => Ok(()),
        }
    }
}

impl Drop for Block {
    fn drop(&mut self) {
        if let Some(size) = self.counted() {
            self.allocator.discharge(Category::Code, size);
        }
        if let Origin::Host {
            functions,
            base,
            size,
        } = &self.origin
        {
            // SAFETY: the block is `functions`' own, and goes away with this value.
            unsafe { functions.unmap(*base, *size) };
        }
    }
}
