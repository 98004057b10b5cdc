//! What differs between platforms: descriptors of the host, clocks, and the numbers of its errors.
//!
//! One folder per platform, with the same names in each, so that a port is one folder. A `BorrowedFd`
//! is something open on the host for as long as somebody else owns it; `OwnedFd` owns it.

#[cfg(unix)]
#[path = "unix/mod.rs"]
mod platform;
#[cfg(windows)]
#[path = "windows/mod.rs"]
mod platform;

pub use platform::OwnedFd;
pub(crate) use platform::{
    AsFd, Bell, BorrowedFd, Entry, PIECE, PollFd, PollFlags, accept, advise, allocate,
    bytes_to_read, clock_now, clock_resolution, directory, errno_of, file_times, is_ready,
    is_terminal, open_directory, read, read_at, read_directory, receive, require_directory, seek,
    send, set_flags, set_size, set_times, shutdown, socket_type, standard_stream, stat,
    synchronize, wait, write, write_at,
};

/// A file time to set.
#[derive(Clone, Copy, Debug)]
pub(crate) enum NewTime {
    Unchanged,
    Now,
    Nanoseconds(u64),
}

/// The numbers of the host's errors that have a name in WASI.
#[cfg(unix)]
macro_rules! host_errnos {
    ($($name:ident $(= $($host:ident)|+)?;)*) => {
        impl From<rustix::io::Errno> for Errno {
            fn from(error: rustix::io::Errno) -> Errno {
                match error {
                    $($($(rustix::io::Errno::$host)|+ => Errno::$name,)?)*
                    _ => Errno::Io,
                }
            }
        }
    };
}

/// The names are those of Unix; there is a table of the system's own.
#[cfg(windows)]
macro_rules! host_errnos {
    ($($names:tt)*) => {};
}

pub(crate) use host_errnos;
