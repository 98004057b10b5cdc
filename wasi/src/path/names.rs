//! Making, moving and removing names.

use cap_fs_ext::DirExt;

use crate::context::WasiContext;
use crate::errno::Errno;
use crate::memory::{GuestMemory, PathBuffer};
use crate::rights::Rights;

impl WasiContext {
    /// Creates a directory.
    ///
    /// # Errors
    ///
    /// [`Errno::NotCapable`] without the right, and what the system says.
    pub fn path_create_directory(
        &self,
        memory: &mut GuestMemory<'_>,
        fd: u32,
        path: u32,
        path_len: u32,
    ) -> Result<(), Errno> {
        let descriptor = self.descriptor(fd)?;
        let directory = descriptor.directory()?;
        descriptor.require(Rights::PATH_CREATE_DIRECTORY)?;
        let mut buffer = PathBuffer::default();
        let path = memory.path(&mut buffer, path, path_len)?;
        Ok(directory.dir.create_dir(path)?)
    }

    /// Removes an empty directory.
    ///
    /// # Errors
    ///
    /// [`Errno::NotEmpty`] if something is in it, [`Errno::NotCapable`] without the right, and what
    /// the system says.
    pub fn path_remove_directory(
        &self,
        memory: &mut GuestMemory<'_>,
        fd: u32,
        path: u32,
        path_len: u32,
    ) -> Result<(), Errno> {
        let descriptor = self.descriptor(fd)?;
        let directory = descriptor.directory()?;
        descriptor.require(Rights::PATH_REMOVE_DIRECTORY)?;
        let mut buffer = PathBuffer::default();
        let path = memory.path(&mut buffer, path, path_len)?;
        // To cap-std a slash at the end is one and a dot, which no directory can be removed by.
        let path = match path.trim_end_matches('/') {
            "" => path,
            name => name,
        };
        Ok(directory.dir.remove_dir(path)?)
    }

    /// Removes a name of a file.
    ///
    /// # Errors
    ///
    /// [`Errno::IsDirectory`] if it is one, [`Errno::NotCapable`] without the right, and what the
    /// system says.
    pub fn path_unlink_file(
        &self,
        memory: &mut GuestMemory<'_>,
        fd: u32,
        path: u32,
        path_len: u32,
    ) -> Result<(), Errno> {
        let descriptor = self.descriptor(fd)?;
        let directory = descriptor.directory()?;
        descriptor.require(Rights::PATH_UNLINK_FILE)?;
        let mut buffer = PathBuffer::default();
        let path = memory.path(&mut buffer, path, path_len)?;
        Ok(directory.dir.remove_file_or_symlink(path)?)
    }

    /// Gives a file or directory another name.
    ///
    /// # Errors
    ///
    /// [`Errno::NotCapable`] without the rights on both directories, and what the system says.
    #[expect(clippy::too_many_arguments, reason = "the signature is WASI's")]
    pub fn path_rename(
        &self,
        memory: &mut GuestMemory<'_>,
        old_fd: u32,
        old_path: u32,
        old_path_len: u32,
        new_fd: u32,
        new_path: u32,
        new_path_len: u32,
    ) -> Result<(), Errno> {
        let (source, target) = (self.descriptor(old_fd)?, self.descriptor(new_fd)?);
        let (from, to) = (source.directory()?, target.directory()?);
        source.require(Rights::PATH_RENAME_SOURCE)?;
        target.require(Rights::PATH_RENAME_TARGET)?;
        let (mut old_buffer, mut new_buffer) = (PathBuffer::default(), PathBuffer::default());
        let old_path = memory.path(&mut old_buffer, old_path, old_path_len)?;
        let new_path = memory.path(&mut new_buffer, new_path, new_path_len)?;
        // A slash at the end makes the new name a directory's; cap-std takes it for any file's.
        if new_path.ends_with('/') && !from.dir.symlink_metadata(old_path)?.is_dir() {
            return Err(Errno::NotDirectory);
        }
        Ok(from.dir.rename(old_path, &to.dir, new_path)?)
    }
}
