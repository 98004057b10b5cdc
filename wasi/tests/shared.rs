//! All that guests do, done once more by guests whose memory several threads could share: bytes are
//! copied in and out, and nothing else is different.
#![allow(
    clippy::duplicate_mod,
    reason = "each file of tests has what they share; here they are together"
)]

#[path = "common/mod.rs"]
mod common;
#[path = "directories.rs"]
mod directories;
#[path = "faults.rs"]
mod faults;
#[path = "files.rs"]
mod files;
#[path = "paths.rs"]
mod paths;
#[path = "polling.rs"]
mod polling;
#[path = "process.rs"]
mod process;
#[path = "rights.rs"]
mod rights;
#[path = "threads.rs"]
mod threads;

use common::recorder::{Recorder, Request};
use common::{Guest, RESULT};
use precast_wasi::{Input, Output, OutputBuffer, WasiContext};

#[test]
fn copies_are_as_long_as_there_is_memory_for_and_go_again() {
    let input: Vec<u8> = (0..40_000u32).map(|number| number as u8).collect();
    let recorder = Recorder::default();
    let output = OutputBuffer::new(100_000);
    let builder = WasiContext::builder()
        .stdin(Input::Bytes(input.clone()))
        .stdout(Output::Buffer(output.clone()));
    let mut guest = Guest::new_in(&recorder.runtime(), builder);
    let context = guest.context.clone();
    let buffer = guest.room(10_000);
    let (array, count) = guest.vectors(&[buffer]);
    let mut done = 0;
    for (granted, moved) in [(0, 4096), (1, 10_000)] {
        recorder.take();
        recorder.grant(granted);
        let memory = &mut guest.memory();
        context.fd_read(memory, 0, array, count, RESULT).unwrap();
        let requests = recorder.take();
        let [Request::New(layout)] = requests[..] else {
            panic!("{requests:?}");
        };
        assert_eq!(layout.size(), 10_000);
        assert_eq!(guest.u32_at(RESULT), moved);
        let expected = &input[done..done + moved as usize];
        assert_eq!(guest.bytes_at(buffer.0, moved), expected);
        done += moved as usize;
        recorder.grant(granted);
        let memory = &mut guest.memory();
        context.fd_write(memory, 1, array, count, RESULT).unwrap();
        assert_eq!(guest.u32_at(RESULT), moved);
        assert_eq!(output.take(), expected);
    }
    // Little is copied on the stack.
    let buffer = guest.room(4096);
    let (array, count) = guest.vectors(&[buffer]);
    recorder.take();
    let memory = &mut guest.memory();
    context.fd_read(memory, 0, array, count, RESULT).unwrap();
    assert_eq!(recorder.take(), []);
}

#[test]
fn copies_have_a_bound() {
    let recorder = Recorder::default();
    let builder = WasiContext::builder().stdin(Input::Bytes(vec![3; 200_000]));
    let mut guest = Guest::new_in(&recorder.runtime(), builder);
    let context = guest.context.clone();
    let (buffer, _) = guest.room(40_000);
    // Buffers may overlap; what is read last stays.
    let (array, count) = guest.vectors(&[(buffer, 40_000); 4]);
    recorder.take();
    let memory = &mut guest.memory();
    context.fd_read(memory, 0, array, count, RESULT).unwrap();
    assert_eq!(guest.u32_at(RESULT), 65_536);
    assert_eq!(recorder.take().len(), 1);
    assert_eq!(guest.bytes_at(buffer, 40_000), [3; 40_000]);
}
