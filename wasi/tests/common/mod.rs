//! A guest without a module: a piece of memory, a place in it for each value, and a context.

#![allow(dead_code, reason = "each test file uses a part of it")]

pub mod cases;
pub mod recorder;

use std::cell::RefCell;

use precast_loader::Runtime;
use precast_wasi::types::{fdflags, oflags};
use precast_wasi::{
    Abi, Errno, GuestMemory, Input, Output, OutputBuffer, Rights, SharedBytes, WasiContext,
    WasiContextBuilder,
};
use tempfile::TempDir;

/// One page of memory, like the smallest guest.
pub const MEMORY: usize = 65_536;

/// Where what is put into memory begins.
const START: u32 = 1024;

/// Where functions put their results.
pub const RESULT: u32 = 16;
/// A second place for results.
pub const RESULT_2: u32 = 32;

/// Whether guests have a memory that other threads could share: the test binary of that name says so.
pub const SHARED: bool = matches!(env!("CARGO_CRATE_NAME").as_bytes(), b"shared");

/// A memory as several threads see it.
struct SharedMemory<'m>(RefCell<&'m mut [u8]>);

impl SharedBytes for SharedMemory<'_> {
    fn size(&self) -> usize {
        self.0.borrow().len()
    }

    fn read(&self, start: usize, bytes: &mut [u8]) -> Result<(), Errno> {
        let memory = self.0.borrow();
        let source = memory.get(start..).and_then(|rest| rest.get(..bytes.len()));
        bytes.copy_from_slice(source.ok_or(Errno::Fault)?);
        Ok(())
    }

    fn write(&self, start: usize, bytes: &[u8]) -> Result<(), Errno> {
        let mut memory = self.0.borrow_mut();
        let rest = memory.get_mut(start..);
        let target = rest.and_then(|rest| rest.get_mut(..bytes.len()));
        target.ok_or(Errno::Fault)?.copy_from_slice(bytes);
        Ok(())
    }
}

pub struct Guest {
    pub bytes: Vec<u8>,
    pub context: WasiContext,
    next: u32,
}

/// A guest with a directory of its own, as descriptor 3 and named `/`.
pub fn with_directory() -> (Guest, TempDir) {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let builder = WasiContext::builder()
        .preopen_dir(directory.path(), "/")
        .expect("the directory opens");
    (Guest::new(builder), directory)
}

impl Guest {
    pub fn new(builder: WasiContextBuilder) -> Guest {
        let runtime = Runtime::system().expect("a runtime");
        Guest::new_in(&runtime, builder)
    }

    /// A guest whose context is in the memory of a runtime.
    pub fn new_in(runtime: &Runtime, builder: WasiContextBuilder) -> Guest {
        let context = builder.build(runtime).expect("a context");
        if SHARED {
            // As where several threads are, one of which may end all.
            context.make_interruptible().expect("an alarm");
        }
        Guest {
            bytes: vec![0; MEMORY],
            context,
            next: START,
        }
    }

    pub fn memory(&mut self) -> GuestMemory<'_> {
        if SHARED {
            // A few bytes for each call of a test: nobody would own them for long enough.
            let memory = SharedMemory(RefCell::new(&mut self.bytes));
            return GuestMemory::shared(Box::leak(Box::new(memory)));
        }
        GuestMemory::new(&mut self.bytes)
    }

    /// Puts bytes into memory, and says where.
    pub fn put(&mut self, bytes: &[u8]) -> (u32, u32) {
        let (start, length) = (self.next, bytes.len() as u32);
        self.bytes[start as usize..][..bytes.len()].copy_from_slice(bytes);
        self.next += length.next_multiple_of(8);
        assert!((self.next as usize) < MEMORY, "the guest's memory is full");
        (start, length)
    }

    /// Makes room: nothing that was put into memory is needed any more.
    pub fn forget(&mut self) {
        self.next = START;
    }

    /// Room for a result.
    pub fn room(&mut self, length: usize) -> (u32, u32) {
        self.put(&vec![0; length])
    }

    /// An array of buffers.
    pub fn vectors(&mut self, buffers: &[(u32, u32)]) -> (u32, u32) {
        let mut array = Vec::new();
        for (pointer, length) in buffers {
            array.extend_from_slice(&pointer.to_le_bytes());
            array.extend_from_slice(&length.to_le_bytes());
        }
        let (pointer, _) = self.put(&array);
        (pointer, buffers.len() as u32)
    }

    pub fn u16_at(&self, pointer: u32) -> u16 {
        u16::from_le_bytes(self.bytes[pointer as usize..][..2].try_into().unwrap())
    }

    pub fn u32_at(&self, pointer: u32) -> u32 {
        u32::from_le_bytes(self.bytes[pointer as usize..][..4].try_into().unwrap())
    }

    pub fn u64_at(&self, pointer: u32) -> u64 {
        u64::from_le_bytes(self.bytes[pointer as usize..][..8].try_into().unwrap())
    }

    pub fn bytes_at(&self, pointer: u32, length: u32) -> &[u8] {
        &self.bytes[pointer as usize..][..length as usize]
    }

    /// Opens, with every choice.
    #[allow(clippy::too_many_arguments, reason = "the function has as many")]
    pub fn open_with(
        &mut self,
        fd: u32,
        path: &str,
        follow: bool,
        oflags: u32,
        rights: Rights,
        inheriting: Rights,
        flags: u32,
    ) -> Result<u32, Errno> {
        let (pointer, length) = self.put(path.as_bytes());
        let context = self.context.clone();
        context.path_open(
            &mut self.memory(),
            fd,
            u32::from(follow),
            pointer,
            length,
            oflags,
            rights.bits(),
            inheriting.bits(),
            flags,
            RESULT,
        )?;
        Ok(self.u32_at(RESULT))
    }

    /// Opens for reading and writing what descriptor 3 has.
    pub fn open(&mut self, path: &str, oflags: u32) -> Result<u32, Errno> {
        self.open_with(3, path, true, oflags, Rights::FILE, Rights::NONE, 0)
    }

    /// Opens for reading only what descriptor 3 has.
    pub fn open_to_read(&mut self, path: &str) -> Result<u32, Errno> {
        self.open_with(3, path, true, 0, Rights::FD_READ, Rights::NONE, 0)
    }

    /// Opens for writing only what descriptor 3 has.
    pub fn open_to_write(&mut self, path: &str) -> Result<u32, Errno> {
        self.open_with(3, path, true, 0, Rights::FD_WRITE, Rights::NONE, 0)
    }

    /// Opens a directory with everything that can be had.
    pub fn open_directory(&mut self, path: &str) -> Result<u32, Errno> {
        let (rights, inheriting) = (Rights::DIRECTORY, Rights::DIRECTORY_INHERITING);
        self.open_with(3, path, true, oflags::DIRECTORY, rights, inheriting, 0)
    }

    /// Creates an empty file.
    pub fn create(&mut self, path: &str) {
        let fd = self
            .open(path, oflags::CREATE)
            .expect("the file is created");
        self.context.fd_close(fd).expect("the file is closed");
    }

    pub fn write(&mut self, fd: u32, data: &[u8]) -> Result<u32, Errno> {
        let buffer = self.put(data);
        let (array, count) = self.vectors(&[buffer]);
        let context = self.context.clone();
        context.fd_write(&mut self.memory(), fd, array, count, RESULT)?;
        Ok(self.u32_at(RESULT))
    }

    pub fn read(&mut self, fd: u32, length: usize) -> Result<Vec<u8>, Errno> {
        let buffer = self.room(length);
        let (array, count) = self.vectors(&[buffer]);
        let context = self.context.clone();
        context.fd_read(&mut self.memory(), fd, array, count, RESULT)?;
        Ok(self.bytes_at(buffer.0, self.u32_at(RESULT)).to_vec())
    }

    pub fn seek(&mut self, fd: u32, delta: i64, whence: u32) -> Result<u64, Errno> {
        let context = self.context.clone();
        context.fd_seek(&mut self.memory(), Abi::Preview1, fd, delta, whence, RESULT)?;
        Ok(self.u64_at(RESULT))
    }

    /// Type, flags, rights and inheriting rights.
    pub fn fdstat(&mut self, fd: u32) -> Result<(u8, u16, Rights, Rights), Errno> {
        let (stat, _) = self.room(24);
        let context = self.context.clone();
        context.fd_fdstat_get(&mut self.memory(), fd, stat)?;
        Ok((
            self.bytes[stat as usize],
            self.u16_at(stat + 2),
            Rights::from_bits(self.u64_at(stat + 8)),
            Rights::from_bits(self.u64_at(stat + 16)),
        ))
    }

    /// Calls a function that takes a descriptor and a path.
    pub fn on_path(
        &mut self,
        function: impl Fn(&WasiContext, &mut GuestMemory<'_>, u32, u32, u32) -> Result<(), Errno>,
        fd: u32,
        path: &str,
    ) -> Result<(), Errno> {
        let (pointer, length) = self.put(path.as_bytes());
        let context = self.context.clone();
        function(&context, &mut self.memory(), fd, pointer, length)
    }

    pub fn mkdir(&mut self, path: &str) -> Result<(), Errno> {
        self.on_path(WasiContext::path_create_directory, 3, path)
    }

    pub fn rmdir(&mut self, path: &str) -> Result<(), Errno> {
        self.on_path(WasiContext::path_remove_directory, 3, path)
    }

    pub fn unlink(&mut self, path: &str) -> Result<(), Errno> {
        self.on_path(WasiContext::path_unlink_file, 3, path)
    }

    pub fn rename(&mut self, old: &str, new: &str) -> Result<(), Errno> {
        let (old, new) = (self.put(old.as_bytes()), self.put(new.as_bytes()));
        let context = self.context.clone();
        context.path_rename(&mut self.memory(), 3, old.0, old.1, 3, new.0, new.1)
    }

    pub fn link(&mut self, flags: u32, old: &str, new: &str) -> Result<(), Errno> {
        let (old, new) = (self.put(old.as_bytes()), self.put(new.as_bytes()));
        let context = self.context.clone();
        context.path_link(&mut self.memory(), 3, flags, old.0, old.1, 3, new.0, new.1)
    }

    pub fn symlink(&mut self, contents: &str, new: &str) -> Result<(), Errno> {
        let (contents, new) = (self.put(contents.as_bytes()), self.put(new.as_bytes()));
        let context = self.context.clone();
        context.path_symlink(&mut self.memory(), contents.0, contents.1, 3, new.0, new.1)
    }

    pub fn readlink(&mut self, path: &str, room: usize) -> Result<Vec<u8>, Errno> {
        let (path, buffer) = (self.put(path.as_bytes()), self.room(room));
        let context = self.context.clone();
        let memory = &mut self.memory();
        context.path_readlink(memory, 3, path.0, path.1, buffer.0, buffer.1, RESULT)?;
        Ok(self.bytes_at(buffer.0, self.u32_at(RESULT)).to_vec())
    }

    /// Where a path's attributes were written.
    pub fn stat(&mut self, path: &str, follow: bool) -> Result<u32, Errno> {
        let (path, (stat, _)) = (self.put(path.as_bytes()), self.room(64));
        let context = self.context.clone();
        let (memory, follow) = (&mut self.memory(), u32::from(follow));
        context.path_filestat_get(memory, Abi::Preview1, 3, follow, path.0, path.1, stat)?;
        Ok(stat)
    }
}

/// Standard streams in memory.
pub fn with_streams(input: &[u8]) -> (Guest, OutputBuffer) {
    let output = OutputBuffer::new(1 << 20);
    let builder = WasiContext::builder()
        .stdin(Input::Bytes(input.to_vec()))
        .stdout(Output::Buffer(output.clone()));
    (Guest::new(builder), output)
}

/// The flags that tests use most.
pub const APPEND: u32 = fdflags::APPEND;
