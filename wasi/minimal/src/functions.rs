//! The functions that a device has, by name; each takes the numbers that the guest passed.

use precast_loader::platform::Stream;
use precast_loader::{Caller, HostError, Value};

use crate::errno::Errno;
use crate::guest::Guest;
use crate::offer::{Offer, Strings};

/// Bytes that are copied at once.
const CHUNK: usize = 64;
/// Bytes of a buffer in a list: a pointer and a length.
const IOVEC: u32 = 8;
/// The type of a stream: a device that takes characters.
const CHARACTER_DEVICE: u8 = 2;
/// The right to read, and the right to write.
const RIGHTS: [u64; 3] = [1 << 1, 1 << 6, 1 << 6];

const REALTIME: u32 = 0;
const MONOTONIC: u32 = 1;

/// What the guest gets; or the end of the program.
type Outcome = Result<Result<(), Errno>, HostError>;

macro_rules! functions {
    ($($name:ident($($parameter:ident),*);)*) => {
        /// A function by its name.
        #[derive(Clone, Copy)]
        #[allow(non_camel_case_types, reason = "they are the names in WASI")]
        pub(crate) enum Function {
            $($name,)*
        }

        impl Function {
            /// The function of this name, if it is here.
            pub fn named(name: &str) -> Option<Function> {
                match name {
                    $(stringify!($name) => Some(Function::$name),)*
                    _ => None,
                }
            }

            /// Calls the function. A module that imports it with another type gets an error.
            pub fn call(self, wasi: &dyn Offer, caller: &mut Caller<'_>, params: &[Value]) -> Outcome {
                match (self, params) {
                    $((Function::$name, [$($parameter),*]) => {
                        $name(wasi, caller, $(number($parameter)?),*)
                    })*
                    _ => Err(HostError::Message("a function of WASI has another type")),
                }
            }
        }
    };
}

functions! {
    args_get(argv, argv_buf);
    args_sizes_get(argc, argv_buf_size);
    clock_res_get(clock, resolution);
    clock_time_get(clock, precision, time);
    environ_get(environ, environ_buf);
    environ_sizes_get(environc, environ_buf_size);
    fd_close(fd);
    fd_fdstat_get(fd, stat);
    fd_prestat_get(fd, prestat);
    fd_read(fd, iovs, iovs_len, nread);
    fd_seek(fd, delta, whence, position);
    fd_write(fd, iovs, iovs_len, nwritten);
    proc_exit(code);
    random_get(buffer, length);
    sched_yield();
}

/// A parameter as a number; where WASI has 64 bits, what is not used here is lost.
fn number(value: &Value) -> Result<u32, HostError> {
    match value {
        Value::I32(value) => Ok(value.cast_unsigned()),
        Value::I64(value) => Ok(*value as u32),
        _ => Err(HostError::Message("a function of WASI has another type")),
    }
}

/// With the caller's memory.
fn with(caller: &Caller<'_>, run: impl FnOnce(Guest) -> Result<(), Errno>) -> Outcome {
    Ok(Guest::of(caller).and_then(run))
}

fn args_get(wasi: &dyn Offer, caller: &mut Caller<'_>, argv: u32, buffer: u32) -> Outcome {
    with(caller, |guest| {
        write_strings(&guest, wasi.args(), argv, buffer)
    })
}

fn args_sizes_get(wasi: &dyn Offer, caller: &mut Caller<'_>, count: u32, size: u32) -> Outcome {
    with(caller, |guest| {
        write_sizes(&guest, wasi.args(), count, size)
    })
}

fn environ_get(wasi: &dyn Offer, caller: &mut Caller<'_>, environ: u32, buffer: u32) -> Outcome {
    with(caller, |guest| {
        write_strings(&guest, wasi.environment(), environ, buffer)
    })
}

fn environ_sizes_get(wasi: &dyn Offer, caller: &mut Caller<'_>, count: u32, size: u32) -> Outcome {
    with(caller, |guest| {
        write_sizes(&guest, wasi.environment(), count, size)
    })
}

/// How many strings there are, and how many bytes they take, each with a zero behind it.
fn measure(strings: Strings<'_>) -> Result<(u32, u32), Errno> {
    let mut strings = strings.iter();
    let sums = strings.try_fold((0u32, 0u32), |(count, size), string| {
        let size = size.checked_add(u32::try_from(string.len()).ok()?)?;
        // Each has a byte at least, so that they are not more than the bytes.
        Some((count.wrapping_add(1), size.checked_add(1)?))
    });
    sums.ok_or(Errno::FAULT)
}

fn write_sizes(guest: &Guest, strings: Strings<'_>, count: u32, size: u32) -> Result<(), Errno> {
    let (number, bytes) = measure(strings)?;
    guest.check(count, 4)?;
    guest.write_u32(size, bytes)?;
    guest.write_u32(count, number)
}

/// Writes pointers to strings, and the strings.
fn write_strings(
    guest: &Guest,
    strings: Strings<'_>,
    pointers: u32,
    buffer: u32,
) -> Result<(), Errno> {
    let (number, bytes) = measure(strings)?;
    guest.check(buffer, bytes)?;
    guest.check(pointers, number.checked_mul(4).ok_or(Errno::FAULT)?)?;
    // What is checked ends within 32 bits.
    let (mut pointer, mut next) = (pointers, buffer);
    for string in strings.iter() {
        guest.write_u32(pointer, next)?;
        guest.write(next, string)?;
        next = next.wrapping_add(string.len() as u32);
        guest.write(next, &[0])?;
        next = next.wrapping_add(1);
        pointer = pointer.wrapping_add(4);
    }
    Ok(())
}

fn clock_res_get(
    wasi: &dyn Offer,
    caller: &mut Caller<'_>,
    clock: u32,
    resolution: u32,
) -> Outcome {
    with(caller, |guest| {
        read_clock(wasi, clock)?;
        // As fine as the unit; what a platform's clock really has, it does not say.
        guest.write_u64(resolution, 1)
    })
}

fn clock_time_get(
    wasi: &dyn Offer,
    caller: &mut Caller<'_>,
    clock: u32,
    _: u32,
    time: u32,
) -> Outcome {
    with(caller, |guest| {
        guest.write_u64(time, read_clock(wasi, clock)?)
    })
}

fn read_clock(wasi: &dyn Offer, clock: u32) -> Result<u64, Errno> {
    let time = match clock {
        REALTIME => wasi.platform().wall_clock_time(),
        MONOTONIC => wasi.platform().monotonic_time(),
        _ => return Err(Errno::INVAL),
    };
    time.ok_or(Errno::NOSYS)
}

/// Whether a descriptor is one of the three streams.
fn stream(fd: u32) -> Result<usize, Errno> {
    match fd {
        0..=2 => Ok(fd as usize),
        _ => Err(Errno::BADF),
    }
}

/// Nothing: streams stay open.
fn fd_close(_: &dyn Offer, _: &mut Caller<'_>, fd: u32) -> Outcome {
    Ok(stream(fd).map(drop))
}

fn fd_fdstat_get(_: &dyn Offer, caller: &mut Caller<'_>, fd: u32, stat: u32) -> Outcome {
    with(caller, |guest| {
        let rights = RIGHTS.get(stream(fd)?).copied().unwrap_or(0);
        // The type, flags, what the descriptor may do, and what those may that are opened from it.
        let mut record = [0; 24];
        record[0] = CHARACTER_DEVICE;
        for (place, byte) in record.iter_mut().skip(8).zip(rights.to_le_bytes()) {
            *place = byte;
        }
        guest.write(stat, &record)
    })
}

/// No descriptor is a directory.
fn fd_prestat_get(_: &dyn Offer, _: &mut Caller<'_>, _: u32, _: u32) -> Outcome {
    Ok(Err(Errno::BADF))
}

/// Standard input is at its end.
fn fd_read(_: &dyn Offer, caller: &mut Caller<'_>, fd: u32, _: u32, _: u32, nread: u32) -> Outcome {
    with(caller, |guest| match stream(fd)? {
        0 => guest.write_u32(nread, 0),
        _ => Err(Errno::BADF),
    })
}

fn fd_seek(_: &dyn Offer, _: &mut Caller<'_>, fd: u32, _: u32, _: u32, _: u32) -> Outcome {
    Ok(stream(fd).and(Err(Errno::SPIPE)))
}

/// Writes a list of buffers, as far as the platform takes them.
fn fd_write(
    wasi: &dyn Offer,
    caller: &mut Caller<'_>,
    fd: u32,
    iovs: u32,
    iovs_len: u32,
    nwritten: u32,
) -> Outcome {
    with(caller, |guest| {
        let stream = match stream(fd)? {
            1 => Stream::Output,
            2 => Stream::Error,
            _ => return Err(Errno::BADF),
        };
        guest.check(nwritten, 4)?;
        guest.check(iovs, iovs_len.checked_mul(IOVEC).ok_or(Errno::FAULT)?)?;
        let buffer = |index: u32| {
            let offset = index * IOVEC;
            let start = guest.read_u32(iovs, offset)?;
            let length = guest.read_u32(iovs, offset + 4)?;
            guest.check(start, length)?;
            Ok((start, length))
        };
        for index in 0..iovs_len {
            buffer(index)?;
        }
        let mut written = 0u32;
        for index in 0..iovs_len {
            let (start, length) = buffer(index)?;
            let (count, all) = write_buffer(wasi, &guest, stream, start, length)?;
            written = written.saturating_add(count);
            if !all {
                break;
            }
        }
        guest.write_u32(nwritten, written)
    })
}

/// Writes a buffer that is inside of the memory; how many bytes the platform took, and whether all.
fn write_buffer(
    wasi: &dyn Offer,
    guest: &Guest,
    stream: Stream,
    start: u32,
    length: u32,
) -> Result<(u32, bool), Errno> {
    let mut written = 0;
    let mut chunk = [0; CHUNK];
    while written < length {
        let count = (CHUNK as u32).min(length - written);
        let bytes = chunk.get_mut(..count as usize).unwrap_or_default();
        guest.read(start.wrapping_add(written), bytes)?;
        let taken = wasi
            .platform()
            .write(stream, bytes)
            .map_err(|_| Errno::IO)?;
        let taken = (taken as u32).min(count);
        written += taken;
        if taken < count {
            return Ok((written, false));
        }
    }
    Ok((written, true))
}

fn proc_exit(_: &dyn Offer, _: &mut Caller<'_>, code: u32) -> Outcome {
    Err(HostError::Exit(code.cast_signed()))
}

fn random_get(wasi: &dyn Offer, caller: &mut Caller<'_>, buffer: u32, length: u32) -> Outcome {
    with(caller, |guest| {
        guest.check(buffer, length)?;
        let mut chunk = [0; CHUNK];
        let mut done = 0;
        while done < length {
            let count = (CHUNK as u32).min(length - done);
            let bytes = chunk.get_mut(..count as usize).unwrap_or_default();
            if !wasi.platform().random(bytes) {
                return Err(Errno::NOSYS);
            }
            guest.write(buffer.wrapping_add(done), bytes)?;
            done += count;
        }
        Ok(())
    })
}

fn sched_yield(wasi: &dyn Offer, _: &mut Caller<'_>) -> Outcome {
    wasi.platform().yield_now();
    Ok(Ok(()))
}
