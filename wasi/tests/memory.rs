//! The memory of a context: all of it is the runtime's, it is known in advance, it may run out at any
//! point, and it all comes back.

mod common;

use common::recorder::{Recorder, Request};
use common::{Guest, RESULT};
use precast_loader::{Category, Imports, Usage};
use precast_wasi::types::oflags;
use precast_wasi::{
    Abi, BuildError, Errno, Input, Output, OutputBuffer, Rights, WasiContext, WasiContextBuilder,
};
use std::alloc::Layout;
use std::net::{TcpListener, TcpStream};
use std::path::Path;

/// A builder with a bit of everything: three streams, one listener, two directories.
fn rich(directory: &Path) -> WasiContextBuilder {
    WasiContext::builder()
        .args(["program", "", "argument"])
        .env("NAME", "value")
        .stdin(Input::Bytes(b"what the guest reads".to_vec()))
        .stdout(Output::Buffer(OutputBuffer::new(100)))
        .stderr(Output::Inherit)
        .preopen_tcp_listener(TcpListener::bind("127.0.0.1:0").expect("a listener"))
        .preopen_dir(directory, "/")
        .expect("the directory opens")
        .preopen_dir(directory, "/again")
        .expect("the directory opens")
}

fn builders(directory: &Path) -> Vec<WasiContextBuilder> {
    vec![
        WasiContext::builder(),
        WasiContext::builder().arg("").inherit_stdio(),
        WasiContext::builder().inherit_env(),
        WasiContext::builder().stdin(Input::Bytes(Vec::new())),
        WasiContext::builder().stdin(Input::Bytes(vec![7; 100_000])),
        WasiContext::builder().stdin(Input::Reader(Box::new(std::io::empty()))),
        WasiContext::builder().max_descriptors(3),
        rich(directory),
    ]
}

fn new(requests: impl Iterator<Item = Layout>) -> Vec<Request> {
    requests.map(Request::New).collect()
}

fn bytes(requests: &[Request]) -> usize {
    let size = |request: &Request| match request {
        Request::New(layout) => layout.size(),
        Request::Resized(..) => panic!("building resizes nothing"),
    };
    requests.iter().map(size).sum()
}

#[test]
fn building_asks_for_what_it_says_and_for_nothing_else() {
    let directory = tempfile::tempdir().unwrap();
    for builder in builders(directory.path()) {
        let recorder = Recorder::default();
        let runtime = recorder.runtime();
        let expected = new(builder.requests());
        let context = builder.build(&runtime).unwrap();
        assert_eq!(recorder.take(), expected);
        let usage = runtime.usage(Category::Wasi);
        assert_eq!(usage.current, bytes(&expected));
        assert_eq!(usage.blocks, expected.len());
        drop(context);
        assert_eq!(recorder.take(), []);
        assert_eq!(recorder.wasi(), 0);
        assert_eq!(runtime.usage(Category::Wasi).blocks, 0);
    }
}

#[test]
fn a_context_is_a_few_blocks() {
    let blocks = |builder: WasiContextBuilder| builder.requests().count();
    // Three streams, their table and the state.
    assert_eq!(blocks(WasiContext::builder()), 5);
    // All text is one more, however much there is of it.
    let arguments = (0..100).map(|number| number.to_string());
    let builder = WasiContext::builder().args(arguments).env("A", "b");
    assert_eq!(blocks(builder), 6);
    let directory = tempfile::tempdir().unwrap();
    assert_eq!(blocks(rich(directory.path())), 9);
}

#[test]
fn descriptors_that_are_opened_take_what_is_said() {
    let directory = tempfile::tempdir().unwrap();
    let recorder = Recorder::default();
    let runtime = recorder.runtime();
    let builder = WasiContext::builder()
        .preopen_dir(directory.path(), "/")
        .unwrap()
        .max_descriptors(10);
    let first = new(builder.table_request(0).into_iter());
    assert_eq!(new(builder.table_request(4).into_iter()), first);
    let tables: Vec<Layout> = (0..12)
        .map(|open| builder.table_request(open).unwrap())
        .collect();
    let mut guest = Guest::new_in(&runtime, builder);
    recorder.take();
    for open in 5..=10 {
        guest.open("file", oflags::CREATE).unwrap();
        let mut expected = Vec::new();
        let (before, after) = (tables[open - 1], tables[open]);
        if before != after {
            expected.push(Request::Resized(before.size(), after));
        }
        expected.push(Request::New(WasiContextBuilder::descriptor_request()));
        assert_eq!(recorder.take(), expected, "{open}");
    }
    assert_eq!(tables[10], tables[11]);
    // A full table asks for nothing, and what is closed comes back.
    assert_eq!(guest.open("file", 0), Err(Errno::TooManyDescriptors));
    assert_eq!(recorder.take(), []);
    let before = recorder.wasi();
    guest.context.fd_close(9).unwrap();
    let descriptor = WasiContextBuilder::descriptor_request().size();
    assert_eq!(before - recorder.wasi(), descriptor);
    assert_eq!(guest.open("file", 0), Ok(9));
    assert_eq!(recorder.wasi(), before);
}

#[test]
fn everything_is_given_back() {
    let directory = tempfile::tempdir().unwrap();
    let recorder = Recorder::default();
    let runtime = recorder.runtime();
    let mut guest = Guest::new_in(&runtime, rich(directory.path()));
    let mut imports = Imports::new(&runtime);
    guest.context.define_all(&mut imports).unwrap();
    let open = |guest: &mut Guest| {
        guest.open_with(4, "a", true, oflags::CREATE, Rights::FILE, Rights::NONE, 0)
    };
    let kept = open(&mut guest).unwrap();
    let closed = open(&mut guest).unwrap();
    guest.context.fd_close(closed).unwrap();
    guest.context.fd_renumber(kept, 0).unwrap();
    guest.context.fd_close(5).unwrap();
    assert!(recorder.wasi() > 0);
    // The functions hold the context.
    drop(guest);
    assert!(recorder.wasi() > 0);
    drop(imports);
    let Usage {
        current, blocks, ..
    } = runtime.usage(Category::Wasi);
    assert_eq!((current, blocks, recorder.wasi()), (0, 0, 0));
    drop(runtime);
    assert_eq!(recorder.all(), 0);
}

#[test]
fn a_context_outlives_its_runtime() {
    let directory = tempfile::tempdir().unwrap();
    let recorder = Recorder::default();
    let mut guest = Guest::new_in(&recorder.runtime(), rich(directory.path()));
    assert_eq!(guest.read(0, 8).unwrap(), b"what the");
    drop(guest);
    assert_eq!(recorder.all(), 0);
}

#[test]
fn building_without_memory_is_an_error() {
    let directory = tempfile::tempdir().unwrap();
    let count = builders(directory.path()).len();
    for which in 0..count {
        let recorder = Recorder::default();
        let runtime = recorder.runtime();
        for granted in 0.. {
            let builder = builders(directory.path()).swap_remove(which);
            let requests = new(builder.requests());
            recorder.grant(granted);
            let built = builder.build(&runtime);
            assert_eq!(recorder.take(), requests[..requests.len().min(granted + 1)]);
            if granted == requests.len() {
                built.unwrap();
                break;
            }
            let Err(BuildError::OutOfMemory(error)) = built else {
                panic!("{granted} requests suffice");
            };
            assert_eq!(error.category(), Category::Wasi);
            assert_eq!(error.bytes(), bytes(&requests[granted..=granted]));
            assert_eq!(
                (recorder.wasi(), runtime.usage(Category::Wasi).blocks),
                (0, 0)
            );
        }
    }
}

#[test]
fn opening_without_memory_is_an_error_and_changes_nothing() {
    let directory = tempfile::tempdir().unwrap();
    std::fs::write(directory.path().join("full"), "contents").unwrap();
    let recorder = Recorder::default();
    let runtime = recorder.runtime();
    let builder = WasiContext::builder().preopen_dir(directory.path(), "/");
    let mut guest = Guest::new_in(&runtime, builder.unwrap());
    // The table is full: it grows, or else grows by one entry, and then there is the descriptor.
    for (granted, asked) in [(0, 2), (1, 2), (0, 1)] {
        let before = runtime.usage(Category::Wasi).blocks;
        recorder.take();
        recorder.grant(granted);
        assert_eq!(guest.open("new", oflags::CREATE), Err(Errno::NoMemory));
        assert_eq!(recorder.take().len(), asked);
        assert_eq!(runtime.usage(Category::Wasi).blocks, before);
        recorder.grant(0);
        assert_eq!(guest.open("full", oflags::TRUNCATE), Err(Errno::NoMemory));
        assert_eq!(guest.open_directory("."), Err(Errno::NoMemory));
    }
    assert!(!directory.path().join("new").exists());
    let full = std::fs::read(directory.path().join("full")).unwrap();
    assert_eq!(full, b"contents");
    recorder.grant_all();
    assert_eq!(guest.open("new", oflags::CREATE), Ok(4));
}

#[test]
fn a_table_that_cannot_double_grows_by_what_is_needed() {
    let directory = tempfile::tempdir().unwrap();
    let recorder = Recorder::default();
    let builder = WasiContext::builder().preopen_dir(directory.path(), "/");
    let mut guest = Guest::new_in(&recorder.runtime(), builder.unwrap());
    let entry = size_of::<usize>();
    recorder.take();
    recorder.refuse_from(8 * entry);
    assert_eq!(guest.open("new", oflags::CREATE), Err(Errno::NoMemory));
    let requests = recorder.take();
    let sizes = requests.iter().map(|request| match request {
        Request::Resized(old, layout) => (*old, layout.size()),
        Request::New(layout) => (0, layout.size()),
    });
    let descriptor = WasiContextBuilder::descriptor_request().size();
    let expected = [
        (4 * entry, 8 * entry),
        (4 * entry, 5 * entry),
        (0, descriptor),
    ];
    assert!(sizes.eq(expected));
}

#[test]
fn a_connection_waits_until_there_is_memory_for_it() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let recorder = Recorder::default();
    let builder = WasiContext::builder().preopen_tcp_listener(listener);
    let mut guest = Guest::new_in(&recorder.runtime(), builder);
    let context = guest.context.clone();
    let _connection = TcpStream::connect(address).unwrap();
    recorder.grant(1);
    let accepted = context.sock_accept(&mut guest.memory(), 3, 0, RESULT);
    assert_eq!(accepted, Err(Errno::NoMemory));
    recorder.grant_all();
    context
        .sock_accept(&mut guest.memory(), 3, 0, RESULT)
        .unwrap();
    assert_eq!(guest.u32_at(RESULT), 4);
}

#[test]
fn long_lists_of_buffers_are_short_without_memory() {
    let recorder = Recorder::default();
    let output = OutputBuffer::new(100);
    let builder = WasiContext::builder()
        .stdin(Input::Bytes((0..100).collect()))
        .stdout(Output::Buffer(output.clone()));
    let mut guest = Guest::new_in(&recorder.runtime(), builder);
    let context = guest.context.clone();
    let (from, _) = guest.put(&(0..20).collect::<Vec<u8>>());
    let (to, _) = guest.room(20);
    let pieces = |start: u32| (0..20).map(|index| (start + index, 1)).collect::<Vec<_>>();
    let (sources, count) = guest.vectors(&pieces(from));
    let (targets, _) = guest.vectors(&pieces(to));
    recorder.take();
    let mut next = 0;
    // Reading takes a list of buffers and a list of their places.
    for (granted, written, read) in [(0, 8, 8), (1, 20, 8), (2, 20, 20)] {
        recorder.grant(granted);
        let memory = &mut guest.memory();
        context.fd_write(memory, 1, sources, count, RESULT).unwrap();
        assert_eq!(guest.u32_at(RESULT), written);
        assert_eq!(output.take(), (0..written as u8).collect::<Vec<u8>>());
        recorder.grant(granted);
        let memory = &mut guest.memory();
        context.fd_read(memory, 0, targets, count, RESULT).unwrap();
        assert_eq!(guest.u32_at(RESULT), read);
        let expected: Vec<u8> = (next..next + read as u8).collect();
        assert_eq!(guest.bytes_at(to, read), expected);
        next += read as u8;
    }
    // Short lists ask for nothing.
    recorder.take();
    let memory = &mut guest.memory();
    context.fd_write(memory, 1, sources, 8, RESULT).unwrap();
    context.fd_read(memory, 0, targets, 8, RESULT).unwrap();
    assert_eq!(recorder.take(), []);
}

#[test]
fn waiting_for_much_takes_memory_and_for_little_takes_none() {
    let recorder = Recorder::default();
    let mut guest = Guest::new_in(&recorder.runtime(), WasiContext::builder());
    let context = guest.context.clone();
    // Clocks whose time has come.
    let (subscriptions, _) = guest.room(9 * 48);
    for index in 0..9 {
        guest.bytes[subscriptions as usize + index * 48] = index as u8;
        guest.bytes[subscriptions as usize + index * 48 + 16] = 1;
    }
    let (events, _) = guest.room(9 * 32);
    let mut poll = |count| {
        let memory = &mut guest.memory();
        let polled =
            context.poll_oneoff(memory, Abi::Preview1, subscriptions, events, count, RESULT);
        polled.map(|()| guest.u32_at(RESULT))
    };
    recorder.take();
    recorder.grant(0);
    assert_eq!(poll(8), Ok(8));
    assert_eq!(recorder.take(), []);
    let before = recorder.wasi();
    assert_eq!(poll(9), Err(Errno::NoMemory));
    recorder.grant_all();
    assert_eq!(poll(9), Ok(9));
    assert_eq!(recorder.wasi(), before);
}

#[test]
fn the_functions_capture_a_handle_and_nothing_else() {
    assert_eq!(WasiContext::CAPTURE, Layout::new::<usize>());
}
