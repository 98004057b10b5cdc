//! The perf map: the file that `perf report` reads for addresses of no executable file.
//!
//! ```text
//!   START SIZE NAME      hexadecimal, hexadecimal, the rest of the line
//! ```
#![forbid(unsafe_code)]

use core::ops::Range;
use std::format;
use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use super::{ADAPTERS, adapters, create, symbol};
use crate::module::Module;
use crate::sys::profiler;

/// The map of this process. The file stays when the value is dropped: `perf report` reads it after
/// the process has ended.
#[derive(Debug)]
pub struct PerfMap {
    file: BufWriter<File>,
    path: PathBuf,
}

impl PerfMap {
    /// Makes the file where `perf` looks for it.
    pub fn create() -> io::Result<PerfMap> {
        PerfMap::create_in(&profiler::map_directory())
    }

    /// Makes the file in another folder, under the name that `perf` expects.
    pub fn create_in(folder: &Path) -> io::Result<PerfMap> {
        let path = folder.join(format!("perf-{}.map", std::process::id()));
        Ok(PerfMap {
            file: BufWriter::new(create(&path)?),
            path,
        })
    }

    /// Where the file is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Writes down where the module's functions are. Wanted before its code runs, or at any time
    /// before the process ends.
    pub fn add(&mut self, module: &Module) -> io::Result<()> {
        for function in module.functions() {
            self.line(&function.addresses, &symbol(module, &function))?;
        }
        for addresses in adapters(module) {
            self.line(&addresses, ADAPTERS)?;
        }
        self.file.flush()
    }

    fn line(&mut self, addresses: &Range<usize>, name: &str) -> io::Result<()> {
        let (start, size) = (addresses.start, addresses.len());
        writeln!(self.file, "{start:x} {size:x} {name}")
    }
}
