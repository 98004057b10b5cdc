//! Links, hard and symbolic.

use cap_fs_ext::DirExt;

use crate::context::WasiContext;
use crate::errno::Errno;
use crate::memory::{GuestMemory, PathBuffer};
use crate::rights::Rights;

impl WasiContext {
    /// Gives a file a second name. A symbolic link is linked itself, never followed.
    ///
    /// # Errors
    ///
    /// [`Errno::Invalid`] if the link shall be followed, [`Errno::NotCapable`] without the rights on
    /// both directories, and what the system says.
    #[expect(clippy::too_many_arguments, reason = "the signature is WASI's")]
    pub fn path_link(
        &self,
        memory: &mut GuestMemory<'_>,
        old_fd: u32,
        old_flags: u32,
        old_path: u32,
        old_path_len: u32,
        new_fd: u32,
        new_path: u32,
        new_path_len: u32,
    ) -> Result<(), Errno> {
        let (source, target) = (self.descriptor(old_fd)?, self.descriptor(new_fd)?);
        let (from, to) = (source.directory()?, target.directory()?);
        source.require(Rights::PATH_LINK_SOURCE)?;
        target.require(Rights::PATH_LINK_TARGET)?;
        let (mut old_buffer, mut new_buffer) = (PathBuffer::default(), PathBuffer::default());
        let old_path = memory.path(&mut old_buffer, old_path, old_path_len)?;
        let new_path = memory.path(&mut new_buffer, new_path, new_path_len)?;
        if old_flags != 0 {
            return Err(Errno::Invalid);
        }
        Ok(from.dir.hard_link(old_path, &to.dir, new_path)?)
    }

    /// Writes the contents of a symbolic link, cut off where the buffer ends.
    ///
    /// # Errors
    ///
    /// [`Errno::Invalid`] if it is no link, [`Errno::NotPermitted`] if it is an absolute one,
    /// [`Errno::NotCapable`] without the right.
    #[expect(clippy::too_many_arguments, reason = "the signature is WASI's")]
    pub fn path_readlink(
        &self,
        memory: &mut GuestMemory<'_>,
        fd: u32,
        path: u32,
        path_len: u32,
        buffer: u32,
        length: u32,
        used: u32,
    ) -> Result<(), Errno> {
        let descriptor = self.descriptor(fd)?;
        let directory = descriptor.directory()?;
        descriptor.require(Rights::PATH_READLINK)?;
        memory.check(used, 4)?;
        memory.check(buffer, length)?;
        let mut path_buffer = PathBuffer::default();
        let path = memory.path(&mut path_buffer, path, path_len)?;
        let link = directory.dir.read_link(path)?;
        let link = link.as_os_str().as_encoded_bytes();
        let count = link.len().min(length as usize);
        memory.write(buffer, &link[..count])?;
        // Not above `length`.
        memory.write_u32(used, count as u32)
    }

    /// Creates a symbolic link at the new path that contains the old one.
    ///
    /// # Errors
    ///
    /// [`Errno::NotPermitted`] if the contents are an absolute path, [`Errno::NotCapable`] without
    /// the right, and what the system says.
    pub fn path_symlink(
        &self,
        memory: &mut GuestMemory<'_>,
        old_path: u32,
        old_path_len: u32,
        fd: u32,
        new_path: u32,
        new_path_len: u32,
    ) -> Result<(), Errno> {
        let descriptor = self.descriptor(fd)?;
        let directory = descriptor.directory()?;
        descriptor.require(Rights::PATH_SYMLINK)?;
        let (mut old_buffer, mut new_buffer) = (PathBuffer::default(), PathBuffer::default());
        let old_path = memory.path(&mut old_buffer, old_path, old_path_len)?;
        let new_path = memory.path(&mut new_buffer, new_path, new_path_len)?;
        Ok(DirExt::symlink(&directory.dir, old_path, new_path)?)
    }
}
