//! How many bytes of a range the system really holds: those of the pages in the process's working
//! set.

use core::ops::Range;

use windows_sys::Win32::System::ProcessStatus::{
    K32QueryWorkingSetEx, PSAPI_WORKING_SET_EX_BLOCK, PSAPI_WORKING_SET_EX_INFORMATION,
};
use windows_sys::Win32::System::Threading::GetCurrentProcess;

use super::map::page_size;

/// Pages that are asked for at once.
const CHUNK: usize = 128;

/// Bytes of the range that are in physical memory, or `None` where the system does not tell. The
/// range is one of mapped pages; it may begin and end within a page.
pub fn resident_bytes(range: Range<usize>) -> Option<usize> {
    let page = page_size();
    let (mut sum, mut start) = (0, range.start - range.start % page);
    let mut questions = [const {
        PSAPI_WORKING_SET_EX_INFORMATION {
            VirtualAddress: core::ptr::null_mut(),
            VirtualAttributes: PSAPI_WORKING_SET_EX_BLOCK { Flags: 0 },
        }
    }; CHUNK];
    while start < range.end {
        let count = (range.end - start).div_ceil(page).min(CHUNK);
        let questions = questions.get_mut(..count)?;
        for (index, question) in questions.iter_mut().enumerate() {
            let address = start.saturating_add(index * page);
            question.VirtualAddress = core::ptr::without_provenance_mut(address);
        }
        let size = u32::try_from(size_of_val(questions)).ok()?;
        // SAFETY: a name for this process.
        let process = unsafe { GetCurrentProcess() };
        // SAFETY: there are so many bytes of questions, with room for the answers in them; the system
        // checks the addresses itself.
        if unsafe { K32QueryWorkingSetEx(process, questions.as_mut_ptr().cast(), size) } == 0 {
            return None;
        }
        for question in questions {
            // SAFETY: the fields of the union are ways to look at a word.
            let flags = unsafe { question.VirtualAttributes.Flags };
            let end = start.saturating_add(page);
            // The first bit says whether the page is there.
            if flags & 1 != 0 {
                // The first and the last page may be shared with something else.
                sum += end.min(range.end) - start.max(range.start);
            }
            start = end;
        }
    }
    Some(sum)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sys::map::Mapping;

    #[test]
    fn what_is_touched_counts() {
        let page = page_size();
        // More than one chunk.
        let mapping = Mapping::sparse((CHUNK + 10) * page).unwrap();
        let start = mapping.base().as_ptr().addr();
        let all = start..start + mapping.size();
        assert_eq!(resident_bytes(all.clone()), Some(0));
        for number in [0, 3, CHUNK - 1, CHUNK, CHUNK + 9] {
            // SAFETY: the page is inside of the mapping.
            let byte = unsafe { mapping.base().add(number * page + 7) };
            // SAFETY: the byte is writable, and nobody else's.
            unsafe { byte.write_volatile(1) };
        }
        assert_eq!(resident_bytes(all.clone()), Some(5 * page));
        // Parts of pages count in part.
        let part = all.start + 3 * page + 100..all.start + 4 * page;
        assert_eq!(resident_bytes(part), Some(page - 100));
        assert_eq!(resident_bytes(all.start..all.start), Some(0));
    }

    #[test]
    fn reserved_space_holds_nothing() {
        let mapping = Mapping::reserve(1 << 30).unwrap();
        let start = mapping.base().as_ptr().addr();
        assert_eq!(resident_bytes(start..start + (1 << 24)), Some(0));
    }
}
