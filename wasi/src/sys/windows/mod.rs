//! Windows, through the standard library: files, directories and TCP sockets are three kinds of things
//! with calls of their own.
//!
//! What there is not, and what the guest is told:
//!
//! - Whether a pipe or a terminal has something to read is not known: they count as ready, and the call
//!   waits. An alarm does not end such a wait.
//! - Appending is decided at opening and cannot be changed afterwards: `notsup`.
//! - Processor time is not told: `inval`, as for every clock that does not exist.
//! - The number of a directory entry's file is zero; libraries ask for the file itself then.

mod directory;
mod errno;
mod poll;
mod socket;

use std::fs::{File, FileTimes};
use std::io::{self, IoSlice, IoSliceMut, IsTerminal, Read, Seek, SeekFrom, Write};
use std::net::{TcpListener, TcpStream};
use std::os::windows::fs::FileExt;
use std::os::windows::io::{AsHandle, OwnedHandle};
use std::sync::OnceLock;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use cap_std::fs::{Dir, Metadata};

use super::NewTime;
use crate::errno::Errno;
use crate::types::{FileStat, FileType, fdflags};

pub(crate) use directory::{Entry, read_directory};
pub(crate) use errno::errno_of;
pub(crate) use poll::{Bell, PollFd, PollFlags, is_ready, wait};
pub(crate) use socket::{accept, receive, send, shutdown, socket_type};

/// How many bytes can be written without waiting to what is ready, as far as anybody knows.
pub(crate) const PIECE: usize = 4096;

/// Something open on the host.
#[derive(Debug)]
#[non_exhaustive]
pub enum OwnedFd {
    /// A file, a pipe or a terminal.
    File(File),
    /// A socket that accepts connections.
    Listener(TcpListener),
    /// A connected socket.
    Connection(TcpStream),
}

impl From<File> for OwnedFd {
    fn from(file: File) -> OwnedFd {
        OwnedFd::File(file)
    }
}

impl From<OwnedHandle> for OwnedFd {
    fn from(handle: OwnedHandle) -> OwnedFd {
        OwnedFd::File(handle.into())
    }
}

impl From<TcpListener> for OwnedFd {
    fn from(listener: TcpListener) -> OwnedFd {
        OwnedFd::Listener(listener)
    }
}

impl From<TcpStream> for OwnedFd {
    fn from(connection: TcpStream) -> OwnedFd {
        OwnedFd::Connection(connection)
    }
}

/// Something open on the host that somebody else owns.
#[derive(Clone, Copy)]
pub(crate) enum BorrowedFd<'a> {
    File(&'a File),
    Directory(&'a Dir),
    Listener(&'a TcpListener),
    Connection(&'a TcpStream),
    /// A standard stream that this process does not have.
    Closed,
}

/// What can be borrowed.
pub(crate) trait AsFd {
    fn as_fd(&self) -> BorrowedFd<'_>;
}

impl AsFd for OwnedFd {
    fn as_fd(&self) -> BorrowedFd<'_> {
        match self {
            OwnedFd::File(file) => BorrowedFd::File(file),
            OwnedFd::Listener(listener) => BorrowedFd::Listener(listener),
            OwnedFd::Connection(connection) => BorrowedFd::Connection(connection),
        }
    }
}

impl AsFd for Dir {
    fn as_fd(&self) -> BorrowedFd<'_> {
        BorrowedFd::Directory(self)
    }
}

impl<'a> BorrowedFd<'a> {
    /// The file, pipe or terminal.
    fn file(self) -> Result<&'a File, Errno> {
        match self {
            BorrowedFd::File(file) => Ok(file),
            BorrowedFd::Directory(_) => Err(Errno::IsDirectory),
            BorrowedFd::Listener(_) | BorrowedFd::Connection(_) => Err(Errno::NotSeekable),
            BorrowedFd::Closed => Err(Errno::BadDescriptor),
        }
    }
}

/// The three standard streams of this process.
pub(crate) fn standard_stream(number: u32) -> BorrowedFd<'static> {
    static INPUT: OnceLock<Option<File>> = OnceLock::new();
    static OUTPUT: OnceLock<Option<File>> = OnceLock::new();
    static ERROR: OnceLock<Option<File>> = OnceLock::new();
    let stream = match number {
        0 => &INPUT,
        1 => &OUTPUT,
        _ => &ERROR,
    };
    let stream = stream.get_or_init(|| {
        let handle = match number {
            0 => io::stdin().as_handle().try_clone_to_owned(),
            1 => io::stdout().as_handle().try_clone_to_owned(),
            _ => io::stderr().as_handle().try_clone_to_owned(),
        };
        handle.map(File::from).ok()
    });
    stream.as_ref().map_or(BorrowedFd::Closed, BorrowedFd::File)
}

/// Reads into the buffers, in order.
pub(crate) fn read(fd: BorrowedFd<'_>, buffers: &mut [IoSliceMut<'_>]) -> Result<usize, Errno> {
    match fd {
        BorrowedFd::Connection(mut connection) => Ok(connection.read_vectored(buffers)?),
        _ => Ok(fd.file()?.read_vectored(buffers)?),
    }
}

/// Writes the buffers, in order.
pub(crate) fn write(fd: BorrowedFd<'_>, buffers: &[IoSlice<'_>]) -> Result<usize, Errno> {
    match fd {
        BorrowedFd::Connection(mut connection) => Ok(connection.write_vectored(buffers)?),
        _ => Ok(fd.file()?.write_vectored(buffers)?),
    }
}

/// Makes a call that moves the position, and puts that back.
fn keeping_position<T>(
    mut file: &File,
    call: impl FnOnce(&File) -> io::Result<T>,
) -> Result<T, Errno> {
    let position = file.stream_position()?;
    let result = call(file);
    file.seek(SeekFrom::Start(position))?;
    Ok(result?)
}

/// Reads at a position of its own.
pub(crate) fn read_at(
    fd: BorrowedFd<'_>,
    buffers: &mut [IoSliceMut<'_>],
    offset: u64,
) -> Result<usize, Errno> {
    keeping_position(fd.file()?, |file| {
        let mut count = 0;
        for buffer in buffers.iter_mut().filter(|buffer| !buffer.is_empty()) {
            let read = file.seek_read(buffer, offset.saturating_add(count as u64))?;
            count += read;
            if read < buffer.len() {
                break;
            }
        }
        Ok(count)
    })
}

/// Writes at a position of its own.
pub(crate) fn write_at(
    fd: BorrowedFd<'_>,
    buffers: &[IoSlice<'_>],
    offset: u64,
) -> Result<usize, Errno> {
    keeping_position(fd.file()?, |file| {
        let mut count = 0;
        for buffer in buffers.iter().filter(|buffer| !buffer.is_empty()) {
            let written = file.seek_write(buffer, offset.saturating_add(count as u64))?;
            count += written;
            if written < buffer.len() {
                break;
            }
        }
        Ok(count)
    })
}

/// Moves the position, and says where it is.
pub(crate) fn seek(fd: BorrowedFd<'_>, to: SeekFrom) -> Result<u64, Errno> {
    Ok(fd.file()?.seek(to)?)
}

/// Sets the flags that can be set after opening: whether sockets wait. Files never do.
pub(crate) fn set_flags(fd: BorrowedFd<'_>, flags: u32) -> Result<(), Errno> {
    let nonblocking = flags & fdflags::NONBLOCK != 0;
    match fd {
        BorrowedFd::Listener(listener) => Ok(listener.set_nonblocking(nonblocking)?),
        BorrowedFd::Connection(connection) => Ok(connection.set_nonblocking(nonblocking)?),
        _ if flags & fdflags::APPEND != 0 => Err(Errno::NotSupported),
        _ => Ok(()),
    }
}

/// Waits until data and metadata are on the device.
pub(crate) fn synchronize(fd: BorrowedFd<'_>, metadata: bool) -> Result<(), Errno> {
    match fd {
        // The file system keeps its directories in order itself.
        BorrowedFd::Directory(_) => Ok(()),
        _ if metadata => Ok(fd.file()?.sync_all()?),
        _ => Ok(fd.file()?.sync_data()?),
    }
}

/// Tells the system how a part of a file will be used, which it does not want to know.
pub(crate) fn advise(
    fd: BorrowedFd<'_>,
    _offset: u64,
    _length: u64,
    advice: u32,
) -> Result<(), Errno> {
    match advice {
        0..=5 => fd.file().map(drop),
        _ => Err(Errno::Invalid),
    }
}

/// Makes sure that a file is as large as to have this part.
pub(crate) fn allocate(fd: BorrowedFd<'_>, offset: u64, length: u64) -> Result<(), Errno> {
    let file = fd.file()?;
    let end = offset.checked_add(length).ok_or(Errno::FileTooLarge)?;
    if file.metadata()?.len() < end {
        file.set_len(end)?;
    }
    Ok(())
}

/// Sets the size of a file.
pub(crate) fn set_size(fd: BorrowedFd<'_>, size: u64) -> Result<(), Errno> {
    Ok(fd.file()?.set_len(size)?)
}

/// Sets the times of an open file.
pub(crate) fn set_times(
    fd: BorrowedFd<'_>,
    accessed: NewTime,
    modified: NewTime,
) -> Result<(), Errno> {
    let time = |time: NewTime| match time {
        NewTime::Unchanged => None,
        NewTime::Now => Some(SystemTime::now()),
        NewTime::Nanoseconds(time) => Some(UNIX_EPOCH + Duration::from_nanos(time)),
    };
    let mut times = FileTimes::new();
    if let Some(accessed) = time(accessed) {
        times = times.set_accessed(accessed);
    }
    if let Some(modified) = time(modified) {
        times = times.set_modified(modified);
    }
    Ok(fd.file()?.set_times(times)?)
}

/// What is known about something open. Of what is no file, little is.
pub(crate) fn stat(fd: BorrowedFd<'_>) -> Result<FileStat, Errno> {
    match fd {
        BorrowedFd::Directory(dir) => directory_stat(dir),
        BorrowedFd::Listener(_) | BorrowedFd::Connection(_) => {
            Ok(FileStat::of_type(FileType::SocketStream))
        }
        BorrowedFd::Closed => Err(Errno::BadDescriptor),
        BorrowedFd::File(file) if file.is_terminal() => {
            Ok(FileStat::of_type(FileType::CharacterDevice))
        }
        BorrowedFd::File(file) => Ok(match Metadata::from_file(file) {
            Ok(metadata) => crate::path::file_stat(&metadata),
            Err(_) => FileStat::of_type(FileType::Unknown),
        }),
    }
}

/// What is known about an open directory.
fn directory_stat(dir: &Dir) -> Result<FileStat, Errno> {
    Ok(crate::path::file_stat(&dir.dir_metadata()?))
}

/// When a file was read, when it was written, and when its attributes were changed, which is not told:
/// when it was written.
pub(crate) fn file_times(metadata: &Metadata) -> [u64; 3] {
    let nanoseconds = |time: io::Result<cap_std::time::SystemTime>| {
        let time = time.ok().map(cap_std::time::SystemTime::into_std);
        let since = time.and_then(|time| time.duration_since(UNIX_EPOCH).ok());
        since.map_or(0, |since| {
            u64::try_from(since.as_nanos()).unwrap_or(u64::MAX)
        })
    };
    let modified = nanoseconds(metadata.modified());
    [nanoseconds(metadata.accessed()), modified, modified]
}

/// Whether a person sits at the other end.
pub(crate) fn is_terminal(fd: BorrowedFd<'_>) -> bool {
    fd.file().is_ok_and(IsTerminal::is_terminal)
}

/// How many bytes wait to be read: nobody knows, but there is something.
pub(crate) fn bytes_to_read(_: BorrowedFd<'_>) -> u64 {
    1
}

/// There is no such way to open; whoever opens looks at what was opened.
pub(crate) fn require_directory(_: &mut cap_std::fs::OpenOptions) {}

/// Opens a directory of the host with the authority of the process.
pub(crate) fn open_directory(path: &std::path::Path) -> io::Result<Dir> {
    Dir::open_ambient_dir(path, cap_std::ambient_authority())
}

/// What was opened as a directory.
pub(crate) fn directory(fd: OwnedFd) -> Result<Dir, Errno> {
    match fd {
        OwnedFd::File(file) => Ok(Dir::from_std_file(file)),
        OwnedFd::Listener(_) | OwnedFd::Connection(_) => Err(Errno::NotDirectory),
    }
}

/// A name of the host's as the guest gets it. Names are Unicode; the rare ones that are not change.
fn name_bytes(name: &std::ffi::OsStr) -> std::borrow::Cow<'_, [u8]> {
    match name.to_string_lossy() {
        std::borrow::Cow::Borrowed(name) => std::borrow::Cow::Borrowed(name.as_bytes()),
        std::borrow::Cow::Owned(name) => std::borrow::Cow::Owned(name.into_bytes()),
    }
}

/// Nanoseconds of the time of day, or of the clock that only runs forward, from when it was first read.
pub(crate) fn clock_now(clock: u32) -> Result<u64, Errno> {
    static START: OnceLock<Instant> = OnceLock::new();
    let time = match clock {
        0 => SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap_or_default(),
        // The context takes one nanosecond off.
        1 => START.get_or_init(Instant::now).elapsed() + Duration::from_nanos(1),
        _ => return Err(Errno::Invalid),
    };
    Ok(u64::try_from(time.as_nanos()).unwrap_or(u64::MAX))
}

/// Nanoseconds between two readings that differ.
pub(crate) fn clock_resolution(clock: u32) -> Result<u64, Errno> {
    match clock {
        0 | 1 => Ok(100),
        _ => Err(Errno::Invalid),
    }
}
