//! The system's error numbers, as WASI calls them.

use std::io;

use crate::errno::Errno;

/// The name of an error that the system has numbered; none where the kind of error says as much.
pub(crate) fn errno_of(error: &io::Error) -> Option<Errno> {
    Some(match error.raw_os_error()? {
        // No such file, folder, drive or name.
        2 | 3 | 15 | 67 | 123 | 161 => Errno::NoEntry,
        4 => Errno::TooManyDescriptors,
        5 | 32 | 33 => Errno::Access,
        6 => Errno::BadDescriptor,
        8 | 14 => Errno::NoMemory,
        17 => Errno::CrossDevice,
        19 => Errno::ReadOnly,
        39 | 112 => Errno::NoSpace,
        // A call that the device does not have: pipes and terminals have no position.
        1 => Errno::NotSeekable,
        50 => Errno::NotSupported,
        80 | 183 => Errno::Exists,
        87 | 131 => Errno::Invalid,
        109 | 232 | 233 => Errno::Pipe,
        111 | 206 => Errno::NameTooLong,
        145 => Errno::NotEmpty,
        170 => Errno::Busy,
        267 | 336 => Errno::NotDirectory,
        681 | 1921 => Errno::Loop,
        1142 => Errno::TooManyLinks,
        1314 => Errno::NotPermitted,
        4390 => Errno::Invalid,
        10035 => Errno::Again,
        10038 => Errno::NotSocket,
        10053 => Errno::ConnectionAborted,
        10054 => Errno::ConnectionReset,
        10057 => Errno::NotConnected,
        10058 => Errno::Pipe,
        10061 => Errno::ConnectionRefused,
        _ => return None,
    })
}
