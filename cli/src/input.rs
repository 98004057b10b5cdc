//! What a subcommand reads: a binary module, a text module or an artifact; from a file or from
//! standard input.

use crate::failure::Failure;
use crate::flags::code::CodeFlags;
use crate::{Outcome, compile};
use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

/// The first bytes of a binary module.
pub const WASM_MAGIC: &[u8] = b"\0asm";

/// What the bytes turned out to be.
pub enum Input {
    /// A module to compile, binary or text, not yet checked.
    Module(Vec<u8>),
    /// An artifact, not yet checked.
    Artifact(Vec<u8>),
}

/// What a module is compiled for, where a subcommand came upon one instead of an artifact.
#[derive(Clone, Copy, Default)]
#[cfg_attr(
    not(feature = "compiler"),
    expect(dead_code, reason = "nothing is compiled for it")
)]
pub struct Purpose {
    /// It is to live in a pool.
    pub pool: bool,
    /// Its calls are to be counted.
    pub call_profile: bool,
}

/// Reads the file at `path`, or standard input where the path is `-`.
pub fn read(path: &Path) -> Outcome<Input> {
    let bytes = if path == Path::new("-") {
        let mut bytes = Vec::new();
        let read = io::stdin().lock().read_to_end(&mut bytes);
        read.map_err(|error| Failure::new(format_args!("standard input: {error}")))?;
        bytes
    } else {
        std::fs::read(path).map_err(|error| Failure::at(path, error))?
    };
    if is_artifact(&bytes) {
        Ok(Input::Artifact(bytes))
    } else if is_module(&bytes) {
        Ok(Input::Module(bytes))
    } else {
        let name = display_name(path);
        Err(Failure::new(format_args!(
            "{name}: neither a WebAssembly module, binary or text, nor an artifact"
        )))
    }
}

/// The artifact at `path`, not yet checked; a module is compiled first.
pub fn artifact(path: &Path, code: &CodeFlags, purpose: Purpose) -> Outcome<Vec<u8>> {
    match read(path)? {
        Input::Artifact(bytes) => Ok(bytes),
        Input::Module(bytes) => compile::on_the_way(&display_name(path), bytes, code, purpose),
    }
}

/// Whether the file begins like an artifact. A file that cannot be read is none; whoever opens it
/// next says why.
pub fn is_artifact_file(path: &Path) -> bool {
    let mut magic = [0; precast_format::layout::MAGIC.len()];
    path != Path::new("-")
        && File::open(path)
            .and_then(|mut file| file.read_exact(&mut magic))
            .is_ok()
        && is_artifact(&magic)
}

fn is_artifact(bytes: &[u8]) -> bool {
    bytes.starts_with(&precast_format::layout::MAGIC)
}

/// Whether the bytes may be a module, binary or text.
fn is_module(bytes: &[u8]) -> bool {
    bytes.starts_with(WASM_MAGIC) || (!bytes.contains(&0) && std::str::from_utf8(bytes).is_ok())
}

/// What to call an input in messages.
pub fn display_name(path: &Path) -> String {
    if path == Path::new("-") {
        "<stdin>".to_owned()
    } else {
        path.display().to_string()
    }
}
