//! Compiles the programs to object files that are linked in, has the sizes of their pools computed, and tells
//! the linker where the board has its flash and its RAM.
//!
//! The environment variable `PRECAST` is the path of the command. `cargo xtask firmware` sets it.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The programs in the folder `programs`.
const PROGRAMS: [&str; 4] = ["adder", "work", "thermostat", "faults"];
/// The stack of calls into a program, in bytes. `precast stack` shows what a program takes of it.
const STACK: &str = "8192";

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    println!("cargo:rerun-if-env-changed=PRECAST");
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
    for program in PROGRAMS {
        compile(program, &target, code, &folder);
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

/// Makes an object file of a program, a file that declares it, and one with the size of its pool.
fn compile(program: &str, target: &str, code: &str, folder: &Path) {
    let source = Path::new("programs").join(program).with_extension("wat");
    println!("cargo:rerun-if-changed={}", source.display());
    let object = folder.join(program).with_extension("o");
    precast(|command| {
        command.args(["compile", "--emit", "object", "--quiet"]);
        command.args(["--target", code, "-o"]).arg(&object);
        if code != target {
            command.args(["--object-target", target]);
        }
        let declaration = folder.join(program).with_extension("rs");
        command.arg("--emit-rust").arg(declaration).arg(&source);
    });
    precast(|command| {
        command.args(["memory", "--alloc", "pool", "--target", code]);
        command.args(["--stack-size", STACK]);
        let figures = folder.join(format!("{program}_memory.rs"));
        command.arg("--emit-rust").arg(figures).arg(&source);
    });
    println!("cargo:rustc-link-arg-bins={}", object.display());
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
