//! Processes that tests start, of programs that were built with them.
#![forbid(unsafe_code)]

use std::ffi::OsStr;
use std::process::Command;

/// A command that starts a program of this build. Where an emulator runs the tests, the system
/// cannot start their programs by itself, so the environment names what can.
pub fn command(program: impl AsRef<OsStr>) -> Command {
    let runner = std::env::var("PRECAST_TEST_RUNNER").unwrap_or_default();
    let mut words = runner.split_whitespace();
    match words.next() {
        None => Command::new(program),
        Some(emulator) => {
            let mut command = Command::new(emulator);
            command.args(words).arg(program);
            command
        }
    }
}
