//! `precast memory`: how much memory an artifact will take, before it runs; and the drawing of it,
//! with what a run really took over it.

pub mod constants;
mod header;
mod json;
mod model;
pub mod plan;
mod plot;
pub mod profile;
mod rust;
mod table;

use crate::failure::Failure;
use crate::flags::code::CodeFlags;
use crate::flags::memory::{Allocation, LimitFlags};
use crate::flags::program::Program;
use crate::input::{self, Purpose};
use crate::{Outcome, output, report};
use clap::Args;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// Arguments of `precast memory`.
#[derive(Args)]
pub struct MemoryArguments {
    #[command(flatten)]
    program: Program,
    #[command(flatten)]
    limits: LimitFlags,
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
    /// Write a C header with the figures as constants; `-` is standard output.
    #[arg(long, value_name = "FILE")]
    emit_header: Option<PathBuf>,
    /// Write the figures as Rust constants; `-` is standard output.
    #[arg(long, value_name = "FILE")]
    emit_rust: Option<PathBuf>,
    /// Draw the figures: bars for each lifetime, as an SVG file; `-` is standard output.
    #[arg(long, value_name = "FILE")]
    plot: Option<PathBuf>,
    /// Outline in the drawing what a run took, from the file that `precast run
    /// --memory-profile-json` wrote.
    #[arg(long, value_name = "FILE", requires = "plot")]
    profile: Option<PathBuf>,
}

/// Runs the subcommand.
pub fn run(arguments: &MemoryArguments) -> Outcome {
    let print = arguments.report.prints()?;
    let name = input::display_name(&arguments.program.input);
    let purpose = Purpose {
        pool: matches!(arguments.limits.alloc, Allocation::Pool),
        ..Purpose::default()
    };
    let artifact = input::artifact(&arguments.program.input, &arguments.code, purpose)?;
    // Reports go where the artifact goes; the folder that it is in here does not.
    let file = arguments.program.input.file_name();
    let name = file.map_or(name, |file| file.to_string_lossy().into_owned());
    let model = plan::plan(&name, &artifact, &arguments.program, &arguments.limits)?;
    arguments.report.write(&arguments.program.input, &model)?;
    match print {
        false => {}
        true if arguments.report.json => report::print_json(&json::plan(&model))?,
        true => output::print(&table::plan(&model))?,
    }
    Ok(ExitCode::SUCCESS)
}

impl ReportFlags {
    /// Whether standard output is for table or JSON; a file may have taken it.
    fn prints(&self) -> Outcome<bool> {
        let files = [&self.emit_header, &self.emit_rust, &self.plot];
        let taken = files.into_iter().flatten();
        match taken.filter(|path| is_standard_output(path)).count() + usize::from(self.json) {
            0 => Ok(true),
            1 => Ok(self.json),
            _ => Err(Failure::usage(
                "only one of the reports can have standard output",
            )),
        }
    }

    /// Writes the files that are wanted.
    fn write(&self, input: &Path, model: &model::Model) -> Outcome<()> {
        let (constants, command) = (constants::of(model), constants::command_line());
        if let Some(path) = &self.emit_header {
            let name = constants::identifier(input);
            let text = header::text(&model.name, &name, &command, &constants);
            output::write(path, text.as_bytes())?;
        }
        if let Some(path) = &self.emit_rust {
            let text = rust::text(&model.name, &command, &constants);
            output::write(path, text.as_bytes())?;
        }
        if let Some(path) = &self.plot {
            let profile = self.profile.as_deref().map(profile::read).transpose()?;
            let drawing = plot::draw(model, profile.as_deref());
            output::write(path, drawing.as_bytes())?;
        }
        Ok(())
    }
}

fn is_standard_output(path: &Path) -> bool {
    path == Path::new("-")
}
