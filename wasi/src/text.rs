//! The bytes that a context keeps, in one block of the runtime's memory.
//!
//! ```text
//!   | arguments | environment variables | names of preopened directories | standard input |
//! ```
//!
//! Arguments and variables lie as the guest gets them, each with a NUL behind it: one copy hands
//! them over, and where each begins shows while its pointer is written. The last part is there if the
//! embedder gave standard input as bytes.

use std::ops::Range;

use precast_loader::alloc::Vec;
use precast_loader::{Allocator, Category, OutOfMemory};

/// Where a piece is. The pieces that a guest may ask for fit into its memory, so 32 bits do.
#[derive(Clone, Copy)]
pub(crate) struct Span {
    start: u32,
    length: u32,
}

impl Span {
    /// None if the piece is beyond what any guest's memory holds.
    fn new(range: Range<usize>) -> Option<Span> {
        u32::try_from(range.end).ok()?;
        Some(Span {
            start: u32::try_from(range.start).ok()?,
            length: u32::try_from(range.len()).ok()?,
        })
    }

    /// How many bytes it has.
    pub fn length(self) -> u32 {
        self.length
    }
}

/// Strings in a row, each with a NUL behind it.
#[derive(Clone, Copy)]
pub(crate) struct Strings {
    /// How many there are.
    pub count: u32,
    /// Where they are, with their NULs.
    pub span: Span,
}

/// The block.
pub(crate) struct Text(Vec<u8>);

impl Text {
    /// An empty block with room for so many bytes. Nothing is asked of the allocator for none.
    pub fn with_room(allocator: &Allocator, bytes: usize) -> Result<Text, OutOfMemory> {
        Ok(Text(Vec::try_with_capacity(
            allocator,
            Category::Wasi,
            bytes,
        )?))
    }

    /// Where the block is from.
    pub fn allocator(&self) -> &Allocator {
        self.0.allocator()
    }

    /// How many bytes the strings take, each with a NUL.
    pub fn room_for(strings: &[std::vec::Vec<u8>]) -> usize {
        strings.iter().map(|string| string.len() + 1).sum()
    }

    /// Appends bytes, and says where they are.
    pub fn push(&mut self, bytes: &[u8]) -> Result<Range<usize>, OutOfMemory> {
        let start = self.0.len();
        self.0.try_extend_from_slice(bytes)?;
        Ok(start..self.0.len())
    }

    /// Appends a name. `Ok(None)` if no guest's memory holds everything up to its end.
    pub fn push_name(&mut self, name: &str) -> Result<Option<Span>, OutOfMemory> {
        Ok(Span::new(self.push(name.as_bytes())?))
    }

    /// Appends strings. `Ok(None)` if no guest's memory holds everything up to their end.
    pub fn push_strings(
        &mut self,
        strings: &[std::vec::Vec<u8>],
    ) -> Result<Option<Strings>, OutOfMemory> {
        let start = self.0.len();
        for string in strings {
            self.push(string)?;
            self.push(&[0])?;
        }
        let span = Span::new(start..self.0.len());
        // Each has a byte at least, so that they are not more than the bytes.
        let count = u32::try_from(strings.len()).ok();
        Ok(span.zip(count).map(|(span, count)| Strings { count, span }))
    }

    /// The bytes of a piece.
    pub fn get(&self, span: Span) -> &[u8] {
        let start = span.start as usize;
        self.rest(&(start..start + span.length as usize))
    }

    /// The bytes of a range; none if it is not in the block.
    pub fn rest(&self, range: &Range<usize>) -> &[u8] {
        self.0.get(range.clone()).unwrap_or_default()
    }
}
