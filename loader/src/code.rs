//! Code memory: writable first, then executable, never both.
//!
//! ```text
//!   artifact bytes --copy--> WritableCode --publish--> ExecutableCode
//!   artifact file  --------------map---------------->  ExecutableCode
//! ```
//!
//! A [`WritableCode`] can be patched and not run; publishing consumes it. An [`ExecutableCode`]
//! can be run and not written. Bytes that a hosted process only borrows are not executable, so
//! they are copied; running them where they lie is for platforms without memory protection.

use core::fmt;
use core::ops::Range;
use core::slice;

use crate::alloc::{Allocator, Category};
use crate::sys::OsError;
use crate::sys::file::File;
use crate::sys::map::Mapping;

/// A mapping that is counted as code.
struct Counted {
    mapping: Mapping,
    allocator: Allocator,
}

impl Counted {
    fn new(allocator: &Allocator, mapping: Mapping) -> Counted {
        allocator.charge(Category::Code, mapping.size());
        Counted {
            mapping,
            allocator: allocator.clone(),
        }
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.allocator
            .discharge(Category::Code, self.mapping.size());
    }
}

/// A private copy of a text section, for relocations to be applied to.
///
/// Having a value of this type means that the bytes are writable, and that no thread executes
/// them.
pub struct WritableCode {
    memory: Counted,
    size: usize,
}

impl WritableCode {
    /// Copies text into pages of its own.
    pub fn copy(allocator: &Allocator, text: &[u8]) -> Result<WritableCode, OsError> {
        // An empty text still has an address.
        let mapping = Mapping::writable(text.len().max(1))?;
        let mut code = WritableCode {
            memory: Counted::new(allocator, mapping),
            size: text.len(),
        };
        code.bytes_mut().copy_from_slice(text);
        Ok(code)
    }

    /// Where the code is, now and after publishing.
    pub fn address(&self) -> usize {
        self.memory.mapping.base().as_ptr().expose_provenance()
    }

    /// The bytes, to be patched.
    pub fn bytes_mut(&mut self) -> &mut [u8] {
        let base = self.memory.mapping.base().as_ptr();
        // SAFETY: the mapping has at least `size` bytes, which are writable and only ours.
        unsafe { slice::from_raw_parts_mut(base, self.size) }
    }

    /// Takes the right to write away and gives the right to execute. Where the system refuses,
    /// the code is gone: it is never left writable and executable.
    pub fn publish(mut self) -> Result<ExecutableCode, OsError> {
        let size = self.memory.mapping.size();
        self.memory.mapping.make_executable(0, size)?;
        Ok(ExecutableCode {
            memory: self.memory,
            size: self.size,
        })
    }
}

impl fmt::Debug for WritableCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "writable code, {} bytes at {:#x}",
            self.size,
            self.address()
        )
    }
}

/// A text section that can run.
///
/// Having a value of this type means that the bytes are executable, not writable, and stay where
/// they are until the value is dropped. Whether they *should* run is a matter of trust.
pub struct ExecutableCode {
    memory: Counted,
    size: usize,
}

impl ExecutableCode {
    /// Maps text straight from a file, at an offset that is a multiple of the page size.
    ///
    /// The pages behind the last one of the file cannot be accessed: the caller has compared
    /// offset and size with the file's size.
    pub fn map(
        allocator: &Allocator,
        file: &File,
        offset: u64,
        size: usize,
    ) -> Result<ExecutableCode, OsError> {
        let mapping = Mapping::file_executable(file, offset, size)?;
        Ok(ExecutableCode {
            memory: Counted::new(allocator, mapping),
            size,
        })
    }

    /// The addresses of the code.
    pub fn range(&self) -> Range<usize> {
        let start = self.memory.mapping.base().as_ptr().expose_provenance();
        // The mapping ends before the address space does.
        start..start.wrapping_add(self.size)
    }

    /// The address of what is at this offset of the text, if that is inside.
    pub fn address(&self, offset: u32) -> Option<*const u8> {
        let offset = usize::try_from(offset)
            .ok()
            .filter(|offset| *offset < self.size)?;
        Some(
            self.memory
                .mapping
                .base()
                .as_ptr()
                .wrapping_add(offset)
                .cast_const(),
        )
    }
}

impl fmt::Debug for ExecutableCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "executable code, {} bytes at {:#x}",
            self.size,
            self.range().start
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The protections of all mappings, as the system shows them.
    fn protections() -> impl Iterator<Item = std::string::String> {
        let maps = std::fs::read_to_string("/proc/self/maps").unwrap();
        let lines: std::vec::Vec<_> = maps.lines().map(std::string::String::from).collect();
        lines.into_iter()
    }

    fn protection_at(address: usize) -> Option<std::string::String> {
        protections().find_map(|line| {
            let mut words = line.split(' ');
            let (start, end) = words.next()?.split_once('-')?;
            let start = usize::from_str_radix(start, 16).ok()?;
            let end = usize::from_str_radix(end, 16).ok()?;
            (start..end)
                .contains(&address)
                .then(|| words.next().unwrap_or("").into())
        })
    }

    fn nothing_is_writable_and_executable() -> bool {
        protections().all(|line| !line.contains("wx"))
    }

    /// `mov eax, 42; ret`
    #[cfg(target_arch = "x86_64")]
    const ANSWER: [u8; 6] = [0xb8, 42, 0, 0, 0, 0xc3];

    #[cfg(target_arch = "x86_64")]
    fn run(code: &ExecutableCode) -> u32 {
        let address = code.address(0).unwrap();
        // SAFETY: the bytes are a function of this type.
        let function =
            unsafe { core::mem::transmute::<*const u8, unsafe extern "C" fn() -> u32>(address) };
        // SAFETY: the function only returns a number.
        unsafe { function() }
    }

    #[cfg(target_arch = "x86_64")]
    #[test]
    fn code_is_writable_first_and_executable_then() {
        let allocator = Allocator::system().unwrap();
        let mut code = WritableCode::copy(&allocator, &[0; 6]).unwrap();
        assert!(nothing_is_writable_and_executable());
        assert_eq!(protection_at(code.address()).as_deref(), Some("rw-p"));
        code.bytes_mut().copy_from_slice(&ANSWER);
        let address = code.address();
        let code = code.publish().unwrap();
        assert!(nothing_is_writable_and_executable());
        assert_eq!(protection_at(address).as_deref(), Some("r-xp"));
        assert_eq!(code.range(), address..address + 6);
        assert!(code.address(6).is_none());
        assert_eq!(run(&code), 42);
        assert!(allocator.usage(Category::Code).current >= 6);
        drop(code);
        assert_eq!(allocator.usage(Category::Code).current, 0);
    }

    #[cfg(target_arch = "x86_64")]
    #[test]
    fn code_runs_straight_from_a_file() {
        let page = crate::sys::map::page_size();
        let path = std::env::temp_dir().join(std::format!("precast-code-{}", std::process::id()));
        let mut contents = std::vec![0; page];
        contents.extend_from_slice(&ANSWER);
        std::fs::write(&path, &contents).unwrap();
        let name = std::ffi::CString::new(path.to_str().unwrap()).unwrap();
        let file = File::open(&name).unwrap();
        std::fs::remove_file(&path).unwrap();
        let allocator = Allocator::system().unwrap();
        let code = ExecutableCode::map(&allocator, &file, page as u64, 6).unwrap();
        assert!(nothing_is_writable_and_executable());
        assert_eq!(run(&code), 42);
        assert!(ExecutableCode::map(&allocator, &file, 1, 6).is_err());
        assert!(ExecutableCode::map(&allocator, &file, u64::MAX, 6).is_err());
        assert!(ExecutableCode::map(&allocator, &file, 0, usize::MAX).is_err());
    }

    #[test]
    fn empty_code_has_an_address() {
        let allocator = Allocator::system().unwrap();
        let code = WritableCode::copy(&allocator, &[])
            .unwrap()
            .publish()
            .unwrap();
        assert!(code.range().is_empty());
        assert!(code.address(0).is_none());
    }
}
