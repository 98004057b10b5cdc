//! Guest memory, reached only through checked pointers.
//!
//! Pointers and lengths come from the guest and may be anything. Every accessor here checks the whole
//! range first and answers [`Errno::Fault`] when it leaves the memory; nothing in the crate indexes
//! guest memory otherwise. Ranges need no alignment. No length that the guest gives sizes an
//! allocation, but for lists of at most 1,024 buffers: these are lent to the system where they are.

use std::io::{IoSlice, IoSliceMut};

use precast_loader::Allocator;

use crate::errno::Errno;
use crate::list::List;
use crate::types::IOVEC_SIZE;

/// The memory of the calling instance, for the time of one call.
#[derive(Debug)]
pub struct GuestMemory<'m> {
    bytes: &'m mut [u8],
}

/// How many buffers one system call takes at most. Longer lists are read or written in part, as the
/// functions that take lists may.
const MAX_VECTORS: usize = 1024;

impl<'m> GuestMemory<'m> {
    /// The memory that these bytes are.
    #[must_use]
    pub fn new(bytes: &'m mut [u8]) -> GuestMemory<'m> {
        GuestMemory { bytes }
    }

    /// How many bytes the memory has.
    #[must_use]
    pub fn size(&self) -> usize {
        self.bytes.len()
    }

    fn range(&self, pointer: u32, length: u32) -> Result<std::ops::Range<usize>, Errno> {
        // 64 bits hold the sum of two 32-bit numbers, whatever `usize` is.
        let end = u64::from(pointer) + u64::from(length);
        if end > self.bytes.len() as u64 {
            return Err(Errno::Fault);
        }
        Ok(pointer as usize..end as usize)
    }

    /// Checks a range without touching it. Results are checked before anything happens, so that a
    /// bad pointer leaves no descriptor open and no byte written.
    ///
    /// # Errors
    ///
    /// [`Errno::Fault`] if the range leaves the memory.
    pub fn check(&self, pointer: u32, length: u32) -> Result<(), Errno> {
        self.range(pointer, length).map(drop)
    }

    /// Checks an array of `count` records of `size` bytes.
    ///
    /// # Errors
    ///
    /// [`Errno::Fault`] if the array leaves the memory.
    pub fn check_array(&self, pointer: u32, count: u32, size: u32) -> Result<(), Errno> {
        let length = count.checked_mul(size).ok_or(Errno::Fault)?;
        self.check(pointer, length)
    }

    /// The bytes of a range.
    ///
    /// # Errors
    ///
    /// [`Errno::Fault`] if the range leaves the memory.
    pub fn slice(&self, pointer: u32, length: u32) -> Result<&[u8], Errno> {
        let range = self.range(pointer, length)?;
        Ok(&self.bytes[range])
    }

    /// The bytes of a range, to be written.
    ///
    /// # Errors
    ///
    /// [`Errno::Fault`] if the range leaves the memory.
    pub fn slice_mut(&mut self, pointer: u32, length: u32) -> Result<&mut [u8], Errno> {
        let range = self.range(pointer, length)?;
        Ok(&mut self.bytes[range])
    }

    /// A path: UTF-8 without a NUL in it.
    ///
    /// # Errors
    ///
    /// [`Errno::Fault`] if the range leaves the memory, [`Errno::IllegalSequence`] if it is not
    /// UTF-8, [`Errno::Invalid`] if it has a NUL.
    pub fn path(&self, pointer: u32, length: u32) -> Result<&str, Errno> {
        let bytes = self.slice(pointer, length)?;
        let path = std::str::from_utf8(bytes).map_err(|_| Errno::IllegalSequence)?;
        if bytes.contains(&0) {
            return Err(Errno::Invalid);
        }
        Ok(path)
    }

    fn array<const N: usize>(&self, pointer: u32) -> Result<[u8; N], Errno> {
        let mut array = [0; N];
        array.copy_from_slice(self.slice(pointer, N as u32)?);
        Ok(array)
    }

    /// Reads a byte.
    ///
    /// # Errors
    ///
    /// [`Errno::Fault`] if it is outside of the memory.
    pub fn read_u8(&self, pointer: u32) -> Result<u8, Errno> {
        self.array::<1>(pointer).map(|[byte]| byte)
    }

    /// Reads 16 bits.
    ///
    /// # Errors
    ///
    /// [`Errno::Fault`] if they are outside of the memory.
    pub fn read_u16(&self, pointer: u32) -> Result<u16, Errno> {
        self.array(pointer).map(u16::from_le_bytes)
    }

    /// Reads 32 bits.
    ///
    /// # Errors
    ///
    /// [`Errno::Fault`] if they are outside of the memory.
    pub fn read_u32(&self, pointer: u32) -> Result<u32, Errno> {
        self.array(pointer).map(u32::from_le_bytes)
    }

    /// Reads 64 bits.
    ///
    /// # Errors
    ///
    /// [`Errno::Fault`] if they are outside of the memory.
    pub fn read_u64(&self, pointer: u32) -> Result<u64, Errno> {
        self.array(pointer).map(u64::from_le_bytes)
    }

    /// Writes bytes.
    ///
    /// # Errors
    ///
    /// [`Errno::Fault`] if they do not fit in the memory; nothing is written then.
    pub fn write(&mut self, pointer: u32, bytes: &[u8]) -> Result<(), Errno> {
        let length = u32::try_from(bytes.len()).map_err(|_| Errno::Fault)?;
        self.slice_mut(pointer, length)?.copy_from_slice(bytes);
        Ok(())
    }

    /// Writes 16 bits.
    ///
    /// # Errors
    ///
    /// [`Errno::Fault`] if they are outside of the memory.
    pub fn write_u16(&mut self, pointer: u32, value: u16) -> Result<(), Errno> {
        self.write(pointer, &value.to_le_bytes())
    }

    /// Writes 32 bits.
    ///
    /// # Errors
    ///
    /// [`Errno::Fault`] if they are outside of the memory.
    pub fn write_u32(&mut self, pointer: u32, value: u32) -> Result<(), Errno> {
        self.write(pointer, &value.to_le_bytes())
    }

    /// Writes 64 bits.
    ///
    /// # Errors
    ///
    /// [`Errno::Fault`] if they are outside of the memory.
    pub fn write_u64(&mut self, pointer: u32, value: u64) -> Result<(), Errno> {
        self.write(pointer, &value.to_le_bytes())
    }

    /// The pointer and length of element `index` of an array of buffers that was checked.
    fn vector(&self, array: u32, index: u32) -> Result<(u32, u32), Errno> {
        let pointer = array + index * IOVEC_SIZE;
        let (start, length) = (self.read_u32(pointer)?, self.read_u32(pointer + 4)?);
        self.check(start, length)?;
        Ok((start, length))
    }

    /// The buffers of a `ciovec` array, to be written from where they are.
    ///
    /// A long list lies in memory of the allocator. If there is none, the list is a short one, and so
    /// is the write.
    ///
    /// # Errors
    ///
    /// [`Errno::Fault`] if the array or any of its buffers leaves the memory.
    pub fn vectors(
        &self,
        allocator: &Allocator,
        array: u32,
        count: u32,
    ) -> Result<List<IoSlice<'_>>, Errno> {
        self.check_array(array, count, IOVEC_SIZE)?;
        let mut vectors = List::with_room_or_few(allocator, room(count), || IoSlice::new(&[]));
        for index in 0..count {
            let (pointer, length) = self.vector(array, index)?;
            if length != 0 {
                vectors.push(IoSlice::new(self.slice(pointer, length)?));
            }
        }
        Ok(vectors)
    }

    /// The buffers of an `iovec` array, to be read into where they are.
    ///
    /// Memory can be lent for writing once only: if any two buffers overlap, only the first is lent,
    /// and the read becomes a short one. As does that of a long list, for which the allocator has no
    /// memory.
    ///
    /// # Errors
    ///
    /// [`Errno::Fault`] if the array or any of its buffers leaves the memory.
    pub fn vectors_mut(
        &mut self,
        allocator: &Allocator,
        array: u32,
        count: u32,
    ) -> Result<List<IoSliceMut<'_>>, Errno> {
        self.check_array(array, count, IOVEC_SIZE)?;
        let empty = || IoSliceMut::new(&mut []);
        let mut vectors = List::with_room_or_few(allocator, room(count), empty);
        // Start, end and place in the list.
        let empty_range = || (0usize, 0usize, 0usize);
        let mut ranges = List::with_room_or_few(allocator, vectors.room(), empty_range);
        for index in 0..count {
            let (pointer, length) = self.vector(array, index)?;
            if length != 0 {
                let start = pointer as usize;
                let place = ranges.len();
                ranges.push((start, start + length as usize, place));
            }
        }
        let first = ranges.first().copied();
        ranges.sort_unstable();
        let disjoint = ranges.windows(2).all(|pair| pair[0].1 <= pair[1].0);
        let single = first.as_slice();
        let ranges: &[_] = if disjoint { &ranges } else { single };

        for _ in ranges {
            vectors.push(IoSliceMut::new(&mut []));
        }
        let mut rest = &mut self.bytes[..];
        let mut taken = 0;
        for &(start, end, place) in ranges {
            let (_, from_start) = rest.split_at_mut(start - taken);
            let (buffer, after) = from_start.split_at_mut(end - start);
            vectors[place] = IoSliceMut::new(buffer);
            rest = after;
            taken = end;
        }
        Ok(vectors)
    }
}

/// How long a list gets for an array of so many buffers.
fn room(count: u32) -> usize {
    (count as usize).min(MAX_VECTORS)
}
