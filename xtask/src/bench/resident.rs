//! Resident memory of a program that has 16 MB and touches next to nothing of them.
//!
//! What a program does not touch must not cost anything, so the program is the one of the start-up
//! table with a larger memory; natively it has a variable of that size.

use super::measure;
use super::report::Table;
use super::runtimes::Runtime;
use super::startup;
use crate::{Outcome, cargo};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// How often each program is looked at; which pages of its files are mapped varies.
const LOOKS: usize = 15;

/// Pages of the program's memory.
const PAGES: usize = 256;

/// What the program has as the only page of its memory, and what it gets instead.
const SMALL: &str = r#"(memory (export "memory") 1)"#;

/// The figures of one runtime, in bytes: medians.
pub struct Resident {
    /// The runtime, or `native`.
    name: String,
    /// Resident while the program waits.
    resident: u64,
    /// Those that belong to no file.
    anonymous: u64,
}

/// Measures the runtimes that compile ahead of time, and native code where a C compiler exists.
pub fn measure(runtimes: &[Runtime], scratch: &Path) -> Outcome<Vec<Resident>> {
    let small = cargo::root()?.join("xtask/src/bench/hello.wat");
    let text = fs::read_to_string(&small).map_err(|error| error.to_string())?;
    let wasm = scratch.join("hello-16mb.wat");
    let large = format!(r#"(memory (export "memory") {PAGES})"#);
    fs::write(&wasm, text.replace(SMALL, &large)).map_err(|error| error.to_string())?;

    let mut rows = Vec::new();
    for runtime in runtimes {
        let out = scratch.join(format!("hello-16mb.{}", runtime.name));
        if let Some(command) = runtime.compile(&wasm, &out) {
            measure::compile(command)?;
            rows.push(look(&runtime.name, || runtime.run(&wasm, &out, &[], &[]))?);
        }
    }
    let size = PAGES << 16;
    let native = startup::NATIVE.replace("int main", &format!("char memory[{size}];\nint main"));
    let native: Option<PathBuf> = startup::compile_native(&native, "hello-16mb", scratch);
    if let Some(path) = native {
        rows.push(look("native", || Command::new(&path))?);
    }
    Ok(rows)
}

/// Starts a command again and again.
fn look(name: &str, command: impl Fn() -> Command) -> Outcome<Resident> {
    let mut figures = (0..LOOKS)
        .map(|_| startup::resident(command()))
        .collect::<Outcome<Vec<_>>>()?;
    let mut median = |figure: fn(&(u64, u64)) -> u64| {
        figures.sort_unstable_by_key(figure);
        figures.get(LOOKS / 2).map_or(0, figure)
    };
    Ok(Resident {
        name: name.to_owned(),
        resident: median(|figures| figures.0),
        anonymous: median(|figures| figures.1),
    })
}

/// Renders the table.
pub fn render(rows: &[Resident]) -> String {
    let native = rows.iter().find(|row| row.name == "native");
    let mut table = Table::new();
    table.row(
        [
            "hello with 16 MB",
            "resident",
            "anonymous",
            "resident above native",
        ]
        .map(String::from),
    );
    for row in rows {
        let above = native.map_or("–".into(), |native| {
            (row.resident / 1024)
                .saturating_sub(native.resident / 1024)
                .to_string()
        });
        let kilobytes = |bytes: u64| (bytes / 1024).to_string();
        table.row([
            row.name.clone(),
            kilobytes(row.resident),
            kilobytes(row.anonymous),
            above,
        ]);
    }
    format!(
        "A program with a memory of 16 MB of which it touches a page: KB while it waits.\n\n{}",
        table.render()
    )
}
