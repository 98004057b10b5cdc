//! Paths: names, links, directories, and the walls around a preopened directory.

mod common;

use common::{Guest, RESULT, with_directory};
use precast_wasi::types::oflags;
use precast_wasi::{Errno, Rights, WasiContext};

#[test]
fn no_path_leads_out_of_the_directory() {
    let outside = tempfile::tempdir().unwrap();
    std::fs::write(outside.path().join("secret"), "secret").unwrap();
    std::fs::create_dir(outside.path().join("inside")).unwrap();
    let inside = outside.path().join("inside");
    std::os::unix::fs::symlink("../secret", inside.join("relative")).unwrap();
    std::os::unix::fs::symlink(outside.path().join("secret"), inside.join("absolute")).unwrap();
    std::os::unix::fs::symlink("..", inside.join("up")).unwrap();
    std::os::unix::fs::symlink("/", inside.join("root")).unwrap();
    let builder = WasiContext::builder().preopen_dir(&inside, "/").unwrap();
    let mut guest = Guest::new(builder);
    guest.mkdir("dir").unwrap();
    let host = outside.path().join("secret");
    let escapes = [
        "../secret",
        "dir/../../secret",
        "./../secret",
        host.to_str().unwrap(),
        "/etc/passwd",
        "/",
        "..",
        "dir/../..",
        "relative",
        "absolute",
        "up/secret",
        "root/etc/passwd",
        "root",
        "up",
    ];
    for path in escapes {
        let read = Rights::FD_READ;
        let opened = guest.open_with(3, path, true, 0, read, Rights::NONE, 0);
        assert_eq!(opened, Err(Errno::NotPermitted), "opening {path}");
        assert_eq!(
            guest.stat(path, true),
            Err(Errno::NotPermitted),
            "looking at {path}"
        );
    }
    // A last component that is a link is a name inside; everything else is not.
    for path in &escapes[..8] {
        assert_eq!(
            guest.mkdir(path),
            Err(Errno::NotPermitted),
            "creating {path}"
        );
        assert!(guest.rmdir(path).is_err(), "{path}");
        assert!(guest.unlink(path).is_err(), "{path}");
        assert!(guest.rename(path, "name").is_err(), "{path}");
        assert!(guest.rename("dir", path).is_err(), "{path}");
        assert!(guest.link(0, path, "name").is_err(), "{path}");
        assert!(guest.symlink("dir", path).is_err(), "{path}");
        assert!(guest.readlink(path, 100).is_err(), "{path}");
    }
    assert_eq!(guest.symlink("/etc", "link"), Err(Errno::NotPermitted));
    // A relative link may be made and points out; following it still fails.
    let made = guest.symlink("../secret", "made");
    if made.is_ok() {
        assert_eq!(guest.open("made", 0), Err(Errno::NotPermitted));
    }
    for name in ["up", "relative", "absolute", "root"] {
        guest.unlink(name).unwrap();
    }
    assert_eq!(
        std::fs::read(outside.path().join("secret")).unwrap(),
        b"secret"
    );
}

#[test]
fn interesting_paths_are_fine() {
    let (mut guest, _directory) = with_directory();
    guest.mkdir("dir").unwrap();
    guest.mkdir("dir/nested").unwrap();
    guest.create("dir/nested/file");
    let path = "dir/.//nested/../../dir/nested/../nested///./file";
    guest.open(path, 0).unwrap();
    assert_eq!(guest.open("dir/nested/file\0", 0), Err(Errno::Invalid));
    assert_eq!(guest.open("dir/nested/file/", 0), Err(Errno::NotDirectory));
    assert_eq!(
        guest.open("dir/nested/file///", 0),
        Err(Errno::NotDirectory)
    );
    guest.open_directory("dir/nested/").unwrap();
    guest.open_directory("dir/nested///").unwrap();
    guest.open_directory(".").unwrap();
    let context = guest.context.clone();
    let (pointer, length) = guest.put(&[b'a', 0xff]);
    let made = context.path_create_directory(&mut guest.memory(), 3, pointer, length);
    assert_eq!(made, Err(Errno::IllegalSequence));
}

#[test]
fn directories_are_made_and_removed() {
    let (mut guest, directory) = with_directory();
    guest.mkdir("dir").unwrap();
    assert!(directory.path().join("dir").is_dir());
    assert_eq!(guest.mkdir("dir"), Err(Errno::Exists));
    guest.create("dir/file");
    assert_eq!(guest.rmdir("dir"), Err(Errno::NotEmpty));
    assert_eq!(guest.rmdir("dir/file"), Err(Errno::NotDirectory));
    assert_eq!(guest.unlink("dir"), Err(Errno::IsDirectory));
    assert_eq!(guest.unlink("dir/"), Err(Errno::IsDirectory));
    assert_eq!(guest.unlink("dir/file/"), Err(Errno::NotDirectory));
    guest.unlink("dir/file").unwrap();
    guest.rmdir("dir/").unwrap();
    assert_eq!(guest.rmdir("dir"), Err(Errno::NoEntry));
    guest.mkdir("slash/").unwrap();
    assert!(directory.path().join("slash").is_dir());
}

#[test]
fn a_pipe_is_not_waited_for_as_a_directory() {
    let (mut guest, directory) = with_directory();
    let made = std::process::Command::new("mkfifo")
        .arg(directory.path().join("pipe"))
        .status();
    assert!(made.unwrap().success());
    assert_eq!(guest.open_directory("pipe"), Err(Errno::NotDirectory));
}

#[test]
fn names_are_moved() {
    let (mut guest, directory) = with_directory();
    let root = directory.path();
    guest.mkdir("source").unwrap();
    guest.rename("source", "target").unwrap();
    assert!(!root.join("source").exists() && root.join("target").is_dir());
    guest.mkdir("empty").unwrap();
    guest.rename("target", "empty").unwrap();
    guest.mkdir("full").unwrap();
    guest.create("full/file");
    assert_eq!(guest.rename("empty", "full"), Err(Errno::NotEmpty));
    assert_eq!(guest.rename("empty", "full/file"), Err(Errno::NotDirectory));
    assert_eq!(guest.rename("full/file", "empty"), Err(Errno::IsDirectory));
    std::fs::write(root.join("a"), "a").unwrap();
    std::fs::write(root.join("b"), "b").unwrap();
    guest.rename("a", "b").unwrap();
    assert_eq!(std::fs::read(root.join("b")).unwrap(), b"a");
    assert_eq!(guest.rename("a", "b"), Err(Errno::NoEntry));
    assert_eq!(guest.rename("b", "b/"), Err(Errno::NotDirectory));
    guest.rename("full/", "moved/").unwrap();
    assert!(root.join("moved/file").exists());
}

#[test]
fn hard_links_share_the_file() {
    let (mut guest, directory) = with_directory();
    guest.create("file");
    guest.link(0, "file", "link").unwrap();
    let stat = guest.stat("file", false).unwrap();
    assert_eq!(guest.u64_at(stat + 24), 2);
    assert_eq!(guest.link(0, "file", "link"), Err(Errno::Exists));
    assert_eq!(guest.link(0, "file", "file"), Err(Errno::Exists));
    assert_eq!(guest.link(0, "file", "new/"), Err(Errno::NoEntry));
    assert_eq!(guest.link(1, "file", "new"), Err(Errno::Invalid));
    guest.mkdir("dir").unwrap();
    assert_eq!(guest.link(0, "dir", "new"), Err(Errno::NotPermitted));
    guest.symlink("nowhere", "dangling").unwrap();
    guest.link(0, "dangling", "second").unwrap();
    assert!(directory.path().join("second").is_symlink());
}

#[test]
fn symbolic_links_are_made_read_and_followed() {
    let (mut guest, directory) = with_directory();
    std::fs::write(directory.path().join("file"), "contents").unwrap();
    guest.symlink("file", "link").unwrap();
    assert_eq!(guest.readlink("link", 100).unwrap(), b"file");
    assert_eq!(
        guest.readlink("link", 2).unwrap(),
        b"fi",
        "cut off without an error"
    );
    assert_eq!(guest.readlink("file", 100), Err(Errno::Invalid));
    assert_eq!(guest.readlink("none", 100), Err(Errno::NoEntry));
    let fd = guest.open("link", 0).unwrap();
    assert_eq!(guest.read(fd, 100).unwrap(), b"contents");
    let rights = Rights::FD_READ;
    let no_follow = guest.open_with(3, "link", false, 0, rights, Rights::NONE, 0);
    assert_eq!(no_follow, Err(Errno::Loop));
    assert_eq!(guest.symlink("x", "link"), Err(Errno::Exists));
    assert_eq!(guest.symlink("x", "new/"), Err(Errno::NoEntry));

    guest.mkdir("dir").unwrap();
    assert_eq!(guest.symlink("x", "dir/"), Err(Errno::Exists));
    guest.symlink("dir", "to-dir").unwrap();
    guest.open_directory("to-dir").unwrap();
    let flags = oflags::DIRECTORY;
    let no_follow = guest.open_with(3, "to-dir", false, flags, rights, Rights::NONE, 0);
    assert!(matches!(no_follow, Err(Errno::NotDirectory | Errno::Loop)));

    guest.symlink("loop", "loop").unwrap();
    assert_eq!(guest.open("loop", 0), Err(Errno::Loop));
    let stat = guest.stat("loop", false).unwrap();
    assert_eq!(guest.bytes[stat as usize + 16], 7);
    assert_eq!(guest.stat("loop", true), Err(Errno::Loop));
    guest.symlink("nowhere", "dangling").unwrap();
    assert_eq!(guest.open("dangling", 0), Err(Errno::NoEntry));
}

#[test]
fn preopened_directories_say_their_names() {
    let (one, two) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let builder = WasiContext::builder()
        .preopen_dir(one.path(), "/")
        .unwrap()
        .preopen_dir(two.path(), "sub/dir")
        .unwrap();
    let mut guest = Guest::new(builder);
    let context = guest.context.clone();
    for (fd, name) in [(3, "/"), (4, "sub/dir")] {
        guest.bytes[RESULT as usize] = 0xff;
        context
            .fd_prestat_get(&mut guest.memory(), fd, RESULT)
            .unwrap();
        assert_eq!(guest.u32_at(RESULT), 0, "a directory");
        let length = guest.u32_at(RESULT + 4);
        assert_eq!(length as usize, name.len());
        let (buffer, _) = guest.room(16);
        let memory = &mut guest.memory();
        let short = context.fd_prestat_dir_name(memory, fd, buffer, length - 1);
        assert_eq!(short, Err(Errno::NameTooLong));
        context
            .fd_prestat_dir_name(memory, fd, buffer, length + 1)
            .unwrap();
        assert_eq!(guest.bytes_at(buffer, length), name.as_bytes());
        assert_eq!(guest.bytes[(buffer + length) as usize], 0);
    }
    for fd in [0, 1, 2, 5, 1000, u32::MAX] {
        let prestat = context.fd_prestat_get(&mut guest.memory(), fd, RESULT);
        assert_eq!(prestat, Err(Errno::BadDescriptor));
    }
    let name = context.fd_prestat_dir_name(&mut guest.memory(), 1, RESULT, 10);
    assert_eq!(name, Err(Errno::NotDirectory));
    let fd = guest.open_directory(".").unwrap();
    let prestat = context.fd_prestat_get(&mut guest.memory(), fd, RESULT);
    assert_eq!(prestat, Err(Errno::BadDescriptor), "opened, not preopened");

    context.fd_close(3).unwrap();
    assert_eq!(guest.mkdir("x"), Err(Errno::BadDescriptor));
    assert!(
        WasiContext::builder()
            .preopen_dir(one.path().join("none"), "/")
            .is_err()
    );
}
