//! A module that is to be compiled: its binary form, and the text that it came from.

use crate::Outcome;
use crate::diagnostics::TextSource;
use crate::failure::Failure;
use crate::input::{self, Input};
use std::path::Path;

/// A module, and the text that it came from if it was text.
pub struct Module {
    /// The binary form.
    pub wasm: Vec<u8>,
    /// The text, for diagnostics.
    pub text: Option<TextSource>,
}

impl Module {
    /// Reads a module where only a module will do.
    pub fn read(path: &Path) -> Outcome<Module> {
        match input::read(path)? {
            Input::Module(bytes) => Module::new(&input::display_name(path), bytes),
            Input::Artifact(_) => Err(Failure::at(path, "this is an artifact, compiled already")),
        }
    }

    /// A module from the bytes of either form; text is assembled.
    pub fn new(name: &str, bytes: Vec<u8>) -> Outcome<Module> {
        if bytes.starts_with(input::WASM_MAGIC) {
            return Ok(Module {
                wasm: bytes,
                text: None,
            });
        }
        let text = String::from_utf8(bytes);
        let text = text.map_err(|error| Failure::new(format_args!("{name}: {error}")))?;
        let name = name.to_owned();
        let source = TextSource { name, text };
        let wasm = source.assemble()?;
        Ok(Module {
            wasm,
            text: Some(source),
        })
    }
}
