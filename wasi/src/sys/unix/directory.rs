//! Reading a directory from a cookie on.
//!
//! On Linux a cookie is the file system's own: reading goes on where it stopped, however many entries
//! came and went in between, and nothing is remembered between calls. Elsewhere the directory is read
//! from its start and cookies count entries.

use crate::errno::Errno;
use crate::types::FileType;
use std::os::fd::BorrowedFd;

/// One directory entry.
pub(crate) struct Entry<'a> {
    /// The cookie of the entry after this one.
    pub next: u64,
    /// The file's number on its device.
    pub inode: u64,
    /// The file's type, if the file system stores it in the directory.
    pub file_type: FileType,
    /// The name.
    pub name: &'a [u8],
}

/// Hands the entries from `cookie` on to `visit`, until it answers `false` or there are no more.
///
/// The caller sees to it that nobody else uses the descriptor's position meanwhile.
#[cfg(any(target_os = "linux", target_os = "android"))]
pub(crate) fn read_directory(
    fd: BorrowedFd<'_>,
    cookie: u64,
    mut visit: impl FnMut(&Entry<'_>) -> bool,
) -> Result<(), Errno> {
    use rustix::fs::{RawDir, SeekFrom};
    use std::mem::MaybeUninit;

    if i64::try_from(cookie).is_err() {
        return Err(Errno::Invalid);
    }
    rustix::fs::seek(fd, SeekFrom::Start(cookie))?;
    let mut buffer = [MaybeUninit::uninit(); 8192];
    let mut entries = RawDir::new(fd, &mut buffer);
    while let Some(entry) = entries.next() {
        let entry = entry?;
        let entry = Entry {
            next: entry.next_entry_cookie(),
            inode: entry.ino(),
            file_type: super::file_type(entry.file_type()),
            name: entry.file_name().to_bytes(),
        };
        if !visit(&entry) {
            break;
        }
    }
    Ok(())
}

/// Hands the entries from `cookie` on to `visit`, until it answers `false` or there are no more.
#[cfg(not(any(target_os = "linux", target_os = "android")))]
pub(crate) fn read_directory(
    fd: BorrowedFd<'_>,
    cookie: u64,
    mut visit: impl FnMut(&Entry<'_>) -> bool,
) -> Result<(), Errno> {
    for (entry, next) in rustix::fs::Dir::read_from(fd)?.zip(1u64..) {
        let entry = entry?;
        if next <= cookie {
            continue;
        }
        let entry = Entry {
            next,
            inode: entry.ino(),
            file_type: super::file_type(entry.file_type()),
            name: entry.file_name().to_bytes(),
        };
        if !visit(&entry) {
            break;
        }
    }
    Ok(())
}
