//! Addresses of the program as hosts use them: checked, converted, read as strings.
//!
//! The rules are in `crate::memory::address`; this is where handles, slices and callers get them.
#![forbid(unsafe_code)]

use core::ops::Range;
use core::ptr::NonNull;

use crate::call::caller::Caller;
use crate::group::Busy;
use crate::instance::memory::{AnyMemory, Memory, MemoryMut};
use crate::memory::address::{self, AddressError, Region};

impl AnyMemory<'_> {
    /// What a program can reach whose memory this is.
    fn regions(self) -> [Region; 1] {
        [Region {
            address: 0,
            length: self.length(),
            native: self.base(),
        }]
    }

    /// Whether a range is there.
    pub(crate) fn check_range(self, address: u64, length: u64) -> Result<(), AddressError> {
        address::find(&self.regions(), address, length).map(|_| ())
    }

    /// How many bytes the string at an address has before its zero.
    fn string_length(self, address: u64) -> Result<u64, AddressError> {
        let regions = self.regions();
        let (region, range) = address::find(&regions, address, 0)?;
        let length = self.count_while(range.start, |byte| byte != 0);
        if length >= region.length - range.start {
            return Err(AddressError::NotTerminated { address });
        }
        Ok(length as u64)
    }
}

impl Memory {
    /// Checks that a range is in the memory. An empty one may begin right behind the last byte.
    ///
    /// What is in the memory stays in it: memories do not shrink.
    pub fn check_range(&self, address: u64, length: u64) -> Result<(), AddressError> {
        self.enter()?.check_range(address, length)
    }

    /// How many bytes the string at an address has before the zero that ends it, which is in the
    /// memory, too. The program can change it afterwards.
    pub fn string_length(&self, address: u64) -> Result<u64, AddressError> {
        self.enter()?.string_length(address)
    }

    /// Where a range of the memory is on the host. The pointer is valid for reads and writes of
    /// the range, and as aligned as the address, up to 16 bytes.
    ///
    /// To use it takes `unsafe` code, and these promises:
    ///
    /// 1. A handle to the memory, or to an instance that it is linked with, is held for as long.
    /// 2. The memory has not grown since, unless it has guard pages or is
    ///    [fixed](crate::InstanceOptions::fixed_memory): growth may move it, whether the program
    ///    grows it or the host.
    /// 3. No [`MemoryMut`] of it is alive, and no other thread is inside its instances.
    /// 4. References made from the pointer end before compiled code runs again.
    /// 5. Of a shared memory there are no references, and accesses are atomic: other threads use it
    ///    at any time.
    pub fn native_address(&self, address: u64, length: u64) -> Result<NonNull<u8>, AddressError> {
        address::native_address(&self.enter()?.regions(), address, length)
    }

    /// The program's address of a byte of the memory, given by where it is on the host; none for
    /// pointers to anything else. The pointer is not used.
    pub fn address_of(&self, native: *const u8) -> Result<Option<u64>, Busy> {
        Ok(address::address_of(&self.enter()?.regions(), native))
    }
}

impl MemoryMut<'_> {
    /// The bytes of a range.
    pub fn range(&self, address: u64, length: u64) -> Result<&[u8], AddressError> {
        let range = self.inside(address, length)?;
        self.get(range)
            .ok_or(AddressError::OutOfRange { address, length })
    }

    /// The bytes of a range, to be changed.
    pub fn range_mut(&mut self, address: u64, length: u64) -> Result<&mut [u8], AddressError> {
        let range = self.inside(address, length)?;
        self.get_mut(range)
            .ok_or(AddressError::OutOfRange { address, length })
    }

    /// The bytes of a string up to the zero that ends it.
    pub fn string(&self, address: u64) -> Result<&[u8], AddressError> {
        let start = self.inside(address, 0)?.start;
        let bytes = self.get(start..).unwrap_or_default();
        let length = address::string_length(address, bytes)?;
        Ok(bytes.get(..length).unwrap_or_default())
    }

    /// The program's address of a byte of the slice; none for pointers to anything else.
    pub fn address_of(&self, native: *const u8) -> Option<u64> {
        address::address_of(&self.regions(), native)
    }

    fn inside(&self, address: u64, length: u64) -> Result<Range<usize>, AddressError> {
        address::find(&self.regions(), address, length).map(|(_, range)| range)
    }

    fn regions(&self) -> [Region; 1] {
        [Region {
            address: 0,
            length: self.len(),
            native: NonNull::from(&**self).cast(),
        }]
    }
}

/// In the caller's main memory: the one exported as `memory`, else memory 0.
impl Caller<'_> {
    /// Checks that a range is in the memory, as [`Memory::check_range`] does.
    pub fn check_range(&self, address: u64, length: u64) -> Result<(), AddressError> {
        self.addressed()?.check_range(address, length)
    }

    /// How many bytes a string has before the zero that ends it, as [`Memory::string_length`] says.
    pub fn string_length(&self, address: u64) -> Result<u64, AddressError> {
        self.addressed()?.string_length(address)
    }

    /// Where a range is on the host, under the rules of [`Memory::native_address`].
    pub fn native_address(&self, address: u64, length: u64) -> Result<NonNull<u8>, AddressError> {
        address::native_address(&self.addressed()?.regions(), address, length)
    }

    /// The program's address of a byte, given by where it is on the host.
    pub fn address_of(&self, native: *const u8) -> Result<Option<u64>, AddressError> {
        Ok(address::address_of(&self.addressed()?.regions(), native))
    }

    fn addressed(&self) -> Result<AnyMemory<'_>, AddressError> {
        if self.group().is_borrowed() {
            return Err(AddressError::Busy(Busy));
        }
        self.any_memory().ok_or(AddressError::NoMemory)
    }
}
