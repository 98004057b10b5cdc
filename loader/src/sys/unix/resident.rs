//! How many bytes of a range the system really holds.
//!
//! Linux tells it for each page in `/proc/self/pagemap`: a page counts when this process has it
//! mapped. So a page of a file counts once it was touched through this mapping, not because the
//! system has cached the file. A page that was only read counts too, although all such pages share
//! one of zeros.
//!
//! Elsewhere, and where that file cannot be read, `mincore` answers. It counts cached pages of a
//! file whether they were touched here or not.

use core::ops::Range;

use super::file::File;
use super::map::page_size;

/// Pages that are asked for at once.
const CHUNK: usize = 512;

/// Bytes of the range that are in physical memory, or `None` where the system does not tell. The
/// range is one of mapped pages; it may begin and end within a page.
pub fn resident_bytes(range: Range<usize>) -> Option<usize> {
    let page = page_size();
    let pagemap = File::open(c"/proc/self/pagemap").ok();
    let (mut sum, mut start) = (0, range.start - range.start % page);
    while start < range.end {
        let count = (range.end - start).div_ceil(page).min(CHUNK);
        let mut pages = [false; CHUNK];
        let pages = pages.get_mut(..count)?;
        let mapped = pagemap
            .as_ref()
            .and_then(|file| mapped_pages(file, start / page, pages));
        mapped.or_else(|| cached_pages(start, pages))?;
        for resident in pages {
            let end = start.saturating_add(page);
            if *resident {
                // The first and the last page may be shared with something else.
                sum += end.min(range.end) - start.max(range.start);
            }
            start = end;
        }
    }
    Some(sum)
}

/// Which pages, from this number on, the process has mapped.
fn mapped_pages(pagemap: &File, first: usize, pages: &mut [bool]) -> Option<()> {
    const ENTRY: usize = size_of::<u64>();
    /// The bit that says so.
    const PRESENT: u64 = 1 << 63;
    let mut entries = [0; CHUNK * ENTRY];
    let entries = entries.get_mut(..pages.len() * ENTRY)?;
    let offset = (first as u64).checked_mul(ENTRY as u64)?;
    if pagemap.read_at(offset, entries) != Ok(entries.len()) {
        return None;
    }
    for (page, entry) in pages.iter_mut().zip(entries.chunks_exact(ENTRY)) {
        *page = u64::from_ne_bytes(entry.try_into().ok()?) & PRESENT != 0;
    }
    Some(())
}

/// Which pages, from this address on, are in physical memory.
fn cached_pages(start: usize, pages: &mut [bool]) -> Option<()> {
    let mut answers = [0u8; CHUNK];
    let answers = answers.get_mut(..pages.len())?;
    let address = core::ptr::without_provenance_mut(start);
    let size = pages.len() * page_size();
    // SAFETY: there is room for an answer for each page; the system checks the addresses itself.
    let result = unsafe { libc::mincore(address, size, answers.as_mut_ptr().cast()) };
    for (page, answer) in pages.iter_mut().zip(answers) {
        // The other bits are reserved.
        *page = *answer & 1 != 0;
    }
    (result == 0).then_some(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sys::map::Mapping;

    fn touch(mapping: &Mapping, offset: usize) {
        // SAFETY: the tests ask for offsets inside of the mapping.
        let byte = unsafe { mapping.base().add(offset) };
        // SAFETY: the byte is writable, and nobody else's.
        unsafe { byte.write_volatile(1) };
    }

    fn range(mapping: &Mapping) -> Range<usize> {
        let start = mapping.base().as_ptr().addr();
        start..start + mapping.size()
    }

    /// Whether an emulator hands out its host's file in the byte order of the host, by which any page may
    /// be there or not.
    fn is_swapped() -> bool {
        let size = 256 * page_size();
        let mapping = Mapping::sparse(size).unwrap();
        for offset in (0..size).step_by(page_size()) {
            touch(&mapping, offset);
        }
        cfg!(target_endian = "big") && resident_bytes(range(&mapping)) != Some(size)
    }

    #[test]
    fn what_is_touched_counts() {
        if is_swapped() {
            std::println!("skipped: this is an emulator on a machine of another byte order");
            return;
        }
        let page = page_size();
        // More than one chunk.
        let mapping = Mapping::sparse((CHUNK + 10) * page).unwrap();
        let all = range(&mapping);
        assert_eq!(resident_bytes(all.clone()), Some(0));
        for number in [0, 3, CHUNK - 1, CHUNK, CHUNK + 9] {
            touch(&mapping, number * page + 7);
        }
        assert_eq!(resident_bytes(all.clone()), Some(5 * page));
        // Parts of pages count in part.
        let part = all.start + 3 * page + 100..all.start + 4 * page;
        assert_eq!(resident_bytes(part), Some(page - 100));
        assert_eq!(resident_bytes(all.start + 1..all.start + 3), Some(2));
        assert_eq!(resident_bytes(all.start..all.start), Some(0));
    }

    #[test]
    fn reserved_space_holds_nothing() {
        if is_swapped() {
            std::println!("skipped: this is an emulator on a machine of another byte order");
            return;
        }
        let mapping = Mapping::reserve(1 << 30).unwrap();
        assert_eq!(resident_bytes(range(&mapping)), Some(0));
    }

    #[test]
    fn both_sources_agree_on_private_pages() {
        if is_swapped() {
            std::println!("skipped: this is an emulator on a machine of another byte order");
            return;
        }
        let page = page_size();
        let mapping = Mapping::sparse(64 * page).unwrap();
        touch(&mapping, 5 * page);
        touch(&mapping, 63 * page);
        let start = mapping.base().as_ptr().addr();
        let mut cached = [false; 64];
        cached_pages(start, &mut cached).unwrap();
        assert_eq!(cached.iter().filter(|page| **page).count(), 2);
        assert!(cached[5] && cached[63]);
        if let Ok(file) = File::open(c"/proc/self/pagemap") {
            let mut mapped = [false; 64];
            if mapped_pages(&file, start / page, &mut mapped).is_some() {
                assert_eq!(mapped, cached);
            }
        }
    }

    /// The file of an image is in the system's cache, and costs this process nothing until it is
    /// touched.
    #[test]
    #[cfg(target_os = "linux")]
    fn cached_pages_of_a_file_count_when_they_are_touched() {
        use std::io::Write;
        use std::os::unix::ffi::OsStrExt;

        if is_swapped() {
            std::println!("skipped: this is an emulator on a machine of another byte order");
            return;
        }
        let page = page_size();
        let path =
            std::env::temp_dir().join(std::format!("precast-resident-{}", std::process::id()));
        let mut file = std::fs::File::create(&path).unwrap();
        file.write_all(&std::vec![7; 40 * page]).unwrap();
        let name = std::ffi::CString::new(path.as_os_str().as_bytes()).unwrap();
        let file = File::open(&name).unwrap();
        let mut mapping = Mapping::sparse(40 * page).unwrap();
        mapping.copy_on_write(0, 40 * page, &file, 0).unwrap();
        std::fs::remove_file(&path).unwrap();
        assert_eq!(resident_bytes(range(&mapping)), Some(0));
        touch(&mapping, 2 * page);
        touch(&mapping, 30 * page);
        // A write fault maps the page that it copies, and no other.
        assert_eq!(resident_bytes(range(&mapping)), Some(2 * page));
        let mut cached = [false; 40];
        cached_pages(mapping.base().as_ptr().addr(), &mut cached).unwrap();
        assert!(
            cached.iter().all(|page| *page),
            "which is why it comes second"
        );
    }
}
