//! Functions on descriptors: those that manage the descriptor itself. What moves data, what is about
//! files and what lists directories has a file of its own.

mod data;
pub(crate) mod file;
mod readdir;

use crate::context::WasiContext;
use crate::errno::Errno;
use crate::memory::GuestMemory;
use crate::rights::Rights;
use crate::types::{FDSTAT_SIZE, PRESTAT_SIZE, fdflags};

impl WasiContext {
    /// Closes a descriptor, a preopened one too.
    ///
    /// # Errors
    ///
    /// [`Errno::BadDescriptor`] if it is not open.
    pub fn fd_close(&self, fd: u32) -> Result<(), Errno> {
        self.state.table.remove(fd)
    }

    /// Moves descriptor `from` onto `to`, which is closed.
    ///
    /// # Errors
    ///
    /// [`Errno::BadDescriptor`] if either is not open.
    pub fn fd_renumber(&self, from: u32, to: u32) -> Result<(), Errno> {
        self.state.table.renumber(from, to)
    }

    /// Writes a descriptor's type, flags and rights.
    ///
    /// # Errors
    ///
    /// [`Errno::BadDescriptor`] if it is not open, [`Errno::Fault`] for a bad pointer.
    pub fn fd_fdstat_get(
        &self,
        memory: &mut GuestMemory<'_>,
        fd: u32,
        stat: u32,
    ) -> Result<(), Errno> {
        let descriptor = self.descriptor(fd)?;
        memory.check(stat, FDSTAT_SIZE)?;
        let file_type = descriptor.file_type()?;
        let mut rights = descriptor.rights();
        // Libraries know a terminal by a character device without a position.
        if !descriptor.has_position(file_type) {
            rights = rights.without(Rights::FD_SEEK | Rights::FD_TELL);
        }
        let mut record = [0; FDSTAT_SIZE as usize];
        record[0] = file_type as u8;
        record[2..4].copy_from_slice(&(descriptor.flags() as u16).to_le_bytes());
        record[8..16].copy_from_slice(&rights.bits().to_le_bytes());
        record[16..24].copy_from_slice(&descriptor.inheriting().bits().to_le_bytes());
        memory.write(stat, &record)
    }

    /// Sets the flags `append` and `nonblock`.
    ///
    /// # Errors
    ///
    /// [`Errno::Invalid`] for flags that only opening can set and for unknown ones.
    pub fn fd_fdstat_set_flags(&self, fd: u32, flags: u32) -> Result<(), Errno> {
        let descriptor = self.descriptor(fd)?;
        descriptor.require(Rights::FD_FDSTAT_SET_FLAGS)?;
        if flags & !fdflags::ALL != 0 {
            return Err(Errno::Invalid);
        }
        descriptor.set_flags(flags)
    }

    /// Takes rights away from a descriptor.
    ///
    /// # Errors
    ///
    /// [`Errno::NotCapable`] for rights that the descriptor does not have.
    pub fn fd_fdstat_set_rights(&self, fd: u32, rights: u64, inheriting: u64) -> Result<(), Errno> {
        let descriptor = self.descriptor(fd)?;
        let added = rights & !descriptor.rights().bits();
        let added_inheriting = inheriting & !descriptor.inheriting().bits();
        if added != 0 || added_inheriting != 0 {
            return Err(Errno::NotCapable);
        }
        descriptor.restrict(Rights::from_bits(rights), Rights::from_bits(inheriting));
        Ok(())
    }

    /// Writes the kind of a preopened descriptor and the length of its name.
    ///
    /// # Errors
    ///
    /// [`Errno::BadDescriptor`] if it is no preopened directory: this is how guests find the last.
    pub fn fd_prestat_get(
        &self,
        memory: &mut GuestMemory<'_>,
        fd: u32,
        prestat: u32,
    ) -> Result<(), Errno> {
        let descriptor = self.descriptor(fd)?;
        let name = descriptor.preopen.ok_or(Errno::BadDescriptor)?;
        let mut record = [0; PRESTAT_SIZE as usize];
        record[4..].copy_from_slice(&name.length().to_le_bytes());
        memory.write(prestat, &record)
    }

    /// Writes the name of a preopened directory, without a NUL.
    ///
    /// # Errors
    ///
    /// [`Errno::NotDirectory`] if it is none, [`Errno::NameTooLong`] if the buffer is too short.
    pub fn fd_prestat_dir_name(
        &self,
        memory: &mut GuestMemory<'_>,
        fd: u32,
        path: u32,
        path_len: u32,
    ) -> Result<(), Errno> {
        let descriptor = self.descriptor(fd)?;
        let name = descriptor.preopen.ok_or(Errno::NotDirectory)?;
        memory.check(path, path_len)?;
        if name.length() > path_len {
            return Err(Errno::NameTooLong);
        }
        memory.write(path, self.state.text.get(name))
    }
}
