//! The attributes of what a path names.

use cap_fs_ext::{DirExt, FileTypeExt, MetadataExt, SystemTimeSpec};
use cap_std::fs::Metadata;
use cap_std::time::SystemTime;
use std::time::{Duration, UNIX_EPOCH};

use crate::context::WasiContext;
use crate::errno::Errno;
use crate::fd::file::{new_times, write_stat};
use crate::memory::{GuestMemory, PathBuffer};
use crate::rights::Rights;
use crate::sys::{self, NewTime};
use crate::types::{Abi, FileStat, FileType, LOOKUP_SYMLINK_FOLLOW};

/// Whether the lookup flags follow a link.
pub(crate) fn follows(flags: u32) -> Result<bool, Errno> {
    if flags & !LOOKUP_SYMLINK_FOLLOW != 0 {
        return Err(Errno::Invalid);
    }
    Ok(flags & LOOKUP_SYMLINK_FOLLOW != 0)
}

/// Attributes as cap-std gives them.
pub(crate) fn file_stat(metadata: &Metadata) -> FileStat {
    let kind = metadata.file_type();
    let file_type = if kind.is_file() {
        FileType::RegularFile
    } else if kind.is_dir() {
        FileType::Directory
    } else if kind.is_symlink() {
        FileType::SymbolicLink
    } else if kind.is_char_device() {
        FileType::CharacterDevice
    } else if kind.is_block_device() {
        FileType::BlockDevice
    } else if kind.is_socket() {
        FileType::SocketStream
    } else {
        FileType::Unknown
    };
    let [accessed, modified, changed] = sys::file_times(metadata);
    FileStat {
        device: metadata.dev(),
        inode: metadata.ino(),
        file_type,
        links: metadata.nlink(),
        size: metadata.len(),
        accessed,
        modified,
        changed,
    }
}

impl WasiContext {
    /// Writes the attributes of what a path names.
    ///
    /// # Errors
    ///
    /// [`Errno::NotCapable`] without the right, and what the system says.
    #[expect(clippy::too_many_arguments, reason = "the signature is WASI's")]
    pub fn path_filestat_get(
        &self,
        memory: &mut GuestMemory<'_>,
        abi: Abi,
        fd: u32,
        flags: u32,
        path: u32,
        path_len: u32,
        stat: u32,
    ) -> Result<(), Errno> {
        let descriptor = self.descriptor(fd)?;
        let directory = descriptor.directory()?;
        descriptor.require(Rights::PATH_FILESTAT_GET)?;
        memory.check(stat, FileStat::size_in(abi))?;
        let mut buffer = PathBuffer::default();
        let path = memory.path(&mut buffer, path, path_len)?;
        let metadata = if follows(flags)? {
            directory.dir.metadata(path)?
        } else {
            directory.dir.symlink_metadata(path)?
        };
        write_stat(memory, abi, stat, &file_stat(&metadata))
    }

    /// Sets the times of what a path names.
    ///
    /// # Errors
    ///
    /// [`Errno::Invalid`] if a time shall be both the value given and now, [`Errno::NotCapable`]
    /// without the right, and what the system says.
    #[expect(clippy::too_many_arguments, reason = "the signature is WASI's")]
    pub fn path_filestat_set_times(
        &self,
        memory: &mut GuestMemory<'_>,
        fd: u32,
        flags: u32,
        path: u32,
        path_len: u32,
        accessed: u64,
        modified: u64,
        times: u32,
    ) -> Result<(), Errno> {
        let descriptor = self.descriptor(fd)?;
        let directory = descriptor.directory()?;
        descriptor.require(Rights::PATH_FILESTAT_SET_TIMES)?;
        let mut buffer = PathBuffer::default();
        let path = memory.path(&mut buffer, path, path_len)?;
        let (accessed, modified) = new_times(accessed, modified, times)?;
        let (accessed, modified) = (time_to_set(accessed), time_to_set(modified));
        if follows(flags)? {
            directory.dir.set_times(path, accessed, modified)?;
        } else {
            directory.dir.set_symlink_times(path, accessed, modified)?;
        }
        Ok(())
    }
}

fn time_to_set(time: NewTime) -> Option<SystemTimeSpec> {
    match time {
        NewTime::Unchanged => None,
        NewTime::Now => Some(SystemTimeSpec::SymbolicNow),
        NewTime::Nanoseconds(time) => {
            // 64 bits of nanoseconds end in 2554, which the host's clock reaches.
            let time = UNIX_EPOCH + Duration::from_nanos(time);
            Some(SystemTimeSpec::Absolute(SystemTime::from_std(time)))
        }
    }
}
