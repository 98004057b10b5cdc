//! Developer commands: `cargo xtask COMMAND`.
//!
//! Everything that the project asks of a developer beyond `cargo build` and `cargo test` is here,
//! in Rust, so that it runs wherever the project builds. The commands see the crates from outside:
//! they start cargo and the built `precast` command, and link neither compiler nor loader.
#![forbid(unsafe_code)]

mod bench;
mod cargo;
mod cross;
mod features;
mod firmware;
mod install_c;
mod markers;
mod platforms;
mod programs;
mod reach;
mod scale;
mod sizes;
mod soak;
mod tidy;
mod tsan;
mod wasm_c_api;

use clap::{Parser, Subcommand};
use std::process::ExitCode;

/// The result of a command; the error is one sentence for the developer.
type Outcome<T = ()> = Result<T, String>;

/// Developer commands of the Precast project.
#[derive(Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask")]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Checks what neither the compiler nor clippy checks: layout, dependencies, unsafe code.
    Tidy,
    /// Measures real programs against wasmtime and native code.
    Bench(bench::BenchArguments),
    /// Measures what one unit costs as modules grow.
    Scale(scale::ScaleArguments),
    /// Counts the bytes of the smallest program that embeds the loader, per target and facilities.
    Sizes(sizes::SizesArguments),
    /// Compiles a module with more text than calls reach, for each target, and runs it.
    Reach(reach::ReachArguments),
    /// Runs the specification's scripts and prints and records the table of results.
    Spec,
    /// Fetches, compiles and runs programs that others published.
    Programs(programs::ProgramsArguments),
    /// Runs scripts, programs and tests for other instruction sets, under emulation.
    Cross(cross::CrossArguments),
    /// Builds the firmware examples and runs them on emulated boards.
    Firmware(firmware::FirmwareArguments),
    /// Checks that the loader compiles with any of its facilities, and refuses what needs another.
    Features,
    /// Checks that the code compiles for systems that it cannot be run on here.
    CheckPlatforms,
    /// Runs the loader's tests with threads under ThreadSanitizer, where the toolchain has it.
    Tsan,
    /// Runs every test with threads many times, each in a process of its own.
    Soak(soak::SoakArguments),
    /// Builds the C library and installs it with its header, for pkg-config and CMake.
    InstallC(install_c::InstallArguments),
    /// Compiles and runs the example programs of the standard C API, which are in a folder of yours.
    WasmCApi(wasm_c_api::ExampleArguments),
    /// Rewrites the expectations of the golden tests, and the C header; read the difference before
    /// committing it.
    Bless,
}

fn main() -> ExitCode {
    let outcome = match Arguments::parse().command {
        Command::Tidy => tidy::run(),
        Command::Bench(arguments) => bench::run(&arguments),
        Command::Scale(arguments) => scale::run(&arguments),
        Command::Sizes(arguments) => sizes::run(&arguments),
        Command::Reach(arguments) => reach::run(&arguments),
        Command::Spec => spec(),
        Command::Programs(arguments) => programs::run(&arguments),
        Command::Cross(arguments) => cross::run(&arguments),
        Command::Firmware(arguments) => firmware::run(&arguments),
        Command::Features => features::run(),
        Command::CheckPlatforms => platforms::run(),
        Command::Tsan => tsan::run(),
        Command::Soak(arguments) => soak::run(&arguments),
        Command::InstallC(arguments) => install_c::run(&arguments),
        Command::WasmCApi(arguments) => wasm_c_api::run(&arguments),
        Command::Bless => bless(),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("error: {message}");
            ExitCode::FAILURE
        }
    }
}

/// Prints the table of the specification's scripts and puts it into the README.
fn spec() -> Outcome {
    let arguments = [
        "run",
        "--release",
        "-q",
        "-p",
        "precast-tests",
        "--bin",
        "spec-table",
    ];
    let (passed, table) = cargo::capture(&arguments)?;
    print!("{table}");
    markers::replace(&cargo::root()?.join("README.md"), "spec", &table)?;
    if passed {
        Ok(())
    } else {
        Err("assertions of the specification failed".into())
    }
}

fn bless() -> Outcome {
    for (package, test) in [("precast-tests", "golden"), ("precast-capi", "header")] {
        cargo::run_with(&["test", "-p", package, "--test", test], &[("BLESS", "1")])?;
    }
    Ok(())
}
