//! The only door to the input: bounds-checked little-endian reads.
//!
//! No other file of the reader indexes into bytes. Every read copies, so nothing needs alignment.
//! A read outside of the bytes is `None`, never a panic.

use crate::layout::RecordField;

/// Borrowed bytes of the file.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Bytes<'a>(&'a [u8]);

impl<'a> Bytes<'a> {
    /// Wraps a slice.
    pub const fn new(bytes: &'a [u8]) -> Bytes<'a> {
        Bytes(bytes)
    }

    /// How many bytes there are.
    pub const fn len(self) -> usize {
        self.0.len()
    }

    /// Whether there are none.
    pub const fn is_empty(self) -> bool {
        self.0.is_empty()
    }

    /// The slice itself.
    pub const fn as_slice(self) -> &'a [u8] {
        self.0
    }

    /// `size` bytes from `start`, or `None` where they are not all there.
    pub fn range(self, start: u32, size: u32) -> Option<Bytes<'a>> {
        let start = usize::try_from(start).ok()?;
        let end = start.checked_add(usize::try_from(size).ok()?)?;
        self.0.get(start..end).map(Bytes)
    }

    /// `N` bytes from `offset`.
    pub fn array<const N: usize>(self, offset: usize) -> Option<&'a [u8; N]> {
        self.0.get(offset..)?.first_chunk()
    }

    /// One byte.
    pub fn u8(self, offset: usize) -> Option<u8> {
        self.0.get(offset).copied()
    }

    /// A little-endian `u32`.
    pub fn u32(self, offset: usize) -> Option<u32> {
        self.array(offset).map(|bytes| u32::from_le_bytes(*bytes))
    }
}

/// Room for the largest record of a section, and for eight bytes from the start of each of its fields.
pub const RECORD_ROOM: usize = 48;

/// One fixed-size record: all of its fields are there.
///
/// Records of sections are copied out of the file, into room for the largest; what is behind a smaller
/// one has no meaning. So reading a field is a load from a known place, whatever the record.
#[derive(Clone, Copy, Debug)]
pub struct Record<T = [u8; RECORD_ROOM]>(T);

impl<'a, const N: usize> Record<&'a [u8; N]> {
    /// A record of these bytes, where they lie.
    pub const fn lying_in(bytes: &'a [u8; N]) -> Record<&'a [u8; N]> {
        Record(bytes)
    }

    /// The record of `N` bytes at `offset`, where it lies.
    pub fn lying_at(bytes: Bytes<'a>, offset: usize) -> Option<Record<&'a [u8; N]>> {
        bytes.array(offset).map(Record)
    }
}

impl Record {
    /// The record at `offset`: as many bytes as there are, and zeros.
    #[inline]
    fn at(bytes: Bytes<'_>, offset: usize) -> Record {
        let rest = bytes.as_slice().get(offset..).unwrap_or_default();
        if let Some(record) = rest.first_chunk() {
            return Record(*record);
        }
        let mut record = [0; RECORD_ROOM];
        for (to, from) in record.iter_mut().zip(rest) {
            *to = *from;
        }
        Record(record)
    }

    /// The eight bytes from the start of a field.
    pub fn word_at(&self, offset: usize) -> u64 {
        let bytes = Bytes::new(&self.0).array(offset);
        u64::from_le_bytes(*bytes.unwrap_or(&[0; 8]))
    }
}

impl<T: AsRef<[u8]>> Record<T> {
    /// A field's bytes. A field that the record does not have reads as zeros; the layout's
    /// constant assertions exclude that.
    #[inline]
    pub fn array<const SIZE: usize>(&self, field: RecordField<SIZE>) -> [u8; SIZE] {
        Bytes::new(self.0.as_ref())
            .array(field.offset())
            .copied()
            .unwrap_or([0; SIZE])
    }

    /// A one-byte field.
    #[inline]
    pub fn u8(&self, field: RecordField<1>) -> u8 {
        u8::from_le_bytes(self.array(field))
    }

    /// A two-byte field.
    #[inline]
    pub fn u16(&self, field: RecordField<2>) -> u16 {
        u16::from_le_bytes(self.array(field))
    }

    /// A four-byte field.
    #[inline]
    pub fn u32(&self, field: RecordField<4>) -> u32 {
        u32::from_le_bytes(self.array(field))
    }

    /// An eight-byte field.
    #[inline]
    pub fn u64(&self, field: RecordField<8>) -> u64 {
        u64::from_le_bytes(self.array(field))
    }

    /// A four-byte field where all ones mean that there is no value.
    #[inline]
    pub fn optional(&self, field: RecordField<4>) -> Option<u32> {
        Some(self.u32(field)).filter(|value| *value != crate::layout::NONE)
    }
}

/// Records of one size, one after the other.
#[derive(Clone, Copy, Debug)]
pub struct Records<'a> {
    /// The records, and what follows them.
    bytes: Bytes<'a>,
    /// Bytes of the records.
    end: u32,
    size: u32,
}

impl<'a> Records<'a> {
    /// Divides the bytes before `end` into records of this size; a rest that is shorter than a record
    /// is not reachable.
    pub const fn new(bytes: Bytes<'a>, end: u32, size: usize) -> Records<'a> {
        Records {
            bytes,
            end,
            size: size as u32,
        }
    }

    /// How many whole records there are.
    pub fn len(self) -> u32 {
        self.end.checked_div(self.size).unwrap_or(0)
    }

    /// Whether there is none.
    pub fn is_empty(self) -> bool {
        self.len() == 0
    }

    /// Whether there is a record with this index.
    pub fn has(self, index: u32) -> bool {
        (u64::from(index) + 1) * u64::from(self.size) <= u64::from(self.end)
    }

    /// The record with this index; some bytes where there is none.
    pub fn get(self, index: u32) -> Record {
        Record::at(
            self.bytes,
            (index as usize).saturating_mul(self.size as usize),
        )
    }
}

/// An array of little-endian `u32`.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Words<'a>(Bytes<'a>);

impl<'a> Words<'a> {
    /// Divides the bytes into words.
    pub const fn new(bytes: Bytes<'a>) -> Words<'a> {
        Words(bytes)
    }

    /// How many whole words there are.
    pub const fn len(self) -> u32 {
        (self.0.len() / 4) as u32
    }

    /// Whether there is none.
    pub const fn is_empty(self) -> bool {
        self.len() == 0
    }

    /// The word with this index.
    pub fn get(self, index: u32) -> Option<u32> {
        self.0.u32(usize::try_from(index).ok()?.checked_mul(4)?)
    }

    /// `count` words from index `start`.
    pub fn range(self, start: u32, count: u32) -> Option<Words<'a>> {
        self.0
            .range(start.checked_mul(4)?, count.checked_mul(4)?)
            .map(Words)
    }

    /// The words in order.
    pub fn iter(self) -> impl ExactSizeIterator<Item = u32> + Clone + 'a {
        self.0
            .as_slice()
            .as_chunks::<4>()
            .0
            .iter()
            .map(|word| u32::from_le_bytes(*word))
    }
}

/// Reads variable-length integers (LEB128) one after the other.
#[derive(Clone, Copy, Debug)]
pub struct Stream<'a>(&'a [u8]);

impl<'a> Stream<'a> {
    /// Starts at the first byte.
    pub const fn new(bytes: Bytes<'a>) -> Stream<'a> {
        Stream(bytes.as_slice())
    }

    /// Whether all bytes have been read.
    pub const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The next byte.
    pub fn byte(&mut self) -> Option<u8> {
        let (first, rest) = self.0.split_first()?;
        self.0 = rest;
        Some(*first)
    }

    /// The next unsigned integer; `None` at the end, or where it does not fit 64 bits or could be
    /// shorter.
    pub fn unsigned(&mut self) -> Option<u64> {
        let mut value = 0;
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?;
            let bits = u64::from(byte & 0x7f);
            if bits << shift >> shift != bits {
                return None;
            }
            value |= bits << shift;
            if byte & 0x80 == 0 {
                return (byte != 0 || shift == 0).then_some(value);
            }
        }
        None
    }

    /// The next signed integer, stored with its sign in the lowest bit.
    pub fn signed(&mut self) -> Option<i64> {
        let value = self.unsigned()?;
        Some((value >> 1) as i64 ^ -((value & 1) as i64))
    }
}
