//! Start-up: a program that prints one line, as an artifact and as native code.
//!
//! Time is that of the whole process. Resident memory is read while the program waits for its
//! standard input, and split into what belongs to files (the binary's own pages, shared between
//! processes) and what the process alone pays for.

use super::measure::{self, median};
use super::runtimes::Runtime;
use crate::{Outcome, cargo};
use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

/// How often the program starts; it is short, so the median needs many.
const STARTS: usize = 100;

/// The same program in C: prints a line, then reads its input to the end.
pub(super) const NATIVE: &str = r#"
#include <unistd.h>
int main(void) {
  char buffer[64];
  if (write(1, "hello\n", 6) != 6) return 1;
  while (read(0, buffer, sizeof buffer) > 0) {}
  return 0;
}
"#;

/// The figures of one runtime.
pub struct Start {
    /// The runtime, or `native`.
    pub name: String,
    /// From start to exit.
    pub wall: Duration,
    /// User and system time.
    pub cpu: Duration,
    /// Resident bytes while the program waits.
    pub resident: u64,
    /// Those of them that belong to no file: heap, stacks, changed data.
    pub anonymous: u64,
    /// Size of what was compiled.
    pub size: u64,
}

/// A name, the compiled file, and what makes the command that runs it.
type Candidate<'a> = (String, PathBuf, Box<dyn Fn() -> Command + 'a>);

/// Measures the runtimes that compile ahead of time, and native code where a C compiler exists.
pub fn measure(runtimes: &[Runtime], scratch: &Path) -> Outcome<Vec<Start>> {
    let wasm = cargo::root()?.join("xtask/src/bench/hello.wat");
    let mut commands: Vec<Candidate<'_>> = Vec::new();
    for runtime in runtimes {
        let out = scratch.join(format!("hello.{}", runtime.name));
        if let Some(command) = runtime.compile(&wasm, &out) {
            measure::compile(command)?;
            let (wasm, path) = (wasm.clone(), out.clone());
            let command = Box::new(move || runtime.run(&wasm, &path, &[], &[]));
            commands.push((runtime.name.clone(), out, command));
        }
    }
    if let Some(path) = compile_native(NATIVE, "hello", scratch) {
        let command = path.clone();
        commands.push((
            "native".into(),
            path,
            Box::new(move || Command::new(&command)),
        ));
    }

    let mut times = vec![(Vec::new(), Vec::new()); commands.len()];
    for _ in 0..STARTS {
        for (index, (_, _, command)) in commands.iter().enumerate() {
            let (usage, _) = measure::run(command(), scratch, scratch)?;
            times[index].0.push(usage.wall);
            times[index].1.push(usage.cpu);
        }
    }
    let mut starts = Vec::new();
    for ((name, path, command), (wall, cpu)) in commands.into_iter().zip(times) {
        let (resident, anonymous) = resident(command())?;
        let size = fs::metadata(&path).map_or(0, |data| data.len());
        let (wall, cpu) = (median(&wall), median(&cpu));
        starts.push(Start {
            name,
            wall,
            cpu,
            resident,
            anonymous,
            size,
        });
    }
    Ok(starts)
}

/// Compiles a C program, or says nothing where there is no C compiler.
pub(super) fn compile_native(text: &str, name: &str, scratch: &Path) -> Option<PathBuf> {
    let source = scratch.join(format!("{name}.c"));
    let path = scratch.join(format!("{name}.native"));
    fs::write(&source, text).ok()?;
    let built = Command::new("cc")
        .arg("-O3")
        .arg(&source)
        .arg("-o")
        .arg(&path)
        .status()
        .ok()?;
    built.success().then_some(path)
}

/// Starts the program, waits for its line, and reads what is resident: all bytes, and those that
/// belong to no file.
pub(super) fn resident(mut command: Command) -> Outcome<(u64, u64)> {
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .map_err(|error| format!("{command:?}: {error}"))?;
    let mut line = String::new();
    if let Some(stdout) = child.stdout.take() {
        BufReader::new(stdout)
            .read_line(&mut line)
            .map_err(|error| error.to_string())?;
    }
    let rollup =
        fs::read_to_string(format!("/proc/{}/smaps_rollup", child.id())).unwrap_or_default();
    drop(child.stdin.take());
    child.wait().map_err(|error| error.to_string())?;
    Ok((field(&rollup, "Rss:"), field(&rollup, "Anonymous:")))
}

fn field(rollup: &str, name: &str) -> u64 {
    let line = rollup.lines().find_map(|line| line.strip_prefix(name));
    let kilobytes = line.and_then(|line| line.split_whitespace().next());
    kilobytes
        .and_then(|number| number.parse::<u64>().ok())
        .unwrap_or(0)
        * 1024
}
