//! The jitdump file: code, names and lines of a process, with the time at which each came.
//!
//! ```text
//!   header   magic, version, size, machine, 0, process, time, flags
//!   record   kind, size, time, then
//!     code load    process, thread, address, address, size, number, name, code
//!     debug info   code address, count, then for each: address, line, 0, file name
//!     close        nothing
//! ```
//!
//! Numbers are in the machine's byte order; times are those of the monotonic clock, which `perf record
//! -k mono` uses too. A line number is an offset in the wasm file, since a binary module has no lines. The
//! debug record of a function comes before its code.
#![forbid(unsafe_code)]

use core::ops::Range;
use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::{format, vec::Vec};

use super::{ADAPTERS, adapters, create, source, symbol};
use crate::module::Module;
use crate::sys::profiler::{self, Marker};
use crate::sys::{OsError, clock, isa};

/// `JiTD`, as a number: who reads it learns the byte order.
const MAGIC: u32 = 0x4a69_5444;
const VERSION: u32 = 1;
const HEADER_SIZE: u32 = 40;
/// Kind, size and time of a record.
const RECORD_HEAD: usize = 16;
const CODE_LOAD: u32 = 0;
const DEBUG_INFO: u32 = 2;
const CLOSE: u32 = 3;

/// The dump of this process. The file stays when the value is dropped: `perf inject` reads it after
/// the process has ended.
#[derive(Debug)]
pub struct JitDump {
    file: BufWriter<File>,
    path: PathBuf,
    next_number: u64,
    _marker: Marker,
}

impl JitDump {
    /// Makes the file in a folder, under the name that `perf` expects, and lets a `perf record` that
    /// watches know of it. The folder has to be on a file system that allows executable mappings.
    pub fn create_in(folder: &Path) -> io::Result<JitDump> {
        // perf takes the path from the mapping, which has it in full.
        let path = folder.join(format!("jit-{}.dump", std::process::id()));
        let file = create(&path)?;
        let marker =
            Marker::new(&file).map_err(|OsError(code)| io::Error::from_raw_os_error(code))?;
        let mut dump = JitDump {
            file: BufWriter::new(file),
            path,
            next_number: 0,
            _marker: marker,
        };
        dump.header()?;
        Ok(dump)
    }

    /// Where the file is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Writes the module's code down. Wanted before the code runs: `perf` takes no sample for it that
    /// is older.
    pub fn add(&mut self, module: &Module) -> io::Result<()> {
        let source = source(module);
        for function in module.functions() {
            self.lines(module, function.index, &source)?;
            self.code(module, &function.addresses, &symbol(module, &function))?;
        }
        for addresses in adapters(module) {
            self.code(module, &addresses, ADAPTERS)?;
        }
        self.file.flush()
    }

    fn header(&mut self) -> io::Result<()> {
        for word in [
            MAGIC,
            VERSION,
            HEADER_SIZE,
            isa::ELF_MACHINE,
            0,
            std::process::id(),
        ] {
            self.word(word)?;
        }
        self.long(clock::now())?;
        self.long(0)?;
        self.file.flush()
    }

    /// Kind, size and time of a record with so many bytes behind that.
    fn head(&mut self, kind: u32, bytes: usize) -> io::Result<()> {
        let size = u32::try_from(RECORD_HEAD.saturating_add(bytes));
        self.word(kind)?;
        self.word(size.map_err(|_| io::ErrorKind::InvalidData)?)?;
        self.long(clock::now())
    }

    /// The record of code.
    fn code(&mut self, module: &Module, addresses: &Range<usize>, name: &str) -> io::Result<()> {
        let bytes = module.code_bytes(addresses);
        let rest = 2 * size_of::<u32>() + 4 * size_of::<u64>();
        self.head(CODE_LOAD, rest + name.len() + 1 + bytes.len())?;
        self.word(std::process::id())?;
        self.word(profiler::thread_number())?;
        let address = addresses.start as u64;
        for number in [address, address, bytes.len() as u64, self.next_number] {
            self.long(number)?;
        }
        self.next_number += 1;
        self.file.write_all(name.as_bytes())?;
        self.file.write_all(&[0])?;
        self.file.write_all(bytes)
    }

    /// The record of a function's lines: what the tables of traps and calls know.
    fn lines(&mut self, module: &Module, function: u32, source: &str) -> io::Result<()> {
        let artifact = module.artifact();
        let Some(function) = artifact.defined_function(function) else {
            return Ok(());
        };
        let mut places: Vec<(u32, u32)> = Vec::new();
        places.push((function.text_offset, function.wasm_offset));
        let traps = artifact.traps();
        places.extend(
            traps
                .of(&function)
                .map(|site| (site.text_offset, site.wasm_offset)),
        );
        let calls = artifact.call_sites();
        places.extend(
            calls
                .of(&function)
                .map(|site| (site.text_offset, site.wasm_offset)),
        );
        // Several places of one address have the same instruction, or one of them is the body.
        places.sort_unstable();
        // The format has a short form for the name of the entry before, which perf does not read.
        let entry = size_of::<u64>() + 2 * size_of::<u32>() + source.len() + 1;
        self.head(DEBUG_INFO, 2 * size_of::<u64>() + places.len() * entry)?;
        self.long(module.code_address(function.text_offset) as u64)?;
        self.long(places.len() as u64)?;
        for (text_offset, wasm_offset) in places {
            self.long(module.code_address(text_offset) as u64)?;
            self.word(wasm_offset)?;
            self.word(0)?;
            self.file.write_all(source.as_bytes())?;
            self.file.write_all(&[0])?;
        }
        Ok(())
    }

    fn word(&mut self, word: u32) -> io::Result<()> {
        self.file.write_all(&word.to_ne_bytes())
    }

    fn long(&mut self, number: u64) -> io::Result<()> {
        self.file.write_all(&number.to_ne_bytes())
    }
}

impl Drop for JitDump {
    fn drop(&mut self) {
        // Readers do without it where the disk is full.
        let _ = self.head(CLOSE, 0).and_then(|()| self.file.flush());
    }
}
