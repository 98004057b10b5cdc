//! `precast completions`: prints a completion script for a shell.

use crate::{Arguments, Outcome, output};
use clap::{Args, CommandFactory};
use std::process::ExitCode;

/// Arguments of `precast completions`.
#[derive(Args)]
pub struct CompletionsArguments {
    /// The shell.
    shell: clap_complete::Shell,
}

/// Runs the subcommand.
pub fn run(arguments: &CompletionsArguments) -> Outcome {
    let mut script = Vec::new();
    let mut command = Arguments::command();
    clap_complete::generate(arguments.shell, &mut command, "precast", &mut script);
    output::print_bytes(&script)?;
    Ok(ExitCode::SUCCESS)
}
