//! The programs under `examples/` do what they say. The examples in Rust are packages with tests
//! of their own.
#![forbid(unsafe_code)]

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

const PRECAST: &str = env!("CARGO_BIN_EXE_precast-under-test");

fn example(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../examples")
        .join(name)
}

/// Runs an example with this standard input and gives its output.
fn run(name: &str, input: &str) -> String {
    let mut child = Command::new(PRECAST)
        .arg("run")
        .arg(example(name))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    child
        .stdin
        .take()
        .unwrap()
        .write_all(input.as_bytes())
        .unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "{name}: {}", output.status);
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn hello_prints_its_line() {
    assert_eq!(run("hello.wat", ""), "Set, and it stays\n");
}

#[test]
fn count_counts() {
    assert_eq!(run("count.wat", "a b\n c\t\n"), "2 3 8\n");
    assert_eq!(run("count.wat", ""), "0 0 0\n");
    let long = "word ".repeat(100_000);
    assert_eq!(run("count.wat", &long), "0 100000 500000\n");
}
