//! Code that this processor runs: copied, patched, and straight from a file.

use super::*;
use crate::alloc::Category;

/// Whether the system shows all mappings in a file.
const SHOWN: bool = cfg!(target_os = "linux");

/// The protections of all mappings, as the system shows them.
fn protections() -> impl Iterator<Item = std::string::String> {
    let maps = if SHOWN {
        std::fs::read_to_string("/proc/self/maps").unwrap()
    } else {
        std::string::String::new()
    };
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
const ANSWER: &[u8] = &[0xb8, 42, 0, 0, 0, 0xc3];
/// `mov w0, #42; ret`
#[cfg(target_arch = "aarch64")]
const ANSWER: &[u8] = &[0x40, 0x05, 0x80, 0x52, 0xc0, 0x03, 0x5f, 0xd6];
/// `li a0, 42; ret`
#[cfg(target_arch = "riscv64")]
const ANSWER: &[u8] = &[0x13, 0x05, 0xa0, 0x02, 0x67, 0x80, 0, 0];
/// `lghi %r2, 42; br %r14`
#[cfg(target_arch = "s390x")]
const ANSWER: &[u8] = &[0xa7, 0x29, 0, 42, 0x07, 0xfe];

fn run(code: &ExecutableCode) -> u32 {
    let address = code.address(0).unwrap();
    // SAFETY: the bytes are a function of this type.
    let function =
        unsafe { core::mem::transmute::<*const u8, unsafe extern "C" fn() -> u32>(address) };
    // SAFETY: the function only returns a number.
    unsafe { function() }
}

#[test]
fn code_is_writable_first_and_executable_then() {
    let allocator = Allocator::system().unwrap();
    let mut code =
        WritableCode::copy(&CodeMemory::platform(), &allocator, &[0; ANSWER.len()]).unwrap();
    assert!(nothing_is_writable_and_executable());
    assert_eq!(
        protection_at(code.address()).as_deref(),
        SHOWN.then_some("rw-p")
    );
    code.bytes_mut().copy_from_slice(ANSWER);
    let address = code.address();
    let code = code.publish().unwrap();
    assert!(nothing_is_writable_and_executable());
    assert_eq!(protection_at(address).as_deref(), SHOWN.then_some("r-xp"));
    assert_eq!(code.range(), address..address + ANSWER.len());
    assert!(code.address(ANSWER.len() as u32).is_none());
    assert_eq!(run(&code), 42);
    assert!(allocator.usage(Category::Code).current >= ANSWER.len());
    drop(code);
    assert_eq!(allocator.usage(Category::Code).current, 0);
}

#[test]
fn code_runs_straight_from_a_file() {
    let (page, size) = (crate::sys::map::page_size(), ANSWER.len());
    let path = std::env::temp_dir().join(std::format!("precast-code-{}", std::process::id()));
    let mut contents = std::vec![0; page];
    contents.extend_from_slice(ANSWER);
    std::fs::write(&path, &contents).unwrap();
    let name = std::ffi::CString::new(path.to_str().unwrap()).unwrap();
    let file = File::open(&name).unwrap();
    std::fs::remove_file(&path).unwrap();
    let allocator = Allocator::system().unwrap();
    let code = ExecutableCode::map(&allocator, &file, page as u64, size).unwrap();
    assert!(nothing_is_writable_and_executable());
    assert_eq!(run(&code), 42);
    assert!(ExecutableCode::map(&allocator, &file, 1, size).is_err());
    assert!(ExecutableCode::map(&allocator, &file, u64::MAX, size).is_err());
    assert!(ExecutableCode::map(&allocator, &file, 0, usize::MAX).is_err());
}
