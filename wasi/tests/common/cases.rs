//! A good call of every function that takes pointers, and a guest for which it is good.

use super::Guest;
use precast_loader::Runtime;
use precast_wasi::types::{fdflags, oflags};
use precast_wasi::{Abi, Errno, GuestMemory, Rights, WasiContext};

const P0: Abi = Abi::Preview0;
const P1: Abi = Abi::Preview1;

/// A call with the arguments as a list.
pub type Call = fn(&WasiContext, &mut GuestMemory<'_>, &[u32]) -> Result<(), Errno>;

/// A function, its good arguments, and which of them are pointers (with their size) or lengths.
pub struct Case {
    pub name: &'static str,
    pub call: Call,
    pub arguments: Vec<u32>,
    pub pointers: &'static [(usize, u32)],
    pub lengths: &'static [usize],
}

pub const LISTENER: u32 = 3;
pub const DIRECTORY: u32 = 4;
pub const CONNECTION: u32 = 5;
pub const FILE: u32 = 6;

/// Where things are in the guest's memory.
pub const PATH: u32 = 1024;
pub const NEW: u32 = 1032;
pub const VECTORS: u32 = 1040;
pub const SUBSCRIPTIONS: u32 = 1104;
pub const BUFFER: u32 = 4096;
pub const OUT: u32 = 8192;
pub const OUT_2: u32 = 8200;

/// All functions with a pointer.
pub fn cases() -> Vec<Case> {
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
pub fn guest(runtime: &Runtime) -> (Guest, tempfile::TempDir, std::net::TcpStream) {
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
    let mut guest = Guest::new_in(runtime, builder);
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
pub fn prepare(case: &Case, directory: &std::path::Path) {
    let new = directory.join("new");
    match case.name {
        "path_remove_directory" => std::fs::create_dir(new).unwrap(),
        "path_readlink" => std::os::unix::fs::symlink("file", new).unwrap(),
        "path_unlink_file" => std::fs::write(new, "").unwrap(),
        "path_rename" => std::fs::write(new, "").unwrap(),
        _ => {}
    }
}
