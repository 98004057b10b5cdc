//! `cargo xtask tidy`: the rules of the project that no compiler checks.
//!
//! Each rule is one function over the source files or cargo's metadata and reports what it finds
//! as [`Finding`]s; nothing is changed. A rule that turns out to be wrong is changed here, in the
//! open, and not worked around.

mod dependencies;
mod files;
mod source;
mod unsafety;

use crate::{Outcome, cargo};
use source::Source;
use std::fmt;
use std::process::Command;

/// A place that breaks a rule.
pub struct Finding {
    /// The file, relative to the workspace, or the package.
    pub place: String,
    /// The line, counted from one, or zero for the whole file.
    pub line: usize,
    /// What is wrong, and where it is not obvious, what to do.
    pub message: String,
}

impl Finding {
    fn new(place: &str, line: usize, message: impl Into<String>) -> Finding {
        Finding {
            place: place.to_owned(),
            line,
            message: message.into(),
        }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            0 => write!(f, "{}: {}", self.place, self.message),
            line => write!(f, "{}:{line}: {}", self.place, self.message),
        }
    }
}

/// Checks everything and prints what breaks a rule.
pub fn run() -> Outcome {
    let sources = read_sources()?;
    let mut findings = dependencies::check(&cargo::metadata()?)?;
    for source in &sources {
        files::check(source, &mut findings);
        unsafety::check(source, &sources, &mut findings);
    }
    for finding in &findings {
        eprintln!("{finding}");
    }
    println!(
        "tidy: {} files, {}",
        sources.len(),
        files::lengths(&sources)
    );
    match findings.len() {
        0 => Ok(()),
        count => Err(format!("tidy found {count} places that break a rule")),
    }
}

/// The text files that belong to the project: what git tracks and what it does not ignore.
fn read_sources() -> Outcome<Vec<Source>> {
    let root = cargo::root()?;
    let listing = Command::new("git")
        .args([
            "ls-files",
            "-z",
            "--cached",
            "--others",
            "--exclude-standard",
        ])
        .current_dir(&root)
        .output()
        .map_err(|error| format!("git does not start: {error}"))?;
    let listing = String::from_utf8(listing.stdout).map_err(|_| "a file name is not text")?;
    let mut sources = Vec::new();
    for path in listing.split('\0').filter(|path| !path.is_empty()) {
        // A file that is not text, or that was deleted since git looked, breaks no rule.
        if let Ok(text) = std::fs::read_to_string(root.join(path)) {
            sources.push(Source::new(path, text));
        }
    }
    Ok(sources)
}
