//! Unix: descriptors of the host, as rustix sees them. Linux has the better way to read a directory.

use std::io::{self, IoSlice, IoSliceMut, PipeReader, PipeWriter, Read, SeekFrom, Write};
pub(crate) use std::os::fd::{AsFd, BorrowedFd};

pub use std::os::fd::OwnedFd;
use std::time::Duration;

use cap_std::fs::{Dir, Metadata, MetadataExt};

use rustix::event::Timespec;
pub(crate) use rustix::event::{PollFd, PollFlags};
use rustix::fs::{FallocateFlags, OFlags, Timestamps};
use rustix::io::retry_on_intr;
use rustix::time::ClockId;

use super::NewTime;
use crate::errno::Errno;
use crate::types::{FileStat, FileType, fdflags};

mod directory;
mod socket;

pub(crate) use directory::{Entry, read_directory};
pub(crate) use socket::{accept, receive, send, shutdown, socket_type};

const NANOSECONDS: u64 = 1_000_000_000;

/// How many bytes can be written without waiting to what is ready: a page of a pipe, or what POSIX
/// demands.
pub(crate) const PIECE: usize = if cfg!(any(target_os = "linux", target_os = "android")) {
    4096
} else {
    512
};

/// The three standard streams of this process.
pub(crate) fn standard_stream(number: u32) -> BorrowedFd<'static> {
    match number {
        0 => rustix::stdio::stdin(),
        1 => rustix::stdio::stdout(),
        _ => rustix::stdio::stderr(),
    }
}

/// Reads into the buffers, in order.
pub(crate) fn read(fd: BorrowedFd<'_>, buffers: &mut [IoSliceMut<'_>]) -> Result<usize, Errno> {
    let count = match buffers {
        [buffer] => retry_on_intr(|| rustix::io::read(fd, &mut **buffer)),
        _ => retry_on_intr(|| rustix::io::readv(fd, buffers)),
    };
    Ok(count?)
}

/// Writes the buffers, in order.
pub(crate) fn write(fd: BorrowedFd<'_>, buffers: &[IoSlice<'_>]) -> Result<usize, Errno> {
    let count = match buffers {
        [buffer] => retry_on_intr(|| rustix::io::write(fd, buffer)),
        _ => retry_on_intr(|| rustix::io::writev(fd, buffers)),
    };
    Ok(count?)
}

/// Reads at a position of its own.
pub(crate) fn read_at(
    fd: BorrowedFd<'_>,
    buffers: &mut [IoSliceMut<'_>],
    offset: u64,
) -> Result<usize, Errno> {
    Ok(retry_on_intr(|| rustix::io::preadv(fd, buffers, offset))?)
}

/// Writes at a position of its own.
pub(crate) fn write_at(
    fd: BorrowedFd<'_>,
    buffers: &[IoSlice<'_>],
    offset: u64,
) -> Result<usize, Errno> {
    Ok(retry_on_intr(|| rustix::io::pwritev(fd, buffers, offset))?)
}

/// Moves the position, and says where it is.
pub(crate) fn seek(fd: BorrowedFd<'_>, to: SeekFrom) -> Result<u64, Errno> {
    let to = match to {
        SeekFrom::Start(offset) => rustix::fs::SeekFrom::Start(offset),
        SeekFrom::Current(distance) => rustix::fs::SeekFrom::Current(distance),
        SeekFrom::End(distance) => rustix::fs::SeekFrom::End(distance),
    };
    Ok(rustix::fs::seek(fd, to)?)
}

/// Sets the flags that can be set after opening.
pub(crate) fn set_flags(fd: BorrowedFd<'_>, flags: u32) -> Result<(), Errno> {
    let mut host = rustix::fs::fcntl_getfl(fd)?;
    host.set(OFlags::APPEND, flags & fdflags::APPEND != 0);
    host.set(OFlags::NONBLOCK, flags & fdflags::NONBLOCK != 0);
    Ok(rustix::fs::fcntl_setfl(fd, host)?)
}

/// Waits until the data, or data and metadata, are on the device.
pub(crate) fn synchronize(fd: BorrowedFd<'_>, metadata: bool) -> Result<(), Errno> {
    let result = if metadata {
        retry_on_intr(|| rustix::fs::fsync(fd))
    } else {
        #[cfg(not(target_vendor = "apple"))]
        let result = retry_on_intr(|| rustix::fs::fdatasync(fd));
        // There is no call for the data alone.
        #[cfg(target_vendor = "apple")]
        let result = retry_on_intr(|| rustix::fs::fsync(fd));
        result
    };
    Ok(result?)
}

/// Tells the system how a part of a file will be used.
pub(crate) fn advise(
    fd: BorrowedFd<'_>,
    offset: u64,
    length: u64,
    advice: u32,
) -> Result<(), Errno> {
    if advice > 5 {
        return Err(Errno::Invalid);
    }
    #[cfg(not(target_vendor = "apple"))]
    {
        use rustix::fs::Advice;
        const ADVICE: [Advice; 6] = [
            Advice::Normal,
            Advice::Sequential,
            Advice::Random,
            Advice::WillNeed,
            Advice::DontNeed,
            Advice::NoReuse,
        ];
        let advice = ADVICE[advice as usize];
        let length = std::num::NonZeroU64::new(length);
        rustix::fs::fadvise(fd, offset, length, advice)?;
    }
    // Of all advice, that a part will be needed is what can be told.
    #[cfg(target_vendor = "apple")]
    if advice == 3 {
        rustix::fs::fcntl_rdadvise(fd, offset, length)?;
    }
    Ok(())
}

/// Makes sure that a part of a file has its place on the device.
pub(crate) fn allocate(fd: BorrowedFd<'_>, offset: u64, length: u64) -> Result<(), Errno> {
    Ok(retry_on_intr(|| {
        rustix::fs::fallocate(fd, FallocateFlags::empty(), offset, length)
    })?)
}

/// Sets the size of a file.
pub(crate) fn set_size(fd: BorrowedFd<'_>, size: u64) -> Result<(), Errno> {
    Ok(retry_on_intr(|| rustix::fs::ftruncate(fd, size))?)
}

/// A time as the system has it.
fn timespec(time: NewTime) -> rustix::fs::Timespec {
    let (tv_sec, tv_nsec) = match time {
        NewTime::Unchanged => (0, rustix::fs::UTIME_OMIT),
        NewTime::Now => (0, rustix::fs::UTIME_NOW),
        // Both parts are small enough for any time type.
        NewTime::Nanoseconds(time) => (
            (time / NANOSECONDS) as i64,
            (time % NANOSECONDS) as rustix::fs::Nsecs,
        ),
    };
    rustix::fs::Timespec { tv_sec, tv_nsec }
}

/// Sets the times of an open file.
pub(crate) fn set_times(
    fd: BorrowedFd<'_>,
    accessed: NewTime,
    modified: NewTime,
) -> Result<(), Errno> {
    let times = Timestamps {
        last_access: timespec(accessed),
        last_modification: timespec(modified),
    };
    Ok(rustix::fs::futimens(fd, &times)?)
}

/// The type that a file's mode says.
pub(crate) fn file_type(host: rustix::fs::FileType) -> FileType {
    match host {
        rustix::fs::FileType::RegularFile => FileType::RegularFile,
        rustix::fs::FileType::Directory => FileType::Directory,
        rustix::fs::FileType::Symlink => FileType::SymbolicLink,
        rustix::fs::FileType::CharacterDevice => FileType::CharacterDevice,
        rustix::fs::FileType::BlockDevice => FileType::BlockDevice,
        rustix::fs::FileType::Socket => FileType::SocketStream,
        _ => FileType::Unknown,
    }
}

/// What is known about an open file.
pub(crate) fn stat(fd: BorrowedFd<'_>) -> Result<FileStat, Errno> {
    let stat = rustix::fs::fstat(fd)?;
    // Field types differ between platforms; times before 1970 cannot be told.
    let time = |seconds: i64, nanoseconds: u64| {
        let seconds = u64::try_from(seconds).unwrap_or(0);
        seconds
            .saturating_mul(NANOSECONDS)
            .saturating_add(nanoseconds)
    };
    Ok(FileStat {
        device: stat.st_dev as _,
        inode: stat.st_ino as _,
        file_type: file_type(rustix::fs::FileType::from_raw_mode(stat.st_mode as _)),
        links: stat.st_nlink as _,
        size: u64::try_from(stat.st_size).unwrap_or(0),
        accessed: time(stat.st_atime as _, stat.st_atime_nsec as _),
        modified: time(stat.st_mtime as _, stat.st_mtime_nsec as _),
        changed: time(stat.st_ctime as _, stat.st_ctime_nsec as _),
    })
}

/// Whether a person sits at the other end.
pub(crate) fn is_terminal(fd: BorrowedFd<'_>) -> bool {
    rustix::termios::isatty(fd)
}

/// How many bytes wait to be read, as far as the system knows.
pub(crate) fn bytes_to_read(fd: BorrowedFd<'_>) -> u64 {
    rustix::io::ioctl_fionread(fd).unwrap_or(0)
}

/// Whether a call would return at once.
pub(crate) fn is_ready(fd: BorrowedFd<'_>, interest: PollFlags) -> Result<bool, Errno> {
    let mut polled = [PollFd::from_borrowed_fd(fd, interest)];
    wait(&mut polled, Some(Duration::ZERO))?;
    Ok(!polled[0].revents().is_empty())
}

/// Waits for any of the descriptors, or for the time to pass. It may be interrupted early.
pub(crate) fn wait(polled: &mut [PollFd<'_>], timeout: Option<Duration>) -> Result<(), Errno> {
    let timeout = timeout.map(|timeout| Timespec {
        tv_sec: i64::try_from(timeout.as_secs()).unwrap_or(i64::MAX),
        tv_nsec: timeout.subsec_nanos().into(),
    });
    match rustix::event::poll(polled, timeout.as_ref()) {
        Ok(_) => Ok(()),
        Err(rustix::io::Errno::INTR) => {
            polled.iter_mut().for_each(PollFd::clear_revents);
            Ok(())
        }
        Err(error) => Err(error.into()),
    }
}

/// Makes opening fail for what is no directory.
pub(crate) fn require_directory(options: &mut cap_std::fs::OpenOptions) {
    use cap_std::fs::OpenOptionsExt;
    // Flags of the system are C's `int`.
    options.custom_flags(OFlags::DIRECTORY.bits() as i32);
}

/// Opens a directory of the host with the authority of the process, so that it can be listed; or, if
/// that is not permitted, so that what is in it can be reached.
pub(crate) fn open_directory(path: &std::path::Path) -> io::Result<Dir> {
    let flags = OFlags::DIRECTORY | OFlags::CLOEXEC;
    let mode = rustix::fs::Mode::empty();
    let opened = match rustix::fs::open(path, flags | OFlags::RDONLY, mode) {
        #[cfg(any(target_os = "linux", target_os = "android"))]
        Err(rustix::io::Errno::ACCESS) => rustix::fs::open(path, flags | OFlags::PATH, mode)?,
        result => result?,
    };
    Ok(Dir::from_std_file(opened.into()))
}

/// What was opened as a directory.
pub(crate) fn directory(fd: OwnedFd) -> Result<Dir, Errno> {
    Ok(Dir::from_std_file(fd.into()))
}

/// When a file was read, when it was written, and when its attributes were changed.
pub(crate) fn file_times(metadata: &Metadata) -> [u64; 3] {
    let time = |seconds: i64, nanoseconds: i64| {
        let seconds = u64::try_from(seconds).unwrap_or(0);
        let nanoseconds = u64::try_from(nanoseconds).unwrap_or(0);
        seconds
            .saturating_mul(NANOSECONDS)
            .saturating_add(nanoseconds)
    };
    [
        time(metadata.atime(), metadata.atime_nsec()),
        time(metadata.mtime(), metadata.mtime_nsec()),
        time(metadata.ctime(), metadata.ctime_nsec()),
    ]
}

/// The name of an error that the system has numbered.
pub(crate) fn errno_of(error: &io::Error) -> Option<Errno> {
    rustix::io::Errno::from_io_error(error).map(Errno::from)
}

fn host_clock(clock: u32) -> Result<ClockId, Errno> {
    match clock {
        0 => Ok(ClockId::Realtime),
        1 => Ok(ClockId::Monotonic),
        2 => Ok(ClockId::ProcessCPUTime),
        3 => Ok(ClockId::ThreadCPUTime),
        _ => Err(Errno::Invalid),
    }
}

/// Nanoseconds, which suffice until the year 2554.
fn nanoseconds(time: Timespec) -> u64 {
    let seconds = u64::try_from(time.tv_sec).unwrap_or(0);
    let rest = u64::try_from(time.tv_nsec).unwrap_or(0);
    seconds.saturating_mul(NANOSECONDS).saturating_add(rest)
}

/// What a clock of WASI shows on the host, in nanoseconds.
pub(crate) fn clock_now(clock: u32) -> Result<u64, Errno> {
    Ok(nanoseconds(rustix::time::clock_gettime(host_clock(clock)?)))
}

/// Nanoseconds between two readings that differ.
pub(crate) fn clock_resolution(clock: u32) -> Result<u64, Errno> {
    Ok(nanoseconds(rustix::time::clock_getres(host_clock(clock)?)))
}

/// What one thread rings and others wait for: a pipe. As long as there is a byte in it, nobody waits.
pub(crate) struct Bell {
    reader: PipeReader,
    writer: PipeWriter,
}

impl Bell {
    /// Takes two descriptors of the system.
    pub fn new() -> io::Result<Bell> {
        let (reader, writer) = io::pipe()?;
        Ok(Bell { reader, writer })
    }

    /// Rings until it is silenced. It is not rung twice.
    pub fn ring(&self) {
        // There is room for a byte, and the other end is ours: nothing can fail.
        let _ = (&self.writer).write(&[0]);
    }

    /// Stops.
    pub fn silence(&self) {
        let _ = (&self.reader).read(&mut [0]);
    }

    /// What to wait for.
    pub fn polled(&self) -> PollFd<'_> {
        PollFd::new(&self.reader, PollFlags::IN)
    }
}
