//! Why a subcommand ended early: a text for the user, and an exit code.
//!
//! Failures are for people: one sentence, a snippet of the source where there is one, and never a
//! backtrace of the command itself.

use std::fmt::Display;
use std::io::{self, Write};
use std::path::Path;
use std::process::ExitCode;

/// A failure that is reported once, by `main`.
#[derive(Debug)]
#[must_use]
pub struct Failure {
    text: String,
    code: u8,
}

impl Failure {
    /// An ordinary failure: exit code 1.
    pub fn new(message: impl Display) -> Failure {
        Failure {
            text: format!("error: {message}"),
            code: 1,
        }
    }

    /// A command line that asks for what cannot be: exit code 2.
    pub fn usage(message: impl Display) -> Failure {
        Failure {
            text: format!("error: {message}"),
            code: 2,
        }
    }

    /// The program trapped: exit code 134, as for a process that aborted.
    pub fn trap(message: impl Display) -> Failure {
        Failure {
            text: format!("error: {message}"),
            code: 134,
        }
    }

    /// A failure whose text is rendered already.
    pub fn rendered(text: String) -> Failure {
        Failure { text, code: 1 }
    }

    /// A failure about a file.
    pub fn at(path: &Path, error: impl Display) -> Failure {
        Failure::new(format_args!("{}: {error}", path.display()))
    }

    /// Whoever reads our standard output has gone away; there is nobody left to tell.
    pub fn reader_gone() -> Failure {
        Failure {
            text: String::new(),
            code: 0,
        }
    }

    /// Writes the text and gives the exit code.
    pub fn report(self) -> ExitCode {
        if !self.text.is_empty() {
            // Where even standard error is closed, the exit code has to do.
            let _ = writeln!(io::stderr(), "{}", self.text.trim_end());
        }
        ExitCode::from(self.code)
    }
}
