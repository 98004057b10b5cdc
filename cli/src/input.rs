//! What a subcommand reads: a binary module, a text module or an artifact; from a file or from
//! standard input.

use crate::Outcome;
use crate::diagnostics::TextSource;
use crate::failure::Failure;
use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

/// The first bytes of a binary module.
const WASM_MAGIC: &[u8] = b"\0asm";

/// What the bytes turned out to be.
pub enum Input {
    /// A module to compile.
    Module(Module),
    /// An artifact, not yet checked.
    Artifact(Vec<u8>),
}

/// A module, and the text that it came from if it was text.
pub struct Module {
    /// The binary form.
    pub wasm: Vec<u8>,
    /// The text, for diagnostics.
    pub text: Option<TextSource>,
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
    } else {
        module(path, bytes).map(Input::Module)
    }
}

/// Reads a module where only a module will do.
pub fn read_module(path: &Path) -> Outcome<Module> {
    match read(path)? {
        Input::Module(module) => Ok(module),
        Input::Artifact(_) => Err(Failure::at(path, "this is an artifact, compiled already")),
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

fn module(path: &Path, bytes: Vec<u8>) -> Outcome<Module> {
    if bytes.starts_with(WASM_MAGIC) {
        return Ok(Module {
            wasm: bytes,
            text: None,
        });
    }
    let name = if path == Path::new("-") {
        "<stdin>".to_owned()
    } else {
        path.display().to_string()
    };
    match String::from_utf8(bytes) {
        Ok(text) if !text.contains('\0') => {
            let source = TextSource { name, text };
            let wasm = source.assemble()?;
            Ok(Module {
                wasm,
                text: Some(source),
            })
        }
        _ => Err(Failure::new(format_args!(
            "{name}: neither a WebAssembly module, binary or text, nor an artifact"
        ))),
    }
}
