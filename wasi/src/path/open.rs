//! Opening files and directories.

use cap_fs_ext::{
    FileTypeExt, FollowSymlinks, OpenOptionsFollowExt, OpenOptionsMaybeDirExt, OpenOptionsSyncExt,
};
use cap_std::fs::{Dir, OpenOptions};
use std::io;
use std::time::Duration;

use super::attributes::follows;
use crate::alarm::Alarm;
use crate::context::WasiContext;
use crate::descriptor::{Descriptor, Directory, Object};
use crate::errno::Errno;
use crate::memory::{GuestMemory, PathBuffer};
use crate::rights::Rights;
use crate::sys::{self, AsFd, OwnedFd};
use crate::types::{FileType, fdflags, oflags};

/// How often a pipe without a reader is opened for writing again.
const READER_INTERVAL: Duration = Duration::from_millis(10);

/// What `path_open` was asked for.
struct Request {
    follow: bool,
    oflags: u32,
    flags: u32,
    read: bool,
    write: bool,
}

impl WasiContext {
    /// Opens a file or directory and writes its descriptor.
    ///
    /// The new descriptor gets the rights that were asked for, as far as the directory hands them down
    /// and they make sense for the type of the file. To open for reading or writing where the
    /// directory does not hand that down fails, as does creating or truncating without the right.
    ///
    /// # Errors
    ///
    /// [`Errno::NotDirectory`] if the descriptor is a file, [`Errno::NotPermitted`] if the path leads
    /// out of the directory or the directory's rights forbid it, [`Errno::NotCapable`] if the
    /// directory opens nothing at all, and what the system says.
    #[expect(clippy::too_many_arguments, reason = "the signature is WASI's")]
    pub fn path_open(
        &self,
        memory: &mut GuestMemory<'_>,
        fd: u32,
        lookup_flags: u32,
        path: u32,
        path_len: u32,
        oflags: u32,
        rights: u64,
        inheriting: u64,
        flags: u32,
        opened_fd: u32,
    ) -> Result<(), Errno> {
        let descriptor = self.descriptor(fd)?;
        let directory = match &descriptor.object {
            Object::Directory(directory) => directory,
            Object::File(_) => return Err(Errno::NotDirectory),
            _ => return Err(Errno::BadDescriptor),
        };
        descriptor.require(Rights::PATH_OPEN)?;
        memory.check(opened_fd, 4)?;
        let mut buffer = PathBuffer::default();
        let path = memory.path(&mut buffer, path, path_len)?;
        if oflags & !oflags::ALL != 0 || flags & !fdflags::ALL != 0 {
            return Err(Errno::Invalid);
        }
        let wanted = Rights::from_bits(rights);
        let request = Request {
            follow: follows(lookup_flags)?,
            oflags,
            flags,
            read: wanted.contains(Rights::FD_READ),
            write: wanted.contains(Rights::FD_WRITE),
        };
        request.check(&descriptor)?;
        let vacancy = self.reserve()?;

        let file = request.open(&directory.dir, path, self.alarm())?;
        let handed_down = descriptor.inheriting();
        let wanted_inheriting = Rights::from_bits(inheriting);
        let opened = if request.is_directory(&file)? {
            Descriptor::new(
                Object::Directory(Directory::new(sys::directory(file)?)),
                wanted & handed_down & Rights::DIRECTORY,
                wanted_inheriting & handed_down & Rights::DIRECTORY_INHERITING,
            )
        } else {
            if flags & fdflags::APPEND != 0 {
                sys::set_flags(file.as_fd(), flags)?;
            }
            let rights = wanted & handed_down & Rights::FILE;
            Descriptor::new(Object::File(file), rights, Rights::NONE).with_flags(flags)
        };
        let opened = self.state.table.insert(vacancy, opened)?;
        memory.write_u32(opened_fd, opened)
    }
}

impl Request {
    fn asks(&self, flag: u32) -> bool {
        self.oflags & flag != 0
    }

    /// Checks the request against the directory's rights, before anything happens.
    fn check(&self, directory: &Descriptor) -> Result<(), Errno> {
        if self.asks(oflags::DIRECTORY) && self.oflags != oflags::DIRECTORY {
            return Err(Errno::Invalid);
        }
        let mut own = Rights::NONE;
        let mut handed_down = Rights::NONE;
        if self.asks(oflags::CREATE) {
            own = own | Rights::PATH_CREATE_FILE;
        }
        if self.asks(oflags::TRUNCATE) {
            own = own | Rights::PATH_FILESTAT_SET_SIZE;
        }
        if self.read {
            handed_down = handed_down | Rights::FD_READ;
        }
        if self.write {
            handed_down = handed_down | Rights::FD_WRITE;
        }
        if self.flags & fdflags::DATA_SYNC != 0 {
            handed_down = handed_down | Rights::FD_DATASYNC;
        }
        if self.flags & (fdflags::READ_SYNC | fdflags::SYNC) != 0 {
            handed_down = handed_down | Rights::FD_SYNC;
        }
        // To a guest, a directory that it may not change is like one that the system protects.
        if directory.rights().contains(own) && directory.inheriting().contains(handed_down) {
            Ok(())
        } else {
            Err(Errno::NotPermitted)
        }
    }

    /// Opens. With an alarm, to open a pipe for writing waits for a reader until the alarm rings; to
    /// open one for reading does not wait, but the first read does.
    fn open(&self, dir: &Dir, path: &str, alarm: Option<&Alarm>) -> Result<OwnedFd, Errno> {
        let Some(alarm) = alarm.filter(|_| self.flags & fdflags::NONBLOCK == 0) else {
            return Ok(self.open_with(dir, path, false)?);
        };
        loop {
            match self.open_with(dir, path, true) {
                Ok(file) => {
                    sys::set_flags(file.as_fd(), self.flags)?;
                    return Ok(file);
                }
                Err(error) => {
                    let error = Errno::from(error);
                    // This is how the system says that a pipe has no reader; and that there is no
                    // such device, for which nobody waits.
                    let is_pipe = || {
                        let metadata = dir.metadata(path);
                        metadata.is_ok_and(|metadata| metadata.file_type().is_fifo())
                    };
                    if error != Errno::NoSuchDevice || !is_pipe() {
                        return Err(error);
                    }
                }
            }
            alarm.pause(READER_INTERVAL)?;
        }
    }

    fn open_with(&self, dir: &Dir, path: &str, nonblock: bool) -> io::Result<OwnedFd> {
        let mut options = OpenOptions::new();
        options
            .maybe_dir(true)
            .follow(if self.follow {
                FollowSymlinks::Yes
            } else {
                FollowSymlinks::No
            })
            .nonblock(nonblock || self.flags & fdflags::NONBLOCK != 0)
            .dsync(self.flags & fdflags::DATA_SYNC != 0)
            .rsync(self.flags & fdflags::READ_SYNC != 0)
            .sync(self.flags & fdflags::SYNC != 0)
            .write(self.write || self.asks(oflags::TRUNCATE))
            // A file has to be open for something; the rights keep the guest from using it.
            .read(self.read || !self.write)
            .truncate(self.asks(oflags::TRUNCATE));
        if self.asks(oflags::DIRECTORY) {
            // The system refuses everything else without opening it, which could wait or rewind.
            sys::require_directory(&mut options);
        }
        if self.asks(oflags::CREATE) {
            if self.asks(oflags::EXCLUSIVE) {
                options.create_new(true).write(true);
            } else {
                // An existing file that may only be read can be opened all the same.
                if !self.write && !self.asks(oflags::TRUNCATE) {
                    match dir.open_with(path, &options) {
                        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                        result => return result.map(|file| file.into_std().into()),
                    }
                }
                options.create(true).write(true);
            }
        }
        dir.open_with(path, &options)
            .map(|file| file.into_std().into())
    }

    /// Whether a directory was opened. Only reading opens one.
    fn is_directory(&self, file: &OwnedFd) -> Result<bool, Errno> {
        if self.write {
            return if self.asks(oflags::DIRECTORY) {
                Err(Errno::NotDirectory)
            } else {
                Ok(false)
            };
        }
        let is_directory = sys::stat(file.as_fd())?.file_type == FileType::Directory;
        if self.asks(oflags::DIRECTORY) && !is_directory {
            return Err(Errno::NotDirectory);
        }
        Ok(is_directory)
    }
}
