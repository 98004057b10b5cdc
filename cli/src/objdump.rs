//! `precast objdump`: the machine code of an artifact, with function names and wasm offsets.

use crate::failure::Failure;
use crate::flags::code::CodeFlags;
use crate::input::{self, Purpose};
use crate::{Outcome, compile, output, report};
use clap::Args;
use precast_compiler::emit;
use std::path::PathBuf;
use std::process::ExitCode;

/// Arguments of `precast objdump`.
#[derive(Args)]
pub struct ObjdumpArguments {
    /// The artifact, or a module to compile first; `-` is standard input.
    input: PathBuf,
    /// Only functions whose name contains this, or whose index it is.
    #[arg(long, value_name = "TEXT")]
    function: Option<String>,
    #[command(flatten)]
    code: CodeFlags,
}

/// Runs the subcommand.
pub fn run(arguments: &ObjdumpArguments) -> Outcome {
    let name = input::display_name(&arguments.input);
    let artifact = input::artifact(&arguments.input, &arguments.code, Purpose::default())?;
    let artifact = report::parse(&name, &artifact)?;
    let filter = compile::filter(arguments.function.as_deref());
    let listing = emit::disassemble(&artifact, &filter)
        .map_err(|error| Failure::new(format_args!("{name}: {error}")))?;
    output::print(&listing)?;
    Ok(ExitCode::SUCCESS)
}
