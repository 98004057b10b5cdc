//! Lists of buffers: what scattered reads and gathered writes move.
//!
//! A list is read once, and checked whole before anything moves. Long lists lie in the runtime's
//! memory; where there is none, the list is a short one, and so is the read or write.

use std::io::{IoSlice, IoSliceMut};
use std::ops::Range;

use precast_loader::Allocator;

use super::{Bounce, Bytes, GuestMemory};
use crate::errno::Errno;
use crate::list::List;
use crate::types::IOVEC_SIZE;

/// How many buffers one system call takes at most. Longer lists are read or written in part, as the
/// functions that take lists may.
const MAX_VECTORS: usize = 1024;

/// A buffer of the guest that has bytes, and lies in the memory.
#[derive(Clone, Copy)]
struct Buffer {
    start: usize,
    end: usize,
    /// Its place in the list.
    place: usize,
}

impl Buffer {
    /// Fills places of a list until they are used.
    const NONE: Buffer = Buffer {
        start: 0,
        end: 0,
        place: 0,
    };

    fn length(&self) -> usize {
        self.end - self.start
    }
}

impl GuestMemory<'_> {
    /// Hands the buffers of a `ciovec` array to `write`, and gives what that gives.
    ///
    /// # Errors
    ///
    /// [`Errno::Fault`] if the array or any of its buffers leaves the memory, and what `write` says.
    pub(crate) fn gather<T>(
        &self,
        allocator: &Allocator,
        array: u32,
        count: u32,
        write: impl FnOnce(&[IoSlice<'_>]) -> Result<T, Errno>,
    ) -> Result<T, Errno> {
        match &self.bytes {
            Bytes::Exclusive(memory) => {
                let room = (count as usize).min(MAX_VECTORS);
                let empty = || IoSlice::new(&[]);
                let mut vectors = List::with_room_or_few(allocator, room, empty);
                self.for_each(array, count, |range| {
                    vectors.push(IoSlice::new(&memory[range]));
                })?;
                write(&vectors)
            }
            Bytes::Shared(memory) => {
                let buffers = self.buffers(allocator, array, count)?;
                let mut bounce = Bounce::new();
                let copy = bounce.room(allocator, total(&buffers));
                let mut copied = 0;
                for (buffer, part) in parts(&buffers, copy.len()) {
                    memory.read(buffer.start, &mut copy[part.clone()])?;
                    copied = part.end;
                }
                write(&[IoSlice::new(&copy[..copied])])
            }
        }
    }

    /// Lets `read` fill the buffers of an `iovec` array, in order, and gives the number of bytes that
    /// it says.
    ///
    /// Memory of one thread is lent to `read`, which can be done once only: if any two buffers
    /// overlap, only the first is lent, and the read becomes a short one.
    ///
    /// # Errors
    ///
    /// [`Errno::Fault`] if the array or any of its buffers leaves the memory, and what `read` says.
    pub(crate) fn scatter(
        &mut self,
        allocator: &Allocator,
        array: u32,
        count: u32,
        read: impl FnOnce(&mut [IoSliceMut<'_>]) -> Result<usize, Errno>,
    ) -> Result<usize, Errno> {
        let mut buffers = self.buffers(allocator, array, count)?;
        match &mut self.bytes {
            Bytes::Exclusive(memory) => read(&mut lend(memory, allocator, &mut buffers)),
            Bytes::Shared(memory) => {
                let mut bounce = Bounce::new();
                let copy = bounce.room(allocator, total(&buffers));
                let count = read(&mut [IoSliceMut::new(copy)])?;
                for (buffer, part) in parts(&buffers, count.min(copy.len())) {
                    memory.write(buffer.start, &copy[part])?;
                }
                Ok(count)
            }
        }
    }

    /// The buffers of an array that have bytes, as many as there is room for.
    fn buffers(
        &self,
        allocator: &Allocator,
        array: u32,
        count: u32,
    ) -> Result<List<Buffer>, Errno> {
        let room = (count as usize).min(MAX_VECTORS);
        let mut buffers = List::with_room_or_few(allocator, room, || Buffer::NONE);
        self.for_each(array, count, |range| {
            buffers.push(Buffer {
                start: range.start,
                end: range.end,
                place: buffers.len(),
            });
        })?;
        Ok(buffers)
    }

    /// Reads an array and shows the buffers that have bytes, each of which is in the memory.
    fn for_each(
        &self,
        array: u32,
        count: u32,
        mut show: impl FnMut(Range<usize>),
    ) -> Result<(), Errno> {
        self.check_array(array, count, IOVEC_SIZE)?;
        for index in 0..count {
            let pointer = array + index * IOVEC_SIZE;
            let (start, length) = (self.read_u32(pointer)?, self.read_u32(pointer + 4)?);
            let range = self.range(start, length)?;
            if !range.is_empty() {
                show(range);
            }
        }
        Ok(())
    }
}

/// Cuts the buffers out of the memory; only the first one if any two overlap.
fn lend<'a>(
    memory: &'a mut [u8],
    allocator: &Allocator,
    buffers: &mut [Buffer],
) -> List<IoSliceMut<'a>> {
    let first = buffers.first().copied();
    buffers.sort_unstable_by_key(|buffer| buffer.start);
    let disjoint = buffers.is_sorted_by(|one, next| one.end <= next.start);
    let single = first.as_slice();
    let empty = || IoSliceMut::new(&mut []);
    let mut vectors = List::with_room_or_few(allocator, buffers.len(), empty);
    let buffers: &[Buffer] = if disjoint { buffers } else { single };

    for _ in buffers {
        vectors.push(IoSliceMut::new(&mut []));
    }
    let mut rest = memory;
    let mut taken = 0;
    for buffer in buffers {
        let (_, from_start) = rest.split_at_mut(buffer.start - taken);
        let (bytes, after) = from_start.split_at_mut(buffer.length());
        // Without memory for as long a list, buffers further back are left out.
        if let Some(vector) = vectors.get_mut(buffer.place) {
            *vector = IoSliceMut::new(bytes);
        }
        rest = after;
        taken = buffer.end;
    }
    vectors
}

/// How many bytes the buffers have together.
fn total(buffers: &[Buffer]) -> usize {
    let lengths = buffers.iter().map(Buffer::length);
    // Buffers may repeat, so that their sum knows no bound.
    lengths.fold(0, usize::saturating_add)
}

/// Each buffer with its part of so many bytes in a row, as far as these go.
fn parts(buffers: &[Buffer], count: usize) -> impl Iterator<Item = (Buffer, Range<usize>)> {
    let mut start = 0usize;
    buffers.iter().map_while(move |buffer| {
        let part = start..count.min(start.saturating_add(buffer.length()));
        start = part.end;
        (!part.is_empty()).then_some((*buffer, part))
    })
}
