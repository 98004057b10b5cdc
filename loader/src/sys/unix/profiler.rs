//! What a profiler that watches the process wants to see of it.

use std::fs::File;
use std::os::fd::AsRawFd;
use std::path::PathBuf;

use core::ptr::{self, NonNull};

use super::map::page_size;
use super::{OsError, last_error};

/// The kernel's number of this thread.
pub fn thread_number() -> u32 {
    #[cfg(target_os = "linux")]
    // SAFETY: takes no arguments.
    let number = unsafe { libc::gettid() };
    // Elsewhere there is no perf; one number serves.
    #[cfg(not(target_os = "linux"))]
    // SAFETY: takes no arguments.
    let number = unsafe { libc::getpid() };
    number.cast_unsigned()
}

/// Where `perf` looks for the names of a process's functions.
pub fn map_directory() -> PathBuf {
    PathBuf::from("/tmp")
}

/// The first page of a file, mapped as if it were code: `perf record` notes the mapping, and by that
/// learns which file describes the process's functions. Nothing there is ever run.
#[derive(Debug)]
pub struct Marker(NonNull<libc::c_void>);

// SAFETY: nobody accesses the page.
unsafe impl Send for Marker {}
// SAFETY: as above.
unsafe impl Sync for Marker {}

impl Marker {
    /// Maps the file's first page; it need not be there whole.
    pub fn new(file: &File) -> Result<Marker, OsError> {
        let (protection, kind) = (libc::PROT_READ | libc::PROT_EXEC, libc::MAP_PRIVATE);
        let descriptor = file.as_raw_fd();
        // SAFETY: a new mapping at an address of the system's choice.
        let page = unsafe {
            libc::mmap(
                ptr::null_mut(),
                page_size(),
                protection,
                kind,
                descriptor,
                0,
            )
        };
        if page == libc::MAP_FAILED {
            return Err(last_error());
        }
        NonNull::new(page).map(Marker).ok_or(OsError(libc::ENOMEM))
    }
}

impl Drop for Marker {
    fn drop(&mut self) {
        // SAFETY: the mapping is ours, and nobody uses it.
        unsafe { libc::munmap(self.0.as_ptr(), page_size()) };
    }
}
