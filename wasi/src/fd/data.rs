//! Moving data: read, write, and the position between them.
//!
//! The system reads into guest memory and writes from it: no copy is made, unless other threads share
//! the memory, and no lock of this process is held, unless a wait can be [ended](crate::alarm).

use std::io::SeekFrom;

use crate::context::WasiContext;
use crate::errno::Errno;
use crate::memory::GuestMemory;
use crate::rights::Rights;
use crate::sys;
use crate::types::{Abi, Whence};

/// A count of bytes for the guest. The system moves less than 2 GiB at a time; streams of the host
/// program are held to what the buffers take, which fits in the memory unless buffers repeat.
fn count(bytes: usize) -> u32 {
    u32::try_from(bytes).unwrap_or(u32::MAX)
}

/// Positions of the system are signed.
fn offset(offset: u64) -> Result<u64, Errno> {
    if i64::try_from(offset).is_ok() {
        Ok(offset)
    } else {
        Err(Errno::Invalid)
    }
}

impl WasiContext {
    /// Reads into a list of buffers.
    ///
    /// # Errors
    ///
    /// [`Errno::BadDescriptor`] if the descriptor is not open for reading, [`Errno::Fault`] for a bad
    /// pointer, and what the system says.
    pub fn fd_read(
        &self,
        memory: &mut GuestMemory<'_>,
        fd: u32,
        iovs: u32,
        iovs_len: u32,
        nread: u32,
    ) -> Result<(), Errno> {
        let descriptor = self.descriptor(fd)?;
        descriptor.require(Rights::FD_READ)?;
        memory.check(nread, 4)?;
        let read = memory.scatter(self.allocator(), iovs, iovs_len, |buffers| {
            descriptor.read(&self.state.text, self.alarm(), buffers)
        })?;
        memory.write_u32(nread, count(read))
    }

    /// Writes a list of buffers.
    ///
    /// # Errors
    ///
    /// [`Errno::BadDescriptor`] if the descriptor is not open for writing, [`Errno::Fault`] for a bad
    /// pointer, and what the system says.
    pub fn fd_write(
        &self,
        memory: &mut GuestMemory<'_>,
        fd: u32,
        iovs: u32,
        iovs_len: u32,
        nwritten: u32,
    ) -> Result<(), Errno> {
        let descriptor = self.descriptor(fd)?;
        descriptor.require(Rights::FD_WRITE)?;
        memory.check(nwritten, 4)?;
        let written = memory.gather(self.allocator(), iovs, iovs_len, |buffers| {
            descriptor.write(self.alarm(), buffers)
        })?;
        memory.write_u32(nwritten, count(written))
    }

    /// Reads at a position, without moving the descriptor's own.
    ///
    /// # Errors
    ///
    /// As [`WasiContext::fd_read`]; [`Errno::NotSeekable`] for what has no position.
    pub fn fd_pread(
        &self,
        memory: &mut GuestMemory<'_>,
        fd: u32,
        iovs: u32,
        iovs_len: u32,
        position: u64,
        nread: u32,
    ) -> Result<(), Errno> {
        let descriptor = self.descriptor(fd)?;
        let host = descriptor.seekable()?;
        descriptor.require(Rights::FD_READ | Rights::FD_SEEK)?;
        memory.check(nread, 4)?;
        let read = memory.scatter(self.allocator(), iovs, iovs_len, |buffers| {
            sys::read_at(host, buffers, offset(position)?)
        })?;
        memory.write_u32(nread, count(read))
    }

    /// Writes at a position, without moving the descriptor's own. A file in append mode grows at its
    /// end all the same, as on Linux.
    ///
    /// # Errors
    ///
    /// As [`WasiContext::fd_write`]; [`Errno::NotSeekable`] for what has no position.
    pub fn fd_pwrite(
        &self,
        memory: &mut GuestMemory<'_>,
        fd: u32,
        iovs: u32,
        iovs_len: u32,
        position: u64,
        nwritten: u32,
    ) -> Result<(), Errno> {
        let descriptor = self.descriptor(fd)?;
        let host = descriptor.seekable()?;
        descriptor.require(Rights::FD_WRITE | Rights::FD_SEEK)?;
        memory.check(nwritten, 4)?;
        let written = memory.gather(self.allocator(), iovs, iovs_len, |buffers| {
            sys::write_at(host, buffers, offset(position)?)
        })?;
        memory.write_u32(nwritten, count(written))
    }

    /// Moves the position and writes where it is.
    ///
    /// # Errors
    ///
    /// [`Errno::Invalid`] for a position before the start and an unknown `whence`,
    /// [`Errno::NotSeekable`] for what has no position.
    pub fn fd_seek(
        &self,
        memory: &mut GuestMemory<'_>,
        abi: Abi,
        fd: u32,
        delta: i64,
        whence: u32,
        position: u32,
    ) -> Result<(), Errno> {
        let descriptor = self.descriptor(fd)?;
        let host = descriptor.seekable()?;
        let whence = abi.whence(whence).ok_or(Errno::Invalid)?;
        // To ask where the position is takes the lesser right.
        let telling = whence == Whence::Current && delta == 0;
        if !(telling && descriptor.rights().contains(Rights::FD_TELL)) {
            descriptor.require(Rights::FD_SEEK)?;
        }
        memory.check(position, 8)?;
        let to = match whence {
            Whence::Set => SeekFrom::Start(u64::try_from(delta).map_err(|_| Errno::Invalid)?),
            Whence::Current => SeekFrom::Current(delta),
            Whence::End => SeekFrom::End(delta),
        };
        let reached = sys::seek(host, to)?;
        memory.write_u64(position, reached)
    }

    /// Writes where the position is.
    ///
    /// # Errors
    ///
    /// [`Errno::NotSeekable`] for what has no position, [`Errno::Fault`] for a bad pointer.
    pub fn fd_tell(
        &self,
        memory: &mut GuestMemory<'_>,
        fd: u32,
        position: u32,
    ) -> Result<(), Errno> {
        let descriptor = self.descriptor(fd)?;
        let host = descriptor.seekable()?;
        if !descriptor.rights().contains(Rights::FD_SEEK) {
            descriptor.require(Rights::FD_TELL)?;
        }
        memory.check(position, 8)?;
        let reached = sys::seek(host, SeekFrom::Current(0))?;
        memory.write_u64(position, reached)
    }
}
