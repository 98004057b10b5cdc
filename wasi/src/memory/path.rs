//! Paths: text that the guest points to, lent or copied.

use super::{Bytes, GuestMemory};
use crate::errno::Errno;

/// The longest path that is copied, in bytes: no system resolves a longer one.
const LONGEST: usize = 4096;

/// Room for the copy of a path, which takes nothing until it is used.
#[derive(Default)]
pub(crate) struct PathBuffer(Option<[u8; LONGEST]>);

impl GuestMemory<'_> {
    /// A path: UTF-8 without a NUL in it. It lies in `buffer` if other threads could change it.
    ///
    /// # Errors
    ///
    /// [`Errno::Fault`] if the range leaves the memory, [`Errno::IllegalSequence`] if it is not
    /// UTF-8, [`Errno::Invalid`] if it has a NUL, [`Errno::NameTooLong`] if it has to be copied and
    /// is longer than paths can be.
    pub(crate) fn path<'a>(
        &'a self,
        buffer: &'a mut PathBuffer,
        pointer: u32,
        length: u32,
    ) -> Result<&'a str, Errno> {
        let range = self.range(pointer, length)?;
        let bytes = match &self.bytes {
            Bytes::Exclusive(memory) => &memory[range],
            Bytes::Shared(memory) => {
                let copy = buffer.0.insert([0; LONGEST]);
                let copy = copy.get_mut(..range.len()).ok_or(Errno::NameTooLong)?;
                memory.read(range.start, copy)?;
                copy
            }
        };
        let path = std::str::from_utf8(bytes).map_err(|_| Errno::IllegalSequence)?;
        if bytes.contains(&0) {
            return Err(Errno::Invalid);
        }
        Ok(path)
    }
}
