//! `cargo xtask firmware`: the firmware examples, built for each board and run on its emulation.
//!
//! What a firmware prints is compared with what is expected of it, and its status is that of the
//! emulator. What cannot be tried is skipped with the reason, and never counts as passed. The last
//! line sums up: `firmware: N passed, N failed, N skipped`, a board being one.

mod board;
mod build;
mod expected;
mod image;

use crate::cross::{sysroot, toolchain, watch};
use crate::{Outcome, cargo, markers};
use board::{BOARDS, Board, Language};
use clap::Args;
use image::Image;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

/// How long a board may be silent.
const SILENCE: Duration = Duration::from_secs(120);

/// Instructions in a microsecond of the emulators, of which each takes a nanosecond.
const INSTRUCTIONS: u64 = 1000;

/// Options of `cargo xtask firmware`.
#[derive(Args)]
pub struct FirmwareArguments {
    /// Only these boards, by name.
    #[arg(long, value_delimiter = ',', value_name = "BOARD")]
    only: Vec<String>,
    /// Install no packages; a board that needs some is skipped.
    #[arg(long)]
    no_install: bool,
}

/// Where everything of this command is.
struct Place {
    /// A folder in cargo's own.
    folder: PathBuf,
    /// The example.
    firmware: PathBuf,
    /// The `precast` of this machine, with the compiler.
    precast: PathBuf,
}

/// What was measured on a board.
struct Measured {
    image: Image,
    programs: Option<Programs>,
}

/// What the programs of a board said of themselves.
struct Programs {
    /// What the smallest program takes of RAM, in bytes.
    smallest: u64,
    /// Instructions of the program that computes.
    work: u64,
}

/// What became of a board.
enum Outcomes {
    Passed(Measured),
    Failed(String),
    Skipped(String),
}

/// Builds and runs the boards and prints the table.
pub fn run(arguments: &FirmwareArguments) -> Outcome {
    let chosen = choose(&arguments.only)?;
    let built = cargo::target_directory()?;
    cargo::run(&["build", "--quiet", "--workspace", "--bin", "precast"])?;
    let place = Place {
        folder: built.join("firmware"),
        firmware: cargo::root()?.join("examples/firmware"),
        precast: built.join("debug/precast"),
    };
    let mut wanted: Vec<&str> = chosen.iter().flat_map(|board| board.packages()).collect();
    wanted.sort_unstable();
    wanted.dedup();
    toolchain::install_missing(&wanted, !arguments.no_install);
    let mut rows = Vec::new();
    for board in chosen {
        println!("{}", board.name);
        let outcome = match toolchain::missing_packages(&board.packages()) {
            Some(reason) => Outcomes::Skipped(reason),
            // Without a network, perhaps; nothing of ours is in it.
            None => match library(board, &place.folder) {
                Err(reason) => Outcomes::Skipped(reason),
                Ok(sysroot) => match attempt(board, &place, &sysroot) {
                    Ok(measured) => Outcomes::Passed(measured),
                    Err(message) => Outcomes::Failed(message),
                },
            },
        };
        rows.push((board, outcome));
    }
    let table = render(&rows);
    print!("\n{table}");
    let count = |wanted: fn(&Outcomes) -> bool| rows.iter().filter(|row| wanted(&row.1)).count();
    let passed = count(|outcome| matches!(outcome, Outcomes::Passed(_)));
    let failed = count(|outcome| matches!(outcome, Outcomes::Failed(_)));
    let skipped = count(|outcome| matches!(outcome, Outcomes::Skipped(_)));
    if passed == BOARDS.len() {
        markers::replace(&place.firmware.join("README.md"), "boards", &table)?;
    }
    println!("firmware: {passed} passed, {failed} failed, {skipped} skipped");
    match failed {
        0 => Ok(()),
        _ => Err("firmware failed".into()),
    }
}

fn choose(only: &[String]) -> Outcome<Vec<&'static Board>> {
    for name in only {
        if !BOARDS.iter().any(|board| board.name == name) {
            let names: Vec<&str> = BOARDS.iter().map(|board| board.name).collect();
            return Err(format!("no board `{name}`; there are {}", names.join(", ")));
        }
    }
    let wanted = |board: &&Board| only.is_empty() || only.iter().any(|name| name == board.name);
    Ok(BOARDS.iter().filter(wanted).collect())
}

/// The sysroot of a board. What was built with another library is of no use with a new one.
fn library(board: &Board, folder: &Path) -> Outcome<PathBuf> {
    sysroot::prepare_library(&board.library(), folder, |_| {
        let built = folder.join("build").join(board.triple);
        match built.exists() {
            true => std::fs::remove_dir_all(&built).map_err(|error| error.to_string()),
            false => Ok(()),
        }
    })
}

/// Builds a board's firmware, runs it and compares what it says.
fn attempt(board: &Board, place: &Place, sysroot: &Path) -> Outcome<Measured> {
    let program = build::program(board, place, sysroot)?;
    let image = Image::read(&program, board)?;
    let mut command = Command::new(board.emulator[0]);
    command
        .args(&board.emulator[1..])
        .args([
            "-nographic",
            "-monitor",
            "none",
            "-serial",
            "stdio",
            "-nic",
            "none",
        ])
        .args(["-semihosting-config", "enable=on,target=native"])
        // Time goes by the instructions, whatever else this machine does.
        .args(["-icount", "shift=0"])
        .args(image.arguments(&program, board)?);
    let files = place.folder.join("output").join(board.name);
    let ended = watch::run(command, SILENCE, &files)?;
    let output = String::from_utf8_lossy(&ended.output);
    output.lines().for_each(|line| println!("  {line}"));
    if !ended.status.is_some_and(|status| status.success()) {
        return Err(ended.says());
    }
    expected::compare(board, place, &output)?;
    let find = |program: &str, after: &str| {
        let line = output
            .lines()
            .find(|line| line.starts_with(program) && line.ends_with(after));
        let number =
            line.and_then(|line| line.strip_suffix(after)?.rsplit(' ').next()?.parse().ok());
        number.ok_or_else(|| format!("no line of `{program}` ends with `{after}`"))
    };
    Ok(Measured {
        image,
        programs: match board.language {
            Language::Rust => Some(Programs {
                smallest: find("adder", " bytes of pool were used at most")?,
                work: find("work", " microseconds")? * INSTRUCTIONS,
            }),
            Language::C => None,
        },
    })
}

fn render(rows: &[(&Board, Outcomes)]) -> String {
    let mut text = String::from(
        "| board | code | flash | RAM for variables | a module of 71 bytes | work | result |\n\
         |---|---|--:|--:|--:|--:|---|\n",
    );
    for (board, outcome) in rows {
        let (figures, result) = match outcome {
            Outcomes::Passed(measured) => (measured.cells(), "passed".to_owned()),
            Outcomes::Failed(message) => (" | | | ".to_owned(), format!("failed: {message}")),
            Outcomes::Skipped(reason) => (" | | | ".to_owned(), format!("skipped: {reason}")),
        };
        let (name, code) = (board.name, board.code());
        text.push_str(&format!("| {name} | {code} | {figures} | {result} |\n"));
    }
    text
}

impl Measured {
    fn cells(&self) -> String {
        let (flash, ram) = (self.image.flash as u64, self.image.ram);
        let programs = match &self.programs {
            Some(programs) => {
                let work = programs.work / 100_000;
                let smallest = thousands(programs.smallest);
                format!("{smallest} | {}.{} M", work / 10, work % 10)
            }
            None => " | ".to_owned(),
        };
        format!("{} | {} | {programs}", thousands(flash), thousands(ram))
    }
}

/// A number with commas.
fn thousands(number: u64) -> String {
    match number {
        0..1000 => number.to_string(),
        _ => format!("{},{:03}", thousands(number / 1000), number % 1000),
    }
}
