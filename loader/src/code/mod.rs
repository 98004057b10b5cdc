//! Code memory: writable first, then executable, never both.
//!
//! ```text
//!   artifact bytes --copy--> WritableCode --publish--> ExecutableCode
//!   artifact file  --------------map---------------->  ExecutableCode
//!   artifact in executable memory -----lent--------->  ExecutableCode
//!   text that is linked into the program -lent------>  ExecutableCode
//!   artifact with bytecode  -----------read--------->  ExecutableCode
//! ```
//!
//! A [`WritableCode`] can be patched and not run; publishing consumes it. An [`ExecutableCode`]
//! can be run and not written. Where their memory comes from is the host's choice ([`CodeMemory`]).

mod block;
mod memory;

use core::fmt;
use core::ops::Range;
use core::slice;

use crate::alloc::Allocator;
use crate::memory::plain;
use crate::sys::OsError;
use crate::sys::file::File;
use crate::sys::map::Mapping;

use block::Block;

pub use memory::CodeMemory;

/// A private copy of a text section, for relocations to be applied to.
///
/// Having a value of this type means that the bytes are writable, and that no thread executes
/// them.
pub struct WritableCode {
    memory: Block,
    size: usize,
}

impl WritableCode {
    /// Copies text into a block of its own.
    pub fn copy(
        memory: &CodeMemory,
        allocator: &Allocator,
        text: &[u8],
    ) -> Result<WritableCode, OsError> {
        // An empty text still has an address.
        let mut code = WritableCode {
            memory: memory.map(allocator, text.len().max(1))?,
            size: text.len(),
        };
        plain::copy(code.bytes_mut(), text);
        Ok(code)
    }

    /// Where the code is, now and after publishing.
    pub fn address(&self) -> usize {
        self.memory.base().as_ptr().expose_provenance()
    }

    /// The bytes, to be patched.
    pub fn bytes_mut(&mut self) -> &mut [u8] {
        let base = self.memory.base().as_ptr();
        // SAFETY: the block has at least `size` bytes, which are writable and only ours.
        unsafe { slice::from_raw_parts_mut(base, self.size) }
    }

    /// Takes the right to write away and gives the right to execute. Where that is
    /// refused, the code is gone: it is never left writable and executable.
    pub fn publish(mut self) -> Result<ExecutableCode, OsError> {
        self.memory.publish()?;
        Ok(ExecutableCode {
            memory: self.memory,
            size: self.size,
        })
    }
}

impl fmt::Debug for WritableCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "writable code, {} bytes at {:#x}",
            self.size,
            self.address()
        )
    }
}

/// A text section that can run.
///
/// Having a value of this type means that the bytes are executable or bytecode, not writable, and stay where
/// they are until the value is dropped. Whether they *should* run is a matter of trust.
pub struct ExecutableCode {
    memory: Block,
    size: usize,
}

impl ExecutableCode {
    /// Maps text straight from a file, at an offset that is a multiple of the page size.
    ///
    /// The pages behind the last one of the file cannot be accessed: the caller has compared
    /// offset and size with the file's size.
    pub fn map(
        allocator: &Allocator,
        file: &File,
        offset: u64,
        size: usize,
    ) -> Result<ExecutableCode, OsError> {
        let mapping = Mapping::file_executable(file, offset, size)?;
        Ok(ExecutableCode {
            memory: Block::mapped(allocator, mapping),
            size,
        })
    }

    /// Text of the program's own, which a linker has put there.
    pub(crate) fn linked(allocator: &Allocator, text: &'static [u8]) -> ExecutableCode {
        ExecutableCode {
            memory: Block::lent(allocator, text),
            size: text.len(),
        }
    }

    /// Bytecode, which is data: it is used where the kept artifact lies, whatever the protection
    /// there. The module keeps that for longer than this.
    pub fn bytecode(allocator: &Allocator, text: &'static [u8]) -> ExecutableCode {
        ExecutableCode {
            memory: Block::lent(allocator, text),
            size: text.len(),
        }
    }

    /// Whether the code runs where the artifact lies.
    pub fn is_in_place(&self) -> bool {
        self.memory.is_lent()
    }

    /// The addresses of the code.
    pub fn range(&self) -> Range<usize> {
        let start = self.memory.base().as_ptr().expose_provenance();
        // The block ends before the address space does.
        start..start.wrapping_add(self.size)
    }

    /// The code as bytes, to show it to others.
    #[cfg(feature = "profiling")]
    pub fn bytes(&self) -> &[u8] {
        let base = self.memory.base().as_ptr();
        // SAFETY: the block has at least `size` bytes, which can be read and do not change.
        unsafe { slice::from_raw_parts(base, self.size) }
    }

    /// The address of what is at this offset of the text, if that is inside.
    pub fn address(&self, offset: u32) -> Option<*const u8> {
        let offset = usize::try_from(offset)
            .ok()
            .filter(|offset| *offset < self.size)?;
        Some(
            self.memory
                .base()
                .as_ptr()
                .wrapping_add(offset)
                .cast_const(),
        )
    }
}

impl fmt::Debug for ExecutableCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "executable code, {} bytes at {:#x}",
            self.size,
            self.range().start
        )
    }
}

#[cfg(test)]
mod tests;
