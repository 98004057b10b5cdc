//! One process: what it printed, how it ended, and what it took.
//!
//! Output goes to files, so that no reader competes with it for the processor.

use crate::Outcome;
use std::fs::{self, File};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;
use wait4::Wait4;

/// A process that ended.
pub struct Ended {
    /// Standard output.
    pub output: Vec<u8>,
    /// Standard error.
    pub complaints: Vec<u8>,
    /// The exit code, unless a signal ended it.
    pub exit: Option<i32>,
    /// User and system time of all threads.
    pub cpu: Duration,
    /// Most bytes resident at once.
    pub peak: u64,
}

/// Runs a command to its end; its streams go through files in `scratch`.
pub fn run(mut command: Command, input: Option<&Path>, scratch: &Path) -> Outcome<Ended> {
    let output = scratch.join("output");
    let complaints = scratch.join("complaints");
    command.stdin(match input {
        Some(path) => open(path)?.into(),
        None => Stdio::null(),
    });
    command
        .stdout(create(&output)?)
        .stderr(create(&complaints)?);
    let child = command
        .spawn()
        .map_err(|error| format!("{command:?}: {error}"))?;
    let used = child.wait4().map_err(|error| error.to_string())?;
    Ok(Ended {
        output: read(&output)?,
        complaints: read(&complaints)?,
        exit: used.status.code(),
        cpu: used.rusage.utime + used.rusage.stime,
        peak: used.rusage.maxrss,
    })
}

fn open(path: &Path) -> Outcome<File> {
    File::open(path).map_err(|error| format!("{}: {error}", path.display()))
}

fn create(path: &Path) -> Outcome<File> {
    File::create(path).map_err(|error| format!("{}: {error}", path.display()))
}

fn read(path: &Path) -> Outcome<Vec<u8>> {
    fs::read(path).map_err(|error| format!("{}: {error}", path.display()))
}
