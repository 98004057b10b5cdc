//! Memory for code, if the firmware has some. There are no pages, and nothing is reserved.

use core::ptr::NonNull;

use precast_format::layout::TEXT_ALIGNMENT;

use super::file::File;
use super::{NOT_THERE, OsError, platform};

/// The size of a page in bytes: one, without a memory management unit.
pub fn page_size() -> usize {
    1
}

/// The size rounded up to whole pages.
pub fn round_to_pages(size: usize) -> Option<usize> {
    Some(size)
}

/// A block of the firmware's; dropping it gives it back.
#[derive(Debug)]
pub struct Mapping {
    base: NonNull<u8>,
    size: usize,
}

// SAFETY: the memory belongs to the device, not to a thread.
unsafe impl Send for Mapping {}
// SAFETY: a shared mapping only tells where it is.
unsafe impl Sync for Mapping {}

impl Mapping {
    /// Address space apart from memory there is not.
    pub fn reserve(_: usize) -> Result<Mapping, OsError> {
        Err(NOT_THERE)
    }

    /// Memory for reading and writing.
    pub fn writable(size: usize) -> Result<Mapping, OsError> {
        let base = platform().map(size, TEXT_ALIGNMENT as usize);
        let base = base.ok_or(NOT_THERE)?;
        Ok(Mapping { base, size })
    }

    /// Pages that are paid for when they are touched there are not.
    pub fn sparse(_: usize) -> Result<Mapping, OsError> {
        Err(NOT_THERE)
    }

    /// A file's bytes, of which there are none.
    pub fn file_readable(_: &File, _: u64, _: usize) -> Result<Mapping, OsError> {
        Err(NOT_THERE)
    }

    /// A file's code, of which there is none.
    pub fn file_executable(_: &File, _: u64, _: usize) -> Result<Mapping, OsError> {
        Err(NOT_THERE)
    }

    /// The first byte.
    pub fn base(&self) -> NonNull<u8> {
        self.base
    }

    /// Size in bytes.
    pub fn size(&self) -> usize {
        self.size
    }

    /// Parts of a block are not given back.
    pub fn truncate(&mut self, _: usize) {}

    /// Nothing is reserved that could be committed.
    pub fn commit(&mut self, _: usize, _: usize) -> Result<(), OsError> {
        Err(NOT_THERE)
    }

    /// Publishes the block, of which the range must be all.
    pub fn make_executable(&mut self, offset: usize, size: usize) -> Result<(), OsError> {
        if (offset, size) != (0, self.size) {
            return Err(NOT_THERE);
        }
        let platform = platform();
        let protected = platform.protect(self.base, size);
        protected.map_err(|refused| OsError(refused.0))?;
        platform.flush(self.base, size);
        Ok(())
    }

    /// Nothing can be guarded.
    pub fn make_inaccessible(&mut self, _: usize, _: usize) -> Result<(), OsError> {
        Err(NOT_THERE)
    }

    /// A file's pages do not take the place of memory.
    pub fn copy_on_write(&mut self, _: usize, _: usize, _: &File, _: u64) -> Result<bool, OsError> {
        Ok(false)
    }
}

impl Drop for Mapping {
    fn drop(&mut self) {
        platform().unmap(self.base, self.size);
    }
}
