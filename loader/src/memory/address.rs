//! Addresses that a program gives away: what is behind them, and where that is for the host.
//!
//! ```text
//!   address space    0 ............. length                     2^32 or 2^64
//!   of the program   | linear memory |   nothing   | a region |
//!                    v                             v
//!   host             native                        native
//! ```
//!
//! An address space is a list of [`Region`]s that do not overlap. Today there is one, the linear
//! memory; whatever else a program can reach joins by being another entry. A range is valid where it
//! lies in one region as a whole, since the bytes of two are not side by side for the host.
//!
//! Nothing here touches memory: addresses become pointers, and pointers addresses.
#![forbid(unsafe_code)]

use core::fmt;
use core::ops::Range;
use core::ptr::NonNull;

use crate::group::Busy;

/// Why there is nothing at an address of the program.
#[must_use]
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum AddressError {
    /// The range leaves the memory. Refuse what the program asks for: it passed a wrong address or
    /// a wrong length.
    OutOfRange {
        /// The first address.
        address: u64,
        /// How many bytes.
        length: u64,
    },
    /// There is no zero between the address and the end of the memory. Refuse what the program
    /// asks for: it passed something that is not a string.
    NotTerminated {
        /// Where the string begins.
        address: u64,
    },
    /// The program has no memory at all. Export one.
    NoMemory,
    /// The memory is in use. Try again when whoever uses it is done.
    Busy(Busy),
}

impl AddressError {
    /// What is wrong, without the numbers.
    #[cfg(not(feature = "std"))]
    pub(crate) fn text(&self) -> &'static str {
        match self {
            AddressError::OutOfRange { .. } => "the range leaves the memory",
            AddressError::NotTerminated { .. } => "the string does not end in the memory",
            AddressError::NoMemory => "the program has no memory",
            AddressError::Busy(_) => "the instance is in use",
        }
    }
}

impl From<Busy> for AddressError {
    fn from(busy: Busy) -> AddressError {
        AddressError::Busy(busy)
    }
}

impl fmt::Display for AddressError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            AddressError::OutOfRange { address, length } => {
                write!(f, "{length} bytes at address {address:#x} leave the memory")
            }
            AddressError::NotTerminated { address } => write!(
                f,
                "the string at address {address:#x} does not end in the memory"
            ),
            AddressError::NoMemory => f.write_str("the program has no memory"),
            AddressError::Busy(busy) => busy.fmt(f),
        }
    }
}

impl core::error::Error for AddressError {}

/// A part of the address space whose bytes lie together on the host.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Region {
    /// The first address.
    pub(crate) address: u64,
    /// How many bytes.
    pub(crate) length: usize,
    /// Where the first byte is on the host.
    pub(crate) native: NonNull<u8>,
}

impl Region {
    /// The bytes of a range, counted from the region's first; none where the range leaves it.
    ///
    /// An empty range may begin right behind the last byte.
    pub(crate) fn range(&self, address: u64, length: u64) -> Option<Range<usize>> {
        let start = usize::try_from(address.checked_sub(self.address)?).ok()?;
        let end = start.checked_add(usize::try_from(length).ok()?)?;
        (end <= self.length).then_some(start..end)
    }

    /// The address of a byte of the region, given by where it is on the host.
    fn address_of(&self, native: *const u8) -> Option<u64> {
        let offset = native.addr().checked_sub(self.native.addr().get())?;
        let address = self.address.checked_add(offset as u64)?;
        (offset < self.length).then_some(address)
    }
}

/// The region in which a range lies.
pub(crate) fn find(
    regions: &[Region],
    address: u64,
    length: u64,
) -> Result<(&Region, Range<usize>), AddressError> {
    let mut inside = regions
        .iter()
        .filter_map(|region| Some((region, region.range(address, length)?)));
    inside
        .next()
        .ok_or(AddressError::OutOfRange { address, length })
}

/// Where a range is on the host.
pub(crate) fn native_address(
    regions: &[Region],
    address: u64,
    length: u64,
) -> Result<NonNull<u8>, AddressError> {
    let (region, range) = find(regions, address, length)?;
    let native = region.native.as_ptr().wrapping_add(range.start);
    // Inside of a block or right behind it, so never null.
    NonNull::new(native).ok_or(AddressError::OutOfRange { address, length })
}

/// The program's address of a byte, given by where it is on the host.
pub(crate) fn address_of(regions: &[Region], native: *const u8) -> Option<u64> {
    regions.iter().find_map(|region| region.address_of(native))
}

/// How many bytes a string has before its zero. `bytes` is all that follows its address.
pub(crate) fn string_length(address: u64, bytes: &[u8]) -> Result<usize, AddressError> {
    bytes
        .iter()
        .position(|byte| *byte == 0)
        .ok_or(AddressError::NotTerminated { address })
}

#[cfg(test)]
mod tests;
