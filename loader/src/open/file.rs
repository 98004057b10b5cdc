//! Files: mapped read-only, so that loading costs nothing for bytes that nobody reads.
//!
//! A mapping shows the changes that others make to the file. Where that must not be, since a
//! signature was verified over the bytes, the file is read into a buffer.

use core::ffi::CStr;

use crate::alloc::{Category, Vec};
use crate::error::LoadError;
use crate::open::OpenBytes;
use crate::runtime::Runtime;
use crate::sys::OsError;
use crate::sys::file::File;
use crate::sys::map::Mapping;

/// An artifact's file and its pages, for reading.
pub(crate) struct FileMapping {
    file: File,
    mapping: Mapping,
    size: usize,
}

impl FileMapping {
    /// The file, for mapping parts of it again.
    pub(crate) fn file(&self) -> &File {
        &self.file
    }

    /// The file's bytes.
    pub(crate) fn as_slice(&self) -> &[u8] {
        let base = self.mapping.base().as_ptr();
        // SAFETY: so many bytes of the file were there when it was mapped, and whoever asked for a
        // mapping instead of a copy has promised that it does not change.
        unsafe { core::slice::from_raw_parts(base, self.size) }
    }

    /// Keeps the first bytes, and gives back the pages behind them.
    pub(crate) fn truncate(&mut self, size: usize) {
        self.size = self.size.min(size);
        self.mapping.truncate(self.size);
    }
}

/// Maps a file, or reads it where it has to hold still.
pub(crate) fn open<'a>(
    runtime: &Runtime,
    path: &CStr,
    stable: bool,
) -> Result<OpenBytes<'a>, LoadError> {
    let error = |error: OsError| LoadError::File { os_error: error.0 };
    let file = File::open(path).map_err(error)?;
    let size = file.size().map_err(error)?;
    let limit = u64::from(u32::MAX);
    if size > limit {
        return Err(LoadError::TooLarge {
            what: "a file",
            size,
            limit,
        });
    }
    let size = size as usize;
    if stable || size == 0 {
        let mut bytes = Vec::new_in(runtime.allocator(), Category::Artifact);
        bytes.try_resize(size, 0)?;
        let count = file.read_at(0, bytes.as_mut_slice()).map_err(error)?;
        bytes.truncate(count);
        return Ok(OpenBytes::Read(bytes));
    }
    let mapping = Mapping::file_readable(&file, 0, size).map_err(error)?;
    Ok(OpenBytes::Mapped(FileMapping {
        file,
        mapping,
        size,
    }))
}
