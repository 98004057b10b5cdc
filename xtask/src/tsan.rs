//! `cargo xtask tsan`: the loader's tests with threads under ThreadSanitizer.
//!
//! The sanitizer needs a compiler switch that stable toolchains hide, a runtime that not every
//! toolchain brings, and addresses that are not randomised. The standard library stays as it is,
//! without instrumentation: so the tests that run are those of the loader alone, which hand data from
//! thread to thread by the loader's own means. Compiled code is not seen by the sanitizer at all.

use crate::{Outcome, cargo};
use std::path::PathBuf;
use std::process::Command;

/// Test files of the loader, and what of its unit tests is about threads.
const SUITES: &[&[&str]] = &[
    &["--test", "shared_memory"],
    &["--lib", "waiters"],
    &["--lib", "park"],
    &["--lib", "lock"],
    &["--lib", "racy"],
];

/// What is reported of the standard library's own: what the test harness shares with its threads, and the count
/// by which scopes know their threads. Tests join their threads, or there would be more.
const SUPPRESSIONS: &str = "race:test::event::CompletedTest
race:test::run_test
race:std::thread::scoped::ScopeData
";

/// Runs the command.
pub fn run() -> Outcome {
    let target = match host() {
        Ok(target) => target,
        Err(reason) => {
            println!("skipped: {reason}");
            return Ok(());
        }
    };
    let folder = cargo::target_directory()?.join("tsan");
    let suppressions = folder.join("suppressions");
    let written =
        std::fs::create_dir_all(&folder).and_then(|()| std::fs::write(&suppressions, SUPPRESSIONS));
    written.map_err(|error| format!("{}: {error}", suppressions.display()))?;
    let sanitizer = format!("halt_on_error=1 suppressions={}", suppressions.display());
    let folder = folder.display().to_string();
    for suite in SUITES {
        let (kind, rest) = suite.split_at(1);
        let mut arguments = vec!["test", "-p", "precast-loader", "--target", &target];
        arguments.extend(kind);
        let filter = match kind {
            ["--lib"] => rest,
            _ => {
                arguments.extend(rest);
                &[]
            }
        };
        arguments.extend(["--", "--test-threads=1"]);
        arguments.extend(filter);
        println!("{}", suite.join(" "));
        cargo::run_with(
            &arguments,
            &[
                ("RUSTC_BOOTSTRAP", "1"),
                (
                    "RUSTFLAGS",
                    "-Zsanitizer=thread -Cunsafe-allow-abi-mismatch=sanitizer",
                ),
                ("CARGO_TARGET_DIR", &folder),
                ("TSAN_OPTIONS", &sanitizer),
                (&runner(&target), "setarch -R"),
            ],
        )?;
    }
    println!("no report of the sanitizer");
    Ok(())
}

/// The variable by which cargo starts tests through another program.
fn runner(target: &str) -> String {
    let name = target.replace(['-', '.'], "_").to_uppercase();
    format!("CARGO_TARGET_{name}_RUNNER")
}

/// The target to build for, if the toolchain and the system can.
fn host() -> Result<String, String> {
    let rustc = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let ask = |arguments: &[&str]| {
        let output = Command::new(&rustc).args(arguments).output();
        let output = output.map_err(|error| format!("rustc does not start: {error}"))?;
        String::from_utf8(output.stdout).map_err(|_| "rustc says no text".to_owned())
    };
    let version = ask(&["-vV"])?;
    let target = version
        .lines()
        .find_map(|line| line.strip_prefix("host: "))
        .ok_or("rustc does not say what it runs on")?
        .to_owned();
    let libraries = PathBuf::from(ask(&["--print", "target-libdir"])?.trim());
    let files = std::fs::read_dir(&libraries).map_err(|error| error.to_string())?;
    let brings = files.filter_map(Result::ok).any(|file| {
        let name = file.file_name();
        name.to_string_lossy().contains("rt.tsan")
    });
    if !brings {
        return Err(format!("the toolchain has no ThreadSanitizer for {target}"));
    }
    match Command::new("setarch").args(["-R", "true"]).status() {
        Ok(status) if status.success() => Ok(target),
        _ => Err("`setarch -R` does not work, and addresses must not be randomised".into()),
    }
}
