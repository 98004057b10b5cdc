//! `precast targets`: what code can be made for, what it can do there, and how that was tested.
//!
//! The lists are the compiler's; `docs/targets.md` shows what this prints.

mod model;
mod table;

use crate::failure::Failure;
use crate::{Outcome, output, report};
use clap::Args;
use model::Row;
use std::process::ExitCode;

/// Arguments of `precast targets`.
#[derive(Args)]
pub struct TargetsArguments {
    /// One target, by its triple or a shorter name: its CPUs, CPU features and defaults. Without a name,
    /// all targets are listed.
    name: Option<String>,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

/// Runs the subcommand.
pub fn run(arguments: &TargetsArguments) -> Outcome {
    match (&arguments.name, arguments.json) {
        (Some(name), json) => {
            let row = Row::named(name).map_err(|error| Failure::usage(error.message))?;
            match json {
                true => report::print_json(&row.json())?,
                false => output::print(&table::one(&row))?,
            }
        }
        (None, true) => report::print_json(&model::all_json(&Row::all()?))?,
        (None, false) => output::print(&table::all(&Row::all()?))?,
    }
    Ok(ExitCode::SUCCESS)
}
