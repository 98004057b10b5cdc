//! Memory and stack that a program does not touch cost nothing: neither resident pages nor faults.
#![cfg(target_os = "linux")]
#![forbid(unsafe_code)]

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use precast_compiler::{Options, Silent, Target, compile};
use precast_format::tunables::{BoundsChecks, StackChecks};

const PRECAST: &str = env!("CARGO_BIN_EXE_precast-under-test");

/// What two runs of the same program differ by, at most, in KB.
const NOISE: u64 = 256;

/// The same with the pages of files: the system maps neighbours of those that are needed, depending
/// on where the command happens to lie.
const FILE_NOISE: u64 = 1024;

/// The same in page faults.
const FAULTS: u64 = 64;

/// A program that prints a line and then reads its input to the end, so that it can be looked at
/// while it waits. Its memory has data at the start and is empty from there on.
fn hello(pages: u32) -> String {
    format!(
        r#"(module
  (import "wasi_snapshot_preview1" "fd_write"
    (func $fd_write (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_read"
    (func $fd_read (param i32 i32 i32 i32) (result i32)))
  (memory (export "memory") {pages})
  (data (i32.const 0) "\20\00\00\00\06\00\00\00\40\00\00\00\40\00\00\00")
  (data (i32.const 32) "hello\n")
  (func (export "_start")
    (drop (call $fd_write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 16)))
    (loop $read
      (drop (call $fd_read (i32.const 0) (i32.const 8) (i32.const 1) (i32.const 16)))
      (br_if $read (i32.load (i32.const 16))))))"#
    )
}

/// Compiles the program with so many pages.
fn artifact(name: &str, pages: u32, change: impl FnOnce(&mut Options)) -> PathBuf {
    let wasm = wat::parse_str(hello(pages)).unwrap();
    let mut options = Options::new(Target::host().unwrap());
    change(&mut options);
    let compiled = compile(&wasm, &options, &Silent).unwrap();
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("resident-{name}.precast"));
    fs::write(&path, compiled.artifact).unwrap();
    path
}

/// What a process has used up when its program waits.
#[derive(Clone, Copy, Debug)]
struct Used {
    /// How many KB are resident.
    resident: u64,
    /// Those of them that belong to no file: heap, stacks, linear memory.
    anonymous: u64,
    /// Page faults that needed no input. Memory that was touched and given back shows here.
    faults: u64,
}

impl Used {
    /// Reads what the system has counted. The peak in `status` would be simpler; the system keeps it
    /// approximately.
    fn of(child: &Child) -> Used {
        let folder = PathBuf::from(format!("/proc/{}", child.id()));
        let rollup = fs::read_to_string(folder.join("smaps_rollup")).unwrap();
        let field = |name: &str| {
            let line = rollup.lines().find_map(|line| line.strip_prefix(name));
            line.unwrap().split_whitespace().next().unwrap().parse()
        };
        let stat = fs::read_to_string(folder.join("stat")).unwrap();
        // The command's name, in parentheses, may have spaces; the faults are the eighth behind it.
        let (_, numbers) = stat.rsplit_once(')').unwrap();
        Used {
            resident: field("Rss:").unwrap(),
            anonymous: field("Anonymous:").unwrap(),
            faults: numbers.split_whitespace().nth(7).unwrap().parse().unwrap(),
        }
    }

    /// Whether another run used the same, but for noise.
    fn is_like(&self, other: &Used) -> bool {
        self.anonymous.abs_diff(other.anonymous) < NOISE
            && self.resident.abs_diff(other.resident) < FILE_NOISE
            && self.faults.abs_diff(other.faults) < FAULTS
    }

    /// The lesser of each figure.
    fn min(self, other: Used) -> Used {
        Used {
            resident: self.resident.min(other.resident),
            anonymous: self.anonymous.min(other.anonymous),
            faults: self.faults.min(other.faults),
        }
    }
}

/// The least that some runs of an artifact use, with a stack of so many KB.
fn used(artifact: &Path, stack: u32) -> Used {
    let runs = (0..3).map(|_| run(artifact, stack));
    runs.reduce(Used::min).unwrap()
}

/// Runs an artifact until it waits.
fn run(artifact: &Path, stack: u32) -> Used {
    let mut child = Command::new("sh")
        .args(["-c", r#"ulimit -s "$2" && exec "$0" run "$1""#, PRECAST])
        .arg(artifact)
        .arg(stack.to_string())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut line = String::new();
    let output = child.stdout.take().unwrap();
    BufReader::new(output).read_line(&mut line).unwrap();
    assert_eq!(line, "hello\n");
    let used = Used::of(&child);
    drop(child.stdin.take());
    assert!(child.wait().unwrap().success());
    used
}

#[test]
fn untouched_memory_costs_nothing() {
    for checks in [BoundsChecks::Guard, BoundsChecks::Explicit] {
        let compile = |name: &str, pages| {
            let name = format!("{name}-{checks:?}");
            artifact(&name, pages, |options| options.bounds_checks = checks)
        };
        let small = used(&compile("small", 1), 8192);
        let large = used(&compile("large", 256), 8192);
        assert!(large.is_like(&small), "{checks:?}: {small:?}, {large:?}");
    }
}

#[test]
fn untouched_stack_costs_nothing() {
    for checks in [StackChecks::Guard, StackChecks::Explicit] {
        let name = format!("stack-{checks:?}");
        let artifact = artifact(&name, 1, |options| options.stack_checks = checks);
        let small = used(&artifact, 1024);
        let large = used(&artifact, 8192);
        assert!(large.is_like(&small), "{checks:?}: {small:?}, {large:?}");
    }
}

#[test]
fn touched_memory_does_cost() {
    // The figures above say something: a program that writes all its memory needs it.
    let text = hello(256).replace(
        r#"(func (export "_start")"#,
        r#"(func (export "_start")
           (memory.fill (i32.const 65536) (i32.const 1) (i32.const 16000000))"#,
    );
    let wasm = wat::parse_str(text).unwrap();
    let compiled = compile(&wasm, &Options::new(Target::host().unwrap()), &Silent).unwrap();
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join("resident-touched.precast");
    fs::write(&path, compiled.artifact).unwrap();
    let untouched = used(&artifact("untouched", 256, |_| {}), 8192);
    let touched = used(&path, 8192);
    assert!(
        touched.anonymous > untouched.anonymous + 15_000,
        "{untouched:?}, {touched:?}"
    );
    assert!(touched.faults > untouched.faults + 3000);
}
