//! Address space: reserve, commit, protect, map, give back.
//!
//! Nothing here makes a mapping that is writable and executable at the same time: there is no
//! function that takes protection bits.
//!
//! Memory is reserved and given back in whole allocations, whose addresses are multiples of 64 KiB;
//! within one, pages are committed and protected. A view of a file begins at a multiple of 64 KiB in
//! the file, too: a view of what begins in between has some bytes more below its base.

use core::ffi::c_void;
use core::ptr::{self, NonNull};
use core::sync::atomic::{AtomicUsize, Ordering};

use windows_sys::Win32::Foundation::{CloseHandle, ERROR_INVALID_PARAMETER};
use windows_sys::Win32::System::Diagnostics::Debug::FlushInstructionCache;
use windows_sys::Win32::System::Memory::{
    CreateFileMappingW, FILE_MAP_EXECUTE, FILE_MAP_READ, MEM_COMMIT, MEM_DECOMMIT, MEM_RELEASE,
    MEM_RESERVE, MEMORY_MAPPED_VIEW_ADDRESS, MapViewOfFile, PAGE_EXECUTE_READ, PAGE_NOACCESS,
    PAGE_READONLY, PAGE_READWRITE, UnmapViewOfFile, VirtualAlloc, VirtualFree, VirtualProtect,
};
use windows_sys::Win32::System::SystemInformation::{GetSystemInfo, SYSTEM_INFO};
use windows_sys::Win32::System::Threading::GetCurrentProcess;

use super::file::File;
use super::{OsError, check, last_error};

/// What the offset of a view in its file is a multiple of.
const VIEW_ALIGNMENT: u64 = 64 << 10;

/// Whether pages of a file can take the place of others ([`Mapping::copy_on_write`]).
#[cfg(test)]
pub const REPLACES_PAGES: bool = false;

/// The size of a page in bytes; a power of two.
pub fn page_size() -> usize {
    static PAGE_SIZE: AtomicUsize = AtomicUsize::new(0);
    match PAGE_SIZE.load(Ordering::Relaxed) {
        0 => {
            let mut about = SYSTEM_INFO::default();
            // SAFETY: there is room for the answer.
            unsafe { GetSystemInfo(&raw mut about) };
            let size = about.dwPageSize as usize;
            let size = if size.is_power_of_two() { size } else { 4096 };
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

/// Where a mapping is from.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Kind {
    /// The system's memory.
    Private,
    /// A file, with so many bytes below the base.
    View { below: usize },
}

/// A range of address space of our own; dropping it gives it back.
#[derive(Debug)]
pub struct Mapping {
    base: NonNull<u8>,
    size: usize,
    kind: Kind,
}

// SAFETY: address space belongs to the process, not to a thread.
unsafe impl Send for Mapping {}
// SAFETY: a shared mapping only tells where it is.
unsafe impl Sync for Mapping {}

/// The error for sizes and offsets that the system could not express.
const INVALID: OsError = OsError(ERROR_INVALID_PARAMETER.cast_signed());

impl Mapping {
    /// Address space that cannot be accessed. It costs nothing until parts are committed.
    pub fn reserve(size: usize) -> Result<Mapping, OsError> {
        Mapping::private(size, MEM_RESERVE, PAGE_NOACCESS)
    }

    /// Zeroed memory for reading and writing.
    pub fn writable(size: usize) -> Result<Mapping, OsError> {
        Mapping::private(size, MEM_RESERVE | MEM_COMMIT, PAGE_READWRITE)
    }

    /// As [`Mapping::writable`]: pages that were never touched are not in physical memory.
    pub fn sparse(size: usize) -> Result<Mapping, OsError> {
        Mapping::writable(size)
    }

    fn private(size: usize, kind: u32, protection: u32) -> Result<Mapping, OsError> {
        let size = round_to_pages(size).ok_or(INVALID)?;
        // SAFETY: without an address the system takes address space that nobody uses.
        let base = unsafe { VirtualAlloc(ptr::null(), size, kind, protection) };
        let base = NonNull::new(base.cast()).ok_or_else(last_error)?;
        Ok(Mapping {
            base,
            size,
            kind: Kind::Private,
        })
    }

    /// The mapping that [`Mapping::into_base`] took apart.
    ///
    /// # Safety
    ///
    /// The base is from there, the size was the mapping's, and nobody has put it together since.
    pub unsafe fn from_base(base: NonNull<u8>, size: usize) -> Mapping {
        Mapping {
            base,
            size,
            kind: Kind::Private,
        }
    }

    /// Lets go of private memory without giving it back.
    pub fn into_base(self) -> NonNull<u8> {
        core::mem::ManuallyDrop::new(self).base
    }

    /// Changes the size of private memory for reading and writing, which moves. New pages are zero.
    /// After an error nothing has changed.
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
    /// The bytes change when the file does. The file cannot be made shorter meanwhile.
    pub fn file_readable(file: &File, offset: u64, size: usize) -> Result<Mapping, OsError> {
        Mapping::of_file(file, offset, size, PAGE_READONLY, FILE_MAP_READ)
    }

    /// A part of a file, for reading and executing. The offset is a multiple of the page size.
    pub fn file_executable(file: &File, offset: u64, size: usize) -> Result<Mapping, OsError> {
        let access = FILE_MAP_READ | FILE_MAP_EXECUTE;
        Mapping::of_file(file, offset, size, PAGE_EXECUTE_READ, access)
    }

    fn of_file(
        file: &File,
        offset: u64,
        size: usize,
        protection: u32,
        access: u32,
    ) -> Result<Mapping, OsError> {
        let size = round_to_pages(size).ok_or(INVALID)?;
        if !offset.is_multiple_of(page_size() as u64) {
            return Err(INVALID);
        }
        let start = offset - offset % VIEW_ALIGNMENT;
        let below = (offset - start) as usize;
        // A view ends with its file, whose last page is filled up with zeros.
        let there = usize::try_from(file.size()?.saturating_sub(start)).map_err(|_| INVALID)?;
        let wanted = below.checked_add(size).ok_or(INVALID)?;
        if round_to_pages(there).ok_or(INVALID)? < wanted {
            return Err(INVALID);
        }
        let length = wanted.min(there);
        let handle = file.handle();
        // SAFETY: the file is open; there are no attributes and no name.
        let section =
            unsafe { CreateFileMappingW(handle, ptr::null(), protection, 0, 0, ptr::null()) };
        if section.is_null() {
            return Err(last_error());
        }
        let (high, low) = ((start >> 32) as u32, start as u32);
        // SAFETY: the section is open; the system takes address space that nobody uses.
        let view = unsafe { MapViewOfFile(section, access, high, low, length) };
        let error = last_error();
        // SAFETY: the handle is ours; the view keeps the section for itself.
        unsafe { CloseHandle(section) };
        let view = NonNull::new(view.Value.cast::<u8>()).ok_or(error)?;
        Ok(Mapping {
            // SAFETY: the view has more bytes than lie below the offset.
            base: unsafe { view.add(below) },
            size,
            kind: Kind::View { below },
        })
    }

    /// Lowest address.
    pub fn base(&self) -> NonNull<u8> {
        self.base
    }

    /// Size in bytes: whole pages.
    pub fn size(&self) -> usize {
        self.size
    }

    /// Gives back whole pages at the end; those of the first `size` bytes stay. A view of a file stays
    /// as it is: it has no pages of its own.
    pub fn truncate(&mut self, size: usize) {
        let Some(kept) = round_to_pages(size.max(1)).filter(|kept| *kept < self.size) else {
            return;
        };
        if self.kind != Kind::Private {
            return;
        }
        // SAFETY: the offset is inside of the mapping.
        let tail = unsafe { self.base.add(kept) };
        // The addresses stay taken until the mapping is dropped.
        // SAFETY: the pages are ours, and whoever uses the mapping is told its new size.
        let result = unsafe { VirtualFree(tail.as_ptr().cast(), self.size - kept, MEM_DECOMMIT) };
        if result != 0 {
            self.size = kept;
        }
    }

    /// The address of a range, if it lies in the mapping and consists of whole pages.
    fn pages(&self, offset: usize, size: usize) -> Result<*mut c_void, OsError> {
        let end = offset.checked_add(size).ok_or(INVALID)?;
        if end > self.size || !(offset | size).is_multiple_of(page_size()) {
            return Err(INVALID);
        }
        // SAFETY: the offset is inside of the mapping.
        Ok(unsafe { self.base.add(offset) }.as_ptr().cast())
    }

    fn protect(&mut self, offset: usize, size: usize, protection: u32) -> Result<(), OsError> {
        if size == 0 {
            return Ok(());
        }
        let start = self.pages(offset, size)?;
        let mut before = 0;
        // SAFETY: the pages are ours; there is room for what they were before.
        check(unsafe { VirtualProtect(start, size, protection, &raw mut before) })
    }

    /// Makes whole pages readable and writable. Those that never were are zero.
    pub fn commit(&mut self, offset: usize, size: usize) -> Result<(), OsError> {
        if size == 0 {
            return Ok(());
        }
        let start = self.pages(offset, size)?;
        // SAFETY: the pages are ours. Those that are committed keep their contents.
        let result = unsafe { VirtualAlloc(start, size, MEM_COMMIT, PAGE_READWRITE) };
        if result.is_null() {
            return Err(last_error());
        }
        Ok(())
    }

    /// Makes whole pages readable and executable, and no longer writable.
    pub fn make_executable(&mut self, offset: usize, size: usize) -> Result<(), OsError> {
        self.protect(offset, size, PAGE_EXECUTE_READ)?;
        let start = self.pages(offset, size)?;
        // SAFETY: a name for this process.
        let process = unsafe { GetCurrentProcess() };
        // SAFETY: the range is ours.
        check(unsafe { FlushInstructionCache(process, start, size) })
    }

    /// Makes whole committed pages inaccessible.
    pub fn make_inaccessible(&mut self, offset: usize, size: usize) -> Result<(), OsError> {
        self.protect(offset, size, PAGE_NOACCESS)
    }

    /// Elsewhere this puts pages of a file in the place of zeros. The system does not do so within a
    /// range that was reserved as one: it is always refused, and the pages are zeros as before.
    pub fn copy_on_write(
        &mut self,
        offset: usize,
        size: usize,
        _: &File,
        _: u64,
    ) -> Result<bool, OsError> {
        self.pages(offset, size).map(|_| false)
    }
}

impl Drop for Mapping {
    fn drop(&mut self) {
        let base: *mut c_void = self.base.as_ptr().cast();
        match self.kind {
            // SAFETY: the range is ours, and nobody refers to it any more.
            Kind::Private => unsafe { VirtualFree(base, 0, MEM_RELEASE) },
            Kind::View { below } => {
                let view = MEMORY_MAPPED_VIEW_ADDRESS {
                    Value: base.wrapping_byte_sub(below),
                };
                // SAFETY: as above; the view begins so many bytes below.
                unsafe { UnmapViewOfFile(view) }
            }
        };
    }
}

/// Whether the program can read a byte there: the system says so without a fault.
#[cfg(test)]
pub fn is_readable(address: usize) -> bool {
    use windows_sys::Win32::System::Memory::{MEMORY_BASIC_INFORMATION, VirtualQuery};
    let mut about = MEMORY_BASIC_INFORMATION::default();
    let size = size_of_val(&about);
    // SAFETY: there is room for the answer.
    let length = unsafe { VirtualQuery(ptr::without_provenance(address), &raw mut about, size) };
    length == size && about.State == MEM_COMMIT && about.Protect & PAGE_NOACCESS == 0
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

    #[test]
    fn pages_come_and_go_within_a_reservation() {
        let page = page_size();
        let mut mapping = Mapping::reserve(1 << 33).unwrap();
        mapping.commit(page, 2 * page).unwrap();
        // SAFETY: the page is committed.
        let byte = unsafe { mapping.base().add(page) };
        // SAFETY: as above.
        unsafe { byte.write(9) };
        mapping.make_inaccessible(page, page).unwrap();
        mapping.commit(page, 3 * page).unwrap();
        // SAFETY: the page is accessible again.
        assert_eq!(unsafe { byte.read() }, 9);
        mapping.make_executable(page, page).unwrap();
        assert!(mapping.commit(0, (1 << 33) + page).is_err());
    }

    #[test]
    fn pages_are_writable_first_and_executable_then() {
        use windows_sys::Win32::System::Memory::{MEMORY_BASIC_INFORMATION, VirtualQuery};
        let mut mapping = Mapping::writable(page_size()).unwrap();
        let protection = |mapping: &Mapping| {
            let mut about = MEMORY_BASIC_INFORMATION::default();
            let (size, base) = (size_of_val(&about), mapping.base().as_ptr().cast());
            // SAFETY: there is room for the answer.
            let length = unsafe { VirtualQuery(base, &raw mut about, size) };
            assert_eq!(length, size);
            about.Protect
        };
        assert_eq!(protection(&mapping), PAGE_READWRITE);
        mapping.make_executable(0, page_size()).unwrap();
        assert_eq!(protection(&mapping), PAGE_EXECUTE_READ);
    }

    #[test]
    fn files_are_mapped_at_every_page() {
        let page = page_size();
        let name = std::format!("precast-map-{}", std::process::id());
        let path = std::env::temp_dir().join(name);
        let mut bytes = std::vec![0; 40 * page + 100];
        for (index, byte) in bytes.iter_mut().enumerate() {
            *byte = (index / page) as u8;
        }
        std::fs::write(&path, &bytes).unwrap();
        let name = std::ffi::CString::new(path.to_str().unwrap()).unwrap();
        let file = File::open(&name).unwrap();
        for (first, count) in [(0, 41), (1, 1), (17, 3), (40, 1)] {
            let size = if first + count == 41 {
                bytes.len() - first * page
            } else {
                count * page
            };
            let mapping = Mapping::file_readable(&file, (first * page) as u64, size).unwrap();
            assert_eq!(mapping.size(), count * page);
            // SAFETY: so many bytes are mapped.
            let view = unsafe { core::slice::from_raw_parts(mapping.base().as_ptr(), size) };
            assert_eq!(view, &bytes[first * page..][..size]);
        }
        assert!(Mapping::file_readable(&file, 0, 42 * page).is_err());
        assert!(Mapping::file_readable(&file, 1, page).is_err());
        drop(Mapping::file_executable(&file, 2 * page as u64, page).unwrap());
        let mut part = [0; 200];
        let end = 40 * page as u64;
        assert_eq!(file.read_at(end, &mut part), Ok(100));
        assert_eq!(file.size(), Ok(bytes.len() as u64));
        drop(file);
        std::fs::remove_file(&path).unwrap();
    }
}
