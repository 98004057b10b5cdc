//! What is known and decided about an open file: its attributes, size, times and place on the device.

use crate::context::WasiContext;
use crate::errno::Errno;
use crate::memory::GuestMemory;
use crate::rights::Rights;
use crate::sys::{self, NewTime};
use crate::types::{Abi, FileStat, fstflags};

/// The times that `fstflags` ask for: access and modification.
pub(crate) fn new_times(
    accessed: u64,
    modified: u64,
    flags: u32,
) -> Result<(NewTime, NewTime), Errno> {
    if flags & !fstflags::ALL != 0 {
        return Err(Errno::Invalid);
    }
    let choose = |given: u32, now: u32, time: u64| match (flags & given != 0, flags & now != 0) {
        (true, true) => Err(Errno::Invalid),
        (true, false) => Ok(NewTime::Nanoseconds(time)),
        (false, true) => Ok(NewTime::Now),
        (false, false) => Ok(NewTime::Unchanged),
    };
    Ok((
        choose(fstflags::ACCESS, fstflags::ACCESS_NOW, accessed)?,
        choose(fstflags::MODIFIED, fstflags::MODIFIED_NOW, modified)?,
    ))
}

impl WasiContext {
    /// Tells the system how a part of a file will be used.
    ///
    /// # Errors
    ///
    /// [`Errno::Invalid`] for unknown advice, [`Errno::BadDescriptor`] for a directory.
    pub fn fd_advise(&self, fd: u32, offset: u64, length: u64, advice: u32) -> Result<(), Errno> {
        let descriptor = self.descriptor(fd)?;
        let host = descriptor.file()?;
        descriptor.require(Rights::FD_ADVISE)?;
        sys::advise(host, offset, length, advice)
    }

    /// Gives a part of a file its place on the device; the file grows to hold it.
    ///
    /// # Errors
    ///
    /// [`Errno::BadDescriptor`] for a directory, and what the system says.
    pub fn fd_allocate(&self, fd: u32, offset: u64, length: u64) -> Result<(), Errno> {
        let descriptor = self.descriptor(fd)?;
        let host = descriptor.file()?;
        descriptor.require(Rights::FD_ALLOCATE)?;
        sys::allocate(host, offset, length)
    }

    /// Waits until a file's data is on the device.
    ///
    /// # Errors
    ///
    /// What the system says; [`Errno::Invalid`] for what cannot be synchronized.
    pub fn fd_datasync(&self, fd: u32) -> Result<(), Errno> {
        self.synchronize(fd, Rights::FD_DATASYNC, false)
    }

    /// Waits until a file's data and metadata are on the device.
    ///
    /// # Errors
    ///
    /// What the system says; [`Errno::Invalid`] for what cannot be synchronized.
    pub fn fd_sync(&self, fd: u32) -> Result<(), Errno> {
        self.synchronize(fd, Rights::FD_SYNC, true)
    }

    fn synchronize(&self, fd: u32, right: Rights, metadata: bool) -> Result<(), Errno> {
        let descriptor = self.descriptor(fd)?;
        descriptor.require(right)?;
        // What the host program takes has arrived when the write returns.
        descriptor
            .host()
            .map_or(Ok(()), |host| sys::synchronize(host, metadata))
    }

    /// Writes the attributes of an open file.
    ///
    /// # Errors
    ///
    /// [`Errno::NotCapable`] without the right, [`Errno::Fault`] for a bad pointer.
    pub fn fd_filestat_get(
        &self,
        memory: &mut GuestMemory<'_>,
        abi: Abi,
        fd: u32,
        stat: u32,
    ) -> Result<(), Errno> {
        let descriptor = self.descriptor(fd)?;
        descriptor.require(Rights::FD_FILESTAT_GET)?;
        write_stat(memory, abi, stat, &descriptor.stat()?)
    }

    /// Sets the size of an open file. What is new reads as zeros.
    ///
    /// # Errors
    ///
    /// [`Errno::Invalid`] if the file is not open for writing, and what the system says.
    pub fn fd_filestat_set_size(&self, fd: u32, size: u64) -> Result<(), Errno> {
        let descriptor = self.descriptor(fd)?;
        let host = descriptor.file()?;
        descriptor.require(Rights::FD_FILESTAT_SET_SIZE)?;
        sys::set_size(host, size)
    }

    /// Sets the times of an open file or directory.
    ///
    /// # Errors
    ///
    /// [`Errno::Invalid`] if a time shall be both the value given and now.
    pub fn fd_filestat_set_times(
        &self,
        fd: u32,
        accessed: u64,
        modified: u64,
        flags: u32,
    ) -> Result<(), Errno> {
        let descriptor = self.descriptor(fd)?;
        let (accessed, modified) = new_times(accessed, modified, flags)?;
        descriptor.require(Rights::FD_FILESTAT_SET_TIMES)?;
        let host = descriptor.host().ok_or(Errno::BadDescriptor)?;
        sys::set_times(host, accessed, modified)
    }
}

/// Writes attributes in the layout that the guest knows.
pub(crate) fn write_stat(
    memory: &mut GuestMemory<'_>,
    abi: Abi,
    pointer: u32,
    stat: &FileStat,
) -> Result<(), Errno> {
    let size = FileStat::size_in(abi) as usize;
    memory.write(pointer, &stat.encode(abi)[..size])
}
