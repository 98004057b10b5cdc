//! Tests that are about the target: those of the loader, which need no compiler, those that provoke
//! faults in compiled code, and programs that compiled modules are linked into.

use super::build::Cross;
use super::counts::Counts;
use super::toolchain::RUSTC;
use crate::{Outcome, cargo};
use std::process::{Command, Stdio};

/// Files of the package of tests that are about signals, stacks, frames and exceptions.
const FAULTS: &[&str] = &[
    "signals",
    "platform_faults",
    "stack_sweep",
    "stack_regions",
    "backtraces",
    "exceptions",
    "unwinding",
    "threads",
    "wx",
];

/// The loader's features in the workspace: what its tests run with there.
const LOADER_FEATURES: &str = "call-profile,command,plan,profiling,pulley";

/// The loader's own tests. What cannot run on a machine is ignored there, with a reason.
pub fn loader(cross: &Cross) -> Outcome<Counts> {
    println!("  tests of the loader");
    // Documentation's examples are not about the target, and cargo runs them with another compiler.
    let arguments = [
        "-p",
        "precast-loader",
        "--tests",
        "--features",
        LOADER_FEATURES,
    ];
    run(cross.cargo("test").args(arguments))
}

/// The tests that compile what they run: the compiler is built for the target, and runs there.
pub fn whole(cross: &Cross) -> Outcome<Counts> {
    println!("  tests of faults");
    let mut arguments = vec!["-p".to_owned(), "precast-tests".to_owned()];
    for name in FAULTS {
        arguments.extend(["--test".to_owned(), (*name).to_owned()]);
    }
    run(cross.cargo("test").args(arguments))
}

/// Programs in Rust and C with modules linked into them: built by this machine's compilers for the
/// target, and run there. Nothing on this machine itself, whose tests have them.
pub fn linked(cross: &Cross) -> Outcome<Option<Counts>> {
    let (Some(machine), Some(flags)) = (cross.target.machine, cross.flags()) else {
        return Ok(None);
    };
    println!("  linked programs");
    let mut command = cargo::command();
    command
        .args(["test", "-p", "precast-tests", "--test", "linked_programs"])
        .arg("programs_for_other_machines")
        .env("PRECAST_CROSS_TARGETS", machine.triple)
        .env("PRECAST_CROSS_RUSTC", RUSTC)
        .env("PRECAST_CROSS_RUSTFLAGS", flags)
        .envs(cross.tools(machine));
    run(&mut command).map(Some)
}

fn run(command: &mut Command) -> Outcome<Counts> {
    command.arg("--no-fail-fast");
    let output = command.stderr(Stdio::piped()).output();
    let output = output.map_err(|error| error.to_string())?;
    let complaints = String::from_utf8_lossy(&output.stderr);
    let mut counts = read(&String::from_utf8_lossy(&output.stdout));
    counts.failed.extend(crashes(&complaints));
    if !output.status.success() && counts.failures() == 0 {
        // Without a test that failed, a build did.
        let cause = complaints.lines().find(|line| line.starts_with("error"));
        let cause = cause.unwrap_or("tests ended early");
        counts.failed.push(cause.to_owned());
    }
    Ok(counts)
}

/// Processes that ended before their summary, whatever else has failed: cargo says how.
fn crashes(complaints: &str) -> impl Iterator<Item = String> {
    let lines = complaints.lines().map(str::trim);
    lines
        .filter(|line| line.starts_with("process didn't exit successfully"))
        .map(str::to_owned)
}

/// Counts from the lines of test harnesses.
fn read(text: &str) -> Counts {
    let mut counts = Counts::default();
    for line in text.lines() {
        let Some((name, result)) = line
            .strip_prefix("test ")
            // A process that a test starts for itself may end in the middle of its own line. Where it is the
            // harness that ends so, the command fails.
            .and_then(|rest| rest.rsplit_once(" ... "))
        else {
            continue;
        };
        match result {
            "" => {}
            "ok" => counts.passed += 1,
            "ignored" => counts.add(Counts::skipped("ignored tests".to_owned())),
            _ => match result.strip_prefix("ignored, ") {
                Some(reason) => counts.add(Counts::skipped(reason.to_owned())),
                None => counts.failed.push(format!("test {name}: {result}")),
            },
        }
    }
    counts
}

#[cfg(test)]
mod tests {
    use super::{crashes, read};

    #[test]
    fn processes_that_crash_are_counted_beside_tests_that_fail() {
        let text = "error: test failed, to rerun pass `--test a`\n\
                    error: test failed, to rerun pass `--test b`\n\nCaused by:\n  \
                    process didn't exit successfully: `b` (signal: 11, SIGSEGV: invalid memory reference)\n\
                    error: 2 targets failed:\n";
        assert_eq!(crashes(text).count(), 1);
    }

    #[test]
    fn lines_of_harnesses_are_counted() {
        let text = "running 3 tests\ntest y ... \ntest z ... test a ... ok\ntest b ... FAILED\n\
                    test c ... ignored, slow\n\
                    test result: FAILED. 1 passed; 1 failed; 1 ignored\n";
        let counts = read(text);
        assert_eq!(
            (counts.passed, counts.failures(), counts.skips()),
            (1, 1, 1)
        );
        assert_eq!(counts.failed, ["test b: FAILED"]);
        assert_eq!(counts.skipped.get("slow"), Some(&1));
    }
}
