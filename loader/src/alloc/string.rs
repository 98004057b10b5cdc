//! Text in the runtime's memory.

use core::fmt;
use core::ops::Deref;

use super::{Allocator, Category, OutOfMemory, Vec};

/// An owned string that does not change.
pub struct String(Vec<u8>);

impl String {
    /// A copy of the text.
    pub fn new_in(
        allocator: &Allocator,
        category: Category,
        text: &str,
    ) -> Result<String, OutOfMemory> {
        String::joined(allocator, category, text, "")
    }

    /// A copy of two texts, one after the other, in a block of just that size.
    pub fn joined(
        allocator: &Allocator,
        category: Category,
        first: &str,
        second: &str,
    ) -> Result<String, OutOfMemory> {
        let size = first.len().saturating_add(second.len());
        let mut bytes = Vec::try_with_capacity(allocator, category, size)?;
        bytes.try_extend_from_slice(first.as_bytes())?;
        bytes.try_extend_from_slice(second.as_bytes())?;
        Ok(String(bytes))
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        // The bytes were a `str`, so the default is never taken; checking costs little here.
        core::str::from_utf8(&self.0).unwrap_or_default()
    }
}

impl Deref for String {
    type Target = str;

    fn deref(&self) -> &str {
        self.as_str()
    }
}

impl PartialEq<str> for String {
    fn eq(&self, other: &str) -> bool {
        self.0.as_slice() == other.as_bytes()
    }
}

impl fmt::Debug for String {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self.as_str(), f)
    }
}

impl fmt::Display for String {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self)
    }
}
