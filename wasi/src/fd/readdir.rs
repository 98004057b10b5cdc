//! Listing a directory: as many entries as fit, the last one cut off where the buffer ends.
//!
//! A full buffer tells the guest that there is more; it asks again with the cookie of the last entry
//! that it saw whole.

use cap_std::fs::Dir;

use crate::context::WasiContext;
use crate::descriptor::lock;
use crate::errno::Errno;
use crate::memory::GuestMemory;
use crate::rights::Rights;
use crate::sys::{self, AsFd};
use crate::types::{DIRENT_SIZE, FileType};

impl WasiContext {
    /// Writes directory entries from a cookie on. Cookie 0 is the start.
    ///
    /// # Errors
    ///
    /// [`Errno::BadDescriptor`] if it is no directory, [`Errno::Invalid`] for a cookie that no entry
    /// had, [`Errno::Fault`] for a bad pointer.
    pub fn fd_readdir(
        &self,
        memory: &mut GuestMemory<'_>,
        fd: u32,
        buffer: u32,
        length: u32,
        cookie: u64,
        used: u32,
    ) -> Result<(), Errno> {
        let descriptor = self.descriptor(fd)?;
        let directory = descriptor.directory()?;
        descriptor.require(Rights::FD_READDIR)?;
        memory.check(used, 4)?;
        memory.check(buffer, length)?;
        let mut output = Output {
            next: buffer,
            left: length,
        };
        let position = lock(&directory.position);
        if output.left != 0 {
            let mut written = Ok(());
            sys::read_directory(directory.dir.as_fd(), cookie, |entry| {
                let header = header(&directory.dir, entry);
                written = output
                    .put(memory, &header)
                    .and_then(|()| output.put(memory, entry.name));
                written.is_ok() && output.left != 0
            })?;
            written?;
        }
        drop(position);
        memory.write_u32(used, length - output.left)
    }
}

/// What is left of the guest's buffer.
struct Output {
    next: u32,
    left: u32,
}

impl Output {
    /// Appends bytes as far as they fit.
    fn put(&mut self, memory: &mut GuestMemory<'_>, bytes: &[u8]) -> Result<(), Errno> {
        let count = bytes.len().min(self.left as usize);
        memory.write(self.next, &bytes[..count])?;
        // Not above what is left. The end of the buffer may be the end of all addresses.
        let count = count as u32;
        self.next = self.next.wrapping_add(count);
        self.left -= count;
        Ok(())
    }
}

fn header(dir: &Dir, entry: &sys::Entry<'_>) -> [u8; DIRENT_SIZE] {
    let mut file_type = entry.file_type;
    if file_type == FileType::Unknown {
        file_type = look_up(dir, entry.name);
    }
    let mut header = [0; DIRENT_SIZE];
    header[..8].copy_from_slice(&entry.next.to_le_bytes());
    header[8..16].copy_from_slice(&entry.inode.to_le_bytes());
    // File names are short.
    header[16..20].copy_from_slice(&(entry.name.len() as u32).to_le_bytes());
    header[20] = file_type as u8;
    header
}

/// Some file systems keep the type with the file only.
fn look_up(dir: &Dir, name: &[u8]) -> FileType {
    let Ok(name) = std::str::from_utf8(name) else {
        return FileType::Unknown;
    };
    dir.symlink_metadata(name)
        .map_or(FileType::Unknown, |metadata| {
            crate::path::file_stat(&metadata).file_type
        })
}
