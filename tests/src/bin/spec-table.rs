//! Runs the specification's suite under every configuration and prints the table of results, for
//! `cargo xtask spec`.
#![forbid(unsafe_code)]

use precast_tests::table;
use std::process::ExitCode;

fn main() -> ExitCode {
    let rows = table::measure();
    print!("{}", table::render(&rows));
    let failed = rows
        .iter()
        .flat_map(|row| &row.reports)
        .any(|report| !report.failed.is_empty());
    if failed {
        ExitCode::FAILURE
    } else {
        ExitCode::SUCCESS
    }
}
