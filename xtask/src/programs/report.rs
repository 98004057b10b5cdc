//! The tables: what the programs are, what compiling and running them takes, what became of them.

use super::Verdict;
use super::process::Ended;
use super::table::{Program, Run};
use crate::bench::Table;
use std::time::Duration;

/// One program under one engine.
pub struct Row {
    /// The engine.
    pub engine: &'static str,
    /// The program.
    pub program: &'static Program,
    /// What compiling it took, if it was compiled.
    pub compiled: Option<Compiled>,
    /// Its runs, in turn.
    pub runs: Vec<(&'static Run, Verdict, Option<Ended>)>,
}

/// What compiling a program took.
pub struct Compiled {
    /// Bytes of the module.
    pub module: u64,
    /// Bytes of what became of it.
    pub artifact: u64,
    /// User and system time of all threads.
    pub cpu: Duration,
    /// Most bytes resident at once.
    pub peak: u64,
}

/// One table with a line per program and engine.
pub fn render(rows: &[Row]) -> String {
    let mut table = Table::new();
    table.row(
        [
            "program",
            "engine",
            "module MB",
            "compiled MB",
            "compile CPU s",
            "compile peak MB",
            "runs CPU s",
            "run peak MB",
            "passed",
            "failed",
            "skipped",
        ]
        .map(String::from),
    );
    for row in rows {
        let mut cells = vec![row.program.name.to_owned(), row.engine.to_owned()];
        match &row.compiled {
            Some(compiled) => cells.extend([
                megabytes(compiled.module),
                megabytes(compiled.artifact),
                seconds(compiled.cpu),
                megabytes(compiled.peak),
            ]),
            None => cells.extend(std::iter::repeat_n("–".to_owned(), 4)),
        }
        let ended = || row.runs.iter().filter_map(|(_, _, ended)| ended.as_ref());
        cells.push(seconds(ended().map(|ended| ended.cpu).sum()));
        cells.push(megabytes(
            ended().map(|ended| ended.peak).max().unwrap_or(0),
        ));
        let count = |wanted: fn(&Verdict) -> bool| {
            let verdicts = row.runs.iter().map(|(_, verdict, _)| verdict);
            verdicts
                .filter(|verdict| wanted(verdict))
                .count()
                .to_string()
        };
        cells.push(count(|verdict| matches!(verdict, Verdict::Passed)));
        cells.push(count(|verdict| matches!(verdict, Verdict::Failed(_))));
        cells.push(count(|verdict| matches!(verdict, Verdict::Skipped(_))));
        table.row(cells);
    }
    table.render()
}

fn seconds(time: Duration) -> String {
    format!("{:.2}", time.as_secs_f64())
}

fn megabytes(bytes: u64) -> String {
    format!("{:.1}", bytes as f64 / 1e6)
}
