//! The guest's memory, copied from and to, so that memories which threads share are no different.

use precast_loader::{Caller, Memory};

use crate::errno::Errno;

/// The memory of the calling instance.
pub(crate) struct Guest(Memory);

impl Guest {
    /// The memory that pointers of the caller are about.
    pub fn of(caller: &Caller<'_>) -> Result<Guest, Errno> {
        caller.main_memory().map(Guest).ok_or(Errno::FAULT)
    }

    /// Whether so many bytes from there on are inside, so that nothing is done halfway.
    pub fn check(&self, pointer: u32, length: u32) -> Result<(), Errno> {
        let size = self.0.len().map_err(|_| Errno::FAULT)? as u64;
        match u64::from(pointer) + u64::from(length) <= size {
            true => Ok(()),
            false => Err(Errno::FAULT),
        }
    }

    /// Copies bytes out.
    pub fn read(&self, pointer: u32, bytes: &mut [u8]) -> Result<(), Errno> {
        let read = self.0.read(u64::from(pointer), bytes);
        read.map_err(|_| Errno::FAULT)
    }

    /// Copies bytes in.
    pub fn write(&self, pointer: u32, bytes: &[u8]) -> Result<(), Errno> {
        let written = self.0.write(u64::from(pointer), bytes);
        written.map_err(|_| Errno::FAULT)
    }

    /// Reads a number at an offset from a pointer.
    pub fn read_u32(&self, pointer: u32, offset: u32) -> Result<u32, Errno> {
        let mut bytes = [0; 4];
        let pointer = pointer.checked_add(offset).ok_or(Errno::FAULT)?;
        self.read(pointer, &mut bytes)?;
        Ok(u32::from_le_bytes(bytes))
    }

    /// Writes a number.
    pub fn write_u32(&self, pointer: u32, value: u32) -> Result<(), Errno> {
        self.write(pointer, &value.to_le_bytes())
    }

    /// Writes a number.
    pub fn write_u64(&self, pointer: u32, value: u64) -> Result<(), Errno> {
        self.write(pointer, &value.to_le_bytes())
    }
}
