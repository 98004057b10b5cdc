//! Files to map artifacts from.

use core::ffi::CStr;
use core::mem::MaybeUninit;

use super::{OsError, check};

/// An open file; dropping it closes it.
#[derive(Debug)]
pub struct File(i32);

impl File {
    /// Opens a file for reading.
    pub fn open(path: &CStr) -> Result<File, OsError> {
        // SAFETY: the path ends with a zero byte.
        check(unsafe { libc::open(path.as_ptr(), libc::O_RDONLY | libc::O_CLOEXEC) }).map(File)
    }

    /// The size in bytes.
    pub fn size(&self) -> Result<u64, OsError> {
        let mut status = MaybeUninit::<libc::stat>::uninit();
        // SAFETY: the descriptor is open, and there is room for the answer.
        check(unsafe { libc::fstat(self.0, status.as_mut_ptr()) })?;
        // SAFETY: the call succeeded and filled it.
        let status = unsafe { status.assume_init() };
        u64::try_from(status.st_size).map_err(|_| OsError(libc::EINVAL))
    }

    /// Reads at an offset until the buffer is full or the file ends; how many bytes came.
    pub fn read_at(&self, offset: u64, buffer: &mut [u8]) -> Result<usize, OsError> {
        let mut done = 0;
        while let Some(rest) = buffer.get_mut(done..).filter(|rest| !rest.is_empty()) {
            let position = offset.checked_add(done as u64);
            let position = position.and_then(|at| libc::off_t::try_from(at).ok());
            let position = position.ok_or(OsError(libc::EINVAL))?;
            let (start, size) = (rest.as_mut_ptr(), rest.len());
            // SAFETY: the buffer has room for that many bytes.
            let count = unsafe { libc::pread(self.0, start.cast(), size, position) };
            match usize::try_from(count) {
                Ok(0) => break,
                Ok(count) => done += count,
                Err(_) => match super::last_error() {
                    OsError(libc::EINTR) => {}
                    error => return Err(error),
                },
            }
        }
        Ok(done)
    }

    /// The descriptor, for mapping.
    pub fn descriptor(&self) -> i32 {
        self.0
    }
}

impl Drop for File {
    fn drop(&mut self) {
        // SAFETY: the descriptor is ours and is not used again.
        unsafe { libc::close(self.0) };
    }
}
