//! `precast stack`: how much native stack the calls of an artifact can take, before it runs.
//!
//! Everything is read from the artifact, where the compiler wrote it down; nothing is reckoned here.

mod dot;
mod json;
mod model;
mod obstacles;
mod plot;
mod table;
mod usage;

use self::model::Model;
use crate::failure::Failure;
use crate::flags::code::CodeFlags;
use crate::input::{self, Purpose};
use crate::{Outcome, output, report};
use clap::Args;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// Arguments of `precast stack`.
#[derive(Args)]
pub struct StackArguments {
    /// The artifact, or a module to compile first; `-` is standard input.
    input: PathBuf,
    /// Show the deepest path of this export. The default is the deepest of all.
    #[arg(long, value_name = "NAME")]
    export: Option<String>,
    #[command(flatten)]
    report: ReportFlags,
    #[command(flatten)]
    code: CodeFlags,
}

/// What is made of the figures: a table on standard output, and files.
#[derive(Args)]
#[command(next_help_heading = "Report")]
struct ReportFlags {
    /// Print the figures as JSON instead of a table.
    #[arg(long)]
    json: bool,
    /// Write the deepest paths of all exports as a graph for Graphviz; `-` is standard output.
    #[arg(long, value_name = "FILE")]
    dot: Option<PathBuf>,
    /// Draw the deepest path as an SVG file; `-` is standard output.
    #[arg(long, value_name = "FILE")]
    plot: Option<PathBuf>,
    /// Write the frame size of each function, as compilers do in stack-usage files; `-` is standard
    /// output. A function is on line 1, in the column of its offset in the wasm module.
    #[arg(long, value_name = "FILE")]
    usage: Option<PathBuf>,
}

/// Runs the subcommand.
pub fn run(arguments: &StackArguments) -> Outcome {
    let print = arguments.report.prints()?;
    let name = input::display_name(&arguments.input);
    let artifact = input::artifact(&arguments.input, &arguments.code, Purpose::default())?;
    let artifact = report::parse(&name, &artifact)?;
    // Reports go where the artifact goes; the folder that it is in here does not.
    let file = arguments.input.file_name();
    let name = file.map_or(name, |file| file.to_string_lossy().into_owned());
    let model = Model::new(name, &artifact);
    let shown = match &arguments.export {
        None => model.deepest(),
        Some(name) => {
            let missing = || Failure::new(format_args!("there is no exported function `{name}`"));
            Some(model.root(name).ok_or_else(missing)?)
        }
    };
    arguments.report.write(&model, shown)?;
    match print {
        false => {}
        true if arguments.report.json => report::print_json(&json::report(&model))?,
        true => output::print(&table::report(&model, shown))?,
    }
    Ok(ExitCode::SUCCESS)
}

impl ReportFlags {
    /// Whether standard output is for table or JSON; a file may have taken it.
    fn prints(&self) -> Outcome<bool> {
        let files = [&self.dot, &self.plot, &self.usage].into_iter().flatten();
        let taken = files.filter(|path| path.as_path() == Path::new("-"));
        match taken.count() + usize::from(self.json) {
            0 => Ok(true),
            1 => Ok(self.json),
            _ => Err(Failure::usage(
                "only one of the reports can have standard output",
            )),
        }
    }

    /// Writes the files that are wanted.
    fn write(&self, model: &Model, shown: Option<&model::Root>) -> Outcome<()> {
        if let Some(path) = &self.dot {
            output::write(path, dot::graph(model).as_bytes())?;
        }
        if let Some(path) = &self.plot {
            output::write(path, plot::draw(model, shown).as_bytes())?;
        }
        if let Some(path) = &self.usage {
            output::write(path, usage::lines(model).as_bytes())?;
        }
        Ok(())
    }
}
