//! Bad pointers: every function, every pointer, every way to be bad.
//!
//! Each call below is good as it stands. One pointer at a time is then moved to the end of the
//! memory and beyond, and each length is made too long: the answer is always `Fault`, and the guest's
//! memory, descriptors and files stay what they were.

mod common;

use common::{Guest, MEMORY};
use precast_wasi::types::{fdflags, oflags};
use precast_wasi::{Abi, Errno, GuestMemory, Rights, WasiContext};

const P0: Abi = Abi::Preview0;
const P1: Abi = Abi::Preview1;

type Call = fn(&WasiContext, &mut GuestMemory<'_>, &[u32]) -> Result<(), Errno>;

/// A function, its good arguments, and which of them are pointers (with their size) or lengths.
struct Case {
    name: &'static str,
    call: Call,
    arguments: Vec<u32>,
    pointers: &'static [(usize, u32)],
    lengths: &'static [usize],
}

const LISTENER: u32 = 3;
const DIRECTORY: u32 = 4;
const CONNECTION: u32 = 5;
const FILE: u32 = 6;

/// Where things are in the guest's memory.
const PATH: u32 = 1024;
const NEW: u32 = 1032;
const VECTORS: u32 = 1040;
const SUBSCRIPTIONS: u32 = 1104;
const BUFFER: u32 = 4096;
const OUT: u32 = 8192;
const OUT_2: u32 = 8200;

fn cases() -> Vec<Case> {
    fn case(
        name: &'static str,
        arguments: &[u32],
        pointers: &'static [(usize, u32)],
        lengths: &'static [usize],
        call: Call,
    ) -> Case {
        Case {
            name,
            call,
            arguments: arguments.to_vec(),
            pointers,
            lengths,
        }
    }
    vec![
        case(
            "args_get",
            &[OUT, BUFFER],
            &[(0, 8), (1, 6)],
            &[],
            |c, m, a| c.args_get(m, a[0], a[1]),
        ),
        case(
            "args_sizes_get",
            &[OUT, OUT_2],
            &[(0, 4), (1, 4)],
            &[],
            |c, m, a| c.args_sizes_get(m, a[0], a[1]),
        ),
        case(
            "environ_get",
            &[OUT, BUFFER],
            &[(0, 4), (1, 4)],
            &[],
            |c, m, a| c.environ_get(m, a[0], a[1]),
        ),
        case(
            "environ_sizes_get",
            &[OUT, OUT_2],
            &[(0, 4), (1, 4)],
            &[],
            |c, m, a| c.environ_sizes_get(m, a[0], a[1]),
        ),
        case("clock_res_get", &[OUT], &[(0, 8)], &[], |c, m, a| {
            c.clock_res_get(m, 1, a[0])
        }),
        case("clock_time_get", &[OUT], &[(0, 8)], &[], |c, m, a| {
            c.clock_time_get(m, 0, 0, a[0])
        }),
        case(
            "random_get",
            &[BUFFER, 100],
            &[(0, 100)],
            &[1],
            |c, m, a| c.random_get(m, a[0], a[1]),
        ),
        case("fd_fdstat_get", &[OUT], &[(0, 24)], &[], |c, m, a| {
            c.fd_fdstat_get(m, DIRECTORY, a[0])
        }),
        case("fd_filestat_get", &[OUT], &[(0, 64)], &[], |c, m, a| {
            c.fd_filestat_get(m, P1, FILE, a[0])
        }),
        case("fd_filestat_get 0", &[OUT], &[(0, 56)], &[], |c, m, a| {
            c.fd_filestat_get(m, P0, FILE, a[0])
        }),
        case("fd_prestat_get", &[OUT], &[(0, 8)], &[], |c, m, a| {
            c.fd_prestat_get(m, DIRECTORY, a[0])
        }),
        case(
            "fd_prestat_dir_name",
            &[OUT, 8],
            &[(0, 8)],
            &[1],
            |c, m, a| c.fd_prestat_dir_name(m, DIRECTORY, a[0], a[1]),
        ),
        case(
            "fd_read",
            &[VECTORS, 2, OUT],
            &[(0, 16), (2, 4)],
            &[1],
            |c, m, a| c.fd_read(m, FILE, a[0], a[1], a[2]),
        ),
        case(
            "fd_pread",
            &[VECTORS, 2, OUT],
            &[(0, 16), (2, 4)],
            &[1],
            |c, m, a| c.fd_pread(m, FILE, a[0], a[1], 0, a[2]),
        ),
        case(
            "fd_write",
            &[VECTORS, 2, OUT],
            &[(0, 16), (2, 4)],
            &[1],
            |c, m, a| c.fd_write(m, FILE, a[0], a[1], a[2]),
        ),
        case(
            "fd_pwrite",
            &[VECTORS, 2, OUT],
            &[(0, 16), (2, 4)],
            &[1],
            |c, m, a| c.fd_pwrite(m, FILE, a[0], a[1], 0, a[2]),
        ),
        case("fd_seek", &[OUT], &[(0, 8)], &[], |c, m, a| {
            c.fd_seek(m, P1, FILE, 1, 1, a[0])
        }),
        case("fd_tell", &[OUT], &[(0, 8)], &[], |c, m, a| {
            c.fd_tell(m, FILE, a[0])
        }),
        case(
            "fd_readdir",
            &[BUFFER, 100, OUT],
            &[(0, 100), (2, 4)],
            &[1],
            |c, m, a| c.fd_readdir(m, DIRECTORY, a[0], a[1], 0, a[2]),
        ),
        case(
            "path_create_directory",
            &[NEW, 3],
            &[(0, 3)],
            &[1],
            |c, m, a| c.path_create_directory(m, DIRECTORY, a[0], a[1]),
        ),
        case(
            "path_remove_directory",
            &[NEW, 3],
            &[(0, 3)],
            &[1],
            |c, m, a| c.path_remove_directory(m, DIRECTORY, a[0], a[1]),
        ),
        case(
            "path_symlink",
            &[PATH, 4, NEW, 3],
            &[(0, 4), (2, 3)],
            &[1, 3],
            |c, m, a| c.path_symlink(m, a[0], a[1], DIRECTORY, a[2], a[3]),
        ),
        case(
            "path_readlink",
            &[NEW, 3, BUFFER, 50, OUT],
            &[(0, 3), (2, 50), (4, 4)],
            &[1, 3],
            |c, m, a| c.path_readlink(m, DIRECTORY, a[0], a[1], a[2], a[3], a[4]),
        ),
        case("path_unlink_file", &[NEW, 3], &[(0, 3)], &[1], |c, m, a| {
            c.path_unlink_file(m, DIRECTORY, a[0], a[1])
        }),
        case(
            "path_link",
            &[PATH, 4, NEW, 3],
            &[(0, 4), (2, 3)],
            &[1, 3],
            |c, m, a| c.path_link(m, DIRECTORY, 0, a[0], a[1], DIRECTORY, a[2], a[3]),
        ),
        case(
            "path_rename",
            &[NEW, 3, PATH, 4],
            &[(0, 3), (2, 4)],
            &[1, 3],
            |c, m, a| c.path_rename(m, DIRECTORY, a[0], a[1], DIRECTORY, a[2], a[3]),
        ),
        case(
            "path_filestat_get",
            &[PATH, 4, OUT],
            &[(0, 4), (2, 64)],
            &[1],
            |c, m, a| c.path_filestat_get(m, P1, DIRECTORY, 1, a[0], a[1], a[2]),
        ),
        case(
            "path_filestat_get 0",
            &[PATH, 4, OUT],
            &[(0, 4), (2, 56)],
            &[1],
            |c, m, a| c.path_filestat_get(m, P0, DIRECTORY, 1, a[0], a[1], a[2]),
        ),
        case(
            "path_filestat_set_times",
            &[PATH, 4],
            &[(0, 4)],
            &[1],
            |c, m, a| c.path_filestat_set_times(m, DIRECTORY, 1, a[0], a[1], 1, 1, 5),
        ),
        case(
            "path_open",
            &[NEW, 3, OUT],
            &[(0, 3), (2, 4)],
            &[1],
            |c, m, a| {
                let flags = (oflags::CREATE | oflags::EXCLUSIVE, fdflags::APPEND);
                c.path_open(
                    m,
                    DIRECTORY,
                    1,
                    a[0],
                    a[1],
                    flags.0,
                    Rights::ALL.bits(),
                    0,
                    flags.1,
                    a[2],
                )
            },
        ),
        case(
            "poll_oneoff",
            &[SUBSCRIPTIONS, BUFFER, 1, OUT],
            &[(0, 48), (1, 32), (3, 4)],
            &[2],
            |c, m, a| c.poll_oneoff(m, P1, a[0], a[1], a[2], a[3]),
        ),
        case("sock_accept", &[OUT], &[(0, 4)], &[], |c, m, a| {
            c.sock_accept(m, LISTENER, 4, a[0])
        }),
        case(
            "sock_send",
            &[VECTORS, 2, OUT],
            &[(0, 16), (2, 4)],
            &[1],
            |c, m, a| c.sock_send(m, CONNECTION, a[0], a[1], 0, a[2]),
        ),
        case(
            "sock_recv",
            &[VECTORS, 2, OUT, OUT_2],
            &[(0, 16), (2, 4), (3, 2)],
            &[1],
            |c, m, a| c.sock_recv(m, CONNECTION, a[0], a[1], 0, a[2], a[3]),
        ),
    ]
}

/// A guest with the descriptors above, and something in each place of its memory.
fn guest() -> (Guest, tempfile::TempDir, std::net::TcpStream) {
    let directory = tempfile::tempdir().unwrap();
    std::fs::write(directory.path().join("file"), "contents of the file").unwrap();
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let mut peer = std::net::TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    std::io::Write::write_all(&mut peer, b"a message of the peer").unwrap();
    let builder = WasiContext::builder()
        .args(["a1", "a2"])
        .env("A", "1")
        .preopen_tcp_listener(listener)
        .preopen_dir(directory.path(), "/name/of")
        .unwrap();
    let mut guest = Guest::new(builder);
    let context = guest.context.clone();
    context
        .sock_accept(&mut guest.memory(), LISTENER, 0, OUT)
        .unwrap();
    assert_eq!(guest.u32_at(OUT), CONNECTION);
    let rights = Rights::FILE;
    let file = guest.open_with(DIRECTORY, "file", true, 0, rights, Rights::NONE, 0);
    assert_eq!(file, Ok(FILE));

    guest.bytes[PATH as usize..][..4].copy_from_slice(b"file");
    guest.bytes[NEW as usize..][..3].copy_from_slice(b"new");
    let vectors = [BUFFER, 8, BUFFER + 8, 8].map(u32::to_le_bytes).concat();
    guest.bytes[VECTORS as usize..][..16].copy_from_slice(&vectors);
    // The subscription is all zeros: the time of day, after no time at all.
    (guest, directory, peer)
}

/// Makes what a case wants to find.
fn prepare(case: &Case, directory: &std::path::Path) {
    let new = directory.join("new");
    match case.name {
        "path_remove_directory" => std::fs::create_dir(new).unwrap(),
        "path_readlink" => std::os::unix::fs::symlink("file", new).unwrap(),
        "path_unlink_file" => std::fs::write(new, "").unwrap(),
        "path_rename" => std::fs::write(new, "").unwrap(),
        _ => {}
    }
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
        let (mut guest, directory, _peer) = guest();
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
        let (mut guest, directory, _peer) = guest();
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
    let (mut guest, directory, _peer) = guest();
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
    let (guest, _directory, _peer) = guest();
    for case in cases() {
        let result = (case.call)(
            &guest.context,
            &mut GuestMemory::new(&mut []),
            &case.arguments,
        );
        assert_eq!(result, Err(Errno::Fault), "{}", case.name);
    }
}
