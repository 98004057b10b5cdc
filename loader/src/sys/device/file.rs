//! Files: there are none.

use core::convert::Infallible;
use core::ffi::CStr;

use super::{NOT_THERE, OsError};

/// A file that nobody has.
#[derive(Debug)]
pub struct File(Infallible);

impl File {
    /// Fails.
    pub fn open(_: &CStr) -> Result<File, OsError> {
        Err(NOT_THERE)
    }

    /// The size in bytes.
    pub fn size(&self) -> Result<u64, OsError> {
        match self.0 {}
    }

    /// Reads at an offset.
    pub fn read_at(&self, _: u64, _: &mut [u8]) -> Result<usize, OsError> {
        match self.0 {}
    }
}
