//! Bad pointers: every function, every pointer, every way to be bad.
//!
//! Each call of the list is good as it stands. One pointer at a time is then moved to the end of the
//! memory and beyond, and each length is made too long: the answer is always `Fault`, and the guest's
//! memory, descriptors and files stay what they were.

mod common;

use common::MEMORY;
use common::cases::{BUFFER, FILE, LISTENER, VECTORS, cases, guest, prepare};
use precast_loader::Runtime;
use precast_wasi::types::fdflags;
use precast_wasi::{Errno, GuestMemory};

fn runtime() -> Runtime {
    Runtime::system().expect("a runtime")
}
fn names(directory: &std::path::Path) -> Vec<String> {
    let entries = std::fs::read_dir(directory).unwrap();
    let mut names: Vec<_> = entries
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

#[test]
fn good_calls_succeed() {
    for case in cases() {
        let (mut guest, directory, _peer) = guest(&runtime());
        prepare(&case, directory.path());
        let context = guest.context.clone();
        if case.name == "sock_accept" {
            // Nobody waits; what matters is that the arguments are fine.
            context
                .fd_fdstat_set_flags(LISTENER, fdflags::NONBLOCK)
                .unwrap();
            let accepted = (case.call)(&context, &mut guest.memory(), &case.arguments);
            assert_eq!(accepted, Err(Errno::Again));
            continue;
        }
        let result = (case.call)(&context, &mut guest.memory(), &case.arguments);
        assert_eq!(result, Ok(()), "{}", case.name);
    }
}

#[test]
fn bad_pointers_are_faults_and_change_nothing() {
    for case in cases() {
        let mut bad = Vec::new();
        for &(index, size) in case.pointers {
            let end = MEMORY as u32;
            for pointer in [
                end - size + 1,
                end - 1,
                end,
                end + 1,
                1 << 31,
                u32::MAX - 1,
                u32::MAX,
            ] {
                bad.push((index, pointer));
            }
        }
        for &index in case.lengths {
            for length in [MEMORY as u32, 1 << 29, 1 << 31, u32::MAX - 7, u32::MAX] {
                bad.push((index, length));
            }
        }
        let (mut guest, directory, _peer) = guest(&runtime());
        prepare(&case, directory.path());
        let context = guest.context.clone();
        let (before, names_before) = (guest.bytes.clone(), names(directory.path()));
        for (index, value) in bad {
            // `poll_oneoff` has a bound on its count, and says so.
            if case.name == "poll_oneoff" && index == 2 && value > 65_536 {
                continue;
            }
            let mut arguments = case.arguments.clone();
            arguments[index] = value;
            let result = (case.call)(&context, &mut guest.memory(), &arguments);
            let place = format!("{} with argument {index} = {value:#x}", case.name);
            assert_eq!(result, Err(Errno::Fault), "{place}");
            assert!(guest.bytes == before, "{place} wrote to memory");
            assert_eq!(
                names(directory.path()),
                names_before,
                "{place} changed the directory"
            );
        }
        let file = std::fs::read(directory.path().join("file")).unwrap();
        assert_eq!(file, b"contents of the file", "{}", case.name);
        assert_eq!(
            guest.fdstat(FILE + 1),
            Err(Errno::BadDescriptor),
            "{} left one open",
            case.name
        );
        assert_eq!(
            guest.seek(FILE, 0, 1),
            Ok(0),
            "{} moved the position",
            case.name
        );
    }
}

#[test]
fn bad_buffers_in_good_lists_are_faults() {
    let (mut guest, directory, _peer) = guest(&runtime());
    let lists = [
        [BUFFER, 8, MEMORY as u32 - 7, 8],
        [MEMORY as u32 + 1, 0, BUFFER, 8],
        [BUFFER, u32::MAX, BUFFER, 8],
        [u32::MAX, u32::MAX, BUFFER, 8],
        [BUFFER, 8, u32::MAX, 1],
    ];
    let names = [
        "fd_read",
        "fd_pread",
        "fd_write",
        "fd_pwrite",
        "sock_send",
        "sock_recv",
    ];
    let context = guest.context.clone();
    for list in lists {
        let list = list.map(u32::to_le_bytes).concat();
        guest.bytes[VECTORS as usize..][..16].copy_from_slice(&list);
        let before = guest.bytes.clone();
        for case in cases().iter().filter(|case| names.contains(&case.name)) {
            let result = (case.call)(&context, &mut guest.memory(), &case.arguments);
            assert_eq!(result, Err(Errno::Fault), "{}", case.name);
        }
        assert!(guest.bytes == before);
    }
    let file = std::fs::read(directory.path().join("file")).unwrap();
    assert_eq!(file, b"contents of the file");
}

#[test]
fn a_guest_without_memory_gets_faults() {
    let (guest, _directory, _peer) = guest(&runtime());
    for case in cases() {
        let result = (case.call)(
            &guest.context,
            &mut GuestMemory::new(&mut []),
            &case.arguments,
        );
        assert_eq!(result, Err(Errno::Fault), "{}", case.name);
    }
}
