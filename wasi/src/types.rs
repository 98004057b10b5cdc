//! The values that guest and host exchange: flags, enumerations, and the layout of each record.
//!
//! Everything is little-endian. Preview 0 (`wasi_unstable`) differs from preview 1 in the `stat`
//! record, the numbers of `whence` and the subscription record; [`Abi`] says which one is spoken, and
//! nothing outside of this file knows the difference.

/// Which of the two snapshots of WASI a module was compiled for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Abi {
    /// The module name `wasi_unstable`.
    Preview0,
    /// The module name `wasi_snapshot_preview1`.
    Preview1,
}

/// The type of a file, as `fdstat`, `filestat` and `dirent` give it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum FileType {
    /// None of the others, or not known. Pipes are this.
    Unknown = 0,
    /// A block device.
    BlockDevice = 1,
    /// A character device, such as a terminal.
    CharacterDevice = 2,
    /// A directory.
    Directory = 3,
    /// A regular file.
    RegularFile = 4,
    /// A datagram socket.
    SocketDatagram = 5,
    /// A byte-stream socket.
    SocketStream = 6,
    /// A symbolic link.
    SymbolicLink = 7,
}

/// The lookup flag that follows a symbolic link in the last component of a path.
pub const LOOKUP_SYMLINK_FOLLOW: u32 = 1 << 0;

/// `oflags`: how `path_open` opens.
pub mod oflags {
    /// Creates the file if it does not exist.
    pub const CREATE: u32 = 1 << 0;
    /// Fails if it is not a directory.
    pub const DIRECTORY: u32 = 1 << 1;
    /// Fails if the file exists.
    pub const EXCLUSIVE: u32 = 1 << 2;
    /// Truncates the file to size 0.
    pub const TRUNCATE: u32 = 1 << 3;
    /// Every flag that there is.
    pub const ALL: u32 = CREATE | DIRECTORY | EXCLUSIVE | TRUNCATE;
}

/// `fdflags`: how an open descriptor behaves.
pub mod fdflags {
    /// Every write goes to the end of the file.
    pub const APPEND: u32 = 1 << 0;
    /// Data is on the device when a write returns.
    pub const DATA_SYNC: u32 = 1 << 1;
    /// Calls fail instead of waiting.
    pub const NONBLOCK: u32 = 1 << 2;
    /// Reads are as synchronous as writes.
    pub const READ_SYNC: u32 = 1 << 3;
    /// Data and metadata are on the device when a write returns.
    pub const SYNC: u32 = 1 << 4;
    /// The three flags that only opening can set.
    pub const ANY_SYNC: u32 = DATA_SYNC | READ_SYNC | SYNC;
    /// Every flag that there is.
    pub const ALL: u32 = APPEND | NONBLOCK | ANY_SYNC;
}

/// `fstflags`: which times to set, and to what.
pub mod fstflags {
    /// Sets the access time to the value given.
    pub const ACCESS: u32 = 1 << 0;
    /// Sets the access time to now.
    pub const ACCESS_NOW: u32 = 1 << 1;
    /// Sets the modification time to the value given.
    pub const MODIFIED: u32 = 1 << 2;
    /// Sets the modification time to now.
    pub const MODIFIED_NOW: u32 = 1 << 3;
    /// Every flag that there is.
    pub const ALL: u32 = ACCESS | ACCESS_NOW | MODIFIED | MODIFIED_NOW;
}

/// Flags of the socket functions.
pub mod sockets {
    /// `riflags`: the message stays in the queue.
    pub const RECEIVE_PEEK: u32 = 1 << 0;
    /// `riflags`: waits until the buffers are full.
    pub const RECEIVE_WAIT_ALL: u32 = 1 << 1;
    /// `roflags`: the message was longer than the buffers.
    pub const RECEIVED_TRUNCATED: u16 = 1 << 0;
    /// `sdflags`: no more receiving.
    pub const SHUTDOWN_READ: u32 = 1 << 0;
    /// `sdflags`: no more sending.
    pub const SHUTDOWN_WRITE: u32 = 1 << 1;
}

/// Numbers and layouts of `poll_oneoff`.
pub mod polling {
    use super::Abi;

    /// The event type of a clock.
    pub const CLOCK: u8 = 0;
    /// The event type of a descriptor that can be read.
    pub const FD_READ: u8 = 1;
    /// The event type of a descriptor that can be written.
    pub const FD_WRITE: u8 = 2;
    /// `subclockflags`: the timeout is a point in time, not a duration.
    pub const ABSOLUTE_TIME: u16 = 1 << 0;
    /// `eventrwflags`: the peer has closed.
    pub const HANGUP: u16 = 1 << 0;
    /// The size of an event: userdata, error at 8, type at 10, bytes at 16, flags at 24.
    pub const EVENT_SIZE: u32 = 32;
    /// Where the tag of a subscription is, after its userdata.
    pub const TAG: u32 = 8;
    /// Where the descriptor of a read or write subscription is.
    pub const DESCRIPTOR: u32 = 16;

    /// Where the fields of a subscription are.
    pub struct Subscription {
        /// The size of a record.
        pub size: u32,
        /// The clock's number, 32 bits.
        pub clock: u32,
        /// The timeout, 64 bits. (The precision follows it; the host's timers need no such hint.)
        pub timeout: u32,
        /// The clock's flags, 16 bits.
        pub flags: u32,
    }

    impl Abi {
        /// The layout of a subscription. Preview 0 repeats the userdata in front of the clock.
        #[must_use]
        pub const fn subscription(self) -> Subscription {
            match self {
                Abi::Preview0 => Subscription {
                    size: 56,
                    clock: 24,
                    timeout: 32,
                    flags: 48,
                },
                Abi::Preview1 => Subscription {
                    size: 48,
                    clock: 16,
                    timeout: 24,
                    flags: 40,
                },
            }
        }
    }
}

/// From where `fd_seek` counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Whence {
    /// From the start of the file.
    Set,
    /// From the current position.
    Current,
    /// From the end of the file.
    End,
}

impl Abi {
    /// The meaning of a `whence` number.
    #[must_use]
    pub const fn whence(self, number: u32) -> Option<Whence> {
        match (self, number) {
            (Abi::Preview1, 0) | (Abi::Preview0, 2) => Some(Whence::Set),
            (Abi::Preview1, 1) | (Abi::Preview0, 0) => Some(Whence::Current),
            (Abi::Preview1, 2) | (Abi::Preview0, 1) => Some(Whence::End),
            _ => None,
        }
    }
}

/// What `fd_filestat_get` and `path_filestat_get` tell.
#[derive(Clone, Copy, Debug)]
pub struct FileStat {
    /// The device that holds the file.
    pub device: u64,
    /// The file's number on its device.
    pub inode: u64,
    /// The file's type.
    pub file_type: FileType,
    /// How many names the file has.
    pub links: u64,
    /// Its size in bytes.
    pub size: u64,
    /// When it was last read, in nanoseconds since 1970.
    pub accessed: u64,
    /// When its data last changed.
    pub modified: u64,
    /// When its metadata last changed.
    pub changed: u64,
}

impl FileStat {
    /// The record for something that has a type and nothing else.
    #[must_use]
    pub const fn of_type(file_type: FileType) -> FileStat {
        FileStat {
            device: 0,
            inode: 0,
            file_type,
            links: 0,
            size: 0,
            accessed: 0,
            modified: 0,
            changed: 0,
        }
    }

    /// The size of the record in guest memory.
    #[must_use]
    pub const fn size_in(abi: Abi) -> u32 {
        match abi {
            Abi::Preview0 => 56,
            Abi::Preview1 => 64,
        }
    }

    /// The record as the guest reads it; the first [`FileStat::size_in`] bytes count.
    #[must_use]
    pub fn encode(&self, abi: Abi) -> [u8; 64] {
        let mut record = [0; 64];
        let mut put = |offset: usize, value: u64| {
            record[offset..offset + 8].copy_from_slice(&value.to_le_bytes());
        };
        put(0, self.device);
        put(8, self.inode);
        put(16, u64::from(self.file_type as u8));
        let rest = match abi {
            Abi::Preview0 => {
                // A type in the low byte and a 32-bit count above share these eight bytes.
                let links = u64::from(u32::try_from(self.links).unwrap_or(u32::MAX));
                put(16, u64::from(self.file_type as u8) | links << 32);
                24
            }
            Abi::Preview1 => {
                put(24, self.links);
                32
            }
        };
        put(rest, self.size);
        put(rest + 8, self.accessed);
        put(rest + 16, self.modified);
        put(rest + 24, self.changed);
        record
    }
}

/// The size of an `fdstat`: type, flags at 2, rights at 8, inheriting rights at 16.
pub const FDSTAT_SIZE: u32 = 24;

/// The size of a `prestat`: a tag (0, a directory) and the length of its name at 4.
pub const PRESTAT_SIZE: u32 = 8;

/// The size of a `dirent` without its name: next cookie, inode at 8, name length at 16, type at 20.
pub const DIRENT_SIZE: usize = 24;

/// The size of an `iovec` or `ciovec`: pointer and length.
pub const IOVEC_SIZE: u32 = 8;
