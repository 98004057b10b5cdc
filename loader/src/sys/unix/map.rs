//! Address space: reserve, commit, protect, map, give back.
//!
//! Nothing here makes a mapping that is writable and executable at the same time: there is no
//! function that takes protection bits.
//!
//! On Apple's systems code is written to ordinary pages that become executable afterwards, as
//! elsewhere. That needs no entitlement, except in programs with the hardened runtime, which need
//! `com.apple.security.cs.allow-unsigned-executable-memory`; or they give the loader memory with
//! `MAP_JIT` by functions of their own ([`CodeMemory::custom`](crate::CodeMemory::custom)). Here that kind is
//! not used: which threads may write it changes from one moment to the next.

use core::ptr::{self, NonNull};
use core::sync::atomic::{AtomicUsize, Ordering};

use super::file::File;
use super::instruction_cache::flush_instruction_cache;
use super::{OsError, check, last_error};

/// Whether pages of a file can take the place of others ([`Mapping::copy_on_write`]).
#[cfg(test)]
pub const REPLACES_PAGES: bool = true;

/// The size of a page in bytes; a power of two.
pub fn page_size() -> usize {
    static PAGE_SIZE: AtomicUsize = AtomicUsize::new(0);
    match PAGE_SIZE.load(Ordering::Relaxed) {
        0 => {
            // SAFETY: asks for a number.
            let answer = unsafe { libc::sysconf(libc::_SC_PAGESIZE) };
            let size = usize::try_from(answer)
                .ok()
                .filter(|size| size.is_power_of_two());
            let size = size.unwrap_or(4096);
            PAGE_SIZE.store(size, Ordering::Relaxed);
            size
        }
        size => size,
    }
}

/// The size rounded up to whole pages, or `None` where that is too large.
pub fn round_to_pages(size: usize) -> Option<usize> {
    size.checked_next_multiple_of(page_size())
}

/// As [`round_to_pages`], for a mapping: one object is no larger than half of the address space,
/// which only where pointers are narrow a system may grant.
fn mapping_size(size: usize) -> Result<usize, OsError> {
    let size = round_to_pages(size).filter(|size| isize::try_from(*size).is_ok());
    size.ok_or(INVALID)
}

/// A range of address space of our own; dropping it gives it back.
///
/// A system that has no memory for its own records can refuse to take it back: the range may be in
/// the middle of a larger one of the same kind. That cannot be undone and hurts nobody. The pages
/// are given back all the same; what is left is address space that nobody uses.
#[derive(Debug)]
pub struct Mapping {
    base: NonNull<u8>,
    size: usize,
}

// SAFETY: address space belongs to the process, not to a thread.
unsafe impl Send for Mapping {}
// SAFETY: a shared mapping only tells where it is.
unsafe impl Sync for Mapping {}

/// Tells the system to set nothing aside for pages that may never be touched.
#[cfg(not(target_os = "freebsd"))]
const NO_RESERVE: libc::c_int = libc::MAP_NORESERVE;
/// There is no such flag.
#[cfg(target_os = "freebsd")]
const NO_RESERVE: libc::c_int = 0;

/// The error for sizes and offsets that the system could not express.
const INVALID: OsError = OsError(libc::EINVAL);

impl Mapping {
    /// Address space that cannot be accessed. It costs nothing until parts are committed.
    pub fn reserve(size: usize) -> Result<Mapping, OsError> {
        let flags = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | NO_RESERVE;
        let mapping = Mapping::new(size, libc::PROT_NONE, flags, -1, 0)?;
        mapping.refuse_huge_pages();
        Ok(mapping)
    }

    /// Zeroed memory for reading and writing.
    pub fn writable(size: usize) -> Result<Mapping, OsError> {
        let flags = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS;
        Mapping::new(size, libc::PROT_READ | libc::PROT_WRITE, flags, -1, 0)
    }

    /// As [`Mapping::writable`], but what is touched is all that is paid for: no huge pages.
    pub fn sparse(size: usize) -> Result<Mapping, OsError> {
        let mapping = Mapping::writable(size)?;
        mapping.refuse_huge_pages();
        Ok(mapping)
    }

    /// The mapping that [`Mapping::into_base`] took apart.
    ///
    /// # Safety
    ///
    /// The base is from there, the size was the mapping's, and nobody has put it together since.
    pub unsafe fn from_base(base: NonNull<u8>, size: usize) -> Mapping {
        Mapping { base, size }
    }

    /// Lets go of the mapping without giving it back.
    pub fn into_base(self) -> NonNull<u8> {
        core::mem::ManuallyDrop::new(self).base
    }

    /// Changes the size of private memory for reading and writing, which may move; its pages are
    /// not copied where the system can move them. New pages are zero. After an error nothing has
    /// changed.
    #[cfg(target_os = "linux")]
    pub fn resize(&mut self, size: usize) -> Result<(), OsError> {
        let size = mapping_size(size)?;
        let old = self.base.as_ptr().cast();
        // SAFETY: the range is ours, and whoever uses it is told the new address.
        let base = unsafe { libc::mremap(old, self.size, size, libc::MREMAP_MAYMOVE) };
        if base == libc::MAP_FAILED {
            return Err(last_error());
        }
        self.base = NonNull::new(base.cast()).ok_or(INVALID)?;
        self.size = size;
        Ok(())
    }

    /// Changes the size of private memory for reading and writing, which moves. New pages are
    /// zero. After an error nothing has changed.
    #[cfg(not(target_os = "linux"))]
    pub fn resize(&mut self, size: usize) -> Result<(), OsError> {
        let new = Mapping::sparse(size)?;
        let kept = self.size.min(new.size);
        // SAFETY: so many bytes can be read, and nobody writes them meanwhile.
        let old = unsafe { core::slice::from_raw_parts(self.base.as_ptr(), kept) };
        for (index, page) in old.chunks(page_size()).enumerate() {
            // What was never touched need not be touched in the new place, either.
            if page.iter().any(|byte| *byte != 0) {
                // SAFETY: the new mapping is as large.
                let place = unsafe { new.base.add(index * page_size()) };
                // SAFETY: as above, and the mappings are two different ones.
                unsafe { place.copy_from_nonoverlapping(NonNull::from(page).cast(), page.len()) };
            }
        }
        *self = new;
        Ok(())
    }

    /// A part of a file, for reading. The offset is a multiple of the page size.
    ///
    /// The bytes change when the file does. Behind the end of the file they cannot be accessed.
    pub fn file_readable(file: &File, offset: u64, size: usize) -> Result<Mapping, OsError> {
        Mapping::of_file(file, offset, size, libc::PROT_READ)
    }

    /// A part of a file, for reading and executing. The offset is a multiple of the page size.
    ///
    /// The system executes pages of files only if they are signed its way, so this is a copy.
    #[cfg(target_vendor = "apple")]
    pub fn file_executable(file: &File, offset: u64, size: usize) -> Result<Mapping, OsError> {
        if !offset.is_multiple_of(page_size() as u64) {
            return Err(INVALID);
        }
        let mut mapping = Mapping::writable(size)?;
        // SAFETY: the mapping is new, and has so many bytes.
        let bytes = unsafe { core::slice::from_raw_parts_mut(mapping.base.as_ptr(), size) };
        if file.read_at(offset, bytes)? != size {
            return Err(INVALID);
        }
        mapping.make_executable(0, mapping.size)?;
        Ok(mapping)
    }

    /// A part of a file, for reading and executing. The offset is a multiple of the page size.
    #[cfg(not(target_vendor = "apple"))]
    pub fn file_executable(file: &File, offset: u64, size: usize) -> Result<Mapping, OsError> {
        Mapping::of_file(file, offset, size, libc::PROT_READ | libc::PROT_EXEC)
    }

    fn of_file(file: &File, offset: u64, size: usize, protection: i32) -> Result<Mapping, OsError> {
        let offset = libc::off_t::try_from(offset).map_err(|_| INVALID)?;
        Mapping::new(
            size,
            protection,
            libc::MAP_PRIVATE,
            file.descriptor(),
            offset,
        )
    }

    fn new(
        size: usize,
        protection: i32,
        flags: i32,
        descriptor: i32,
        offset: libc::off_t,
    ) -> Result<Mapping, OsError> {
        let size = mapping_size(size)?;
        // SAFETY: without `MAP_FIXED` the system takes address space that nobody uses.
        let base =
            unsafe { libc::mmap(ptr::null_mut(), size, protection, flags, descriptor, offset) };
        if base == libc::MAP_FAILED {
            return Err(last_error());
        }
        match NonNull::new(base.cast()) {
            Some(base) => Ok(Mapping { base, size }),
            None => Err(INVALID),
        }
    }

    /// Asks for pages of the ordinary size, so that what is touched is what is paid for.
    fn refuse_huge_pages(&self) {
        // A system without huge pages answers with an error, which is as good.
        #[cfg(target_os = "linux")]
        // SAFETY: the range is ours, and its contents do not change.
        unsafe {
            libc::madvise(self.base.as_ptr().cast(), self.size, libc::MADV_NOHUGEPAGE)
        };
    }

    /// Lowest address.
    pub fn base(&self) -> NonNull<u8> {
        self.base
    }

    /// Size in bytes: whole pages.
    pub fn size(&self) -> usize {
        self.size
    }

    /// Gives back whole pages at the end; those of the first `size` bytes stay.
    pub fn truncate(&mut self, size: usize) {
        let Some(kept) = round_to_pages(size.max(1)).filter(|kept| *kept < self.size) else {
            return;
        };
        // SAFETY: the offset is inside of the mapping.
        let tail = unsafe { self.base.add(kept) };
        // SAFETY: the pages are ours, and whoever uses the mapping is told its new size.
        let result = unsafe { libc::munmap(tail.as_ptr().cast(), self.size - kept) };
        if result == 0 {
            self.size = kept;
        }
    }

    /// The address of a range, if it lies in the mapping and consists of whole pages.
    fn pages(&self, offset: usize, size: usize) -> Result<*mut libc::c_void, OsError> {
        let end = offset.checked_add(size).ok_or(INVALID)?;
        if end > self.size || !(offset | size).is_multiple_of(page_size()) {
            return Err(INVALID);
        }
        // SAFETY: the offset is inside of the mapping.
        Ok(unsafe { self.base.add(offset) }.as_ptr().cast())
    }

    fn protect(&mut self, offset: usize, size: usize, protection: i32) -> Result<(), OsError> {
        if size == 0 {
            return Ok(());
        }
        let start = self.pages(offset, size)?;
        // SAFETY: the pages are ours.
        check(unsafe { libc::mprotect(start, size, protection) }).map(drop)
    }

    /// Makes whole pages readable and writable. Those that never were are zero.
    pub fn commit(&mut self, offset: usize, size: usize) -> Result<(), OsError> {
        self.protect(offset, size, libc::PROT_READ | libc::PROT_WRITE)
    }

    /// Makes whole pages readable and executable, and no longer writable.
    pub fn make_executable(&mut self, offset: usize, size: usize) -> Result<(), OsError> {
        self.protect(offset, size, libc::PROT_READ | libc::PROT_EXEC)?;
        let start = self.pages(offset, size)?;
        // SAFETY: the pages are ours, and can be read.
        unsafe { flush_instruction_cache(start.cast(), size) };
        Ok(())
    }

    /// Makes whole pages inaccessible.
    pub fn make_inaccessible(&mut self, offset: usize, size: usize) -> Result<(), OsError> {
        self.protect(offset, size, libc::PROT_NONE)
    }

    /// Replaces whole pages of zeros by those of a file, for reading and writing; what is written
    /// stays in this process. `false` where the system refuses: the pages are zeros as before.
    ///
    /// After an error the pages may not be there any more: nobody may use them.
    pub fn copy_on_write(
        &mut self,
        offset: usize,
        size: usize,
        file: &File,
        file_offset: u64,
    ) -> Result<bool, OsError> {
        let file_offset = libc::off_t::try_from(file_offset).map_err(|_| INVALID)?;
        let protection = libc::PROT_READ | libc::PROT_WRITE;
        let flags = libc::MAP_PRIVATE;
        let descriptor = file.descriptor();
        let mapped = self.replace(offset, size, protection, flags, descriptor, file_offset);
        if mapped.is_ok() {
            return Ok(true);
        }
        // A system that runs out of memory in the middle of the call has taken the old pages away.
        let flags = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS;
        self.replace(offset, size, protection, flags, -1, 0)?;
        Ok(false)
    }

    fn replace(
        &mut self,
        offset: usize,
        size: usize,
        protection: i32,
        flags: i32,
        descriptor: i32,
        file_offset: libc::off_t,
    ) -> Result<(), OsError> {
        if size == 0 {
            return Ok(());
        }
        let start = self.pages(offset, size)?;
        let flags = flags | libc::MAP_FIXED;
        // SAFETY: the pages that are replaced are ours.
        let result = unsafe { libc::mmap(start, size, protection, flags, descriptor, file_offset) };
        if result == libc::MAP_FAILED {
            Err(last_error())
        } else {
            Ok(())
        }
    }
}

impl Drop for Mapping {
    fn drop(&mut self) {
        let start = self.base.as_ptr().cast();
        // SAFETY: the range is ours, and nobody refers to it any more.
        if unsafe { libc::munmap(start, self.size) } != 0 {
            // SAFETY: as above.
            unsafe { libc::madvise(start, self.size, libc::MADV_DONTNEED) };
        }
    }
}

/// Whether the system can read a byte there: a system call says so without a fault.
#[cfg(test)]
pub fn is_readable(address: usize) -> bool {
    let mut pipe = [0; 2];
    // SAFETY: there is room for two descriptors.
    assert_eq!(unsafe { libc::pipe(pipe.as_mut_ptr()) }, 0);
    let address: *const libc::c_void = ptr::with_exposed_provenance(address);
    // SAFETY: the system checks the address itself.
    let written = unsafe { libc::write(pipe[1], address, 1) };
    for descriptor in pipe {
        // SAFETY: the descriptor is ours.
        unsafe { libc::close(descriptor) };
    }
    written == 1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mapping_can_be_cut() {
        let page = page_size();
        let mut mapping = Mapping::writable(4 * page).unwrap();
        // SAFETY: the mapping has so many writable bytes.
        unsafe { mapping.base().write_bytes(7, 4 * page) };
        for (size, pages) in [(usize::MAX, 4), (4 * page, 4), (2 * page + 1, 3), (0, 1)] {
            mapping.truncate(size);
            assert_eq!(mapping.size(), pages * page);
            // SAFETY: so many bytes are left.
            let bytes =
                unsafe { core::slice::from_raw_parts(mapping.base().as_ptr(), pages * page) };
            assert!(bytes.iter().all(|byte| *byte == 7));
        }
        assert!(mapping.commit(page, page).is_err());
    }
}
