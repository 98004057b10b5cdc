//! Growth, guards and images, for both kinds of storage.

use std::io::Write;

use precast_format::types::Limits;

use super::*;
use crate::sys::map::{self, is_readable, page_size};

const WASM_PAGE: usize = 65536;

fn memory_type(min: u64, page_size_log2: u8) -> MemoryType {
    MemoryType {
        limits: Limits { min, max: None },
        page_size_log2,
        shared: false,
        is_64: false,
    }
}

/// All that 32-bit indices reach; less where that is all there is for everything.
const RESERVATION: usize = if usize::BITS > 32 {
    (u32::MAX as usize).wrapping_add(1)
} else {
    1 << 28
};

const GUARD: usize = 1 << 25;

const GUARDED: Storage = Storage::Guard {
    reservation: RESERVATION as u64,
    guard: GUARD as u64,
    below: 5000,
};

fn bytes(memory: &mut LinearMemory) -> &mut [u8] {
    // SAFETY: the memory has so many bytes, and it is borrowed.
    unsafe { core::slice::from_raw_parts_mut(memory.base().as_ptr(), memory.length()) }
}

/// The same body for every storage.
fn grows_with_zeros(storage: Storage) {
    let allocator = Allocator::system().unwrap();
    let mut memory = LinearMemory::new(&allocator, &memory_type(1, 16), storage).unwrap();
    assert_eq!(memory.length(), WASM_PAGE);
    assert!(bytes(&mut memory).iter().all(|byte| *byte == 0));
    bytes(&mut memory).fill(0x5a);
    memory.grow(3 * WASM_PAGE).unwrap();
    assert_eq!(memory.length(), 3 * WASM_PAGE);
    let (old, new) = bytes(&mut memory).split_at(WASM_PAGE);
    assert!(old.iter().all(|byte| *byte == 0x5a));
    assert!(new.iter().all(|byte| *byte == 0));
    // A smaller length changes nothing.
    memory.grow(WASM_PAGE).unwrap();
    assert_eq!(memory.length(), 3 * WASM_PAGE);
    let usage = allocator.usage(Category::LinearMemory);
    assert!(usage.current >= 3 * WASM_PAGE && usage.current < 4 * WASM_PAGE);
    assert_eq!(usage.blocks, 1);
    assert!(memory.grow(usize::MAX).is_err());
    assert!(memory.grow(isize::MAX as usize).is_err());
    assert_eq!(memory.length(), 3 * WASM_PAGE);
    drop(memory);
    assert_eq!(allocator.usage(Category::LinearMemory).current, 0);
    assert_eq!(allocator.usage(Category::LinearMemory).blocks, 0);
}

#[test]
fn explicit_memory_grows_with_zeros() {
    grows_with_zeros(Storage::Explicit);
}

#[test]
fn fixed_memory_grows_with_zeros() {
    let capacity = 3 * WASM_PAGE as u64;
    grows_with_zeros(Storage::Fixed { capacity });
}

#[test]
fn guarded_memory_grows_with_zeros() {
    grows_with_zeros(GUARDED);
}

/// How many bytes of a memory have pages of their own.
fn resident(memory: &LinearMemory) -> usize {
    let page = page_size();
    let start = memory.base().as_ptr().addr();
    let end = (start + memory.length()).next_multiple_of(page);
    resident_bytes(start - start % page..end).unwrap()
}

/// The same body for every storage.
/// Whether the system tells what is resident. An emulator of another byte order hands out its host's file
/// as it is, by which any page may be there or not.
fn is_resident_known() -> bool {
    let allocator = Allocator::system().unwrap();
    let mut memory =
        LinearMemory::new(&allocator, &memory_type(16, 16), Storage::Explicit).unwrap();
    bytes(&mut memory).fill(1);
    resident(&memory) == memory.length()
}

fn pays_for_what_is_touched(storage: Storage) {
    const SIZE: usize = 16 << 20;
    let swapped = u16::from_ne_bytes([0, 1]) == 1;
    if swapped && !is_resident_known() {
        std::println!("skipped: what is resident is not known in this emulator");
        return;
    }
    let allocator = Allocator::system().unwrap();
    // What was freed before is not handed out and cleared.
    for _ in 0..2 {
        let mut memory = LinearMemory::new(&allocator, &memory_type(256, 16), storage).unwrap();
        assert_eq!((memory.length(), resident(&memory)), (SIZE, 0));
        bytes(&mut memory)[5 << 20] = 1;
        memory.grow(2 * SIZE).unwrap();
        assert_eq!(resident(&memory), page_size());
        assert_eq!(bytes(&mut memory)[5 << 20], 1);
        bytes(&mut memory)[2 * SIZE - 1] = 1;
        assert_eq!(resident(&memory), 2 * page_size());
    }
}

#[test]
fn explicit_memory_costs_what_is_touched() {
    pays_for_what_is_touched(Storage::Explicit);
}

#[test]
fn fixed_memory_costs_what_is_touched() {
    pays_for_what_is_touched(Storage::Fixed { capacity: 32 << 20 });
}

#[test]
fn guarded_memory_costs_what_is_touched() {
    pays_for_what_is_touched(GUARDED);
}

#[test]
fn explicit_memory_extends_in_place_where_the_block_can() {
    const BYTES: usize = 1 << 20;
    let region = std::vec![core::mem::MaybeUninit::<u8>::uninit(); BYTES].leak();
    let allocator = Allocator::pool(region).unwrap();
    let mut memory = LinearMemory::new(&allocator, &memory_type(1, 16), Storage::Explicit).unwrap();
    bytes(&mut memory).fill(0x5a);
    let base = memory.base();
    // Two copies would not fit into the pool.
    memory.grow(BYTES * 3 / 4).unwrap();
    assert_eq!(memory.base(), base);
    assert!(
        bytes(&mut memory)[WASM_PAGE..]
            .iter()
            .all(|byte| *byte == 0)
    );
}

#[test]
fn guarded_memory_does_not_move_and_ends_in_no_access() {
    let allocator = Allocator::system().unwrap();
    let mut memory = LinearMemory::new(&allocator, &memory_type(1, 16), GUARDED).unwrap();
    let base = memory.base().as_ptr().expose_provenance();
    assert!(base.is_multiple_of(page_size()));
    assert!(memory.reserved() >= (RESERVATION + GUARD) as u64);
    let reserved = memory.reserved() as usize;
    assert!(is_readable(base + WASM_PAGE - 1));
    for beyond in [
        WASM_PAGE,
        RESERVATION / 2,
        RESERVATION - 1,
        RESERVATION,
        reserved - 1,
    ] {
        assert!(!is_readable(base + beyond), "{beyond:#x}");
    }
    memory.grow(2 * WASM_PAGE).unwrap();
    assert_eq!(memory.base().as_ptr().addr(), base);
    assert!(is_readable(base + 2 * WASM_PAGE - 1));
    assert!(!is_readable(base + 2 * WASM_PAGE));
}

#[test]
fn the_context_lies_right_below_the_base() {
    let allocator = Allocator::system().unwrap();
    let memory = LinearMemory::new(&allocator, &memory_type(0, 16), GUARDED).unwrap();
    let start = memory.base().as_ptr().wrapping_sub(5000);
    // SAFETY: so many bytes below the base are writable.
    let context = unsafe { core::slice::from_raw_parts_mut(start, 5000) };
    assert!(context.iter().all(|byte| *byte == 0));
    context.fill(1);
    assert!(!is_readable(memory.base().as_ptr().expose_provenance()));
}

#[test]
fn memories_of_other_page_sizes_and_none() {
    let allocator = Allocator::system().unwrap();
    let memory = LinearMemory::new(&allocator, &memory_type(3, 0), Storage::Explicit).unwrap();
    assert_eq!(memory.length(), 3);
    let mut memory = LinearMemory::new(&allocator, &memory_type(0, 0), Storage::Explicit).unwrap();
    assert_eq!(memory.length(), 0);
    memory.grow(1).unwrap();
    assert_eq!(bytes(&mut memory), [0]);
    for storage in [Storage::Explicit, GUARDED] {
        for pages in [u64::MAX, u64::MAX >> 16, 1 << 47] {
            assert!(LinearMemory::new(&allocator, &memory_type(pages, 16), storage).is_err());
        }
    }
    let huge = Storage::Guard {
        reservation: u64::MAX,
        guard: u64::MAX,
        below: u32::MAX,
    };
    assert!(LinearMemory::new(&allocator, &memory_type(0, 16), huge).is_err());
    let nothing = Storage::Guard {
        reservation: 0,
        guard: 0,
        below: 0,
    };
    let mut memory = LinearMemory::new(&allocator, &memory_type(0, 16), nothing).unwrap();
    assert!(memory.grow(1).is_err());
}

#[test]
fn images_are_mapped_privately() {
    let page = page_size();
    let path = std::env::temp_dir().join(std::format!("precast-image-{}", std::process::id()));
    let mut contents = std::vec![0; 3 * page];
    contents[page..2 * page].fill(1);
    contents[2 * page..].fill(2);
    std::fs::File::create(&path)
        .unwrap()
        .write_all(&contents)
        .unwrap();
    let name = std::ffi::CString::new(path.to_str().unwrap()).unwrap();
    let file = File::open(&name).unwrap();
    let allocator = Allocator::system().unwrap();
    let mut memory = LinearMemory::new(&allocator, &memory_type(1, 16), GUARDED).unwrap();
    let (page64, end) = (page as u64, WASM_PAGE as u64);
    let mapped = memory.map_image(&file, page64, page64, 2 * page);
    assert_eq!(mapped, Ok(map::REPLACES_PAGES));
    if !map::REPLACES_PAGES {
        bytes(&mut memory)[page..3 * page].copy_from_slice(&contents[page..]);
    }
    // Unaligned, outside of the memory, behind the end of the file, nowhere.
    assert_eq!(memory.map_image(&file, 1, 0, page), Ok(false));
    assert_eq!(memory.map_image(&file, 0, 1, page), Ok(false));
    assert_eq!(memory.map_image(&file, 0, 0, 1), Ok(false));
    assert_eq!(memory.map_image(&file, 0, end, page), Ok(false));
    assert_eq!(
        memory.map_image(&file, 0, end - page64, 2 * page),
        Ok(false)
    );
    assert_eq!(memory.map_image(&file, 2 * page64, 0, 2 * page), Ok(false));
    assert_eq!(
        memory.map_image(&file, u64::MAX - page64 + 1, 0, page),
        Ok(false)
    );
    assert_eq!(
        memory.map_image(&file, 0, u64::MAX - page64 + 1, page),
        Ok(false)
    );
    for (page, expected) in bytes(&mut memory).chunks(page).zip([0, 1, 2, 0]) {
        assert!(page.iter().all(|byte| *byte == expected));
    }
    bytes(&mut memory).fill(9);
    assert_eq!(std::fs::read(&path).unwrap(), contents);
    let mut explicit =
        LinearMemory::new(&allocator, &memory_type(1, 16), Storage::Explicit).unwrap();
    assert_eq!(explicit.map_image(&file, 0, 0, page), Ok(false));
    std::fs::remove_file(&path).unwrap();
}
