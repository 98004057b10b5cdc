//! What a guest descriptor stands for: a stream, a file, a directory or a socket, with its rights.

use std::io::{self, IoSlice, IoSliceMut, Read, Write};
use std::ops::Range;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};

use cap_std::fs::Dir;

use crate::alarm::Alarm;
use crate::errno::Errno;
use crate::rights::Rights;
use crate::streams::OutputBuffer;
use crate::sys::{self, AsFd, BorrowedFd, OwnedFd, PollFlags};
use crate::text::{Span, Text};
use crate::types::{FileStat, FileType, fdflags, sockets};

/// One entry of the descriptor table.
pub(crate) struct Descriptor {
    pub object: Object,
    /// The guest's name of a preopened directory, in the context's text.
    pub preopen: Option<Span>,
    rights: AtomicU64,
    inheriting: AtomicU64,
    flags: AtomicU32,
    /// Held for a call on something that is ready, so that it still is, and to change the flags.
    /// Nobody waits meanwhile.
    pub turn: Mutex<()>,
    /// Whether calls may wait for somebody else, once that was asked.
    pub waits: OnceLock<bool>,
}

/// What is behind a descriptor.
pub(crate) enum Object {
    /// Standard input, output or error.
    Stream(Stream),
    /// A file that `path_open` opened.
    File(OwnedFd),
    /// A directory.
    Directory(Directory),
    /// A socket that accepts connections.
    Listener(OwnedFd),
    /// A connected socket.
    Socket(OwnedFd),
}

/// Where a standard stream leads.
pub(crate) enum Stream {
    /// To the same stream of this process. Its flags are shared with other processes and so never
    /// changed.
    Inherited(BorrowedFd<'static>),
    /// To a file or pipe of its own.
    Owned(OwnedFd),
    /// Nowhere: reads are at the end, writes vanish.
    Null,
    /// From the context's text: what is not yet read of it.
    Given(Mutex<Range<usize>>),
    /// To a buffer of the host program's.
    Buffer(OutputBuffer),
    /// From the host program.
    Reader(Mutex<Box<dyn Read + Send>>),
    /// To the host program.
    Writer(Mutex<Box<dyn Write + Send>>),
}

/// An open directory.
pub(crate) struct Directory {
    pub dir: Dir,
    /// Held while the directory's own position is in use.
    pub position: Mutex<()>,
}

impl Directory {
    pub fn new(dir: Dir) -> Directory {
        Directory {
            dir,
            position: Mutex::new(()),
        }
    }
}

/// Locks, whatever happened to a thread that held the lock before: no state here is left half-way.
pub(crate) fn lock<T: ?Sized>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Descriptor {
    pub fn new(object: Object, rights: Rights, inheriting: Rights) -> Descriptor {
        Descriptor {
            object,
            preopen: None,
            rights: AtomicU64::new(rights.bits()),
            inheriting: AtomicU64::new(inheriting.bits()),
            flags: AtomicU32::new(0),
            turn: Mutex::new(()),
            waits: OnceLock::new(),
        }
    }

    /// Stands for nothing, with no rights, until something is open.
    pub fn vacant() -> Descriptor {
        Descriptor::new(Object::Stream(Stream::Null), Rights::NONE, Rights::NONE)
    }

    pub fn with_flags(self, flags: u32) -> Descriptor {
        self.flags.store(flags, Ordering::Relaxed);
        self
    }

    pub fn rights(&self) -> Rights {
        Rights::from_bits(self.rights.load(Ordering::Relaxed))
    }

    pub fn inheriting(&self) -> Rights {
        Rights::from_bits(self.inheriting.load(Ordering::Relaxed))
    }

    /// Takes rights away, for good.
    pub fn restrict(&self, rights: Rights, inheriting: Rights) {
        self.rights.fetch_and(rights.bits(), Ordering::Relaxed);
        self.inheriting
            .fetch_and(inheriting.bits(), Ordering::Relaxed);
    }

    /// Checks that the descriptor has these rights.
    ///
    /// To read what was not opened for reading, or to write likewise, is a matter of the descriptor
    /// and not of capabilities, as in POSIX.
    pub fn require(&self, needed: Rights) -> Result<(), Errno> {
        let rights = self.rights();
        if rights.contains(needed) {
            return Ok(());
        }
        let access = needed & (Rights::FD_READ | Rights::FD_WRITE);
        Err(if rights.contains(access) {
            Errno::NotCapable
        } else {
            Errno::BadDescriptor
        })
    }

    pub fn flags(&self) -> u32 {
        self.flags.load(Ordering::Relaxed)
    }

    /// Changes the flags that can change after opening.
    pub fn set_flags(&self, flags: u32) -> Result<(), Errno> {
        let opened = self.flags() & fdflags::ANY_SYNC;
        // Synchronous writing is decided at opening; a request to change it must not be forgotten.
        if flags & fdflags::ANY_SYNC & !opened != 0 {
            return Err(Errno::Invalid);
        }
        // The system's flags and ours change together.
        let _turn = lock(&self.turn);
        match &self.object {
            Object::Directory(_) => return Err(Errno::BadDescriptor),
            Object::Stream(Stream::Owned(fd))
            | Object::File(fd)
            | Object::Listener(fd)
            | Object::Socket(fd) => sys::set_flags(fd.as_fd(), flags)?,
            Object::Stream(_) => {}
        }
        self.flags.store(flags | opened, Ordering::Relaxed);
        Ok(())
    }

    /// The directory behind the descriptor.
    pub fn directory(&self) -> Result<&Directory, Errno> {
        match &self.object {
            Object::Directory(directory) => Ok(directory),
            _ => Err(Errno::BadDescriptor),
        }
    }

    /// The host's descriptor, if there is one.
    pub fn host(&self) -> Option<BorrowedFd<'_>> {
        match &self.object {
            Object::Stream(Stream::Inherited(fd)) => Some(*fd),
            Object::Stream(Stream::Owned(fd))
            | Object::File(fd)
            | Object::Listener(fd)
            | Object::Socket(fd) => Some(fd.as_fd()),
            Object::Directory(directory) => Some(directory.dir.as_fd()),
            Object::Stream(_) => None,
        }
    }

    /// The host's descriptor of something with a position: a file, or a stream that may be one.
    pub fn seekable(&self) -> Result<BorrowedFd<'_>, Errno> {
        match &self.object {
            Object::Directory(_) => Err(Errno::BadDescriptor),
            Object::Listener(_) | Object::Socket(_) => Err(Errno::NotSeekable),
            Object::Stream(_) | Object::File(_) => self.host().ok_or(Errno::NotSeekable),
        }
    }

    /// Whether something of this type has a position that can be told and set.
    pub fn has_position(&self, file_type: FileType) -> bool {
        match &self.object {
            Object::File(_) => true,
            Object::Stream(_) => {
                matches!(file_type, FileType::RegularFile | FileType::BlockDevice)
            }
            Object::Directory(_) | Object::Listener(_) | Object::Socket(_) => false,
        }
    }

    /// The host's descriptor of a file that can be advised about, sized and allocated.
    pub fn file(&self) -> Result<BorrowedFd<'_>, Errno> {
        match &self.object {
            Object::File(fd) => Ok(fd.as_fd()),
            Object::Stream(Stream::Inherited(fd)) => Ok(*fd),
            Object::Stream(Stream::Owned(fd)) => Ok(fd.as_fd()),
            _ => Err(Errno::BadDescriptor),
        }
    }

    /// Reads at the current position. Text and alarm are those of the descriptor's context.
    pub fn read(
        &self,
        text: &Text,
        alarm: Option<&Alarm>,
        buffers: &mut [IoSliceMut<'_>],
    ) -> Result<usize, Errno> {
        match &self.object {
            Object::Stream(Stream::Inherited(fd)) if self.flags() & fdflags::NONBLOCK != 0 => {
                let _turn = lock(&self.turn);
                if !sys::is_ready(*fd, PollFlags::IN)? {
                    return Err(Errno::Again);
                }
                sys::read(*fd, buffers)
            }
            Object::Stream(Stream::Inherited(fd)) => {
                self.when_ready(alarm, *fd, PollFlags::IN, || sys::read(*fd, buffers))
            }
            Object::Stream(Stream::Owned(fd)) | Object::File(fd) | Object::Socket(fd) => {
                let fd = fd.as_fd();
                self.when_ready(alarm, fd, PollFlags::IN, || sys::read(fd, buffers))
            }
            Object::Stream(Stream::Null) => Ok(0),
            Object::Stream(Stream::Given(rest)) => {
                let mut rest = lock(rest);
                let count = text.rest(&rest).read_vectored(buffers)?;
                rest.start += count;
                Ok(count)
            }
            Object::Stream(Stream::Reader(reader)) => {
                let mut reader = lock(reader);
                retry(|| reader.read_vectored(buffers))
            }
            Object::Stream(Stream::Writer(_) | Stream::Buffer(_))
            | Object::Directory(_)
            | Object::Listener(_) => Err(Errno::BadDescriptor),
        }
    }

    /// Writes at the current position. The alarm is that of the descriptor's context.
    pub fn write(&self, alarm: Option<&Alarm>, buffers: &[IoSlice<'_>]) -> Result<usize, Errno> {
        match &self.object {
            Object::Stream(Stream::Inherited(fd)) => {
                self.write_when_ready(alarm, *fd, buffers, |buffers| sys::write(*fd, buffers))
            }
            Object::Stream(Stream::Owned(fd)) | Object::File(fd) => {
                let fd = fd.as_fd();
                self.write_when_ready(alarm, fd, buffers, |buffers| sys::write(fd, buffers))
            }
            Object::Socket(fd) => self.send(alarm, fd.as_fd(), buffers),
            Object::Stream(Stream::Null) => Ok(buffers.iter().map(|buffer| buffer.len()).sum()),
            Object::Stream(Stream::Buffer(buffer)) => Ok(buffer.append(buffers)?),
            Object::Stream(Stream::Writer(writer)) => {
                let mut writer = lock(writer);
                retry(|| writer.write_vectored(buffers))
            }
            Object::Stream(Stream::Reader(_) | Stream::Given(_))
            | Object::Directory(_)
            | Object::Listener(_) => Err(Errno::BadDescriptor),
        }
    }

    /// Sends a message on a socket.
    pub fn send(
        &self,
        alarm: Option<&Alarm>,
        fd: BorrowedFd<'_>,
        buffers: &[IoSlice<'_>],
    ) -> Result<usize, Errno> {
        self.write_when_ready(alarm, fd, buffers, |buffers| {
            sys::send(fd, buffers, alarm.is_some())
        })
    }

    /// Receives a message of a socket, and says whether it was cut short.
    pub fn receive(
        &self,
        alarm: Option<&Alarm>,
        fd: BorrowedFd<'_>,
        buffers: &mut [IoSliceMut<'_>],
        flags: u32,
    ) -> Result<(usize, bool), Errno> {
        let at_once = alarm.is_some();
        let receive = |buffers: &mut [IoSliceMut<'_>]| {
            self.when_ready(alarm, fd, PollFlags::IN, || {
                sys::receive(fd, buffers, flags, at_once)
            })
        };
        let (mut count, cut) = receive(buffers)?;
        // With an alarm the system does not wait for the rest; what only looks gets what is there.
        let all = flags & (sockets::RECEIVE_WAIT_ALL | sockets::RECEIVE_PEEK);
        if at_once && all == sockets::RECEIVE_WAIT_ALL && self.flags() & fdflags::NONBLOCK == 0 {
            let mut rest = buffers;
            let mut more = count;
            while more != 0 {
                IoSliceMut::advance_slices(&mut rest, more);
                if rest.is_empty() {
                    break;
                }
                // What has come has come; the next call tells the error.
                more = receive(rest).map_or(0, |(more, _)| more);
                count += more;
            }
        }
        Ok((count, cut))
    }

    /// The type that `fdstat` gives.
    pub fn file_type(&self) -> Result<FileType, Errno> {
        match &self.object {
            Object::Directory(_) => Ok(FileType::Directory),
            Object::Stream(_) => {
                let Some(fd) = self.host() else {
                    return Ok(FileType::Unknown);
                };
                let file_type = sys::stat(fd)?.file_type;
                // Libraries take a character device for a terminal and write it line by line.
                if file_type == FileType::CharacterDevice && !sys::is_terminal(fd) {
                    return Ok(FileType::Unknown);
                }
                Ok(file_type)
            }
            Object::File(fd) => Ok(sys::stat(fd.as_fd())?.file_type),
            Object::Listener(fd) | Object::Socket(fd) => sys::socket_type(fd.as_fd()),
        }
    }

    /// The record that `fd_filestat_get` gives.
    pub fn stat(&self) -> Result<FileStat, Errno> {
        match &self.object {
            Object::Listener(_) | Object::Socket(_) => Ok(FileStat::of_type(self.file_type()?)),
            _ => match self.host() {
                Some(fd) => sys::stat(fd),
                None => Ok(FileStat::of_type(FileType::Unknown)),
            },
        }
    }
}

/// A signal that the host handles is no business of the guest's.
fn retry<T>(mut operation: impl FnMut() -> io::Result<T>) -> Result<T, Errno> {
    loop {
        match operation() {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            result => return Ok(result?),
        }
    }
}
