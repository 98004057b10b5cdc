//! Rights: what a descriptor lacks it refuses, and rights never grow.

mod common;

use common::{APPEND, Guest, RESULT, with_directory};
use precast_wasi::types::{fdflags, oflags};
use precast_wasi::{Abi, Errno, Rights, WasiContext};

#[test]
fn a_file_has_what_was_asked_for() {
    let (mut guest, _directory) = with_directory();
    guest.create("file");
    let mut open = |rights| {
        guest
            .open_with(3, "file", true, 0, rights, Rights::ALL, 0)
            .unwrap()
    };
    let reader = open(Rights::FD_READ);
    let writer = open(Rights::FD_WRITE);
    let nothing = open(Rights::NONE);
    let all = open(Rights::ALL);
    assert_eq!(
        guest.fdstat(reader).unwrap(),
        (4, 0, Rights::FD_READ, Rights::NONE)
    );
    assert_eq!(
        guest.fdstat(all).unwrap(),
        (4, 0, Rights::FILE, Rights::NONE)
    );
    assert_eq!(guest.write(reader, b"x"), Err(Errno::BadDescriptor));
    assert_eq!(guest.read(writer, 1), Err(Errno::BadDescriptor));
    assert_eq!(guest.read(nothing, 1), Err(Errno::BadDescriptor));
    assert_eq!(guest.write(nothing, b"x"), Err(Errno::BadDescriptor));
    assert_eq!(guest.seek(reader, 0, 0), Err(Errno::NotCapable));
    let context = guest.context.clone();
    assert_eq!(
        context.fd_tell(&mut guest.memory(), reader, RESULT),
        Err(Errno::NotCapable)
    );
    assert_eq!(context.fd_sync(reader), Err(Errno::NotCapable));
    assert_eq!(context.fd_datasync(reader), Err(Errno::NotCapable));
    assert_eq!(context.fd_advise(reader, 0, 0, 0), Err(Errno::NotCapable));
    assert_eq!(context.fd_allocate(reader, 0, 1), Err(Errno::NotCapable));
    assert_eq!(
        context.fd_filestat_set_size(writer, 0),
        Err(Errno::NotCapable)
    );
    assert_eq!(
        context.fd_filestat_set_times(writer, 0, 0, 0),
        Err(Errno::NotCapable)
    );
    assert_eq!(
        context.fd_fdstat_set_flags(writer, APPEND),
        Err(Errno::NotCapable)
    );
    let stat = context.fd_filestat_get(&mut guest.memory(), Abi::Preview1, writer, RESULT);
    assert_eq!(stat, Err(Errno::NotCapable));
}

#[test]
fn telling_is_seeking_without_moving() {
    let (mut guest, _directory) = with_directory();
    guest.create("file");
    let fd = guest
        .open_with(3, "file", true, 0, Rights::FD_TELL, Rights::NONE, 0)
        .unwrap();
    assert_eq!(guest.seek(fd, 0, 1), Ok(0));
    assert_eq!(guest.seek(fd, 1, 1), Err(Errno::NotCapable));
    let fd = guest
        .open_with(3, "file", true, 0, Rights::FD_SEEK, Rights::NONE, 0)
        .unwrap();
    assert_eq!(guest.seek(fd, 5, 0), Ok(5));
    guest
        .context
        .clone()
        .fd_tell(&mut guest.memory(), fd, RESULT)
        .unwrap();
}

#[test]
fn rights_can_be_taken_away_and_not_given() {
    let (mut guest, _directory) = with_directory();
    let fd = guest.open("file", oflags::CREATE).unwrap();
    let context = guest.context.clone();
    context
        .fd_fdstat_set_rights(fd, Rights::FD_READ.bits(), 0)
        .unwrap();
    assert_eq!(guest.fdstat(fd).unwrap().2, Rights::FD_READ);
    let grown = (Rights::FD_READ | Rights::FD_WRITE).bits();
    assert_eq!(
        context.fd_fdstat_set_rights(fd, grown, 0),
        Err(Errno::NotCapable)
    );
    let inheriting = Rights::FD_READ.bits();
    let grown = context.fd_fdstat_set_rights(fd, 0, inheriting);
    assert_eq!(grown, Err(Errno::NotCapable));
    assert_eq!(
        context.fd_fdstat_set_rights(fd, 1 << 40, 0),
        Err(Errno::NotCapable)
    );
    assert_eq!(
        context.fd_fdstat_set_rights(99, 0, 0),
        Err(Errno::BadDescriptor)
    );
}

#[test]
fn a_directory_hands_down_what_it_may() {
    let (mut guest, _directory) = with_directory();
    guest.mkdir("dir").unwrap();
    guest.create("dir/file");
    let inheriting = Rights::FD_READ | Rights::FD_SEEK | Rights::PATH_OPEN | Rights::FD_READDIR;
    let rights = Rights::PATH_OPEN | Rights::FD_READDIR;
    let dir = guest
        .open_with(3, "dir", true, oflags::DIRECTORY, rights, inheriting, 0)
        .unwrap();
    assert_eq!(guest.fdstat(dir).unwrap(), (3, 0, rights, inheriting));
    let file = guest
        .open_with(dir, "file", true, 0, Rights::FD_READ, Rights::NONE, 0)
        .unwrap();
    assert_eq!(guest.fdstat(file).unwrap().2, Rights::FD_READ);
    let wanted = Rights::FD_READ | Rights::FD_SYNC | Rights::FD_SEEK;
    let file = guest
        .open_with(dir, "file", true, 0, wanted, Rights::NONE, 0)
        .unwrap();
    assert_eq!(
        guest.fdstat(file).unwrap().2,
        Rights::FD_READ | Rights::FD_SEEK
    );
    let denied = Err(Errno::NotPermitted);
    let (none, read) = (Rights::NONE, Rights::FD_READ);
    assert_eq!(
        guest.open_with(dir, "file", true, 0, Rights::FD_WRITE, none, 0),
        denied
    );
    assert_eq!(
        guest.open_with(dir, "new", true, oflags::CREATE, read, none, 0),
        denied
    );
    assert_eq!(
        guest.open_with(dir, "file", true, oflags::TRUNCATE, read, none, 0),
        denied
    );
    assert_eq!(
        guest.open_with(dir, "file", true, 0, read, none, fdflags::SYNC),
        denied
    );
    let below = guest.open_with(
        dir,
        ".",
        true,
        0,
        Rights::ALL.without(Rights::FD_WRITE),
        Rights::ALL,
        0,
    );
    assert_eq!(
        guest.fdstat(below.unwrap()).unwrap(),
        (3, 0, rights, inheriting)
    );
    let path = WasiContext::path_create_directory;
    assert_eq!(guest.on_path(path, dir, "x"), Err(Errno::NotCapable));

    let none = guest
        .open_with(3, "dir", true, 0, Rights::NONE, Rights::NONE, 0)
        .unwrap();
    let opened = guest.open_with(none, "file", true, 0, Rights::NONE, Rights::NONE, 0);
    assert_eq!(opened, Err(Errno::NotCapable));
}

#[test]
fn a_read_only_directory_stays_as_it_is() {
    let directory = tempfile::tempdir().unwrap();
    std::fs::write(directory.path().join("file"), "contents").unwrap();
    let (rights, inheriting) = (Rights::READ_ONLY, Rights::READ_ONLY);
    let builder = WasiContext::builder()
        .preopen_dir_with_rights(directory.path(), "/", rights, inheriting)
        .unwrap();
    let mut guest = Guest::new(builder);
    let fd = guest.open_with(
        3,
        "file",
        true,
        0,
        Rights::ALL.without(Rights::FD_WRITE),
        Rights::ALL,
        0,
    );
    assert_eq!(guest.read(fd.unwrap(), 100).unwrap(), b"contents");
    assert_eq!(guest.open("file", 0), Err(Errno::NotPermitted));
    assert_eq!(guest.open("new", oflags::CREATE), Err(Errno::NotPermitted));
    assert_eq!(guest.mkdir("dir"), Err(Errno::NotCapable));
    assert_eq!(guest.rmdir("dir"), Err(Errno::NotCapable));
    assert_eq!(guest.unlink("file"), Err(Errno::NotCapable));
    assert_eq!(guest.rename("file", "new"), Err(Errno::NotCapable));
    assert_eq!(guest.link(0, "file", "new"), Err(Errno::NotCapable));
    assert_eq!(guest.symlink("file", "new"), Err(Errno::NotCapable));
    guest.stat("file", true).unwrap();
}
