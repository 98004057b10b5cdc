//! The errors that guests get, with their numbers in preview 1.

/// Why a function failed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Errno(u16);

impl Errno {
    /// No such descriptor.
    pub const BADF: Errno = Errno(8);
    /// A pointer leads out of the memory.
    pub const FAULT: Errno = Errno(21);
    /// No such clock.
    pub const INVAL: Errno = Errno(28);
    /// The platform failed to write.
    pub const IO: Errno = Errno(29);
    /// Not on this device.
    pub const NOSYS: Errno = Errno(52);
    /// A stream has no positions.
    pub const SPIPE: Errno = Errno(70);

    /// The number that the guest gets.
    pub const fn number(self) -> u16 {
        self.0
    }
}
