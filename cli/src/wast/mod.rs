//! `precast wast`: runs scripts of the WebAssembly specification.
//!
//! Every module of a script goes the whole way that a program goes: it is compiled, the artifact
//! is written to bytes, read, checked, loaded, relocated and run. The project's own tests call
//! [`run_script`] for the specification's test suite; the command runs files.
//!
//! The way can be taken in two journeys: one machine compiles the modules of scripts to a folder,
//! and another, for which they were compiled, runs the scripts with them and has no compiler.

mod code;
#[cfg(feature = "compiler")]
mod compiled_now;
mod machine;
mod matching;
mod modules;
mod outcome;
mod script;
mod spectest;
mod stack;
mod store;
mod stored;

pub use code::Code;
#[cfg(feature = "compiler")]
pub use compiled_now::CompiledNow;
pub use outcome::{Failed, Report};
pub use script::{compile_script, run_script};
pub use stack::{StackFigures, Stacks};
pub use stored::Stored;

use crate::failure::Failure;
use crate::flags::code::CodeFlags;
use crate::{Outcome, compile, output};
use clap::Args;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// Arguments of `precast wast`.
#[derive(Args)]
pub struct WastArguments {
    /// The scripts.
    #[arg(required = true)]
    scripts: Vec<PathBuf>,
    /// Print the results as JSON, a line for each script.
    #[arg(long)]
    json: bool,
    /// Run functions whose stack is bounded on a stack that is just enough, and fail where it is not.
    #[arg(long)]
    bounded_stacks: bool,
    /// Run nothing; compile every module of the scripts and store the artifacts in this folder.
    #[arg(long, value_name = "FOLDER", conflicts_with_all = ["json", "bounded_stacks", "artifacts"])]
    artifacts_out: Option<PathBuf>,
    /// Compile nothing; run the scripts with the artifacts of this folder.
    #[arg(long, value_name = "FOLDER")]
    artifacts: Option<PathBuf>,
    #[command(flatten)]
    code: CodeFlags,
}

/// Runs the subcommand.
pub(crate) fn run(arguments: &WastArguments) -> Outcome {
    if let Some(folder) = &arguments.artifacts_out {
        let code = compile::for_scripts(&arguments.code)?;
        store::all(&arguments.scripts, &code, folder)?;
        return Ok(ExitCode::SUCCESS);
    }
    let mut printed = Printed::new(arguments.json);
    let mut all_passed = true;
    match &arguments.artifacts {
        Some(folder) => {
            for path in &arguments.scripts {
                let text = read(path)?;
                let stored =
                    Stored::read(folder, &text).map_err(|error| Failure::at(path, error))?;
                all_passed &= arguments.run_one(path, &text, &stored, &mut printed)?;
            }
        }
        None => {
            let code = compile::for_scripts(&arguments.code)?;
            for path in &arguments.scripts {
                all_passed &= arguments.run_one(path, &read(path)?, &code, &mut printed)?;
            }
        }
    }
    printed.end()?;
    Ok(if all_passed {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

fn read(path: &Path) -> Outcome<String> {
    std::fs::read_to_string(path).map_err(|error| Failure::at(path, error))
}

impl WastArguments {
    /// Runs one script; whether everything in it passed.
    fn run_one(
        &self,
        path: &Path,
        text: &str,
        code: &dyn Code,
        printed: &mut Printed,
    ) -> Outcome<bool> {
        let stacks = match self.bounded_stacks {
            true => Stacks::Bounded,
            false => Stacks::Caller,
        };
        let name = path.display().to_string();
        let report = run_script(&name, text, code, stacks).map_err(Failure::rendered)?;
        printed.report(&name, &report)?;
        Ok(report.failed.is_empty())
    }
}

/// Reports on standard output, each as soon as it is there: whoever waits for many sees how far it
/// is, and keeps what was there when a script ended the process.
struct Printed {
    json: bool,
    count: usize,
}

impl Printed {
    fn new(json: bool) -> Printed {
        Printed { json, count: 0 }
    }

    fn report(&mut self, name: &str, report: &Report) -> Outcome<()> {
        let separator = if self.count == 0 { "[" } else { "," };
        self.count += 1;
        match self.json {
            true => output::print(&format!("{separator}\n{}", report.json(name))),
            false => output::print(&report.text(name)),
        }
    }

    fn end(&self) -> Outcome<()> {
        match (self.json, self.count) {
            (false, _) => Ok(()),
            (true, 0) => output::print("[]\n"),
            (true, _) => output::print("\n]\n"),
        }
    }
}
