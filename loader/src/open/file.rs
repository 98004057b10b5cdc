//! Files: mapped read-only, so that loading costs nothing for bytes that nobody reads.
//!
//! A mapping shows the changes that others make to the file. Where that must not be, since a
//! signature was verified over the bytes, the file is read into a buffer.

use core::ffi::CStr;

use crate::alloc::{Category, Vec};
use crate::error::LoadError;
use crate::facility::Files;
use crate::open::OpenBytes;
use crate::runtime::Runtime;
use crate::sys::OsError;
use crate::sys::file::File;
use crate::sys::map::{Mapping, page_size};

/// An artifact's file and its pages, for reading.
pub(crate) struct FileMapping {
    file: File,
    /// Bytes; the field is as small as its bound.
    size: u32,
    mapping: Mapping,
    /// Where the artifact starts in the file: the low half, and the high one. In one number they would
    /// make modules larger on those machines with 32-bit pointers that align it to eight bytes.
    offset: [u32; 2],
}

/// Where in a file an artifact is.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Part {
    /// Offset of its first byte.
    pub(crate) offset: u64,
    /// Its size in bytes; up to the end of the file if there is none.
    pub(crate) size: Option<u64>,
}

impl Part {
    /// The whole file.
    pub(crate) const ALL: Part = Part {
        offset: 0,
        size: None,
    };

    /// Offset and size within a file of this size, if it is there.
    fn within(self, file_size: u64) -> Option<(u64, u64)> {
        let rest = file_size.checked_sub(self.offset)?;
        let size = self.size.unwrap_or(rest);
        (size <= rest).then_some((self.offset, size))
    }
}

impl FileMapping {
    /// The file, for mapping parts of it again.
    pub(crate) fn file(&self) -> &File {
        &self.file
    }

    /// Where in the file something of the artifact is.
    pub(crate) fn file_offset(&self, offset: u32) -> u64 {
        let [low, high] = self.offset.map(u64::from);
        // The mapping's end is an offset in the file, too.
        (high << 32 | low).saturating_add(u64::from(offset))
    }

    /// The artifact's bytes.
    pub(crate) fn as_slice(&self) -> &[u8] {
        let base = self.mapping.base().as_ptr();
        // SAFETY: so many bytes of the file were there when it was mapped, and whoever asked for a
        // mapping instead of a copy has promised that it does not change.
        unsafe { core::slice::from_raw_parts(base, self.size as usize) }
    }

    /// Keeps the first bytes, and gives back the pages behind them.
    pub(crate) fn truncate(&mut self, size: usize) {
        self.size = self.size.min(u32::try_from(size).unwrap_or(u32::MAX));
        self.mapping.truncate(self.size as usize);
    }
}

/// Maps a file, or reads it where it has to hold still.
pub(crate) fn open<'a>(
    runtime: &Runtime,
    path: &CStr,
    part: Part,
    stable: bool,
) -> Result<OpenBytes<'a>, LoadError> {
    let not_here = LoadError::Facility {
        feature: Files::FEATURE,
    };
    if !Files::IS_BUILT_IN {
        return Err(not_here);
    }
    let error = |error: OsError| LoadError::File { os_error: error.0 };
    let file = File::open(path).map_err(error)?;
    let all = file.size().map_err(error)?;
    let (offset, size) = part.within(all).ok_or(LoadError::File { os_error: 0 })?;
    let limit = u64::from(u32::MAX);
    if size > limit {
        return Err(LoadError::TooLarge {
            what: "a file",
            size,
            limit,
        });
    }
    let size = size as u32;
    let aligned = offset.is_multiple_of(page_size() as u64);
    if stable || size == 0 || !aligned {
        let mut bytes = Vec::new_in(runtime.allocator(), Category::Artifact);
        bytes.try_resize(size as usize, 0)?;
        let count = file.read_at(offset, bytes.as_mut_slice());
        let count = count.map_err(error)?;
        bytes.truncate(count);
        return Ok(OpenBytes::Read(bytes));
    }
    let mapping = Mapping::file_readable(&file, offset, size as usize).map_err(error)?;
    let mapping = FileMapping {
        file,
        size,
        mapping,
        offset: [offset as u32, (offset >> 32) as u32],
    };
    Files::hold(mapping).map(OpenBytes::Mapped).ok_or(not_here)
}
