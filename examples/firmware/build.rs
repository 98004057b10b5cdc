//! Compiles the programs to object files that are linked in, has the sizes of their pools computed, and tells
//! the linker where the board has its flash and its RAM.
//!
//! The environment variable `PRECAST` is the path of the command. `cargo xtask firmware` sets it.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The programs in the folder `programs` that are linked in.
const LINKED: [&str; 4] = ["adder", "thermostat", "faults", "greeting"];
/// Those that are artifacts in flash, bytes that the linker knows nothing of.
const STORED: [&str; 1] = ["work"];
/// The stack of calls into a program, in bytes: no program here needs more, says `precast stack`.
const STACK: &str = "5120";

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    println!("cargo:rerun-if-env-changed=PRECAST");
    // Another compiler may write other code, and plan other memory.
    println!(
        "cargo:rerun-if-changed={}",
        env::var("PRECAST").unwrap_or_default()
    );
    let target = env::var("TARGET").expect("cargo sets it");
    // The board's memories, the script that includes them, and what code is made for.
    let (memories, script, code) = match target.as_str() {
        "aarch64-unknown-none" => ("aarch64-virt.x", "memory.x", &target[..]),
        "riscv64gc-unknown-none-elf" => ("riscv-virt.x", "link.x", &target[..]),
        "thumbv7em-none-eabihf" => ("mps2-an386.x", "link.x", "pulley32"),
        "riscv32imac-unknown-none-elf" => ("riscv-virt.x", "link.x", "pulley32"),
        _ => panic!("{target} is no board's: see what `cargo xtask firmware` does"),
    };
    let folder = PathBuf::from(env::var_os("OUT_DIR").expect("cargo sets it"));
    link(&target, Path::new("link").join(memories), script, &folder);
    println!("cargo:rustc-env=FIRMWARE_STACK={STACK}");
    for program in LINKED {
        let object = compile(program, code, &folder, "o", |command| {
            command.args(["--emit", "object", "--emit-rust"]);
            command.arg(folder.join(program).with_extension("rs"));
            if code != target {
                command.args(["--object-target", &target]);
            }
        });
        println!("cargo:rustc-link-arg-bins={}", object.display());
    }
    for program in STORED {
        // Without relocations, so that code runs where it lies, and without space between its parts.
        compile(program, code, &folder, "precast", |command| {
            command.args(["--xip", "--page-size", "1"]);
        });
    }
}

/// Chooses the linker's scripts.
fn link(target: &str, memories: PathBuf, script: &str, folder: &Path) {
    fs::copy(&memories, folder.join("memory.x")).expect("the memories of the board are there");
    println!("cargo:rerun-if-changed={}", memories.display());
    println!("cargo:rustc-link-search={}", folder.display());
    if target.starts_with("riscv") {
        // The script of the crate `riscv-rt` does not include it by itself.
        println!("cargo:rustc-link-arg-bins=-Tmemory.x");
    }
    println!("cargo:rustc-link-arg-bins=-T{script}");
}

/// Compiles a program, and writes a file with the size of its pool; the path of what was compiled.
fn compile(
    program: &str,
    code: &str,
    folder: &Path,
    extension: &str,
    options: impl FnOnce(&mut Command),
) -> PathBuf {
    let source = Path::new("programs").join(program).with_extension("wat");
    println!("cargo:rerun-if-changed={}", source.display());
    let compiled = folder.join(program).with_extension(extension);
    precast(|command| {
        command.args(["compile", "--quiet", "--target", code]);
        options(command);
        command.arg("-o").arg(&compiled).arg(&source);
    });
    precast(|command| {
        command.args(["memory", "--alloc", "pool", "--target", code]);
        command.args(["--stack-size", STACK]);
        let figures = folder.join(format!("{program}_memory.rs"));
        command.arg("--emit-rust").arg(figures).arg(&source);
    });
    compiled
}

fn precast(arguments: impl FnOnce(&mut Command)) {
    let path = env::var_os("PRECAST").expect("PRECAST is the path of the command");
    let mut command = Command::new(path);
    arguments(&mut command);
    // What it prints is not for cargo.
    let output = command
        .output()
        .expect("PRECAST is the path of the command");
    let complaints = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command:?}: {complaints}");
}
