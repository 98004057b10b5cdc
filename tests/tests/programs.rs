//! The corpus of real programs, where there is one beside the project: each runs from its module
//! and from a compiled artifact, and prints what it should.
#![forbid(unsafe_code)]

use precast_tests::corpus::{self, Program};
use std::path::{Path, PathBuf};
use std::process::Command;

const PRECAST: &str = env!("CARGO_BIN_EXE_precast-under-test");

/// Runs every program, and lists all failures together.
fn check(file: impl Fn(&Program, &Path) -> Result<PathBuf, String>) {
    let Some(folder) = corpus::folder() else {
        return;
    };
    let mut failures = Vec::new();
    for program in corpus::programs(&folder) {
        let outcome = file(&program, &folder);
        let outcome = outcome.and_then(|file| program.run(PRECAST, &folder, &[], &file));
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
