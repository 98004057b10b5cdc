//! Guest memory, reached only through checked pointers.
//!
//! Pointers and lengths come from the guest and may be anything. Every accessor here checks the whole
//! range first and answers [`Errno::Fault`] when it leaves the memory; nothing in the crate indexes
//! guest memory otherwise. Ranges need no alignment. No length that the guest gives sizes an
//! allocation, but within bounds: lists have at most 1,024 buffers, and copies at most 64 KiB.
//!
//! ```text
//!   memory of one thread        system call <-----------------> guest's buffers     lent in place
//!   memory of several threads   system call <-> copy of 64 KiB <-> guest's buffers  copied
//! ```
//!
//! A memory that several threads share cannot be lent: others write it at any time. Its bytes are
//! copied, in one piece per call, so that what one thread writes with one call stays together. What
//! does not fit makes the read or write a short one, as these may be. Numbers are copied before they
//! are checked, and not read again.

mod bounce;
mod path;
mod vectors;

use precast_loader::Memory;

use crate::errno::Errno;

use bounce::Bounce;
pub(crate) use path::PathBuffer;

/// A memory that other threads read and write meanwhile. It may grow and never shrinks.
pub trait SharedBytes {
    /// How many bytes there are now.
    fn size(&self) -> usize;

    /// Copies bytes out.
    ///
    /// # Errors
    ///
    /// [`Errno::Fault`] if they are not all inside; nothing is copied then.
    fn read(&self, start: usize, bytes: &mut [u8]) -> Result<(), Errno>;

    /// Copies bytes in.
    ///
    /// # Errors
    ///
    /// [`Errno::Fault`] if they do not all fit; nothing is copied then.
    fn write(&self, start: usize, bytes: &[u8]) -> Result<(), Errno>;
}

impl SharedBytes for Memory {
    fn size(&self) -> usize {
        // A shared memory has no group that could be in use.
        self.len().unwrap_or(0)
    }

    fn read(&self, start: usize, bytes: &mut [u8]) -> Result<(), Errno> {
        Memory::read(self, start as u64, bytes).map_err(|_| Errno::Fault)
    }

    fn write(&self, start: usize, bytes: &[u8]) -> Result<(), Errno> {
        Memory::write(self, start as u64, bytes).map_err(|_| Errno::Fault)
    }
}

/// The memory of the calling instance, for the time of one call.
pub struct GuestMemory<'m> {
    bytes: Bytes<'m>,
}

/// How the bytes can be reached.
enum Bytes<'m> {
    /// Nobody else does.
    Exclusive(&'m mut [u8]),
    /// Other threads do as well.
    Shared(&'m dyn SharedBytes),
}

impl<'m> GuestMemory<'m> {
    /// The memory that these bytes are.
    #[must_use]
    pub fn new(bytes: &'m mut [u8]) -> GuestMemory<'m> {
        GuestMemory {
            bytes: Bytes::Exclusive(bytes),
        }
    }

    /// A memory that other threads use, too.
    #[must_use]
    pub fn shared(bytes: &'m dyn SharedBytes) -> GuestMemory<'m> {
        GuestMemory {
            bytes: Bytes::Shared(bytes),
        }
    }

    /// How many bytes the memory has.
    #[must_use]
    pub fn size(&self) -> usize {
        match &self.bytes {
            Bytes::Exclusive(bytes) => bytes.len(),
            Bytes::Shared(bytes) => bytes.size(),
        }
    }

    fn range(&self, pointer: u32, length: u32) -> Result<std::ops::Range<usize>, Errno> {
        // 64 bits hold the sum of two 32-bit numbers, whatever `usize` is.
        let end = u64::from(pointer) + u64::from(length);
        if end > self.size() as u64 {
            return Err(Errno::Fault);
        }
        Ok(pointer as usize..end as usize)
    }

    /// Checks a range without touching it. Results are checked before anything happens, so that a
    /// bad pointer leaves no descriptor open and no byte written.
    ///
    /// # Errors
    ///
    /// [`Errno::Fault`] if the range leaves the memory.
    pub fn check(&self, pointer: u32, length: u32) -> Result<(), Errno> {
        self.range(pointer, length).map(drop)
    }

    /// Checks an array of `count` records of `size` bytes.
    ///
    /// # Errors
    ///
    /// [`Errno::Fault`] if the array leaves the memory.
    pub fn check_array(&self, pointer: u32, count: u32, size: u32) -> Result<(), Errno> {
        let length = count.checked_mul(size).ok_or(Errno::Fault)?;
        self.check(pointer, length)
    }

    /// Copies the bytes of a range out of the memory.
    ///
    /// # Errors
    ///
    /// [`Errno::Fault`] if the range leaves the memory.
    pub fn read(&self, pointer: u32, bytes: &mut [u8]) -> Result<(), Errno> {
        let length = u32::try_from(bytes.len()).map_err(|_| Errno::Fault)?;
        let range = self.range(pointer, length)?;
        match &self.bytes {
            Bytes::Exclusive(memory) => bytes.copy_from_slice(&memory[range]),
            Bytes::Shared(memory) => memory.read(range.start, bytes)?,
        }
        Ok(())
    }

    /// Lets the bytes of a range be made, from the first to the last, in one piece or in several.
    ///
    /// # Errors
    ///
    /// [`Errno::Fault`] if the range leaves the memory; nothing is made then. And what `make` says.
    pub fn produce(
        &mut self,
        pointer: u32,
        length: u32,
        mut make: impl FnMut(&mut [u8]) -> Result<(), Errno>,
    ) -> Result<(), Errno> {
        let range = self.range(pointer, length)?;
        match &mut self.bytes {
            Bytes::Exclusive(memory) => make(&mut memory[range]),
            Bytes::Shared(memory) => {
                let mut bounce = Bounce::new();
                let buffer = bounce.inline();
                for start in range.clone().step_by(buffer.len()) {
                    let count = buffer.len().min(range.end - start);
                    let piece = &mut buffer[..count];
                    make(piece)?;
                    memory.write(start, piece)?;
                }
                Ok(())
            }
        }
    }

    fn array<const N: usize>(&self, pointer: u32) -> Result<[u8; N], Errno> {
        let mut array = [0; N];
        self.read(pointer, &mut array)?;
        Ok(array)
    }

    /// Reads a byte.
    ///
    /// # Errors
    ///
    /// [`Errno::Fault`] if it is outside of the memory.
    pub fn read_u8(&self, pointer: u32) -> Result<u8, Errno> {
        self.array::<1>(pointer).map(|[byte]| byte)
    }

    /// Reads 16 bits.
    ///
    /// # Errors
    ///
    /// [`Errno::Fault`] if they are outside of the memory.
    pub fn read_u16(&self, pointer: u32) -> Result<u16, Errno> {
        self.array(pointer).map(u16::from_le_bytes)
    }

    /// Reads 32 bits.
    ///
    /// # Errors
    ///
    /// [`Errno::Fault`] if they are outside of the memory.
    pub fn read_u32(&self, pointer: u32) -> Result<u32, Errno> {
        self.array(pointer).map(u32::from_le_bytes)
    }

    /// Reads 64 bits.
    ///
    /// # Errors
    ///
    /// [`Errno::Fault`] if they are outside of the memory.
    pub fn read_u64(&self, pointer: u32) -> Result<u64, Errno> {
        self.array(pointer).map(u64::from_le_bytes)
    }

    /// Writes bytes.
    ///
    /// # Errors
    ///
    /// [`Errno::Fault`] if they do not fit in the memory; nothing is written then.
    pub fn write(&mut self, pointer: u32, bytes: &[u8]) -> Result<(), Errno> {
        let length = u32::try_from(bytes.len()).map_err(|_| Errno::Fault)?;
        let range = self.range(pointer, length)?;
        match &mut self.bytes {
            Bytes::Exclusive(memory) => memory[range].copy_from_slice(bytes),
            Bytes::Shared(memory) => memory.write(range.start, bytes)?,
        }
        Ok(())
    }

    /// Writes 16 bits.
    ///
    /// # Errors
    ///
    /// [`Errno::Fault`] if they are outside of the memory.
    pub fn write_u16(&mut self, pointer: u32, value: u16) -> Result<(), Errno> {
        self.write(pointer, &value.to_le_bytes())
    }

    /// Writes 32 bits.
    ///
    /// # Errors
    ///
    /// [`Errno::Fault`] if they are outside of the memory.
    pub fn write_u32(&mut self, pointer: u32, value: u32) -> Result<(), Errno> {
        self.write(pointer, &value.to_le_bytes())
    }

    /// Writes 64 bits.
    ///
    /// # Errors
    ///
    /// [`Errno::Fault`] if they are outside of the memory.
    pub fn write_u64(&mut self, pointer: u32, value: u64) -> Result<(), Errno> {
        self.write(pointer, &value.to_le_bytes())
    }
}

impl std::fmt::Debug for GuestMemory<'_> {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "{} bytes of guest memory", self.size())
    }
}
