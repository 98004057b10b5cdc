//! The table of results: one line per folder of the suite, the same for all configurations or one
//! for each where they differ.
#![forbid(unsafe_code)]

use crate::configuration::{ALL, Configuration};
use crate::suite;
use precast_cli::wast::Report;
use std::fmt::Write;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

/// The results of one folder under each configuration.
pub struct Row {
    /// The folder.
    pub name: String,
    /// How many scripts it has.
    pub files: usize,
    /// The sum of its scripts' reports, in the order of [`ALL`].
    pub reports: Vec<Report>,
}

/// Runs every script under every configuration, on all processors.
pub fn measure() -> Vec<Row> {
    let names = suite::names();
    let mut jobs: Vec<(usize, usize, _)> = Vec::new();
    let mut rows = Vec::new();
    for (index, name) in names.into_iter().enumerate() {
        let scripts = suite::scripts(&name);
        rows.push(Row {
            name,
            files: scripts.len(),
            reports: vec![Report::default(); ALL.len()],
        });
        for (number, _) in ALL.iter().enumerate() {
            jobs.extend((0..scripts.len()).map(|script| (index, number, script)));
        }
    }
    let names: Vec<String> = rows.iter().map(|row| row.name.clone()).collect();
    let rows = Mutex::new(rows);
    let next = AtomicUsize::new(0);
    let work = || {
        while let Some((index, number, script)) = jobs.get(next.fetch_add(1, Ordering::Relaxed)) {
            let script = suite::scripts(&names[*index]).swap_remove(*script);
            let configuration: &Configuration = &ALL[*number];
            let report = suite::run(&script, configuration);
            for failed in &report.failed {
                let place = format!("{}/{}:{}", names[*index], script.name(), failed.line);
                eprintln!("{place} ({}): {}", configuration.name, failed.message);
            }
            if let Ok(mut rows) = rows.lock() {
                rows[*index].reports[*number].add(report);
            }
        }
    };
    std::thread::scope(|scope| {
        for _ in 0..std::thread::available_parallelism().map_or(1, usize::from) {
            scope.spawn(work);
        }
    });
    rows.into_inner().unwrap_or_default()
}

/// Renders the table in Markdown.
pub fn render(rows: &[Row]) -> String {
    let mut text = String::from(
        "| folder | files | assertions passed | failed | skipped | why skipped |\n\
         |---|--:|--:|--:|--:|---|\n",
    );
    for row in rows {
        let same = row
            .reports
            .windows(2)
            .all(|pair| counts(&pair[0]) == counts(&pair[1]));
        let shown = if same { 1 } else { row.reports.len() };
        for (report, configuration) in row.reports.iter().zip(&ALL).take(shown) {
            let name = match same {
                true => row.name.clone(),
                false => format!("{} ({})", row.name, configuration.name),
            };
            line(&mut text, &name, row.files, report);
        }
    }
    let files: usize = rows.iter().map(|row| row.files).sum();
    let mut sum = Report::default();
    for row in rows {
        row.reports
            .first()
            .into_iter()
            .for_each(|report| sum.add(report.clone()));
    }
    sum.skipped = Default::default();
    let _ = writeln!(
        text,
        "| sum | {files} | {} | {} | {} | |",
        sum.passed,
        sum.failed.len(),
        rows.iter()
            .filter_map(|row| row.reports.first())
            .map(Report::skipped_count)
            .sum::<usize>(),
    );
    text
}

fn line(text: &mut String, name: &str, files: usize, report: &Report) {
    let reasons: Vec<String> = report
        .skipped
        .iter()
        .map(|(reason, count)| format!("{count}: {reason}"))
        .collect();
    let _ = writeln!(
        text,
        "| {name} | {files} | {} | {} | {} | {} |",
        report.passed,
        report.failed.len(),
        report.skipped_count(),
        reasons.join("; "),
    );
}

fn counts(report: &Report) -> (usize, usize, usize) {
    (report.passed, report.failed.len(), report.skipped_count())
}
