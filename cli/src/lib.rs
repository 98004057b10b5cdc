//! The `precast` command: compile, run, inspect.
//!
//! One file per subcommand, each with its arguments and one function `run`; what they share is in
//! `flags` (arguments), `input` (what a module is read from), `output` (what is written) and
//! `failure` (errors as sentences). The command owns no semantics: the compiler, the loader and
//! the WASI crate do the work, and this crate turns arguments into options and errors into prose.
//!
//! Without the feature `compiler` there are neither the subcommands that compile nor the flags of
//! code; `no_compiler` says so where a module would have to be compiled. Next to
//! nothing but this file asks for the feature.
//!
//! The library part exists for the project's own tests, which run specification scripts through
//! [`wast`].
#![forbid(unsafe_code)]

mod bundle;
mod call_profile;
#[cfg(feature = "compiler")]
mod compile;
#[cfg(not(feature = "compiler"))]
#[path = "no_compiler.rs"]
mod compile;
mod completions;
#[cfg(feature = "compiler")]
mod diagnostics;
mod failure;
mod flags;
mod input;
mod inspect;
mod memory;
#[cfg(feature = "compiler")]
mod module;
#[cfg(feature = "compiler")]
mod objdump;
#[cfg(feature = "compiler")]
mod object;
mod output;
#[cfg(feature = "compiler")]
mod place;
#[cfg(feature = "compiler")]
mod progress;
mod quick;
mod report;
mod run;
mod stack;
mod svg;
#[cfg(feature = "compiler")]
mod targets;
pub mod wast;

use clap::{Parser, Subcommand};
use failure::Failure;
use std::process::ExitCode;

/// Compiles WebAssembly ahead of time and runs what was compiled.
#[derive(Parser)]
#[command(
    name = "precast",
    version,
    arg_required_else_help = true,
    max_term_width = 100
)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Compiles a module to an artifact.
    #[cfg(feature = "compiler")]
    Compile(compile::CompileArguments),
    /// Runs a module or an artifact.
    Run(run::RunArguments),
    /// Makes one executable of a program and what runs it.
    Bundle(bundle::BundleArguments),
    /// Shows what an artifact contains and what it needs.
    Inspect(inspect::InspectArguments),
    /// Shows what memory an artifact takes, before it runs.
    Memory(memory::MemoryArguments),
    /// Shows how much native stack an artifact's calls can take, before it runs.
    Stack(stack::StackArguments),
    /// Disassembles an artifact, with function names and wasm offsets.
    #[cfg(feature = "compiler")]
    Objdump(objdump::ObjdumpArguments),
    /// Lists what can be compiled for, with CPUs and defaults, and how that was tested.
    #[cfg(feature = "compiler")]
    Targets(targets::TargetsArguments),
    /// Runs scripts of the WebAssembly specification.
    Wast(wast::WastArguments),
    /// Prints a completion script for a shell.
    Completions(completions::CompletionsArguments),
}

/// Runs the command with the process's arguments and gives its exit code: the program's own, 134
/// for a trap, 2 for a wrong command line, 1 for everything else that fails.
pub fn main() -> ExitCode {
    if let Some(program) = quick::program(std::env::args_os()) {
        return run::run_file(&program).unwrap_or_else(Failure::report);
    }
    let outcome = match Arguments::parse().command {
        #[cfg(feature = "compiler")]
        Command::Compile(arguments) => compile::run(&arguments),
        Command::Run(arguments) => run::run(&arguments),
        Command::Bundle(arguments) => bundle::run(&arguments),
        Command::Inspect(arguments) => inspect::run(&arguments),
        Command::Memory(arguments) => memory::run(&arguments),
        Command::Stack(arguments) => stack::run(&arguments),
        #[cfg(feature = "compiler")]
        Command::Objdump(arguments) => objdump::run(&arguments),
        #[cfg(feature = "compiler")]
        Command::Targets(arguments) => targets::run(&arguments),
        Command::Wast(arguments) => wast::run(&arguments),
        Command::Completions(arguments) => completions::run(&arguments),
    };
    outcome.unwrap_or_else(Failure::report)
}

/// Runs the program that is appended to this process's executable, with all of the process's arguments,
/// and gives its exit code, as [`main`] does for `precast run`.
pub fn run_bundled() -> ExitCode {
    bundle::run_bundled().unwrap_or_else(Failure::report)
}

/// The end of a subcommand.
type Outcome<T = ExitCode> = Result<T, Failure>;
