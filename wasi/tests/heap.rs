//! The heap of the process: a context keeps nothing in it, and calls that resolve no path take nothing
//! from it either.

mod common;

use common::Guest;
use common::cases::{LISTENER, cases, guest, prepare};
use precast_loader::{Runtime, RuntimeOptions};
use precast_wasi::types::{fdflags, oflags};
use precast_wasi::{Errno, Input, WasiContext};
use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::mem::MaybeUninit;

/// The system's allocator, with a count of what a thread asks for and has out.
struct Counting;

thread_local! {
    static REQUESTS: Cell<usize> = const { Cell::new(0) };
    static BYTES: Cell<isize> = const { Cell::new(0) };
}

// SAFETY: all is passed on to the system's allocator, and counting allocates nothing.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        REQUESTS.set(REQUESTS.get() + 1);
        BYTES.set(BYTES.get() + layout.size() as isize);
        // SAFETY: the caller's promise.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        BYTES.set(BYTES.get() - layout.size() as isize);
        // SAFETY: the caller's promise.
        unsafe { System.dealloc(block, layout) }
    }
}

#[global_allocator]
static HEAP: Counting = Counting;

/// What the work gives, and the requests and bytes that it takes from the heap.
fn heap<T>(work: impl FnOnce() -> T) -> (T, usize, isize) {
    let (requests, bytes) = (REQUESTS.get(), BYTES.get());
    let result = work();
    (result, REQUESTS.get() - requests, BYTES.get() - bytes)
}

/// A runtime that has its memory from no allocator.
fn pool() -> Runtime {
    let region = Box::leak(vec![MaybeUninit::uninit(); 1 << 18].into_boxed_slice());
    Runtime::with_pool(region, RuntimeOptions::default()).expect("a runtime")
}

/// What takes from the heap for the time of the call: cap-std reads links into a buffer of its own.
const TRANSIENT: &[&str] = &["path_readlink"];

#[test]
fn calls_take_nothing_from_the_heap_or_give_it_back() {
    for case in cases() {
        let (mut guest, directory, _peer) = guest(&pool());
        prepare(&case, directory.path());
        let context = guest.context.clone();
        if case.name == "sock_accept" {
            // Nobody waits, which is as good as any other answer.
            context
                .fd_fdstat_set_flags(LISTENER, fdflags::NONBLOCK)
                .unwrap();
        }
        let memory = &mut guest.memory();
        let (_, requests, bytes) = heap(|| (case.call)(&context, memory, &case.arguments));
        assert_eq!(bytes, 0, "{}", case.name);
        // Only Linux resolves a path in one system call, and lists directories as they are.
        if cfg!(target_os = "linux") && !TRANSIENT.contains(&case.name) {
            assert_eq!(requests, 0, "{}", case.name);
        }
    }
}

#[test]
fn a_context_keeps_nothing_on_the_heap() {
    let directory = tempfile::tempdir().unwrap();
    let runtime = pool();
    let (context, requests, bytes) = heap(|| {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let builder = WasiContext::builder()
            .args(["program", "argument"])
            .env("NAME", "value")
            .inherit_stdio()
            .stdin(Input::Bytes(vec![1; 1000]))
            .preopen_tcp_listener(listener)
            .preopen_dir(directory.path(), "/name/of/it")
            .unwrap();
        builder.build(&runtime).unwrap()
    });
    assert!(requests > 0, "the builder collects on the heap");
    assert_eq!(bytes, 0);
    let (_, _, bytes) = heap(|| drop(context));
    assert_eq!(bytes, 0);
}

#[test]
fn open_files_keep_nothing_on_the_heap() {
    let directory = tempfile::tempdir().unwrap();
    std::fs::create_dir_all(directory.path().join("a/b")).unwrap();
    let builder = WasiContext::builder().preopen_dir(directory.path(), "/");
    let mut guest = Guest::new_in(&pool(), builder.unwrap());
    let ((), _, bytes) = heap(|| {
        for number in 4..100 {
            assert_eq!(guest.open("a/b/../file", oflags::CREATE), Ok(number));
        }
        // What cannot be opened is an error of cap-std's, which is on the heap until it is a number.
        assert_eq!(guest.open("../file", 0), Err(Errno::NotPermitted));
    });
    assert_eq!(bytes, 0);
}
