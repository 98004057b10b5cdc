//! The standard streams as the embedder names them: where input comes from and where output goes.

use std::io::{self, IoSlice, Read, Write};
use std::sync::{Arc, Mutex};

use crate::descriptor::{Stream, lock};
use crate::sys::{self, OwnedFd};

/// Where standard input comes from.
pub enum Input {
    /// Nothing to read.
    Null,
    /// This process's standard input.
    Inherit,
    /// A file or pipe, which the context then owns.
    File(OwnedFd),
    /// These bytes. Building the context copies them into the runtime's memory, where they stay as
    /// long as the context; a reader over the bytes leaves them where they are.
    Bytes(Vec<u8>),
    /// The host program, with an object of its own memory. Polling says that it is always ready.
    Reader(Box<dyn Read + Send>),
}

/// Where standard output or standard error goes.
pub enum Output {
    /// Nowhere.
    Null,
    /// This process's stream of the same kind.
    Inherit,
    /// A file or pipe, which the context then owns.
    File(OwnedFd),
    /// A buffer, of which the embedder keeps a clone.
    Buffer(OutputBuffer),
    /// The host program, with an object of its own memory.
    Writer(Box<dyn Write + Send>),
}

impl Output {
    /// The stream behind descriptor 1 or 2.
    pub(crate) fn stream(self, number: u32) -> Stream {
        match self {
            Output::Null => Stream::Null,
            Output::Inherit => Stream::Inherited(sys::standard_stream(number)),
            Output::File(file) => Stream::Owned(file),
            Output::Buffer(buffer) => Stream::Buffer(buffer),
            Output::Writer(writer) => Stream::Writer(Mutex::new(writer)),
        }
    }
}

/// Collects output in memory, up to a limit. Clones share the bytes, which are the embedder's: they
/// can outlive context and runtime, and so are in the memory of the process and not of the runtime.
#[derive(Clone, Debug)]
pub struct OutputBuffer {
    bytes: Arc<Mutex<Vec<u8>>>,
    limit: usize,
}

impl OutputBuffer {
    /// A buffer that takes this many bytes; then writing fails for want of space.
    #[must_use]
    pub fn new(limit: usize) -> OutputBuffer {
        OutputBuffer {
            bytes: Arc::default(),
            limit,
        }
    }

    /// A copy of what was written so far.
    #[must_use]
    pub fn contents(&self) -> Vec<u8> {
        lock(&self.bytes).clone()
    }

    /// Takes out what was written so far.
    #[must_use]
    pub fn take(&self) -> Vec<u8> {
        std::mem::take(&mut *lock(&self.bytes))
    }

    /// Appends what fits of the buffers, in order, and says how many bytes that were.
    pub(crate) fn append(&self, buffers: &[IoSlice<'_>]) -> io::Result<usize> {
        let mut bytes = lock(&self.bytes);
        let room = self.limit.saturating_sub(bytes.len());
        // Buffers may repeat, so that their sum knows no bound.
        let lengths = buffers.iter().map(|buffer| buffer.len());
        let offered = lengths.fold(0, usize::saturating_add);
        let count = offered.min(room);
        if count == 0 && offered != 0 {
            return Err(io::ErrorKind::StorageFull.into());
        }
        bytes.try_reserve(count)?;
        let mut left = count;
        for buffer in buffers {
            let part = &buffer[..buffer.len().min(left)];
            bytes.extend_from_slice(part);
            left -= part.len();
        }
        Ok(count)
    }
}

impl Write for OutputBuffer {
    fn write(&mut self, data: &[u8]) -> io::Result<usize> {
        self.append(&[IoSlice::new(data)])
    }

    fn write_vectored(&mut self, buffers: &[IoSlice<'_>]) -> io::Result<usize> {
        self.append(buffers)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
