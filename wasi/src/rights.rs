//! Rights: which functions a descriptor may be used with.
//!
//! A descriptor has its own rights and those that descriptors opened through it may have. Rights only
//! ever shrink: at opening they are cut to what the directory hands down and to what makes sense for
//! the type of the file, and `fd_fdstat_set_rights` can take some away.

use std::ops::{BitAnd, BitOr};

/// A set of rights.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Rights(u64);

macro_rules! rights {
    ($($name:ident = $bit:literal, $text:literal;)*) => {
        impl Rights {
            $(#[doc = $text] pub const $name: Rights = Rights(1 << $bit);)*

            /// Every right that preview 1 defines.
            pub const ALL: Rights = Rights(0 $(| 1 << $bit)*);
        }
    };
}

rights! {
    FD_DATASYNC = 0, "`fd_datasync`; with `PATH_OPEN`, the flag `dsync`.";
    FD_READ = 1, "`fd_read`, `sock_recv`; with `FD_SEEK`, `fd_pread`.";
    FD_SEEK = 2, "`fd_seek`; implies `FD_TELL`.";
    FD_FDSTAT_SET_FLAGS = 3, "`fd_fdstat_set_flags`.";
    FD_SYNC = 4, "`fd_sync`; with `PATH_OPEN`, the flags `rsync` and `sync`.";
    FD_TELL = 5, "`fd_tell`, and `fd_seek` that does not move.";
    FD_WRITE = 6, "`fd_write`, `sock_send`; with `FD_SEEK`, `fd_pwrite`.";
    FD_ADVISE = 7, "`fd_advise`.";
    FD_ALLOCATE = 8, "`fd_allocate`.";
    PATH_CREATE_DIRECTORY = 9, "`path_create_directory`.";
    PATH_CREATE_FILE = 10, "With `PATH_OPEN`, the flag `creat`.";
    PATH_LINK_SOURCE = 11, "`path_link` with the descriptor as source.";
    PATH_LINK_TARGET = 12, "`path_link` with the descriptor as target.";
    PATH_OPEN = 13, "`path_open`.";
    FD_READDIR = 14, "`fd_readdir`.";
    PATH_READLINK = 15, "`path_readlink`.";
    PATH_RENAME_SOURCE = 16, "`path_rename` with the descriptor as source.";
    PATH_RENAME_TARGET = 17, "`path_rename` with the descriptor as target.";
    PATH_FILESTAT_GET = 18, "`path_filestat_get`.";
    PATH_FILESTAT_SET_SIZE = 19, "With `PATH_OPEN`, the flag `trunc`.";
    PATH_FILESTAT_SET_TIMES = 20, "`path_filestat_set_times`.";
    FD_FILESTAT_GET = 21, "`fd_filestat_get`.";
    FD_FILESTAT_SET_SIZE = 22, "`fd_filestat_set_size`.";
    FD_FILESTAT_SET_TIMES = 23, "`fd_filestat_set_times`.";
    PATH_SYMLINK = 24, "`path_symlink`.";
    PATH_REMOVE_DIRECTORY = 25, "`path_remove_directory`.";
    PATH_UNLINK_FILE = 26, "`path_unlink_file`.";
    POLL_FD_READWRITE = 27, "`poll_oneoff` on the descriptor.";
    SOCK_SHUTDOWN = 28, "`sock_shutdown`.";
    SOCK_ACCEPT = 29, "`sock_accept`.";
}

impl Rights {
    /// No right at all.
    pub const NONE: Rights = Rights(0);

    /// What makes sense for a regular file or a device.
    pub const FILE: Rights = Rights(
        Rights::FD_DATASYNC.0
            | Rights::FD_READ.0
            | Rights::FD_SEEK.0
            | Rights::FD_FDSTAT_SET_FLAGS.0
            | Rights::FD_SYNC.0
            | Rights::FD_TELL.0
            | Rights::FD_WRITE.0
            | Rights::FD_ADVISE.0
            | Rights::FD_ALLOCATE.0
            | Rights::FD_FILESTAT_GET.0
            | Rights::FD_FILESTAT_SET_SIZE.0
            | Rights::FD_FILESTAT_SET_TIMES.0
            | Rights::POLL_FD_READWRITE.0,
    );

    /// What makes sense for a directory.
    pub const DIRECTORY: Rights = Rights(
        Rights::FD_DATASYNC.0
            | Rights::FD_FDSTAT_SET_FLAGS.0
            | Rights::FD_SYNC.0
            | Rights::PATH_CREATE_DIRECTORY.0
            | Rights::PATH_CREATE_FILE.0
            | Rights::PATH_LINK_SOURCE.0
            | Rights::PATH_LINK_TARGET.0
            | Rights::PATH_OPEN.0
            | Rights::FD_READDIR.0
            | Rights::PATH_READLINK.0
            | Rights::PATH_RENAME_SOURCE.0
            | Rights::PATH_RENAME_TARGET.0
            | Rights::PATH_FILESTAT_GET.0
            | Rights::PATH_FILESTAT_SET_SIZE.0
            | Rights::PATH_FILESTAT_SET_TIMES.0
            | Rights::FD_FILESTAT_GET.0
            | Rights::FD_FILESTAT_SET_TIMES.0
            | Rights::PATH_SYMLINK.0
            | Rights::PATH_REMOVE_DIRECTORY.0
            | Rights::PATH_UNLINK_FILE.0,
    );

    /// What a directory can hand down: to files, and to directories below it.
    pub const DIRECTORY_INHERITING: Rights = Rights(Rights::FILE.0 | Rights::DIRECTORY.0);

    /// What looks and reads, and changes nothing.
    pub const READ_ONLY: Rights = Rights(
        Rights::FD_READ.0
            | Rights::FD_SEEK.0
            | Rights::FD_FDSTAT_SET_FLAGS.0
            | Rights::FD_TELL.0
            | Rights::FD_ADVISE.0
            | Rights::PATH_OPEN.0
            | Rights::FD_READDIR.0
            | Rights::PATH_READLINK.0
            | Rights::PATH_FILESTAT_GET.0
            | Rights::FD_FILESTAT_GET.0
            | Rights::POLL_FD_READWRITE.0,
    );

    /// What makes sense for standard input.
    pub const INPUT: Rights = Rights(
        Rights::FD_READ.0
            | Rights::FD_SEEK.0
            | Rights::FD_FDSTAT_SET_FLAGS.0
            | Rights::FD_TELL.0
            | Rights::FD_ADVISE.0
            | Rights::FD_FILESTAT_GET.0
            | Rights::POLL_FD_READWRITE.0,
    );

    /// What makes sense for standard output and standard error.
    pub const OUTPUT: Rights = Rights(
        Rights::FD_WRITE.0
            | Rights::FD_DATASYNC.0
            | Rights::FD_SYNC.0
            | Rights::FD_SEEK.0
            | Rights::FD_FDSTAT_SET_FLAGS.0
            | Rights::FD_TELL.0
            | Rights::FD_ADVISE.0
            | Rights::FD_FILESTAT_GET.0
            | Rights::POLL_FD_READWRITE.0,
    );

    /// What makes sense for a connected socket.
    pub const SOCKET: Rights = Rights(
        Rights::FD_READ.0
            | Rights::FD_WRITE.0
            | Rights::FD_FDSTAT_SET_FLAGS.0
            | Rights::FD_FILESTAT_GET.0
            | Rights::POLL_FD_READWRITE.0
            | Rights::SOCK_SHUTDOWN.0,
    );

    /// What makes sense for a listening socket.
    pub const LISTENER: Rights = Rights(
        Rights::FD_READ.0
            | Rights::FD_FDSTAT_SET_FLAGS.0
            | Rights::FD_FILESTAT_GET.0
            | Rights::POLL_FD_READWRITE.0
            | Rights::SOCK_ACCEPT.0
            | Rights::SOCK_SHUTDOWN.0,
    );

    /// The set with these bits. Bits that name no right are dropped.
    #[must_use]
    pub const fn from_bits(bits: u64) -> Rights {
        Rights(bits & Rights::ALL.0)
    }

    /// The bits, as the guest sees them.
    #[must_use]
    pub const fn bits(self) -> u64 {
        self.0
    }

    /// Whether every right of `other` is in the set.
    #[must_use]
    pub const fn contains(self, other: Rights) -> bool {
        self.0 & other.0 == other.0
    }

    /// The set without the rights of `other`.
    #[must_use]
    pub const fn without(self, other: Rights) -> Rights {
        Rights(self.0 & !other.0)
    }
}

impl BitOr for Rights {
    type Output = Rights;

    fn bitor(self, other: Rights) -> Rights {
        Rights(self.0 | other.0)
    }
}

impl BitAnd for Rights {
    type Output = Rights;

    fn bitand(self, other: Rights) -> Rights {
        Rights(self.0 & other.0)
    }
}
