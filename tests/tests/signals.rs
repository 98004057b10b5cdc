//! Hosts that have signal handlers of their own, before ours or after, of every make: the host's
//! handler is called once for each fault that is the host's, and never for a trap.
//!
//! Handlers belong to the process, and some cases end it. So each case runs in a process of its
//! own: this binary again, with the case in an environment variable. A handler of the host that
//! takes a fault writes a byte, so that faults are counted also where the process ends.

#![cfg(all(target_os = "linux", target_arch = "x86_64"))]

#[path = "signals/cases.rs"]
mod cases;
#[path = "signals/handlers.rs"]
mod handlers;
#[path = "signals/hardware.rs"]
mod hardware;
#[path = "signals/matrix.rs"]
mod matrix;
#[path = "signals/program.rs"]
mod program;

use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{SystemTime, UNIX_EPOCH};

use precast_tests::child;
use program::Kind;

/// The case that a child runs.
const CASE: &str = "PRECAST_SIGNAL_CASE";

/// The artifacts of the child, as files.
const ARTIFACTS: &str = "PRECAST_SIGNAL_ARTIFACTS";

/// How a child says that it came to the end of its case.
const PASSED: i32 = 42;

/// What is expected of a case: how its process ends, and how many faults are the host's.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Expected {
    /// The signal that ends the process; none where the case comes to its end.
    signal: Option<i32>,
    /// How many faults the host's handlers take.
    taken: usize,
}

/// The artifacts of all cases, compiled once and kept in files.
struct Artifacts(PathBuf);

impl Artifacts {
    fn new(test: &str) -> Artifacts {
        let now = SystemTime::now().duration_since(UNIX_EPOCH);
        let now = now.map_or(0, |now| now.as_nanos());
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("signals-{test}-{now}"));
        std::fs::create_dir_all(&folder).expect("there is room for a folder");
        for (name, kind) in [("signals", Kind::Signals), ("explicit", Kind::Explicit)] {
            std::fs::write(folder.join(name), program::artifact(kind))
                .expect("there is room for a small file");
        }
        Artifacts(folder)
    }
}

impl Drop for Artifacts {
    fn drop(&mut self) {
        // Files that stay in the build's folder do no harm.
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// The bytes of one of the artifacts, in a child.
pub fn artifact(name: &str) -> Vec<u8> {
    let folder = std::env::var_os(ARTIFACTS).expect("the parent says where they are");
    std::fs::read(Path::new(&folder).join(name)).expect("the parent has written it")
}

/// Runs a case in a process of its own; what differs from what is expected, or nothing.
fn run(artifacts: &Artifacts, case: &str, main_thread: bool, expected: Expected) -> Option<String> {
    let mut command = child::command(std::env::current_exe().expect("this is a program"));
    command
        .args(["--exact", "child", "--nocapture"])
        .env(CASE, case)
        .env(ARTIFACTS, &artifacts.0)
        .stdout(Stdio::null())
        .stderr(Stdio::piped());
    if main_thread {
        // With one thread for all tests, they run on the first one.
        command.arg("--test-threads=1");
    }
    let output = command.output().expect("it can be started");
    let taken = output.stderr.iter().filter(|byte| **byte == 1).count();
    let found = (output.status.signal(), output.status.code(), taken);
    let code = expected.signal.is_none().then_some(PASSED);
    let wanted = (expected.signal, code, expected.taken);
    let outcome = match found == wanted {
        true => "as expected",
        false => "FAILED",
    };
    let end = expected.signal.map_or("its end", hardware::name);
    println!("| {case} | {end}, {} taken | {outcome} |", expected.taken);
    (found != wanted).then(|| {
        let said = String::from_utf8_lossy(&output.stderr);
        format!("{case}: (signal, code, taken) {found:?}, not {wanted:?}\n{said}")
    })
}

fn report(failures: &[String]) {
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

/// The other side of every case; does nothing unless it is one.
#[test]
fn child() {
    if let Ok(case) = std::env::var(CASE) {
        handlers::leave_no_core();
        if !matrix::run(&case) {
            cases::run(&case);
        }
        std::process::exit(PASSED);
    }
}

#[test]
fn every_fault_goes_to_whom_it_belongs() {
    let artifacts = Artifacts::new("matrix");
    let failures: Vec<String> = matrix::all()
        .filter_map(|(case, main, expected)| run(&artifacts, &case, main, expected))
        .collect();
    report(&failures);
}

#[test]
fn hosts_of_every_make_are_served() {
    let artifacts = Artifacts::new("cases");
    let failures: Vec<String> = cases::all()
        .filter_map(|(case, expected)| run(&artifacts, &case, false, expected))
        .collect();
    report(&failures);
}
