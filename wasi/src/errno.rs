//! The error numbers of preview 1, and how errors of the host become one of them.
//!
//! One list makes the enum, its numbers and its texts. A host error without a counterpart becomes
//! [`Errno::Io`]: a guest never sees a number of the host's. Errors of locks, which no function here has,
//! come from no host.

use std::io;

use precast_loader::OutOfMemory;

macro_rules! errnos {
    ($($(#[$doc:meta])* $name:ident = $number:literal $(= $($host:ident)|+)?, $text:literal;)*) => {
        /// Why a WASI function failed, with the number that the guest gets.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[must_use]
        #[non_exhaustive]
        #[repr(u16)]
        pub enum Errno {
            $(#[doc = $text] $name = $number,)*
        }

        impl Errno {
            /// What the error means, in a few words.
            #[must_use]
            pub const fn message(self) -> &'static str {
                match self {
                    $(Errno::$name => $text,)*
                }
            }

            /// The error with this number, if there is one.
            #[must_use]
            pub const fn from_number(number: u16) -> Option<Errno> {
                match number {
                    $($number => Some(Errno::$name),)*
                    _ => None,
                }
            }
        }

        crate::sys::host_errnos! { $($name $(= $($host)|+)?;)* }
    };
}

errnos! {
    TooBig = 1 = TOOBIG, "argument list too long";
    Access = 2 = ACCESS, "permission denied";
    AddressInUse = 3 = ADDRINUSE, "address in use";
    AddressNotAvailable = 4 = ADDRNOTAVAIL, "address not available";
    AddressFamilyNotSupported = 5 = AFNOSUPPORT, "address family not supported";
    Again = 6 = AGAIN, "resource unavailable, or the operation would block";
    Already = 7 = ALREADY, "connection already in progress";
    BadDescriptor = 8 = BADF, "bad file descriptor";
    BadMessage = 9 = BADMSG, "bad message";
    Busy = 10 = BUSY, "device or resource busy";
    Canceled = 11 = CANCELED, "operation canceled";
    NoChild = 12 = CHILD, "no child processes";
    ConnectionAborted = 13 = CONNABORTED, "connection aborted";
    ConnectionRefused = 14 = CONNREFUSED, "connection refused";
    ConnectionReset = 15 = CONNRESET, "connection reset";
    Deadlock = 16 = DEADLK, "resource deadlock would occur";
    DestinationAddressRequired = 17 = DESTADDRREQ, "destination address required";
    Domain = 18 = DOM, "argument out of the domain of the function";
    Quota = 19 = DQUOT, "disk quota exceeded";
    Exists = 20 = EXIST, "file exists";
    Fault = 21 = FAULT, "bad address";
    FileTooLarge = 22 = FBIG, "file too large";
    HostUnreachable = 23 = HOSTUNREACH, "host is unreachable";
    IdentifierRemoved = 24 = IDRM, "identifier removed";
    IllegalSequence = 25 = ILSEQ, "illegal byte sequence";
    InProgress = 26 = INPROGRESS, "operation in progress";
    Interrupted = 27 = INTR, "interrupted function";
    Invalid = 28 = INVAL, "invalid argument";
    Io = 29 = IO, "input/output error";
    IsConnected = 30 = ISCONN, "socket is connected";
    IsDirectory = 31 = ISDIR, "is a directory";
    Loop = 32 = LOOP, "too many levels of symbolic links";
    TooManyDescriptors = 33 = MFILE, "too many open descriptors";
    TooManyLinks = 34 = MLINK, "too many links";
    MessageSize = 35 = MSGSIZE, "message too large";
    Multihop = 36 = MULTIHOP, "reserved: multihop attempted";
    NameTooLong = 37 = NAMETOOLONG, "file name too long";
    NetworkDown = 38 = NETDOWN, "network is down";
    NetworkReset = 39 = NETRESET, "connection aborted by network";
    NetworkUnreachable = 40 = NETUNREACH, "network unreachable";
    TooManyFiles = 41 = NFILE, "too many files open in the system";
    NoBuffers = 42 = NOBUFS, "no buffer space available";
    NoDevice = 43 = NODEV, "no such device";
    NoEntry = 44 = NOENT, "no such file or directory";
    NotExecutable = 45 = NOEXEC, "executable file format error";
    NoLock = 46 = NOLCK, "no locks available";
    NoLink = 47 = NOLINK, "reserved: link severed";
    NoMemory = 48 = NOMEM, "not enough space";
    NoMessage = 49 = NOMSG, "no message of the desired type";
    NoProtocolOption = 50 = NOPROTOOPT, "protocol option not available";
    NoSpace = 51 = NOSPC, "no space left on device";
    NotImplemented = 52 = NOSYS, "function not supported";
    NotConnected = 53 = NOTCONN, "the socket is not connected";
    NotDirectory = 54 = NOTDIR, "not a directory";
    NotEmpty = 55 = NOTEMPTY, "directory not empty";
    NotRecoverable = 56, "state not recoverable";
    NotSocket = 57 = NOTSOCK, "not a socket";
    NotSupported = 58 = OPNOTSUPP, "not supported, or operation not supported on socket";
    NotTerminal = 59 = NOTTY, "inappropriate i/o control operation";
    NoSuchDevice = 60 = NXIO, "no such device or address";
    Overflow = 61 = OVERFLOW, "value too large for its type";
    OwnerDead = 62, "previous owner died";
    NotPermitted = 63 = PERM, "operation not permitted";
    Pipe = 64 = PIPE, "broken pipe";
    Protocol = 65 = PROTO, "protocol error";
    ProtocolNotSupported = 66 = PROTONOSUPPORT, "protocol not supported";
    ProtocolType = 67 = PROTOTYPE, "protocol wrong type for socket";
    Range = 68 = RANGE, "result too large";
    ReadOnly = 69 = ROFS, "read-only file system";
    NotSeekable = 70 = SPIPE, "invalid seek";
    NoProcess = 71 = SRCH, "no such process";
    Stale = 72 = STALE, "stale file handle";
    TimedOut = 73 = TIMEDOUT, "operation timed out";
    TextBusy = 74 = TXTBSY, "text file busy";
    CrossDevice = 75 = XDEV, "cross-device link";
    NotCapable = 76, "capabilities insufficient";
}

impl Errno {
    /// The number that the guest gets. Zero, success, is not an error and so not a value of the type.
    #[must_use]
    pub const fn number(self) -> u16 {
        self as u16
    }
}

impl From<io::Error> for Errno {
    fn from(error: io::Error) -> Errno {
        if let Some(error) = crate::sys::errno_of(&error) {
            return error;
        }
        match error.kind() {
            io::ErrorKind::NotFound => Errno::NoEntry,
            // This is how cap-std says that a path leads out of its directory.
            io::ErrorKind::PermissionDenied => Errno::NotPermitted,
            io::ErrorKind::AlreadyExists => Errno::Exists,
            io::ErrorKind::InvalidInput | io::ErrorKind::InvalidData => Errno::Invalid,
            io::ErrorKind::WouldBlock => Errno::Again,
            io::ErrorKind::BrokenPipe | io::ErrorKind::WriteZero => Errno::Pipe,
            io::ErrorKind::Interrupted => Errno::Interrupted,
            io::ErrorKind::TimedOut => Errno::TimedOut,
            io::ErrorKind::Unsupported => Errno::NotSupported,
            io::ErrorKind::OutOfMemory => Errno::NoMemory,
            io::ErrorKind::StorageFull => Errno::NoSpace,
            io::ErrorKind::ConnectionRefused => Errno::ConnectionRefused,
            io::ErrorKind::ConnectionReset => Errno::ConnectionReset,
            io::ErrorKind::ConnectionAborted => Errno::ConnectionAborted,
            io::ErrorKind::NotConnected => Errno::NotConnected,
            _ => Errno::Io,
        }
    }
}

impl From<OutOfMemory> for Errno {
    fn from(_: OutOfMemory) -> Errno {
        Errno::NoMemory
    }
}

impl std::fmt::Display for Errno {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(self.message())
    }
}

impl std::error::Error for Errno {}
