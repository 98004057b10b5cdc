//! Files that tell a profiler which function an address belongs to.
//!
//! `perf` samples addresses. Those of compiled code are in no executable file that it could read symbols
//! from, so the process writes them down while it runs:
//!
//! ```text
//!   perf map   /tmp/perf-PID.map: a line for each function; read by `perf report`
//!   jitdump    jit-PID.dump: code and lines, with times; `perf inject --jit` makes ELF files of it
//! ```
//!
//! Either is made once per process and given every module that is to be seen. Writing uses the
//! standard library and its allocator, whatever the runtime allocates from: this is for machines that
//! run `perf`, and behind the feature `profiling`.
#![forbid(unsafe_code)]

mod jit_dump;
mod perf_map;

pub use jit_dump::JitDump;
pub use perf_map::PerfMap;

use core::ops::Range;
use std::borrow::ToOwned;
use std::format;
use std::fs::{File, OpenOptions};
use std::io;
use std::path::Path;
use std::string::{String, ToString};

use crate::module::{FunctionCode, Module};
use crate::printable::Printable;

/// Makes a file that was not there: what is left of an earlier process with our number goes, and
/// nobody's link is followed.
fn create(path: &Path) -> io::Result<File> {
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    OpenOptions::new()
        .read(true)
        .write(true)
        .create_new(true)
        .open(path)
}

/// The name under which a function is listed, on one line and without control characters.
fn symbol(module: &Module, function: &FunctionCode<'_>) -> String {
    let name = match function.name {
        Some(name) => Printable(name).to_string(),
        None => format!("function {}", function.index),
    };
    match module.name() {
        Some(module) => format!("{}!{name}", Printable(module)),
        None => name,
    }
}

/// The module's name as that of a source file.
fn source(module: &Module) -> String {
    match module.name() {
        Some(name) => format!("{}.wasm", Printable(name)),
        None => "module.wasm".to_owned(),
    }
}

/// The code between functions: trampolines and adapters.
fn adapters(module: &Module) -> impl Iterator<Item = Range<usize>> {
    let text = module.code_addresses();
    let mut end = text.start;
    let functions = module.functions().map(|function| function.addresses);
    functions
        .chain(core::iter::once(text.end..text.end))
        .map(move |function| {
            let gap = end..function.start;
            end = function.end;
            gap
        })
        // What is shorter aligns the next function.
        .filter(|gap| gap.len() >= 16)
}

/// The symbol for code between functions.
const ADAPTERS: &str = "[precast adapters]";
