//! `precast wast`: runs scripts of the WebAssembly specification.
//!
//! Every module of a script goes the whole way that a program goes: it is compiled, the artifact
//! is written to bytes, read, checked, loaded, relocated and run. The project's own tests call
//! [`run_script`] for the specification's test suite; the command runs files.

mod machine;
mod matching;
mod outcome;
mod script;
mod spectest;
mod stack;

pub use outcome::{Failed, Report};
pub use script::run_script;
pub use stack::{StackFigures, Stacks};

use crate::failure::Failure;
use crate::flags::code::CodeFlags;
use crate::{Outcome, output};
use clap::Args;
use std::path::PathBuf;
use std::process::ExitCode;

/// Arguments of `precast wast`.
#[derive(Args)]
pub struct WastArguments {
    /// The scripts.
    #[arg(required = true)]
    scripts: Vec<PathBuf>,
    /// Print the results as JSON.
    #[arg(long)]
    json: bool,
    /// Run functions whose stack is bounded on a stack that is just enough, and fail where it is not.
    #[arg(long)]
    bounded_stacks: bool,
    #[command(flatten)]
    code: CodeFlags,
}

/// Runs the subcommand.
pub(crate) fn run(arguments: &WastArguments) -> Outcome {
    let options = arguments.code.options()?;
    let stacks = match arguments.bounded_stacks {
        true => Stacks::Bounded,
        false => Stacks::Caller,
    };
    let mut all_passed = true;
    let mut reports = Vec::new();
    for path in &arguments.scripts {
        let text = std::fs::read_to_string(path).map_err(|error| Failure::at(path, error))?;
        let name = path.display().to_string();
        let report = run_script(&name, &text, &options, stacks).map_err(Failure::rendered)?;
        all_passed &= report.failed.is_empty();
        if arguments.json {
            reports.push(report.json(&name));
        } else {
            output::print(&report.text(&name))?;
        }
    }
    if arguments.json {
        output::print(&format!("{:#}\n", serde_json::Value::Array(reports)))?;
    }
    Ok(if all_passed {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}
