//! `cargo xtask reach`: a module with more text than calls reach, for each target.
//!
//! The module is a ring of large functions. A fifth of them calls over four fifths of the text, the others
//! call back over one fifth, and one run passes through all of them. The program traps where it comes out
//! somewhere else than it should. Compiling it takes a minute and a gigabyte, so no test does it.

use crate::bench::measure;
use crate::scale::wasm::{Wasm, code, constant, op, signed};
use crate::{Outcome, cargo};
use clap::Args;
use std::fs;
use std::path::PathBuf;
use std::process::Command;

/// Bytes of code that a constant and its operation make, at least, on any instruction set.
const BYTES_EACH: u64 = 13;

/// Constants of one function.
const CONSTANTS: u64 = 20_000;

/// Options of `cargo xtask reach`.
#[derive(Args)]
pub struct ReachArguments {
    /// The targets; the default is this machine.
    #[arg(long, value_delimiter = ',')]
    target: Vec<String>,
    /// Megabytes of text, at least.
    #[arg(long, default_value_t = 200)]
    megabytes: u64,
    /// A `precast` that was built already; the default is to build one.
    #[arg(long, value_name = "FILE")]
    precast: Option<PathBuf>,
    /// What runs an artifact, before its name: `qemu-aarch64-static -L /usr/aarch64-linux-gnu precast
    /// run`. The default is to run it on this machine, if it is for it.
    #[arg(long)]
    runner: Option<String>,
    /// More options for `precast compile`, separated by spaces.
    #[arg(long, default_value = "", allow_hyphen_values = true)]
    compile_options: String,
}

/// Compiles the module for each target, and runs it where that can be.
pub fn run(arguments: &ReachArguments) -> Outcome {
    let folder = cargo::target_directory()?;
    let precast = match &arguments.precast {
        Some(path) => path.clone(),
        None => {
            cargo::run(&["build", "--release", "--quiet", "-p", "precast-cli"])?;
            folder.join("release").join("precast")
        }
    };
    let scratch = folder.join("reach");
    fs::create_dir_all(&scratch).map_err(|error| format!("{}: {error}", scratch.display()))?;
    let wasm = scratch.join("ring.wasm");
    let functions = arguments.megabytes * 1_000_000 / (BYTES_EACH * CONSTANTS) + 2;
    fs::write(&wasm, ring(functions)).map_err(|error| format!("{}: {error}", wasm.display()))?;
    println!(
        "{:24} {:>9} {:>8} {:>8} {:>10}  ring of {functions} functions",
        "target", "text MB", "s", "peak MB", "file MB"
    );
    let host = vec![String::new()];
    let targets = match arguments.target.is_empty() {
        true => &host,
        false => &arguments.target,
    };
    for target in targets {
        let artifact = scratch.join("ring.precast");
        let mut compile = Command::new(&precast);
        compile
            .args(["compile", "--json", "-O", "none"])
            .args(arguments.compile_options.split_whitespace())
            .arg(&wasm)
            .arg("-o")
            .arg(&artifact);
        if !target.is_empty() {
            compile.args(["--target", target]);
        }
        let (usage, output) = measure::run(compile, &scratch, &scratch)?;
        let output = String::from_utf8_lossy(&output);
        let text = text_bytes(&output).ok_or_else(|| format!("{target} was not compiled"))?;
        let file = fs::metadata(&artifact).map_or(0, |data| data.len());
        let outcome = match (&arguments.runner, target.is_empty()) {
            (Some(runner), _) => start(runner.split_whitespace().map(str::to_owned), &artifact)?,
            (None, true) => {
                let words = [precast.display().to_string(), "run".to_owned()];
                start(words.into_iter(), &artifact)?
            }
            (None, false) => "not run",
        };
        println!(
            "{:24} {:>9.1} {:>8.1} {:>8.0} {:>10.1}  {outcome}",
            if target.is_empty() {
                "this machine"
            } else {
                target
            },
            text as f64 / 1e6,
            usage.wall.as_secs_f64(),
            usage.peak as f64 / 1e6,
            file as f64 / 1e6,
        );
    }
    Ok(())
}

/// Runs the artifact.
fn start(
    mut words: impl Iterator<Item = String>,
    artifact: &std::path::Path,
) -> Outcome<&'static str> {
    let program = words.next().ok_or("the runner is empty")?;
    let status = Command::new(&program)
        .args(words)
        .arg(artifact)
        .status()
        .map_err(|error| format!("{program}: {error}"))?;
    match status.success() {
        true => Ok("runs"),
        false => Err(format!("the program ended with {status}")),
    }
}

/// The size of the text in a report of `precast compile --json`.
fn text_bytes(report: &str) -> Option<u64> {
    let (_, rest) = report.split_once("\"text_bytes\":")?;
    let digits = rest.trim_start();
    let end = digits.find(|letter: char| !letter.is_ascii_digit())?;
    digits[..end].parse().ok()
}

/// The ring, and `_start`, which passes through it.
fn ring(functions: u64) -> Vec<u8> {
    const TYPE_CHAIN: u8 = 1;
    let step = step(functions);
    let mut wasm = Wasm::new();
    wasm.types(0, |_, _| {});
    wasm.items(3, 1 + functions, |bytes, index| {
        bytes.push(if index == 0 { 0 } else { TYPE_CHAIN });
    });
    // What the constants come to is kept, or they would be no code.
    wasm.items(6, 1, |bytes, _| {
        bytes.extend([code::I64, 1, code::I64_CONST, 0, code::END]);
    });
    wasm.start(0);
    let last = functions * step % functions;
    wasm.bodies(1 + functions, |bytes, index| {
        bytes.push(0);
        let Some(place) = index.checked_sub(1) else {
            constant(bytes, functions as i32);
            op(bytes, code::CALL, 1);
            constant(bytes, (last + functions) as i32);
            bytes.extend([code::I32_NE, code::IF, code::EMPTY]);
            bytes.extend([code::UNREACHABLE, code::END]);
            return;
        };
        op(bytes, code::LOCAL_GET, 0);
        bytes.extend([code::I32_EQZ, code::IF, code::EMPTY]);
        constant(bytes, place as i32);
        bytes.extend([code::RETURN, code::END]);
        for part in 0..=CONSTANTS {
            bytes.push(code::I64_CONST);
            // No instruction set has an instruction for such a constant.
            let mixed = (place * CONSTANTS + part + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
            signed(bytes, mixed as i64);
            if part > 0 {
                bytes.push(code::I64_XOR);
            }
        }
        op(bytes, code::GLOBAL_SET, 0);
        op(bytes, code::LOCAL_GET, 0);
        constant(bytes, 1);
        bytes.push(code::I32_SUB);
        op(bytes, code::CALL, 1 + (place + step) % functions);
        constant(bytes, 1);
        bytes.push(code::I32_ADD);
    });
    wasm.finish()
}

/// How far on the callee of a function is: about four fifths of the ring, and such that all are passed.
fn step(functions: u64) -> u64 {
    let common = |mut one: u64, mut other: u64| {
        while other != 0 {
            (one, other) = (other, one % other);
        }
        one
    };
    (functions * 4 / 5 + 1..functions)
        .find(|step| common(functions, *step) == 1)
        .unwrap_or(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_function_of_the_ring_is_passed() {
        for functions in 2..200 {
            let step = step(functions);
            let mut seen = vec![false; functions as usize];
            let mut place = 0;
            for _ in 0..functions {
                seen[place as usize] = true;
                place = (place + step) % functions;
            }
            assert!(seen.iter().all(|seen| *seen), "{functions}");
            assert_eq!(place, 0);
        }
    }

    #[test]
    fn the_size_is_found_in_the_report() {
        assert_eq!(text_bytes("{\n  \"text_bytes\": 123,\n"), Some(123));
        assert_eq!(text_bytes("{}"), None);
    }
}
