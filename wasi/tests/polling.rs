//! `poll_oneoff`: clocks, descriptors, errors, both snapshots.

mod common;

use std::time::{Duration, Instant};

use common::{Guest, RESULT, with_directory};
use precast_wasi::types::{fdflags, oflags};
use precast_wasi::{Abi, Errno, Input, Rights, WasiContext};

/// A subscription to a clock.
fn clock(abi: Abi, userdata: u64, id: u32, timeout: u64, absolute: bool) -> Vec<u8> {
    let mut record = userdata.to_le_bytes().to_vec();
    record.extend([0; 8]);
    if abi == Abi::Preview0 {
        record.extend(userdata.to_le_bytes());
    }
    record.extend(u64::from(id).to_le_bytes());
    record.extend(timeout.to_le_bytes());
    record.extend(0u64.to_le_bytes());
    record.extend(u64::from(absolute).to_le_bytes());
    record
}

/// A subscription to a descriptor, in preview 1: type 1 reads, 2 writes.
fn descriptor(userdata: u64, event_type: u8, fd: u32) -> Vec<u8> {
    let mut record = userdata.to_le_bytes().to_vec();
    record.extend([event_type, 0, 0, 0, 0, 0, 0, 0]);
    record.extend(fd.to_le_bytes());
    record.resize(48, 0);
    record
}

#[derive(Debug, PartialEq)]
struct Event {
    userdata: u64,
    error: u16,
    event_type: u8,
    bytes: u64,
    flags: u16,
}

fn poll(guest: &mut Guest, abi: Abi, subscriptions: &[Vec<u8>]) -> Result<Vec<Event>, Errno> {
    let (records, _) = guest.put(&subscriptions.concat());
    let (events, _) = guest.room(32 * subscriptions.len());
    let (count, context) = (subscriptions.len() as u32, guest.context.clone());
    context.poll_oneoff(&mut guest.memory(), abi, records, events, count, RESULT)?;
    let event = |index| {
        let at = events + 32 * index;
        Event {
            userdata: guest.u64_at(at),
            error: guest.u16_at(at + 8),
            event_type: guest.bytes[at as usize + 10],
            bytes: guest.u64_at(at + 16),
            flags: guest.u16_at(at + 24),
        }
    };
    Ok((0..guest.u32_at(RESULT)).map(event).collect())
}

fn happened(userdata: u64, event_type: u8, bytes: u64) -> Event {
    Event {
        userdata,
        error: 0,
        event_type,
        bytes,
        flags: 0,
    }
}

const MILLISECOND: u64 = 1_000_000;

#[test]
fn clocks_wait_as_long_as_they_are_told() {
    for abi in [Abi::Preview0, Abi::Preview1] {
        for id in [0, 1] {
            let mut guest = Guest::new(WasiContext::builder());
            let start = Instant::now();
            let long = clock(abi, 1, id, 3_600_000 * MILLISECOND, false);
            let short = clock(abi, 2, id, 30 * MILLISECOND, false);
            let events = poll(&mut guest, abi, &[long, short]).unwrap();
            assert_eq!(events, [happened(2, 0, 0)]);
            let waited = start.elapsed();
            assert!(waited >= Duration::from_millis(30) && waited < Duration::from_secs(10));

            let context = guest.context.clone();
            context
                .clock_time_get(&mut guest.memory(), id, 0, RESULT)
                .unwrap();
            let deadline = guest.u64_at(RESULT) + 30 * MILLISECOND;
            let absolute = clock(abi, 3, id, deadline, true);
            assert_eq!(
                poll(&mut guest, abi, &[absolute]).unwrap(),
                [happened(3, 0, 0)]
            );
            context
                .clock_time_get(&mut guest.memory(), id, 0, RESULT)
                .unwrap();
            assert!(guest.u64_at(RESULT) >= deadline);
            let past = [clock(abi, 4, id, 0, true), clock(abi, 5, id, 0, false)];
            let events = poll(&mut guest, abi, &past).unwrap();
            assert_eq!(events, [happened(4, 0, 0), happened(5, 0, 0)]);
        }
    }
}

#[test]
fn what_cannot_be_polled_is_an_event_with_an_error() {
    let (mut guest, _directory) = with_directory();
    let subscriptions = [
        clock(Abi::Preview1, 1, 9, 0, false),
        descriptor(2, 1, 99),
        descriptor(3, 1, 3),
        descriptor(4, 1, 1),
        clock(Abi::Preview1, 5, 1, 3_600_000 * MILLISECOND, false),
        descriptor(6, 2, 1),
    ];
    let events = poll(&mut guest, Abi::Preview1, &subscriptions).unwrap();
    let error = |userdata, event_type, errno: Errno| Event {
        error: errno.number(),
        ..happened(userdata, event_type, 0)
    };
    assert_eq!(
        events,
        [
            error(1, 0, Errno::Invalid),
            error(2, 1, Errno::BadDescriptor),
            error(3, 1, Errno::BadDescriptor),
            error(4, 1, Errno::BadDescriptor),
            happened(6, 2, 1),
        ]
    );
    assert_eq!(poll(&mut guest, Abi::Preview1, &[]), Err(Errno::Invalid));
    let unknown = descriptor(1, 3, 0);
    assert_eq!(
        poll(&mut guest, Abi::Preview1, &[unknown]),
        Err(Errno::Invalid)
    );
}

#[test]
fn pipes_are_ready_when_there_is_something() {
    let (reader, mut writer) = std::io::pipe().unwrap();
    let mut guest = Guest::new(WasiContext::builder().stdin(Input::File(reader.into())));
    let read = || descriptor(1, 1, 0);
    let timeout = || clock(Abi::Preview1, 2, 1, 20 * MILLISECOND, false);
    let events = poll(&mut guest, Abi::Preview1, &[read(), timeout()]).unwrap();
    assert_eq!(events, [happened(2, 0, 0)]);
    std::io::Write::write_all(&mut writer, b"1234567").unwrap();
    let events = poll(&mut guest, Abi::Preview1, &[read(), timeout()]).unwrap();
    assert_eq!(events, [happened(1, 1, 7)]);
    assert_eq!(guest.read(0, 7).unwrap(), b"1234567");

    let late = std::thread::spawn(move || {
        std::thread::sleep(Duration::from_millis(30));
        drop(writer);
    });
    let events = poll(&mut guest, Abi::Preview1, &[read()]).unwrap();
    assert_eq!(
        events,
        [Event {
            flags: 1,
            ..happened(1, 1, 0)
        }],
        "the peer has closed"
    );
    late.join().unwrap();
}

#[test]
fn regular_files_are_always_ready() {
    let (mut guest, _directory) = with_directory();
    let fd = guest.open("file", oflags::CREATE).unwrap();
    guest.write(fd, b"0123456789").unwrap();
    guest.seek(fd, 4, 0).unwrap();
    let both = [descriptor(1, 1, fd), descriptor(2, 2, fd)];
    let events = poll(&mut guest, Abi::Preview1, &both).unwrap();
    assert_eq!(events, [happened(1, 1, 6), happened(2, 2, 1)]);
    let fd = guest
        .open_with(3, "file", true, 0, Rights::FD_READ, Rights::NONE, 0)
        .unwrap();
    let events = poll(&mut guest, Abi::Preview1, &[descriptor(1, 1, fd)]).unwrap();
    assert_eq!(events[0].error, Errno::NotCapable.number());
}

#[test]
fn events_may_take_the_place_of_subscriptions() {
    let mut guest = Guest::new(WasiContext::builder());
    let records: Vec<_> = (0..3)
        .map(|number| clock(Abi::Preview1, number, 1, 0, false))
        .collect();
    let (place, _) = guest.put(&records.concat());
    let context = guest.context.clone();
    context
        .poll_oneoff(&mut guest.memory(), Abi::Preview1, place, place, 3, RESULT)
        .unwrap();
    assert_eq!(guest.u32_at(RESULT), 3);
    assert_eq!(
        [0, 32, 64].map(|offset| guest.u64_at(place + offset)),
        [0, 1, 2]
    );
}

#[test]
fn sockets_are_accepted_read_written_and_shut_down() {
    use std::io::{Read, Write};
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let mut guest = Guest::new(WasiContext::builder().preopen_tcp_listener(listener));
    let context = guest.context.clone();
    assert_eq!(guest.fdstat(3).unwrap().0, 6);
    context.fd_fdstat_set_flags(3, fdflags::NONBLOCK).unwrap();
    assert_eq!(
        context.sock_accept(&mut guest.memory(), 3, 0, RESULT),
        Err(Errno::Again)
    );
    let timeout = clock(Abi::Preview1, 2, 1, 10 * MILLISECOND, false);
    let events = poll(&mut guest, Abi::Preview1, &[descriptor(1, 1, 3), timeout]).unwrap();
    assert_eq!(events, [happened(2, 0, 0)]);

    let mut peer = std::net::TcpStream::connect(address).unwrap();
    assert_eq!(
        poll(&mut guest, Abi::Preview1, &[descriptor(1, 1, 3)])
            .unwrap()
            .len(),
        1
    );
    context
        .sock_accept(&mut guest.memory(), 3, 0, RESULT)
        .unwrap();
    let fd = guest.u32_at(RESULT);
    assert_eq!(fd, 4);
    assert_eq!(guest.fdstat(fd).unwrap().0, 6);
    context
        .sock_accept(&mut guest.memory(), fd, 0, RESULT)
        .unwrap_err_is(Errno::Invalid);
    context
        .sock_accept(&mut guest.memory(), 0, 0, RESULT)
        .unwrap_err_is(Errno::NotSocket);
    context
        .sock_accept(&mut guest.memory(), 3, 1, RESULT)
        .unwrap_err_is(Errno::Invalid);

    peer.write_all(b"question").unwrap();
    let buffer = guest.room(4);
    let (array, count) = guest.vectors(&[buffer]);
    let peek = 1;
    for flags in [peek, 0] {
        let memory = &mut guest.memory();
        context
            .sock_recv(memory, fd, array, count, flags, RESULT, 32)
            .unwrap();
        assert_eq!((guest.u32_at(RESULT), guest.u16_at(32)), (4, 0));
        assert_eq!(guest.bytes_at(buffer.0, 4), b"ques");
    }
    assert_eq!(guest.read(fd, 10).unwrap(), b"tion");
    let events = poll(&mut guest, Abi::Preview1, &[descriptor(1, 2, fd)]).unwrap();
    assert_eq!(events, [happened(1, 2, 1)]);

    let answer = [guest.put(b"ans"), guest.put(b"wer")];
    let (array, count) = guest.vectors(&answer);
    context
        .sock_send(&mut guest.memory(), fd, array, count, 0, RESULT)
        .unwrap();
    assert_eq!(guest.u32_at(RESULT), 6);
    assert_eq!(guest.write(fd, b"!"), Ok(1));
    context
        .sock_send(&mut guest.memory(), fd, array, count, 1, RESULT)
        .unwrap_err_is(Errno::Invalid);
    context
        .sock_send(&mut guest.memory(), 3, array, count, 0, RESULT)
        .unwrap_err_is(Errno::NotConnected);
    context
        .sock_send(&mut guest.memory(), 1, array, count, 0, RESULT)
        .unwrap_err_is(Errno::NotSocket);
    assert_eq!(context.sock_shutdown(fd, 0), Err(Errno::Invalid));
    assert_eq!(context.sock_shutdown(1, 1), Err(Errno::NotSocket));
    context.sock_shutdown(fd, 2).unwrap();
    let mut all = String::new();
    peer.read_to_string(&mut all).unwrap();
    assert_eq!(all, "answer!");
    assert_eq!(guest.write(fd, b"more"), Err(Errno::Pipe));
    assert_eq!(guest.seek(fd, 0, 1), Err(Errno::NotSeekable));
    drop(peer);
    let events = poll(&mut guest, Abi::Preview1, &[descriptor(1, 1, fd)]).unwrap();
    assert_eq!((events[0].error, events[0].bytes), (0, 0));
    assert_eq!(guest.read(fd, 1).unwrap(), b"");
    context.fd_close(fd).unwrap();
}

trait UnwrapErrIs {
    fn unwrap_err_is(self, expected: Errno);
}

impl UnwrapErrIs for Result<(), Errno> {
    #[track_caller]
    fn unwrap_err_is(self, expected: Errno) {
        assert_eq!(self, Err(expected));
    }
}
