//! One context, many threads: none waits for another's call, nothing tears, and all waiting ends when
//! the host says so.

mod common;

use common::{Guest, RESULT};
use precast_loader::Runtime;
use precast_wasi::types::{fdflags, oflags, sockets};
use precast_wasi::{Abi, Errno, Input, Output, OutputBuffer, WasiContext, WasiContextBuilder};
use std::io::{Read, Write, pipe};
use std::net::{TcpListener, TcpStream};
use std::sync::Barrier;
use std::thread;
use std::time::{Duration, Instant};

/// Long enough for a thread to begin to wait.
const MOMENT: Duration = Duration::from_millis(30);

/// A guest of its own with the context of another one, as a thread's instance is.
fn guest(context: &WasiContext) -> Guest {
    let mut guest = Guest::new(WasiContext::builder());
    guest.context = context.clone();
    guest
}

fn context(builder: WasiContextBuilder) -> WasiContext {
    let runtime = Runtime::system().expect("a runtime");
    builder.build(&runtime).expect("a context")
}

/// Runs something on another thread, interrupts it when it waits, and gives what it got.
fn interrupted<T: Send>(
    context: &WasiContext,
    work: impl FnOnce(&mut Guest) -> Result<T, Errno> + Send,
) -> Result<T, Errno> {
    context.make_interruptible().unwrap();
    let start = Instant::now();
    let result = thread::scope(|scope| {
        let waiting = scope.spawn(|| work(&mut guest(context)));
        thread::sleep(MOMENT);
        assert!(!waiting.is_finished(), "it does not wait");
        context.interrupt();
        waiting.join().unwrap()
    });
    assert!(start.elapsed() < Duration::from_secs(10));
    context.clear_interrupt();
    result
}

#[test]
fn sleeping_and_polling_end() {
    let (reader, _writer) = pipe().unwrap();
    let context = context(WasiContext::builder().stdin(Input::File(reader.into())));
    for with_descriptor in [false, true] {
        let result = interrupted(&context, |guest| {
            let mut records = vec![0; 48];
            // A monotonic clock, in an hour.
            records[16] = 1;
            records[24..32].copy_from_slice(&3_600_000_000_000u64.to_le_bytes());
            if with_descriptor {
                let mut record = vec![0; 48];
                record[8] = 1;
                records.extend(record);
            }
            let count = records.len() as u32 / 48;
            let (subscriptions, _) = guest.put(&records);
            let (events, _) = guest.room(64);
            let context = guest.context.clone();
            let memory = &mut guest.memory();
            context.poll_oneoff(memory, Abi::Preview1, subscriptions, events, count, RESULT)
        });
        assert_eq!(result, Err(Errno::Interrupted));
    }
}

#[test]
fn reading_what_is_not_there_ends() {
    let (reader, mut writer) = pipe().unwrap();
    let context = context(WasiContext::builder().stdin(Input::File(reader.into())));
    let result = interrupted(&context, |guest| guest.read(0, 10));
    assert_eq!(result, Err(Errno::Interrupted));
    // Until it is cleared, nobody waits; then all is as before.
    context.interrupt();
    assert_eq!(guest(&context).read(0, 10), Err(Errno::Interrupted));
    context.clear_interrupt();
    writer.write_all(b"input").unwrap();
    assert_eq!(guest(&context).read(0, 10).unwrap(), b"input");
    drop(writer);
    assert_eq!(guest(&context).read(0, 10).unwrap(), b"");
}

#[test]
fn writing_to_what_is_full_ends() {
    let (mut reader, writer) = pipe().unwrap();
    let context = context(WasiContext::builder().stdout(Output::File(writer.into())));
    let written = interrupted(&context, |guest| {
        let mut written = 0;
        loop {
            match guest.write(1, &[7; 10_000]) {
                Ok(count) => written += count as usize,
                Err(Errno::Interrupted) => return Ok(written),
                Err(error) => return Err(error),
            }
            guest.forget();
        }
    });
    let mut rest = vec![0; written.unwrap()];
    reader.read_exact(&mut rest).unwrap();
    // There is room again.
    assert_eq!(guest(&context).write(1, &[7; 10_000]), Ok(10_000));
}

#[test]
fn sockets_end() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let context = context(WasiContext::builder().preopen_tcp_listener(listener));
    let accept = |guest: &mut Guest| {
        let context = guest.context.clone();
        let accepted = context.sock_accept(&mut guest.memory(), 3, 0, RESULT);
        accepted.map(|()| guest.u32_at(RESULT))
    };
    assert_eq!(interrupted(&context, accept), Err(Errno::Interrupted));
    let mut peer = TcpStream::connect(address).unwrap();
    assert_eq!(accept(&mut guest(&context)), Ok(4));

    let receive = |guest: &mut Guest, flags: u32| {
        let buffer = guest.room(8);
        let (array, count) = guest.vectors(&[buffer]);
        let context = guest.context.clone();
        let memory = &mut guest.memory();
        let received = context.sock_recv(memory, 4, array, count, flags, RESULT, RESULT + 4);
        received.map(|()| guest.u32_at(RESULT))
    };
    let result = interrupted(&context, |guest| receive(guest, 0));
    assert_eq!(result, Err(Errno::Interrupted));
    // What has come when the waiting for the rest ends is not lost.
    peer.write_all(b"half").unwrap();
    let result = interrupted(&context, |guest| receive(guest, sockets::RECEIVE_WAIT_ALL));
    assert_eq!(result, Ok(4));
    peer.write_all(b"all of i").unwrap();
    assert_eq!(
        receive(&mut guest(&context), sockets::RECEIVE_WAIT_ALL),
        Ok(8)
    );

    // Until the peer's buffers and ours are full.
    let sent = interrupted(&context, |guest| {
        let buffer = guest.put(&[1; 20_000]);
        let (array, count) = guest.vectors(&[buffer]);
        let context = guest.context.clone();
        loop {
            context.sock_send(&mut guest.memory(), 4, array, count, 0, RESULT)?;
        }
    });
    assert_eq!(sent, Err::<(), Errno>(Errno::Interrupted));
}

#[test]
fn opening_a_pipe_ends() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("pipe");
    let made = std::process::Command::new("mkfifo").arg(&path).status();
    assert!(made.unwrap().success());
    let builder = WasiContext::builder().preopen_dir(directory.path(), "/");
    let context = context(builder.unwrap());
    // To write, there has to be a reader.
    let result = interrupted(&context, |guest| guest.open_to_write("pipe"));
    assert_eq!(result, Err(Errno::Interrupted));
    // To read waits for a writer, at the latest when something is read.
    let result = interrupted(&context, |guest| {
        let fd = guest.open_to_read("pipe")?;
        guest.read(fd, 10)
    });
    assert_eq!(result, Err(Errno::Interrupted));
    // Both together meet, and are not told that there is nothing yet.
    let input = thread::scope(|scope| {
        let reader = scope.spawn(|| {
            let mut guest = guest(&context);
            let fd = guest.open_to_read("pipe").unwrap();
            guest.read(fd, 10).unwrap()
        });
        let mut guest = guest(&context);
        let fd = guest.open_to_write("pipe").unwrap();
        thread::sleep(MOMENT);
        guest.write(fd, b"message").unwrap();
        reader.join().unwrap()
    });
    assert_eq!(input, b"message");
}

#[test]
fn whoever_waits_holds_nobody_up() {
    let directory = tempfile::tempdir().unwrap();
    for interruptible in [false, true] {
        let (reader, mut writer) = pipe().unwrap();
        let output = OutputBuffer::new(1000);
        let builder = WasiContext::builder()
            .stdin(Input::File(reader.into()))
            .stdout(Output::Buffer(output.clone()))
            .preopen_dir(directory.path(), "/");
        let context = context(builder.unwrap());
        if interruptible {
            context.make_interruptible().unwrap();
        }
        thread::scope(|scope| {
            let waiting = scope.spawn(|| guest(&context).read(0, 10).unwrap());
            thread::sleep(MOMENT);
            let mut guest = guest(&context);
            guest.write(1, b"output").unwrap();
            let fd = guest.open("file", oflags::CREATE).unwrap();
            guest.write(fd, b"contents").unwrap();
            // To close or replace what somebody reads from is no matter either.
            guest.context.fd_renumber(fd, 0).unwrap();
            guest.context.fd_close(0).unwrap();
            assert!(!waiting.is_finished());
            writer.write_all(b"input").unwrap();
            assert_eq!(waiting.join().unwrap(), b"input");
        });
        assert_eq!(output.take(), b"output");
    }
}

#[test]
fn lines_and_records_stay_whole() {
    const THREADS: u8 = 4;
    const LINES: usize = 200;
    let directory = tempfile::tempdir().unwrap();
    let (mut reader, writer) = pipe().unwrap();
    let builder = WasiContext::builder()
        .stdout(Output::File(writer.into()))
        .preopen_dir(directory.path(), "/");
    let context = context(builder.unwrap());
    context.make_interruptible().unwrap();
    let fd = guest(&context).open("file", oflags::CREATE).unwrap();
    let received = thread::scope(|scope| {
        for number in 0..THREADS {
            let context = &context;
            scope.spawn(move || {
                let mut guest = guest(context);
                let mut line = vec![b'a' + number; 999];
                line.push(b'\n');
                for _ in 0..LINES {
                    // In two parts, as libraries write them.
                    let parts = [guest.put(&line[..500]), guest.put(&line[500..])];
                    let (array, count) = guest.vectors(&parts);
                    let context = guest.context.clone();
                    for fd in [1, fd] {
                        let memory = &mut guest.memory();
                        context.fd_write(memory, fd, array, count, RESULT).unwrap();
                        assert_eq!(guest.u32_at(RESULT), 1000);
                    }
                    guest.forget();
                }
            });
        }
        let mut received = vec![0; usize::from(THREADS) * LINES * 1000];
        reader.read_exact(&mut received).unwrap();
        received
    });
    let file = std::fs::read(directory.path().join("file")).unwrap();
    for text in [received, file] {
        assert_eq!(text.len(), usize::from(THREADS) * LINES * 1000);
        let whole = |line: &[u8]| line[999] == b'\n' && line[..999].iter().all(|it| *it == line[0]);
        assert!(text.chunks(1000).all(whole));
    }
}

#[test]
fn readers_of_one_pipe_share_what_comes() {
    const READERS: usize = 4;
    const BYTES: usize = 20_000;
    for interruptible in [false, true] {
        let (reader, mut writer) = pipe().unwrap();
        let context = context(WasiContext::builder().stdin(Input::File(reader.into())));
        if interruptible {
            context.make_interruptible().unwrap();
        }
        let total: usize = thread::scope(|scope| {
            let read = || {
                let mut guest = guest(&context);
                let mut total = 0;
                loop {
                    match guest.read(0, 7).unwrap().len() {
                        0 => return total,
                        count => total += count,
                    }
                    guest.forget();
                }
            };
            let readers: Vec<_> = (0..READERS).map(|_| scope.spawn(read)).collect();
            for piece in [1; BYTES].chunks(13) {
                writer.write_all(piece).unwrap();
            }
            drop(writer);
            readers.into_iter().map(|it| it.join().unwrap()).sum()
        });
        assert_eq!(total, BYTES);
    }
}

#[test]
fn the_table_stands_threads_that_open_close_and_renumber() {
    const THREADS: usize = 4;
    let directory = tempfile::tempdir().unwrap();
    let builder = WasiContext::builder().preopen_dir(directory.path(), "/");
    let runtime = Runtime::system().unwrap();
    let context = builder
        .unwrap()
        .max_descriptors(12)
        .build(&runtime)
        .unwrap();
    let barrier = Barrier::new(THREADS);
    thread::scope(|scope| {
        for number in 0..THREADS {
            let (context, barrier) = (&context, &barrier);
            scope.spawn(move || {
                let mut guest = guest(context);
                barrier.wait();
                for round in 0..300u32 {
                    let name = format!("file {}", (number as u32 + round) % 3);
                    match guest.open(&name, oflags::CREATE) {
                        Ok(fd) => {
                            // Somebody else may have closed or replaced it by now.
                            let _ = guest.write(fd, b"x");
                            let _ = guest.context.fd_renumber(fd, 4 + round % 5);
                            let _ = guest.context.fd_close(4 + round % 7);
                        }
                        Err(Errno::TooManyDescriptors) => {
                            let _ = guest.context.fd_close(4 + round % 8);
                        }
                        Err(error) => panic!("{error}"),
                    }
                    let _ = guest.context.fd_fdstat_set_flags(4, fdflags::APPEND);
                    guest.forget();
                }
            });
        }
    });
    for fd in 4..12 {
        let _ = context.fd_close(fd);
    }
    let mut guest = guest(&context);
    assert_eq!(guest.open("file 0", 0), Ok(4));
    let usage = runtime.usage(precast_loader::Category::Wasi);
    drop(guest);
    drop(context);
    let after = runtime.usage(precast_loader::Category::Wasi);
    assert!(usage.blocks > 0 && after.blocks == 0 && after.current == 0);
}

#[test]
fn interruptions_come_and_go() {
    let context = context(WasiContext::builder());
    for _ in 0..3 {
        context.make_interruptible().unwrap();
    }
    // Any number of times, in any order.
    context.clear_interrupt();
    context.interrupt();
    context.interrupt();
    context.clear_interrupt();
    context.clear_interrupt();
}
