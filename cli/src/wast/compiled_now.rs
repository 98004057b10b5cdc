//! Code that is compiled as a script comes to it.

use super::code::Code;
use super::machine::Problem;
use precast_compiler::{CompileError, ErrorKind, Options, Silent, WasmVersion};

/// Compiles each module with these options.
#[derive(Debug, Clone)]
pub struct CompiledNow(pub Options);

impl Code for CompiledNow {
    fn artifact(&self, wasm: &[u8]) -> Result<Vec<u8>, Problem> {
        Ok(precast_compiler::compile(wasm, &self.0, &Silent)?.artifact)
    }

    fn reason_of_earlier(&self, wasm: &[u8]) -> Option<String> {
        [WasmVersion::V2, WasmVersion::V1]
            .into_iter()
            .find_map(|wasm_version| {
                let options = Options {
                    wasm: wasm_version,
                    ..self.0.clone()
                };
                let compiled = precast_compiler::compile(wasm, &options, &Silent);
                compiled.err().map(|error| error.message)
            })
    }
}

impl From<CompileError> for Problem {
    fn from(error: CompileError) -> Problem {
        match error.kind {
            ErrorKind::Unsupported => Problem::Unsupported(error.message),
            // A module can be beyond what implementations must accept; scripts call it invalid.
            ErrorKind::Invalid | ErrorKind::Limit => Problem::Invalid(error.to_string()),
            _ => Problem::Failed(error.to_string()),
        }
    }
}
