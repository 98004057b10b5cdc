//! Files: opening, reading, writing, positions, sizes, times.

mod common;

use common::{APPEND, RESULT, SHARED, with_directory};
use precast_wasi::types::{fdflags, fstflags, oflags};
use precast_wasi::{Abi, Errno, Rights};

const SET: u32 = 0;
const CURRENT: u32 = 1;
const END: u32 = 2;

#[test]
fn what_is_written_can_be_read_at_any_position() {
    let (mut guest, directory) = with_directory();
    let fd = guest.open("file", oflags::CREATE).unwrap();
    assert_eq!(guest.write(fd, b"hello, world"), Ok(12));
    assert_eq!(
        std::fs::read(directory.path().join("file")).unwrap(),
        b"hello, world"
    );
    assert_eq!(guest.seek(fd, 7, SET), Ok(7));
    assert_eq!(guest.read(fd, 100).unwrap(), b"world");
    assert_eq!(guest.read(fd, 100).unwrap(), b"");
    assert_eq!(guest.seek(fd, -5, END), Ok(7));
    assert_eq!(guest.seek(fd, 2, CURRENT), Ok(9));
    assert_eq!(guest.seek(fd, -10, CURRENT), Err(Errno::Invalid));
    assert_eq!(guest.seek(fd, -1, SET), Err(Errno::Invalid));
    assert_eq!(guest.seek(fd, 0, 3), Err(Errno::Invalid));
    guest
        .context
        .clone()
        .fd_tell(&mut guest.memory(), fd, RESULT)
        .unwrap();
    assert_eq!(guest.u64_at(RESULT), 9);
    // A position past the end is fine; a file with a hole reads zeros.
    assert_eq!(guest.seek(fd, 20, SET), Ok(20));
    guest.write(fd, b"!").unwrap();
    guest.seek(fd, 12, SET).unwrap();
    assert_eq!(guest.read(fd, 100).unwrap(), b"\0\0\0\0\0\0\0\0!");
}

#[test]
fn preview_0_counts_whence_differently() {
    let (mut guest, _directory) = with_directory();
    let fd = guest.open("file", oflags::CREATE).unwrap();
    guest.write(fd, b"0123456789").unwrap();
    let context = guest.context.clone();
    let mut seek = |delta, whence| {
        context
            .fd_seek(
                &mut guest.memory(),
                Abi::Preview0,
                fd,
                delta,
                whence,
                RESULT,
            )
            .unwrap();
        guest.u64_at(RESULT)
    };
    assert_eq!(seek(3, 2), 3);
    assert_eq!(seek(1, 0), 4);
    assert_eq!(seek(-1, 1), 9);
}

#[test]
fn lists_of_buffers_are_filled_in_order() {
    let (mut guest, _directory) = with_directory();
    let fd = guest.open("file", oflags::CREATE).unwrap();
    let parts = [
        guest.put(b"one "),
        guest.put(b""),
        guest.put(b"two "),
        guest.put(b"three"),
    ];
    let (array, count) = guest.vectors(&parts);
    let context = guest.context.clone();
    context
        .fd_write(&mut guest.memory(), fd, array, count, RESULT)
        .unwrap();
    assert_eq!(guest.u32_at(RESULT), 13);

    // The second buffer lies before the first in memory.
    let (low, high) = (guest.room(8), guest.room(5));
    let (array, count) = guest.vectors(&[high, (0, 0), low]);
    context
        .fd_pread(&mut guest.memory(), fd, array, count, 0, RESULT)
        .unwrap();
    assert_eq!(guest.u32_at(RESULT), 13);
    assert_eq!(guest.bytes_at(high.0, 5), b"one t");
    assert_eq!(guest.bytes_at(low.0, 8), b"wo three");

    // Buffers that overlap: the read is short where it goes into the memory itself, and what it says
    // was read is there.
    let (array, count) = guest.vectors(&[(low.0, 4), (low.0 + 2, 4)]);
    context
        .fd_pread(&mut guest.memory(), fd, array, count, 0, RESULT)
        .unwrap();
    if SHARED {
        assert_eq!(guest.u32_at(RESULT), 8);
        assert_eq!(guest.bytes_at(low.0, 6), b"ontwo ");
    } else {
        assert_eq!(guest.u32_at(RESULT), 4);
        assert_eq!(guest.bytes_at(low.0, 4), b"one ");
    }
}

#[test]
fn long_lists_of_buffers_work() {
    let (mut guest, _directory) = with_directory();
    let fd = guest.open("file", oflags::CREATE).unwrap();
    let buffers: Vec<_> = (0..100u8).map(|number| guest.put(&[number])).collect();
    let (array, count) = guest.vectors(&buffers);
    let context = guest.context.clone();
    context
        .fd_write(&mut guest.memory(), fd, array, count, RESULT)
        .unwrap();
    assert_eq!(guest.u32_at(RESULT), 100);

    let mut targets: Vec<_> = (0..100).map(|_| guest.room(1)).collect();
    targets.reverse();
    let (array, count) = guest.vectors(&targets);
    context
        .fd_pread(&mut guest.memory(), fd, array, count, 0, RESULT)
        .unwrap();
    assert_eq!(guest.u32_at(RESULT), 100);
    for (number, target) in (0..100u8).zip(targets) {
        assert_eq!(guest.bytes[target.0 as usize], number);
    }
}

#[test]
fn positioned_writes_leave_the_position_alone() {
    let (mut guest, _directory) = with_directory();
    let fd = guest.open("file", oflags::CREATE).unwrap();
    guest.write(fd, b"aaaa").unwrap();
    let buffer = guest.put(b"bb");
    let (array, count) = guest.vectors(&[buffer]);
    let context = guest.context.clone();
    context
        .fd_pwrite(&mut guest.memory(), fd, array, count, 1, RESULT)
        .unwrap();
    assert_eq!(guest.seek(fd, 0, CURRENT), Ok(4));
    guest.seek(fd, 0, SET).unwrap();
    assert_eq!(guest.read(fd, 10).unwrap(), b"abba");
    let negative = context.fd_pwrite(&mut guest.memory(), fd, array, count, u64::MAX, RESULT);
    assert_eq!(negative, Err(Errno::Invalid));
}

#[test]
fn append_mode_writes_at_the_end() {
    let (mut guest, directory) = with_directory();
    std::fs::write(directory.path().join("file"), "start").unwrap();
    let fd = guest
        .open_with(3, "file", true, 0, Rights::FILE, Rights::NONE, APPEND)
        .unwrap();
    assert_eq!(guest.fdstat(fd).unwrap().1, APPEND as u16);
    guest.write(fd, b"+1").unwrap();
    guest.seek(fd, 0, SET).unwrap();
    guest.write(fd, b"+2").unwrap();
    assert_eq!(
        std::fs::read(directory.path().join("file")).unwrap(),
        b"start+1+2"
    );

    guest.context.fd_fdstat_set_flags(fd, 0).unwrap();
    guest.seek(fd, 0, SET).unwrap();
    guest.write(fd, b"S").unwrap();
    assert_eq!(
        std::fs::read(directory.path().join("file")).unwrap(),
        b"Start+1+2"
    );
    assert_eq!(
        guest.context.fd_fdstat_set_flags(fd, fdflags::SYNC),
        Err(Errno::Invalid)
    );
    assert_eq!(
        guest.context.fd_fdstat_set_flags(fd, 1 << 9),
        Err(Errno::Invalid)
    );

    let flags = oflags::CREATE | oflags::TRUNCATE;
    let fd = guest
        .open_with(3, "file", true, flags, Rights::FILE, Rights::NONE, APPEND)
        .unwrap();
    guest.write(fd, b"new").unwrap();
    assert_eq!(
        std::fs::read(directory.path().join("file")).unwrap(),
        b"new"
    );
}

#[test]
fn synchronous_flags_are_kept() {
    let (mut guest, _directory) = with_directory();
    let flags = fdflags::SYNC | fdflags::DATA_SYNC | fdflags::READ_SYNC | fdflags::NONBLOCK;
    let (rights, create) = (Rights::FILE, oflags::CREATE);
    let fd = guest
        .open_with(3, "file", true, create, rights, Rights::NONE, flags)
        .unwrap();
    assert_eq!(u32::from(guest.fdstat(fd).unwrap().1), flags);
    guest
        .context
        .fd_fdstat_set_flags(fd, fdflags::SYNC | APPEND)
        .unwrap();
    guest.write(fd, b"x").unwrap();
    guest.context.fd_sync(fd).unwrap();
    guest.context.fd_datasync(fd).unwrap();
}

#[test]
fn opening_flags_mean_what_they_say() {
    let (mut guest, directory) = with_directory();
    assert_eq!(guest.open("file", 0), Err(Errno::NoEntry));
    assert_eq!(guest.open("", 0), Err(Errno::NoEntry));
    guest.create("file");
    assert_eq!(
        guest.open("file", oflags::CREATE | oflags::EXCLUSIVE),
        Err(Errno::Exists)
    );
    let both = oflags::CREATE | oflags::DIRECTORY;
    assert_eq!(guest.open("new", both), Err(Errno::Invalid));
    assert_eq!(guest.open("file", 1 << 7), Err(Errno::Invalid));
    std::fs::write(directory.path().join("file"), "12345").unwrap();
    guest.open("file", oflags::TRUNCATE).unwrap();
    assert_eq!(
        std::fs::metadata(directory.path().join("file"))
            .unwrap()
            .len(),
        0
    );

    guest.mkdir("dir").unwrap();
    assert_eq!(guest.open("dir", 0), Err(Errno::IsDirectory));
    assert_eq!(guest.open("dir", oflags::CREATE), Err(Errno::IsDirectory));
    assert_eq!(guest.open_directory("file"), Err(Errno::NotDirectory));
    assert_eq!(
        guest.open("file", oflags::DIRECTORY),
        Err(Errno::NotDirectory)
    );
    let read = Rights::FD_READ;
    let opened = guest
        .open_with(3, "dir", true, 0, read, Rights::NONE, 0)
        .unwrap();
    assert_eq!(guest.fdstat(opened).unwrap().0, 3);
    let file = guest.open("file", 0).unwrap();
    assert_eq!(
        guest.open_with(file, "x", true, 0, read, Rights::NONE, 0),
        Err(Errno::NotDirectory)
    );
    assert_eq!(
        guest.open_with(99, "x", true, 0, read, Rights::NONE, 0),
        Err(Errno::BadDescriptor)
    );
}

#[test]
fn a_read_only_file_opens_with_create() {
    use std::os::unix::fs::PermissionsExt;
    let (mut guest, directory) = with_directory();
    let path = directory.path().join("file");
    std::fs::write(&path, "fixed").unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o444)).unwrap();
    let (rights, create) = (Rights::FD_READ, oflags::CREATE);
    let fd = guest
        .open_with(3, "file", true, create, rights, Rights::NONE, 0)
        .unwrap();
    assert_eq!(guest.read(fd, 10).unwrap(), b"fixed");
    let fd = guest
        .open_with(3, "new", true, create, rights, Rights::NONE, 0)
        .unwrap();
    assert_eq!(guest.read(fd, 10).unwrap(), b"");
}

#[test]
fn sizes_and_places_can_be_set() {
    let (mut guest, directory) = with_directory();
    let fd = guest.open("file", oflags::CREATE).unwrap();
    guest.context.fd_filestat_set_size(fd, 100).unwrap();
    assert_eq!(
        std::fs::metadata(directory.path().join("file"))
            .unwrap()
            .len(),
        100
    );
    guest.context.fd_filestat_set_size(fd, 10).unwrap();
    guest.context.fd_allocate(fd, 0, 50).unwrap();
    assert_eq!(
        std::fs::metadata(directory.path().join("file"))
            .unwrap()
            .len(),
        50
    );
    for advice in 0..6 {
        guest.context.fd_advise(fd, 0, 0, advice).unwrap();
    }
    assert_eq!(guest.context.fd_advise(fd, 0, 0, 6), Err(Errno::Invalid));
    assert_eq!(
        guest.context.fd_advise(3, 0, 0, 0),
        Err(Errno::BadDescriptor)
    );
    assert_eq!(
        guest.context.fd_allocate(3, 0, 1),
        Err(Errno::BadDescriptor)
    );
    assert_eq!(
        guest.context.fd_filestat_set_size(3, 1),
        Err(Errno::BadDescriptor)
    );
    assert_eq!(guest.seek(3, 0, CURRENT), Err(Errno::BadDescriptor));
    assert_eq!(guest.read(3, 1), Err(Errno::BadDescriptor));
    assert_eq!(guest.write(3, b"1"), Err(Errno::BadDescriptor));
}

#[test]
fn attributes_have_the_layout_of_their_snapshot() {
    let (mut guest, _directory) = with_directory();
    let fd = guest.open("file", oflags::CREATE).unwrap();
    guest.write(fd, b"12345").unwrap();
    let times = fstflags::ACCESS | fstflags::MODIFIED;
    guest
        .context
        .fd_filestat_set_times(fd, 1_500_000_007, 2_000_000_009, times)
        .unwrap();
    let stat = guest.stat("file", true).unwrap();
    assert_eq!(guest.bytes[stat as usize + 16], 4);
    assert_eq!(guest.u64_at(stat + 24), 1);
    assert_eq!(guest.u64_at(stat + 32), 5);
    assert_eq!(guest.u64_at(stat + 40), 1_500_000_007);
    assert_eq!(guest.u64_at(stat + 48), 2_000_000_009);
    let inode = guest.u64_at(stat + 8);

    let (old, _) = guest.room(64);
    guest.bytes[old as usize + 56..][..8].fill(0xaa);
    let context = guest.context.clone();
    context
        .fd_filestat_get(&mut guest.memory(), Abi::Preview0, fd, old)
        .unwrap();
    assert_eq!(guest.u64_at(old + 8), inode);
    assert_eq!(guest.bytes[old as usize + 16], 4);
    assert_eq!(guest.u32_at(old + 20), 1);
    assert_eq!(guest.u64_at(old + 24), 5);
    assert_eq!(guest.u64_at(old + 32), 1_500_000_007);
    assert_eq!(guest.u64_at(old + 40), 2_000_000_009);
    assert_eq!(
        guest.bytes_at(old + 56, 8),
        [0xaa; 8],
        "the record is 56 bytes"
    );
}

#[test]
fn times_can_be_set_by_path() {
    let (mut guest, _directory) = with_directory();
    guest.create("file");
    guest.symlink("file", "link").unwrap();
    let (path, context) = (guest.put(b"link"), guest.context.clone());
    let mut set = |follow, modified, flags| {
        let memory = &mut guest.memory();
        context.path_filestat_set_times(memory, 3, follow, path.0, path.1, 0, modified, flags)
    };
    set(1, 7_000_000_000, fstflags::MODIFIED).unwrap();
    set(0, 9_000_000_000, fstflags::MODIFIED).unwrap();
    let both = fstflags::MODIFIED | fstflags::MODIFIED_NOW;
    assert_eq!(set(1, 0, both), Err(Errno::Invalid));
    assert_eq!(set(1, 0, 1 << 4), Err(Errno::Invalid));
    let stat = guest.stat("file", true).unwrap();
    assert_eq!(guest.u64_at(stat + 48), 7_000_000_000);
    let stat = guest.stat("link", false).unwrap();
    assert_eq!(guest.u64_at(stat + 48), 9_000_000_000);
    assert_eq!(guest.bytes[stat as usize + 16], 7);
}

#[test]
fn renumbering_replaces_and_closes() {
    let (mut guest, _directory) = with_directory();
    let (one, two) = (
        guest.open("one", oflags::CREATE).unwrap(),
        guest.open("two", oflags::CREATE).unwrap(),
    );
    guest.write(one, b"1").unwrap();
    assert_eq!(
        guest.context.fd_renumber(one, 77),
        Err(Errno::BadDescriptor)
    );
    assert_eq!(
        guest.context.fd_renumber(77, one),
        Err(Errno::BadDescriptor)
    );
    guest.context.fd_renumber(one, one).unwrap();
    guest.context.fd_renumber(one, two).unwrap();
    assert_eq!(guest.write(one, b"x"), Err(Errno::BadDescriptor));
    assert_eq!(guest.seek(two, 0, CURRENT), Ok(1));
    // The lowest free number is the next.
    assert_eq!(guest.open("three", oflags::CREATE), Ok(one));
    guest.context.fd_renumber(two, 1).unwrap();
    assert_eq!(guest.write(1, b"2"), Ok(1));
    guest.context.fd_close(1).unwrap();
    assert_eq!(guest.context.fd_close(1), Err(Errno::BadDescriptor));
}

#[test]
fn descriptors_are_limited() {
    let directory = tempfile::tempdir().unwrap();
    let builder = precast_wasi::WasiContext::builder()
        .max_descriptors(6)
        .preopen_dir(directory.path(), ".")
        .unwrap();
    let mut guest = common::Guest::new(builder);
    assert_eq!(guest.open("a", oflags::CREATE), Ok(4));
    assert_eq!(guest.open("b", oflags::CREATE), Ok(5));
    assert_eq!(
        guest.open("c", oflags::CREATE),
        Err(Errno::TooManyDescriptors)
    );
    assert!(
        !directory.path().join("c").exists(),
        "what cannot be held is not created"
    );
    guest.context.fd_close(4).unwrap();
    assert_eq!(guest.open("c", oflags::CREATE), Ok(4));
}
