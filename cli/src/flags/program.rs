//! The program on the command line, and what it gets: for running it and for planning its memory.

use crate::Outcome;
use crate::failure::Failure;
use clap::Args;
use precast_wasi::{WasiContext, WasiContextBuilder};
use std::ffi::OsString;
use std::path::PathBuf;

/// What to run, and what it gets.
#[derive(Args, Default)]
pub struct Program {
    /// The artifact, or a module, binary or text; `-` is standard input.
    ///
    /// An artifact is native code, and naming one here is the statement that it may run: its
    /// structure is checked, its instructions are not.
    pub input: PathBuf,
    /// A folder that the program may use, optionally under another name.
    #[arg(long = "dir", value_name = "HOST[::GUEST]")]
    pub directories: Vec<String>,
    /// An environment variable for the program; without a value, that of this process.
    #[arg(long = "env", value_name = "NAME[=VALUE]")]
    pub variables: Vec<String>,
    /// Call this exported function with the arguments as numbers, and print the results, instead
    /// of running the program from its start.
    #[arg(long, value_name = "NAME")]
    pub invoke: Option<String>,
    /// Arguments of the program, best after `--`.
    #[arg(
        trailing_var_arg = true,
        allow_hyphen_values = true,
        value_name = "ARGS"
    )]
    pub arguments: Vec<OsString>,
}

impl Program {
    /// What the program can reach: the streams, its arguments, and what the command line names.
    pub fn wasi_context(&self, open_files: Option<usize>) -> Outcome<WasiContextBuilder> {
        let name = self
            .input
            .file_name()
            .map_or(&b"-"[..], |name| name.as_encoded_bytes());
        let mut builder = WasiContext::builder().inherit_stdio().arg(name);
        if self.invoke.is_none() {
            builder = builder.args(
                self.arguments
                    .iter()
                    .map(|text| text.clone().into_encoded_bytes()),
            );
        }
        for variable in &self.variables {
            builder = match variable.split_once('=') {
                Some((name, value)) => builder.env(name, value),
                None => match std::env::var_os(variable) {
                    Some(value) => builder.env(variable.as_str(), value.into_encoded_bytes()),
                    // Not set here, so not set there.
                    None => builder,
                },
            };
        }
        for directory in &self.directories {
            let (host, guest) = directory.split_once("::").unwrap_or((directory, directory));
            builder = builder
                .preopen_dir(host, guest)
                .map_err(|error| Failure::at(host.as_ref(), error))?;
        }
        Ok(match open_files {
            Some(count) => builder.open_files(count),
            None => builder,
        })
    }
}
