//! The corpus of real programs, where there is one beside the project: what it has, and whether a
//! program printed what it should.
#![forbid(unsafe_code)]

use fancy_regex::Regex;
use sha2::{Digest, Sha256};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// The folder of the corpus: beside the project, or where the environment says. Without one the test
/// says so, and is skipped.
///
/// # Panics
///
/// Never.
pub fn folder() -> Option<PathBuf> {
    let beside = || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/corpus");
    let folder = std::env::var_os("PRECAST_CORPUS").map_or_else(beside, PathBuf::from);
    let found = folder.join("bench.tsv").exists();
    if !found {
        println!("skipped: no corpus at {}", folder.display());
    }
    found.then_some(folder)
}

/// A program of the corpus.
pub struct Program {
    /// What tables call it.
    pub name: String,
    /// Its module, in the folder.
    pub wasm: String,
    /// Its arguments.
    pub arguments: Vec<String>,
    /// The folders that it may use.
    pub directories: Vec<String>,
    digest: String,
    exit: i32,
    dropped_lines: Option<Regex>,
}

/// The programs of the corpus in a folder.
///
/// # Panics
///
/// When its list has another form.
pub fn programs(folder: &Path) -> Vec<Program> {
    let list = std::fs::read_to_string(folder.join("bench.tsv")).expect("the list can be read");
    list.lines()
        .skip(1)
        .filter(|line| !line.is_empty())
        .map(parse)
        .collect()
}

fn parse(line: &str) -> Program {
    let columns: Vec<&str> = line.split('\t').collect();
    let words = |text: &str| match text {
        "-" => Vec::new(),
        _ => text.split_whitespace().map(str::to_owned).collect(),
    };
    Program {
        name: columns[0].to_owned(),
        wasm: columns[2].to_owned(),
        arguments: words(columns[4]),
        directories: words(columns[5]),
        digest: columns[6].to_owned(),
        exit: columns[7].parse().expect("an exit code"),
        dropped_lines: (columns[8] != "-")
            .then(|| Regex::new(columns[8]).expect("a regular expression")),
    }
}

impl Program {
    /// A command of `precast` with what the program gets: `subcommand`, options, folders, the file,
    /// and the program's arguments.
    pub fn command(
        &self,
        precast: &str,
        folder: &Path,
        subcommand: &str,
        options: &[String],
        file: &Path,
    ) -> Command {
        let mut command = Command::new(precast);
        command.arg(subcommand).args(options).current_dir(folder);
        command.stdin(Stdio::null());
        for directory in &self.directories {
            command.args(["--dir", directory]);
        }
        command.arg(file).arg("--").args(&self.arguments);
        command
    }

    /// Runs a module or an artifact and says what was wrong.
    ///
    /// # Errors
    ///
    /// When the program ends otherwise than it should, or prints something else.
    ///
    /// # Panics
    ///
    /// When the command cannot be started.
    pub fn run(
        &self,
        precast: &str,
        folder: &Path,
        options: &[String],
        file: &Path,
    ) -> Result<(), String> {
        let mut command = self.command(precast, folder, "run", options, file);
        let output = command.output().expect("the command starts");
        let complaints = String::from_utf8_lossy(&output.stderr);
        if output.status.code() != Some(self.exit) {
            return Err(format!(
                "{} instead of {}: {complaints}",
                output.status, self.exit
            ));
        }
        let digest = self.digest_of(&output.stdout);
        if digest == self.digest {
            Ok(())
        } else {
            Err(format!("output hashes to {digest}"))
        }
    }

    fn digest_of(&self, output: &[u8]) -> String {
        let mut hasher = Sha256::new();
        for line in output.split_inclusive(|byte| *byte == b'\n') {
            let text = std::str::from_utf8(line.strip_suffix(b"\n").unwrap_or(line));
            let dropped = match (&self.dropped_lines, text) {
                (Some(pattern), Ok(text)) => pattern.is_match(text).unwrap_or(false),
                _ => false,
            };
            if !dropped {
                hasher.update(line);
            }
        }
        hasher
            .finalize()
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect()
    }
}
