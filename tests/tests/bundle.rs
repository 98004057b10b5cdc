//! Bundles: executables that run their program wherever they are, and say so when they are damaged.
#![forbid(unsafe_code)]

use std::fs;
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::Duration;

const PRECAST: &str = env!("CARGO_BIN_EXE_precast-under-test");
const RUNNER: &str = env!("CARGO_BIN_EXE_precast-runner-under-test");

/// Says what it was given, and ends with the number of its arguments.
const ECHO: &str = include_str!("../bundle/echo.wat");

/// A folder for one test, with the artifact in it.
fn scratch(test: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR"))
        .join("bundle")
        .join(test);
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder).expect("the folder is writable");
    fs::write(folder.join("echo.wat"), ECHO).expect("the folder is writable");
    let output = precast(&folder, &["compile", "--quiet", "echo.wat"]);
    assert!(output.status.success(), "{output:?}");
    folder
}

fn precast(folder: &Path, arguments: &[&str]) -> Output {
    let mut command = Command::new(PRECAST);
    let output = command.args(arguments).current_dir(folder).output();
    output.expect("the command can be started")
}

/// Bundles the artifact of a folder with the runner under test.
fn bundle(folder: &Path, more: &[&str]) -> PathBuf {
    let arguments = ["bundle", "echo.precast", "--quiet", "--stub", RUNNER];
    let output = precast(folder, &[&arguments, more].concat());
    assert!(output.status.success(), "{output:?}");
    assert!(output.stderr.is_empty(), "{output:?}");
    folder.join("echo")
}

/// Starts an executable that this process has written. Until other tests that are starting something have
/// let go of the file, the system calls it busy.
fn start(command: &mut Command) -> Output {
    for _ in 0..500 {
        match command.output() {
            Err(error) if error.kind() == ErrorKind::ExecutableFileBusy => {
                std::thread::sleep(Duration::from_millis(10));
            }
            output => return output.expect("the executable can be started"),
        }
    }
    panic!("{command:?} stays busy");
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[test]
fn all_arguments_are_the_program_s() {
    let folder = scratch("arguments");
    let program = bundle(&folder, &[]);
    let run = |arguments: &[&str]| {
        let mut command = Command::new(&program);
        let output = command.args(arguments).env("SECRET", "1").output();
        output.expect("the bundle can be started")
    };
    let output = run(&["--dir", "--"]);
    assert_eq!(text(&output.stdout), "echo\0--dir\0--\0no folder\0");
    assert_eq!(output.status.code(), Some(3));
    let output = run(&["--help", "run", "", "-x"]);
    assert_eq!(output.status.code(), Some(134));
    let message = text(&output.stderr);
    assert!(
        message.starts_with("error: wasm trap: unreachable"),
        "{message}"
    );
    // As `precast run` ends.
    let arguments = ["run", "echo.precast", "--", "--help", "run", "", "-x"];
    let other = precast(&folder, &arguments);
    assert_eq!(other.status.code(), Some(134));
    assert_eq!(text(&other.stderr), message);
}

#[test]
fn what_was_granted_is_there_and_nothing_else() {
    let folder = scratch("grants");
    let grants = [
        "--dir",
        ".::/here",
        "--env",
        "A=1",
        "--env=OUTER",
        "--env",
        "UNSET",
    ];
    let program = bundle(&folder, &grants);
    let output = Command::new(&program)
        .env("OUTER", "from outside")
        .env("SECRET", "1")
        .env_remove("UNSET")
        .current_dir(&folder)
        .output()
        .expect("the bundle can be started");
    assert_eq!(
        text(&output.stdout),
        "echo\0A=1\0OUTER=from outside\0a folder\0"
    );
}

#[test]
fn the_artifact_stays_as_it_is() {
    let folder = scratch("bytes");
    let program = bundle(&folder, &["--env", "A=1"]);
    let (stub, artifact) = (
        fs::read(RUNNER).unwrap(),
        fs::read(folder.join("echo.precast")).unwrap(),
    );
    let bundle = fs::read(&program).unwrap();
    assert!(bundle.starts_with(&stub));
    let start = stub.len().next_multiple_of(4096);
    assert!(bundle[stub.len()..start].iter().all(|byte| *byte == 0));
    assert!(bundle[start..].starts_with(&artifact));
    let again = self::bundle(&folder, &["--env", "A=1"]);
    assert_eq!(fs::read(again).unwrap(), bundle, "the same each time");
}

#[test]
fn bundles_run_after_they_were_moved() {
    let folder = scratch("moved");
    let program = bundle(&folder, &[]);
    let moved = folder.join("other name");
    fs::rename(&program, &moved).unwrap();
    let output = Command::new(&moved)
        .output()
        .expect("the bundle can be started");
    assert_eq!(text(&output.stdout), "other name\0no folder\0");
}

#[test]
fn nothing_of_precast_is_needed() {
    let folder = scratch("alone");
    let program = bundle(&folder, &[]);
    let root = folder.join("root");
    fs::create_dir_all(&root).unwrap();
    fs::copy(&program, root.join("program")).unwrap();
    // What the executable asks the system for: nothing, where it is linked statically, as it is in a
    // release. Otherwise the C library.
    let libraries = Command::new("ldd").arg(&program).output();
    let libraries = libraries
        .map(|output| text(&output.stdout))
        .unwrap_or_default();
    for word in libraries
        .split_whitespace()
        .filter(|word| word.starts_with('/'))
    {
        let copy = root.join(word.trim_start_matches('/'));
        fs::create_dir_all(copy.parent().unwrap()).unwrap();
        fs::copy(word, copy).unwrap();
        assert!(!word.contains("precast"), "{libraries}");
    }
    // The system's own list of processes is what a bundle finds itself by.
    fs::create_dir_all(root.join("proc")).unwrap();
    let in_root = |command: &str| {
        let script = format!("mount --rbind /proc \"$0/proc\" && {command}");
        let arguments = ["--map-root-user", "--mount", "sh", "-c", &script];
        Command::new("unshare").args(arguments).arg(&root).output()
    };
    match in_root("true") {
        Ok(output) if output.status.success() => {}
        other => return println!("skipped: this system allows no root of our own: {other:?}"),
    }
    let output = in_root("exec chroot \"$0\" /program one").unwrap();
    assert_eq!(text(&output.stdout), "program\0one\0no folder\0");
    assert_eq!(output.status.code(), Some(2), "{output:?}");
}

#[test]
fn damage_is_told() {
    let folder = scratch("damage");
    let program = bundle(&folder, &["--env", "A=1"]);
    let good = fs::read(&program).unwrap();
    let failure = |bytes: &[u8]| {
        let path = folder.join("damaged");
        let _ = fs::remove_file(&path);
        fs::copy(&program, &path).unwrap();
        let mut file = fs::OpenOptions::new()
            .write(true)
            .truncate(true)
            .open(&path)
            .unwrap();
        file.write_all(bytes).unwrap();
        drop(file);
        let output = start(Command::new(&path).stdin(Stdio::null()));
        assert_eq!(output.status.code(), Some(1), "{output:?}");
        text(&output.stderr)
    };
    let end = good.len();
    assert!(failure(&good[..end - 1]).contains("holds no program"));
    assert!(failure(&[&good[..], &[0]].concat()).contains("holds no program"));
    let changed = |at: usize| {
        let mut bytes = good.clone();
        bytes[at] ^= 1;
        bytes
    };
    // The trailer's sizes, its checksum, the grants before it.
    for at in [end - 48 + 16, end - 48 + 24, end - 1, end - 49] {
        assert!(failure(&changed(at)).contains("damaged"), "{at}");
    }
    assert!(failure(&changed(end - 48 + 8)).contains("another version"));
    // The artifact's own reader checks the artifact.
    let artifact = fs::read(folder.join("echo.precast")).unwrap();
    let start = fs::metadata(RUNNER).unwrap().len().next_multiple_of(4096) as usize;
    assert!(artifact.starts_with(&good[start..start + 8]));
    assert!(failure(&changed(start)).contains("not a Precast artifact"));
    // A runner alone.
    let output = Command::new(RUNNER).output().unwrap();
    assert!(text(&output.stderr).contains("holds no program"));
}

#[test]
fn the_runner_is_found_beside_the_command() {
    let folder = scratch("beside");
    let command = folder.join("precast");
    fs::copy(PRECAST, &command).unwrap();
    let run = || {
        let mut command = Command::new(&command);
        start(command.args(["bundle", "echo.wat"]).current_dir(&folder))
    };
    let output = run();
    assert_eq!(output.status.code(), Some(1));
    assert!(text(&output.stderr).contains("precast-runner; name a runner with --stub"));
    fs::copy(RUNNER, folder.join("precast-runner")).unwrap();
    let output = run();
    assert!(output.status.success(), "{output:?}");
    let output = Command::new(folder.join("echo")).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(text(&output.stdout), "echo\0no folder\0");
    // It is for this machine alone.
    let other = if cfg!(target_arch = "aarch64") {
        "x86_64"
    } else {
        "aarch64"
    };
    let arguments = ["bundle", "echo.wat", "--target", other];
    let output = Command::new(&command)
        .args(arguments)
        .current_dir(&folder)
        .output();
    let message = text(&output.unwrap().stderr);
    assert!(
        message.contains(&format!("the code is for {other}")),
        "{message}"
    );
}
