//! Listing directories: records, cookies, buffers that end in the middle of an entry.

mod common;

use std::collections::BTreeMap;

use common::{Guest, RESULT, with_directory};
use precast_wasi::Errno;

#[derive(Debug)]
struct Entry {
    next: u64,
    inode: u64,
    file_type: u8,
    name: String,
}

/// One call: the whole entries in the buffer, and whether it was full.
fn read(guest: &mut Guest, fd: u32, length: u32, cookie: u64) -> Result<(Vec<Entry>, bool), Errno> {
    let buffer = 0x8000;
    let context = guest.context.clone();
    context.fd_readdir(&mut guest.memory(), fd, buffer, length, cookie, RESULT)?;
    let used = guest.u32_at(RESULT);
    assert!(used <= length);
    let (mut entries, mut at) = (Vec::new(), buffer);
    while at + 24 <= buffer + used {
        let name_length = guest.u32_at(at + 16);
        if at + 24 + name_length > buffer + used {
            break;
        }
        entries.push(Entry {
            next: guest.u64_at(at),
            inode: guest.u64_at(at + 8),
            file_type: guest.bytes[at as usize + 20],
            name: String::from_utf8(guest.bytes_at(at + 24, name_length).to_vec()).unwrap(),
        });
        at += 24 + name_length;
    }
    Ok((entries, used == length))
}

/// Reads a directory as libraries do: again from the last whole entry while the buffer is full.
fn list(guest: &mut Guest, fd: u32, length: u32) -> BTreeMap<String, Entry> {
    let (mut all, mut cookie) = (BTreeMap::new(), 0);
    loop {
        let (entries, full) = read(guest, fd, length, cookie).unwrap();
        let Some(last) = entries.last() else {
            assert!(!full, "the buffer is too short for one entry");
            return all;
        };
        cookie = last.next;
        for entry in entries {
            let name = entry.name.clone();
            assert!(all.insert(name, entry).is_none(), "an entry came twice");
        }
        if !full {
            return all;
        }
    }
}

#[test]
fn entries_have_types_and_inodes() {
    let (mut guest, directory) = with_directory();
    let empty = list(&mut guest, 3, 4096);
    assert_eq!(empty.keys().collect::<Vec<_>>(), [".", ".."]);
    guest.create("file");
    guest.mkdir("dir").unwrap();
    guest.symlink("file", "link").unwrap();
    let entries = list(&mut guest, 3, 4096);
    let kinds: Vec<_> = entries
        .values()
        .map(|one| (one.name.as_str(), one.file_type))
        .collect();
    assert_eq!(
        kinds,
        [(".", 3), ("..", 3), ("dir", 3), ("file", 4), ("link", 7)]
    );
    use std::os::unix::fs::MetadataExt;
    let inode = std::fs::metadata(directory.path().join("file"))
        .unwrap()
        .ino();
    assert_eq!(entries["file"].inode, inode);
}

#[test]
fn any_buffer_lists_everything() {
    let (mut guest, directory) = with_directory();
    for number in 0..300 {
        let name = format!("{number}-{}", "x".repeat(number % 40));
        std::fs::write(directory.path().join(name), "").unwrap();
    }
    for length in [80, 81, 100, 127, 256, 4096, 16384] {
        assert_eq!(
            list(&mut guest, 3, length).len(),
            302,
            "with {length} bytes"
        );
    }
}

#[test]
fn the_last_entry_is_cut_off() {
    let (mut guest, _directory) = with_directory();
    let (entries, full) = read(&mut guest, 3, 26, 0).unwrap();
    assert!(full && entries.len() == 1, "one byte of the second entry");
    for length in [1, 8, 23, 24] {
        assert!(read(&mut guest, 3, length, 0).unwrap().1);
    }
    assert!(read(&mut guest, 3, 0, 0).unwrap().0.is_empty());
}

#[test]
fn cookies_survive_changes() {
    let (mut guest, directory) = with_directory();
    for number in 0..50 {
        std::fs::write(directory.path().join(format!("file-{number:03}")), "").unwrap();
    }
    // Deleting what was read, while reading: every file is met.
    let (mut met, mut cookie) = (0, 0);
    loop {
        let (entries, full) = read(&mut guest, 3, 200, cookie).unwrap();
        cookie = entries.last().map_or(cookie, |last| last.next);
        for entry in entries.iter().filter(|entry| entry.file_type == 4) {
            guest.unlink(&entry.name).unwrap();
            met += 1;
        }
        if !full {
            break;
        }
    }
    assert_eq!(met, 50);
    assert_eq!(
        list(&mut guest, 3, 4096).len(),
        2,
        "reading starts again at cookie 0"
    );
}

#[test]
fn only_directories_can_be_listed() {
    let (mut guest, _directory) = with_directory();
    let fd = guest
        .open("file", precast_wasi::types::oflags::CREATE)
        .unwrap();
    assert_eq!(
        read(&mut guest, fd, 100, 0).unwrap_err(),
        Errno::BadDescriptor
    );
    assert_eq!(
        read(&mut guest, 0, 100, 0).unwrap_err(),
        Errno::BadDescriptor
    );
    assert_eq!(
        read(&mut guest, 3, 100, u64::MAX).unwrap_err(),
        Errno::Invalid
    );
    let opened = guest.open_directory(".").unwrap();
    assert_eq!(list(&mut guest, opened, 100).len(), 3);
}
