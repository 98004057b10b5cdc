//! Rules about single files: heads, lengths, unfinished code, conditional compilation, paths.

use super::{Finding, Source};
use std::path::Path;

/// No file is longer; generated data is not Rust.
const MOST_LINES: usize = 800;

/// Where code may depend on the machine that it is built for, besides tests.
const PLATFORM_ROOMS: &[&str] = &[
    "loader/src/sys/",
    "wasi/src/sys/",
    "loader/src/link/",
    "loader/src/call/entry",
];

/// Checks one file against every rule of this page.
pub fn check(source: &Source, findings: &mut Vec<Finding>) {
    machine_paths(source, findings);
    if source.path.ends_with("Cargo.toml") {
        inherited_lints(source, findings);
    }
    if source.is_rust() {
        head(source, findings);
        length(source, findings);
        unfinished(source, findings);
        conditional(source, findings);
    }
}

/// A sentence about the lengths of the Rust files.
pub fn lengths(sources: &[Source]) -> String {
    let mut lines: Vec<usize> = sources
        .iter()
        .filter(|s| s.is_rust())
        .map(|s| s.text.lines().count())
        .collect();
    lines.sort_unstable();
    let median = lines.get(lines.len() / 2).copied().unwrap_or(0);
    let long = lines.iter().filter(|count| **count > 400).count();
    format!(
        "{} of them Rust; median {median} lines, {long} over 400",
        lines.len()
    )
}

fn head(source: &Source, findings: &mut Vec<Finding>) {
    let first = source.text.lines().find(|line| !line.trim().is_empty());
    if !first.is_some_and(|line| line.starts_with("//! ")) {
        findings.push(Finding::new(
            &source.path,
            1,
            "no `//!` head that says why the file exists",
        ));
    }
}

fn length(source: &Source, findings: &mut Vec<Finding>) {
    let lines = source.text.lines().count();
    if lines > MOST_LINES {
        let message = format!("{lines} lines; a file has at most {MOST_LINES}");
        findings.push(Finding::new(&source.path, 0, message));
    }
}

fn unfinished(source: &Source, findings: &mut Vec<Finding>) {
    for word in ["todo", "unimplemented"] {
        for line in source.lines_with_word(word) {
            if source
                .code
                .lines()
                .nth(line - 1)
                .is_some_and(|l| l.contains(&format!("{word}!")))
            {
                findings.push(Finding::new(
                    &source.path,
                    line,
                    format!("`{word}!` in the tree"),
                ));
            }
        }
    }
    let lines: Vec<&str> = source.code.lines().collect();
    for (number, line) in lines.iter().enumerate() {
        if line.contains("#[ignore") && !is_conditional(&lines[..number]) {
            findings.push(Finding::new(
                &source.path,
                number + 1,
                "a test that is never run",
            ));
        }
    }
}

/// Whether what follows these lines is there on some machines only: a test that is never run stands for
/// others there.
fn is_conditional(before: &[&str]) -> bool {
    let attributes = before.iter().rev();
    attributes
        .take_while(|line| !line.is_empty() && !line.ends_with('}'))
        .any(|line| line.contains("#[cfg("))
}

fn conditional(source: &Source, findings: &mut Vec<Finding>) {
    let exempt = PLATFORM_ROOMS
        .iter()
        .any(|room| source.path.starts_with(room))
        || ["tests", "xtask", "examples"].contains(&source.crate_folder())
        || source.path.contains("/tests/");
    if exempt {
        return;
    }
    for (number, line) in source.code.lines().enumerate() {
        let conditional =
            line.contains("cfg(") || line.contains("cfg!(") || line.contains("cfg_attr(");
        let platform =
            line.contains("target_") || line.contains("unix") || line.contains("windows");
        if conditional && platform {
            let message =
                "platform-dependent code belongs into a crate's `sys` or the loader's `link`";
            findings.push(Finding::new(&source.path, number + 1, message));
        }
    }
}

/// Finds paths of the machine that the project was written on.
fn machine_paths(source: &Source, findings: &mut Vec<Finding>) {
    if source.path.ends_with(".lock") {
        return;
    }
    let home = std::env::var("HOME").unwrap_or_default();
    let parent = crate::cargo::root()
        .ok()
        .and_then(|root| root.parent().map(Path::to_path_buf));
    let parent = parent
        .map(|path| path.display().to_string())
        .unwrap_or_default();
    for folder in [home, parent].iter().filter(|folder| folder.len() > 1) {
        let needle = format!("{folder}/");
        for (number, line) in source.text.lines().enumerate() {
            if line.contains(&needle) {
                findings.push(Finding::new(
                    &source.path,
                    number + 1,
                    "a path of this machine",
                ));
            }
        }
    }
}

fn inherited_lints(source: &Source, findings: &mut Vec<Finding>) {
    let package = source.text.contains("[package]");
    if package && !source.text.contains("[lints]\nworkspace = true") {
        findings.push(Finding::new(
            &source.path,
            0,
            "does not inherit the workspace's lints",
        ));
    }
}
