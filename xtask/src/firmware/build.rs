//! Building firmware: with the loader as a crate of a program in Rust, or as the library of one in C.

use super::Place;
use super::board::{Board, C_COMPILER, Language};
use super::expected::STACK;
use crate::cross::toolchain;
use crate::{Outcome, cargo};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The programs that the firmware in C has linked in.
const PROGRAMS: [&str; 3] = ["thermostat", "faults", "greeting"];
/// Its sources, without those of the board.
const SOURCES: [&str; 2] = ["main", "mps2_an386"];
/// The linker's script, and what the compiler is told of the processor.
const SCRIPT: &str = "mps2-an386.ld";
const PROCESSOR: &str = "-mcpu=cortex-m4";

/// The program for a board, as the linker made it.
pub fn program(board: &Board, place: &Place, sysroot: &Path) -> Outcome<PathBuf> {
    match board.language {
        Language::Rust => rust(board, place, sysroot),
        Language::C => c(board, place, sysroot),
    }
}

fn rust(board: &Board, place: &Place, sysroot: &Path) -> Outcome<PathBuf> {
    let mut command = cargo(board, place, sysroot, "build");
    command.arg("--locked").current_dir(&place.firmware);
    run(&mut command)?;
    Ok(built(board, place).join("firmware"))
}

fn c(board: &Board, place: &Place, sysroot: &Path) -> Outcome<PathBuf> {
    let mut command = cargo(board, place, sysroot, "rustc");
    command
        .args(["-p", "precast-capi", "--crate-type", "staticlib"])
        .arg("--no-default-features")
        .args([
            "--features",
            "panic-handler,pulley,accounting,backtraces,wasi-minimal",
        ])
        // As the profile of the firmware in Rust.
        .envs([
            ("CARGO_PROFILE_RELEASE_OPT_LEVEL", "z"),
            ("CARGO_PROFILE_RELEASE_LTO", "true"),
            ("CARGO_PROFILE_RELEASE_PANIC", "abort"),
        ]);
    run(&mut command)?;
    let folder = place.folder.join(board.name);
    fs::create_dir_all(&folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    let mut objects = Vec::new();
    for program in PROGRAMS {
        objects.push(module(program, board, place, &folder)?);
    }
    let sources = place.firmware.join("c");
    for source in SOURCES {
        let object = folder.join(format!("{source}.o"));
        let mut command = Command::new(C_COMPILER);
        command
            .arg(format!("--target={}", board.triple))
            .args([PROCESSOR, "-std=c11", "-Os", "-ffreestanding"])
            .args(["-ffunction-sections", "-fdata-sections"])
            .args(["-Wall", "-Wextra", "-Werror", "-I"])
            .arg(place.firmware.join("../../capi/include"))
            .arg("-I")
            .arg(&folder)
            .arg("-c")
            .arg(sources.join(format!("{source}.c")))
            .arg("-o")
            .arg(&object);
        run(&mut command)?;
        objects.push(object);
    }
    let program = folder.join("firmware");
    let mut command = Command::new("rust-lld");
    command
        .args(["-flavor", "gnu", "--gc-sections", "-T"])
        .arg(sources.join(SCRIPT))
        .args(&objects)
        .arg(built(board, place).join("libprecast.a"))
        .arg("-o")
        .arg(&program);
    run(&mut command)?;
    Ok(program)
}

/// The object file of a module, with headers beside it: its declaration, and what it takes of memory.
fn module(name: &str, board: &Board, place: &Place, folder: &Path) -> Outcome<PathBuf> {
    let source = place.firmware.join("programs").join(format!("{name}.wat"));
    let object = folder.join(format!("{name}-module.o"));
    let mut command = Command::new(&place.precast);
    command
        .args(["compile", "--quiet", "--emit", "object"])
        .args(["--target", board.code(), "--object-target", board.triple])
        .arg("--emit-header")
        .arg(folder.join(format!("{name}.h")))
        .args([Path::new("-o"), &object, &source]);
    run(&mut command)?;
    let mut command = Command::new(&place.precast);
    command
        .args(["memory", "--alloc", "pool", "--target", board.code()])
        .args(["--stack-size", STACK, "--emit-header"])
        .arg(folder.join(format!("{name}_memory.h")))
        .arg(&source);
    run(&mut command)?;
    Ok(object)
}

/// Cargo for a board.
fn cargo(board: &Board, place: &Place, sysroot: &Path, subcommand: &str) -> Command {
    let mut command = cargo::command();
    command
        .args([subcommand, "--quiet", "--release", "--target", board.triple])
        .env("CARGO_TARGET_DIR", place.folder.join("build"))
        .env("PRECAST", &place.precast)
        .env("RUSTC", toolchain::RUSTC)
        .env("RUSTFLAGS", format!("--sysroot {}", sysroot.display()));
    command
}

fn built(board: &Board, place: &Place) -> PathBuf {
    place
        .folder
        .join("build")
        .join(board.triple)
        .join("release")
}

/// Runs a command that says nothing if all is well.
fn run(command: &mut Command) -> Outcome {
    let name = command.get_program().to_string_lossy().into_owned();
    let output = command
        .output()
        .map_err(|error| format!("{name}: {error}"))?;
    eprint!("{}", String::from_utf8_lossy(&output.stderr));
    match output.status.success() {
        true => Ok(()),
        false => Err(format!("{name} failed: {}", output.status)),
    }
}
