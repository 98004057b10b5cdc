//! Reading a directory from a cookie on: it is read from its start, and cookies count entries. The
//! first two are the directory itself and the one that it is in.

use cap_std::fs::FileType as HostType;

use super::BorrowedFd;
use crate::errno::Errno;
use crate::types::FileType;

/// One directory entry.
pub(crate) struct Entry<'a> {
    /// The cookie of the entry after this one.
    pub next: u64,
    /// The file's number on its device; zero, for the system does not tell it here.
    pub inode: u64,
    /// The file's type.
    pub file_type: FileType,
    /// The name.
    pub name: &'a [u8],
}

/// Hands the entries from `cookie` on to `visit`, until it answers `false` or there are no more.
pub(crate) fn read_directory(
    fd: BorrowedFd<'_>,
    cookie: u64,
    mut visit: impl FnMut(&Entry<'_>) -> bool,
) -> Result<(), Errno> {
    let BorrowedFd::Directory(dir) = fd else {
        return Err(Errno::NotDirectory);
    };
    let mut show = |next: u64, file_type: FileType, name: &[u8]| {
        next <= cookie
            || visit(&Entry {
                next,
                inode: 0,
                file_type,
                name,
            })
    };
    for (name, next) in [&b"."[..], b".."].into_iter().zip(1..) {
        if !show(next, FileType::Directory, name) {
            return Ok(());
        }
    }
    for (entry, next) in dir.entries()?.zip(3..) {
        let entry = entry?;
        if next <= cookie {
            continue;
        }
        let file_type = entry.file_type().map_or(FileType::Unknown, file_type);
        let name = entry.file_name();
        if !show(next, file_type, &super::name_bytes(&name)) {
            break;
        }
    }
    Ok(())
}

fn file_type(host: HostType) -> FileType {
    if host.is_dir() {
        FileType::Directory
    } else if host.is_symlink() {
        FileType::SymbolicLink
    } else if host.is_file() {
        FileType::RegularFile
    } else {
        FileType::Unknown
    }
}
