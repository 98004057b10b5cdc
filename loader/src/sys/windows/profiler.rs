//! What a profiler that watches the process wants to see of it: names of functions in files. Nobody
//! looks for them by themselves here; the tools that read them take them from where they are written.

use std::fs::File;
use std::path::PathBuf;

use windows_sys::Win32::System::Threading::GetCurrentThreadId;

use super::OsError;

/// The system's number of this thread.
pub fn thread_number() -> u32 {
    // SAFETY: takes no arguments.
    unsafe { GetCurrentThreadId() }
}

/// Where the files with the names of a process's functions go.
pub fn map_directory() -> PathBuf {
    std::env::temp_dir()
}

/// Elsewhere a mapping tells a profiler which file to read; there is none here that looks at it.
#[derive(Debug)]
pub struct Marker(());

impl Marker {
    /// Marks nothing.
    pub fn new(_: &File) -> Result<Marker, OsError> {
        Ok(Marker(()))
    }
}
