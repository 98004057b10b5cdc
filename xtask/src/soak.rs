//! `cargo xtask soak`: the tests with threads, many times, in search of what happens once in a
//! thousand.
//!
//! Each test is a process of its own for each run, so that a run that does not end is one test's, and
//! known by name.

use crate::{Outcome, cargo};
use clap::Args;
use serde_json::Value;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// Packages with their test files.
const SUITES: &[(&str, &str)] = &[
    ("precast-loader", "shared_memory"),
    ("precast-tests", "threads"),
    ("precast-wasi", "threads"),
    ("precast-tests", "wasi_threads"),
    ("precast-tests", "wasi_threads_end"),
];

/// Arguments of `cargo xtask soak`.
#[derive(Args)]
pub struct SoakArguments {
    /// How often each test runs.
    #[arg(default_value_t = 1000)]
    times: u32,
    /// Only tests whose name contains this.
    #[arg(long)]
    filter: Option<String>,
    /// Seconds after which a run counts as one that does not end.
    #[arg(long, default_value_t = 60, value_name = "SECONDS")]
    limit: u64,
}

/// What became of one run.
enum Run {
    Passed,
    Failed(String),
    Hung,
}

/// Runs the command.
pub fn run(arguments: &SoakArguments) -> Outcome {
    let limit = Duration::from_secs(arguments.limit);
    let mut problems = Vec::new();
    for (package, test) in SUITES {
        let binary = build(package, test)?;
        for name in tests(&binary)? {
            let wanted = arguments.filter.as_ref();
            if wanted.is_some_and(|filter| !name.contains(filter.as_str())) {
                continue;
            }
            let start = Instant::now();
            let (mut failed, mut hung) = (0, 0);
            for _ in 0..arguments.times {
                match once(&binary, &name, limit)? {
                    Run::Passed => {}
                    Run::Hung => hung += 1,
                    Run::Failed(output) => {
                        failed += 1;
                        eprintln!("{output}");
                    }
                }
            }
            let seconds = start.elapsed().as_secs_f64();
            println!(
                "{test}::{name}: {} runs, {failed} failed, {hung} hung, {seconds:.1} s",
                arguments.times
            );
            if failed + hung > 0 {
                problems.push(name);
            }
        }
    }
    if problems.is_empty() {
        Ok(())
    } else {
        Err(format!("not every run passed: {}", problems.join(", ")))
    }
}

/// Builds a test file; the path of its program.
fn build(package: &str, test: &str) -> Outcome<String> {
    let arguments = [
        "test",
        "-p",
        package,
        "--test",
        test,
        "--no-run",
        "--message-format",
        "json",
    ];
    let (succeeded, messages) = cargo::capture(&arguments)?;
    let mut programs = messages.lines().filter_map(|line| {
        let message: Value = serde_json::from_str(line).ok()?;
        let is_ours = message["target"]["name"] == test;
        message["executable"]
            .as_str()
            .filter(|_| is_ours)
            .map(str::to_owned)
    });
    match programs.next_back() {
        Some(program) if succeeded => Ok(program),
        _ => Err(format!("{package}: the test `{test}` was not built")),
    }
}

/// The names of the tests in a program.
fn tests(program: &str) -> Outcome<Vec<String>> {
    let output = Command::new(program)
        .args(["--list", "--format", "terse"])
        .output()
        .map_err(|error| format!("{program}: {error}"))?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let names = text.lines().filter_map(|line| line.strip_suffix(": test"));
    Ok(names.map(str::to_owned).collect())
}

fn once(program: &str, name: &str, limit: Duration) -> Outcome<Run> {
    let mut child = Command::new(program)
        .args([name, "--exact", "--test-threads=1", "-q"])
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(|error| format!("{program}: {error}"))?;
    let start = Instant::now();
    let mut pause = Duration::from_micros(200);
    let status = loop {
        match child.try_wait() {
            Ok(Some(status)) => break status,
            Ok(None) if start.elapsed() > limit => {
                let _ = child.kill();
                let _ = child.wait();
                return Ok(Run::Hung);
            }
            Ok(None) => std::thread::sleep(pause),
            Err(error) => return Err(format!("{program}: {error}")),
        }
        pause = (pause * 2).min(Duration::from_millis(20));
    };
    if status.success() {
        return Ok(Run::Passed);
    }
    let output = child.wait_with_output();
    let output = output.map_or_else(|_| Vec::new(), |output| output.stderr);
    Ok(Run::Failed(format!(
        "{name}: {status}\n{}",
        String::from_utf8_lossy(&output)
    )))
}
