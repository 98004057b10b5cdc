//! The corpus of real programs, where there is one beside the project: each runs from its module
//! and from a compiled artifact, and prints what it should.
#![forbid(unsafe_code)]

use fancy_regex::Regex;
use sha2::{Digest, Sha256};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

const PRECAST: &str = env!("CARGO_BIN_EXE_precast-under-test");

/// The folder of the corpus: beside the project, or where the environment says.
fn corpus() -> Option<PathBuf> {
    let beside = || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/corpus");
    let folder = std::env::var_os("PRECAST_CORPUS").map_or_else(beside, PathBuf::from);
    let found = folder.join("bench.tsv").exists();
    if !found {
        println!("skipped: no corpus at {}", folder.display());
    }
    found.then_some(folder)
}

struct Program {
    name: String,
    wasm: String,
    arguments: Vec<String>,
    directories: Vec<String>,
    digest: String,
    exit: i32,
    dropped_lines: Option<Regex>,
}

fn programs(folder: &Path) -> Vec<Program> {
    let list = std::fs::read_to_string(folder.join("bench.tsv")).unwrap();
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
        exit: columns[7].parse().unwrap(),
        dropped_lines: (columns[8] != "-").then(|| Regex::new(columns[8]).unwrap()),
    }
}

impl Program {
    /// Runs a module or an artifact and says what was wrong.
    fn run(&self, folder: &Path, file: &Path) -> Result<(), String> {
        let mut command = Command::new(PRECAST);
        command.arg("run").current_dir(folder).stdin(Stdio::null());
        for directory in &self.directories {
            command.args(["--dir", directory]);
        }
        let output = command
            .arg(file)
            .arg("--")
            .args(&self.arguments)
            .output()
            .unwrap();
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
                (Some(pattern), Ok(text)) => pattern.is_match(text).unwrap(),
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

/// Runs every program, and lists all failures together.
fn check(file: impl Fn(&Program, &Path) -> Result<PathBuf, String>) {
    let Some(folder) = corpus() else { return };
    let mut failures = Vec::new();
    for program in programs(&folder) {
        let outcome = file(&program, &folder).and_then(|file| program.run(&folder, &file));
        match outcome {
            Ok(()) => println!("{}: ok", program.name),
            Err(message) => failures.push(format!("{}: {message}", program.name)),
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

#[test]
fn programs_run_from_modules() {
    check(|program, folder| Ok(folder.join(&program.wasm)));
}

#[test]
fn programs_run_from_artifacts() {
    check(|program, folder| {
        let artifact =
            Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("{}.precast", program.name));
        let output = Command::new(PRECAST)
            .args(["compile", "--quiet"])
            .arg(folder.join(&program.wasm))
            .arg("-o")
            .arg(&artifact)
            .output()
            .unwrap();
        match output.status.success() {
            true => Ok(artifact),
            false => Err(String::from_utf8_lossy(&output.stderr).into_owned()),
        }
    });
}
