//! What the golden tests cannot show of the command: pipes, full disks, other programs' signals.
#![forbid(unsafe_code)]

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

const PRECAST: &str = env!("CARGO_BIN_EXE_precast-under-test");

/// An empty folder for one test.
fn scratch(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR"))
        .join("command")
        .join(name);
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder).unwrap();
    folder
}

fn example(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../examples")
        .join(name)
}

fn files(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).unwrap();
    let mut names: Vec<String> = entries
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

/// A module whose listing is longer than a pipe holds.
fn long_module() -> String {
    let function = |index| format!("(func $f{index} (param i32) (result i32) (local.get 0))\n");
    format!("(module {})", (0..5_000).map(function).collect::<String>())
}

#[test]
fn a_closed_pipe_is_no_failure() {
    let folder = scratch("pipe");
    fs::write(folder.join("long.wat"), long_module()).unwrap();
    let mut child = Command::new(PRECAST)
        .args(["objdump", "long.wat", "-O", "none"])
        .current_dir(&folder)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap())
        .read_line(&mut line)
        .unwrap();
    // The reader is gone after one line.
    let output = child.wait_with_output().unwrap();
    assert_eq!(String::from_utf8_lossy(&output.stderr), "");
    assert!(output.status.success(), "{}", output.status);
}

#[test]
fn a_full_disk_is_an_error() {
    if !Path::new("/dev/full").exists() {
        println!("skipped: this system has no /dev/full");
        return;
    }
    let output = Command::new(PRECAST)
        .args(["compile", "-o", "/dev/full"])
        .arg(example("hello.wat"))
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&output.stderr).contains("No space left"));
}

#[test]
fn a_failure_leaves_the_old_file() {
    let folder = scratch("old");
    fs::write(folder.join("bad.wat"), "(module (func (result i32)))").unwrap();
    fs::write(folder.join("bad.precast"), "as it was").unwrap();
    let output = Command::new(PRECAST)
        .args(["compile", "bad.wat"])
        .current_dir(&folder)
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(
        fs::read_to_string(folder.join("bad.precast")).unwrap(),
        "as it was"
    );
    assert_eq!(files(&folder), ["bad.precast", "bad.wat"]);
}

#[test]
fn an_interruption_leaves_nothing() {
    let folder = scratch("interrupted");
    fs::write(folder.join("long.wat"), long_module()).unwrap();
    for milliseconds in [5, 20, 60, 120] {
        let mut child = Command::new(PRECAST)
            .args(["compile", "--quiet", "long.wat"])
            .current_dir(&folder)
            .spawn()
            .unwrap();
        std::thread::sleep(std::time::Duration::from_millis(milliseconds));
        let _ = child.kill();
        child.wait().unwrap();
        // Either it was done already, or there is no artifact; there is never a part of one.
        if let Ok(bytes) = fs::read(folder.join("long.precast")) {
            assert!(precast_format::Artifact::parse(&bytes).is_ok());
            fs::remove_file(folder.join("long.precast")).unwrap();
        }
    }
}

#[test]
fn the_number_of_threads_does_not_matter() {
    let folder = scratch("threads");
    fs::write(folder.join("long.wat"), long_module()).unwrap();
    let artifact = |threads: &str| {
        let output = Command::new(PRECAST)
            .args(["compile", "long.wat", "-o", "-", "--quiet", "-j", threads])
            .current_dir(&folder)
            .output()
            .unwrap();
        assert!(output.status.success());
        output.stdout
    };
    let one = artifact("1");
    assert!(one == artifact("2") && one == artifact("7"));
}

#[test]
fn folders_variables_and_arguments_reach_the_program() {
    let folder = scratch("wasi");
    // Prints its arguments and its environment as WASI hands them over: strings that end in zero.
    let echo = r#"(module
      (import "wasi_snapshot_preview1" "args_sizes_get" (func $as (param i32 i32) (result i32)))
      (import "wasi_snapshot_preview1" "args_get" (func $ag (param i32 i32) (result i32)))
      (import "wasi_snapshot_preview1" "environ_sizes_get" (func $es (param i32 i32) (result i32)))
      (import "wasi_snapshot_preview1" "environ_get" (func $eg (param i32 i32) (result i32)))
      (import "wasi_snapshot_preview1" "fd_write" (func $w (param i32 i32 i32 i32) (result i32)))
      (memory (export "memory") 1)
      (func $print (param $at i32) (param $length i32)
        (i32.store (i32.const 0) (local.get $at))
        (i32.store (i32.const 4) (local.get $length))
        (drop (call $w (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 8))))
      (func (export "_start")
        (drop (call $as (i32.const 16) (i32.const 20)))
        (drop (call $ag (i32.const 1024) (i32.const 4096)))
        (call $print (i32.const 4096) (i32.load (i32.const 20)))
        (drop (call $es (i32.const 16) (i32.const 20)))
        (drop (call $eg (i32.const 1024) (i32.const 4096)))
        (call $print (i32.const 4096) (i32.load (i32.const 20)))))"#;
    fs::write(folder.join("echo.wat"), echo).unwrap();
    let compiled = Command::new(PRECAST)
        .args(["compile", "--quiet", "echo.wat"])
        .current_dir(&folder)
        .status()
        .unwrap();
    assert!(compiled.success());
    // The module goes through the full parser of arguments, the artifact through the short one.
    for input in ["echo.wat", "echo.precast"] {
        let output = Command::new(PRECAST)
            .args([
                "run",
                "--env",
                "A=1",
                "--env=OUTER",
                "--env",
                "UNSET",
                "--dir",
                ".::/here",
            ])
            .args([input, "--", "-x", "--dir", "two words"])
            .env("OUTER", "from outside")
            .env_remove("UNSET")
            .current_dir(&folder)
            .output()
            .unwrap();
        let expected = format!("{input}\0-x\0--dir\0two words\0A=1\0OUTER=from outside\0");
        assert_eq!(String::from_utf8_lossy(&output.stdout), expected);
        assert!(output.status.success());
    }
}
