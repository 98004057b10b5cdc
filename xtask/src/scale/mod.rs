//! `cargo xtask scale`: does anything cost more per unit as modules grow?
//!
//! Each series is a module that grows in one respect, four times as large at each step. The table
//! has the cost of one unit: of compiling it, in the artifact, of loading it and of instantiating it.
//! A figure that grows along a series is a step that takes more than linear time.

mod series;
pub mod wasm;

use crate::bench::measure::{self, Usage};
use crate::bench::runtimes::Runtime;
use crate::{Outcome, cargo};
use clap::Args;
use series::Series;
use std::fs;
use std::path::{Path, PathBuf};

/// How much more a unit may cost at the end of a series than where it costs least, before it is
/// marked.
const GROWTH: f64 = 2.0;

/// Options of `cargo xtask scale`.
#[derive(Args)]
pub struct ScaleArguments {
    /// Only the series whose names contain one of these.
    #[arg(long, value_delimiter = ',')]
    series: Vec<String>,
    /// Leave out modules with more units than this.
    #[arg(long, default_value_t = u64::MAX, hide_default_value = true)]
    most: u64,
    /// Options for `precast compile`, separated by spaces.
    #[arg(long, default_value = "", allow_hyphen_values = true)]
    compile_options: String,
    /// Also compile with wasmtime.
    #[arg(long)]
    wasmtime: bool,
    /// How often each module is compiled; the fastest counts.
    #[arg(long, default_value_t = 2)]
    runs: usize,
}

/// The figures of one module.
struct Row {
    size: u64,
    wasm: u64,
    compile: Usage,
    other: Option<Usage>,
    artifact: u64,
    load: u64,
    instantiate: u64,
}

/// Measures the series and prints a table for each.
pub fn run(arguments: &ScaleArguments) -> Outcome {
    let packages = ["-p", "precast-cli", "-p", "precast-tests"];
    let mut build = vec!["build", "--release", "--quiet", "--bins"];
    build.extend(packages);
    cargo::run(&build)?;
    let release = cargo::target_directory()?.join("release");
    let scratch = cargo::target_directory()?.join("scale");
    fs::create_dir_all(&scratch).map_err(|error| format!("{}: {error}", scratch.display()))?;
    let options: Vec<&str> = arguments.compile_options.split_whitespace().collect();
    let precast = Runtime::precast(&release.join("precast"), &options);
    let wasmtime = match arguments.wasmtime {
        true => Some(Runtime::wasmtime(&crate::bench::runtimes::find_wasmtime()?)),
        false => None,
    };
    let wanted = |series: &&Series| {
        let names = &arguments.series;
        names.is_empty() || names.iter().any(|name| series.name.contains(name.as_str()))
    };
    for series in series::ALL.iter().filter(wanted) {
        let sizes = series.sizes.iter().filter(|size| **size <= arguments.most);
        let mut rows = Vec::new();
        println!("{}", head(series.name, wasmtime.is_some()));
        for &size in sizes {
            let wasm = scratch.join("module.wasm");
            // Freed before others start: the system counts what a parent has for its children.
            let length = write_module(&wasm, &(series.module)(size))?;
            let compile = |runtime: &Runtime, name: &str| {
                let out = scratch.join(name);
                fastest(runtime, &wasm, &out, arguments.runs).map(|usage| (usage, out))
            };
            let (usage, artifact) = compile(&precast, "module.precast")?;
            let other = wasmtime.as_ref().map(|it| compile(it, "module.cwasm"));
            let (load, instantiate) = load(&release.join("load-times"), &artifact)?;
            let row = Row {
                size,
                wasm: length,
                compile: usage,
                // Not everything that we compile is compiled by others.
                other: other.and_then(|other| Some(other.ok()?.0)),
                artifact: fs::metadata(&artifact).map_or(0, |data| data.len()),
                load,
                instantiate,
            };
            println!("{}", line(&row, wasmtime.is_some()));
            rows.push(row);
        }
        for (what, figure) in [
            ("compiling", cpu as fn(&Row) -> f64),
            ("the artifact", |row| row.artifact as f64),
            ("loading", |row| row.load as f64),
            ("instantiating", |row| row.instantiate as f64),
        ] {
            if let Some(growth) = growth(&rows, figure).filter(|growth| *growth > GROWTH) {
                println!("  {what} grows: a unit costs {growth:.1} times as much");
            }
        }
        println!();
    }
    Ok(())
}

fn write_module(path: &Path, module: &[u8]) -> Outcome<u64> {
    fs::write(path, module).map_err(|error| format!("{}: {error}", path.display()))?;
    Ok(module.len() as u64)
}

fn cpu(row: &Row) -> f64 {
    row.compile.cpu.as_nanos() as f64
}

/// How much more a unit costs in the largest module than where it costs least.
fn growth(rows: &[Row], figure: impl Fn(&Row) -> f64) -> Option<f64> {
    let unit = |row: &Row| figure(row) / row.size as f64;
    let least = rows.iter().map(unit).reduce(f64::min)?;
    Some(unit(rows.last()?) / least.max(f64::MIN_POSITIVE))
}

fn fastest(runtime: &Runtime, wasm: &Path, out: &Path, runs: usize) -> Outcome<Usage> {
    let mut best: Option<Usage> = None;
    for _ in 0..runs.max(1) {
        let command = runtime.compile(wasm, out).ok_or("it does not compile")?;
        let usage = measure::compile(command)?;
        if best.is_none_or(|best| usage.cpu < best.cpu) {
            best = Some(usage);
        }
    }
    best.ok_or_else(|| "nothing was measured".into())
}

/// Nanoseconds for loading and for instantiating the artifact.
fn load(tool: &PathBuf, artifact: &Path) -> Outcome<(u64, u64)> {
    let output = std::process::Command::new(tool)
        .arg(artifact)
        .output()
        .map_err(|error| format!("{}: {error}", tool.display()))?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let mut numbers = text.split_whitespace().map(|word| word.parse().ok());
    match (numbers.next().flatten(), numbers.next().flatten()) {
        (Some(load), Some(instantiate)) => Ok((load, instantiate)),
        _ => Err(format!(
            "{}: {}",
            artifact.display(),
            String::from_utf8_lossy(&output.stderr)
        )),
    }
}

fn head(name: &str, wasmtime: bool) -> String {
    let mut head = format!(
        "{name}\n{:>10} {:>9} {:>10} {:>9} {:>8} {:>10} {:>10} {:>10}",
        "count", "wasm KB", "compile ms", "ns each", "peak MB", "bytes each", "load ns", "inst. ns"
    );
    if wasmtime {
        head += &format!(" {:>9} {:>8}", "wasmtime", "peak MB");
    }
    head
}

fn line(row: &Row, wasmtime: bool) -> String {
    let each = |figure: f64| figure / row.size as f64;
    let mut line = format!(
        "{:>10} {:>9} {:>10.1} {:>9.0} {:>8.0} {:>10.1} {:>10.2} {:>10.2}",
        row.size,
        row.wasm / 1024,
        cpu(row) / 1e6,
        each(cpu(row)),
        row.compile.peak as f64 / 1e6,
        each(row.artifact as f64),
        each(row.load as f64),
        each(row.instantiate as f64),
    );
    if wasmtime {
        line += &match row.other {
            Some(other) => format!(
                " {:>9.1} {:>8.0}",
                other.cpu.as_nanos() as f64 / 1e6,
                other.peak as f64 / 1e6
            ),
            None => format!(" {:>9} {:>8}", "-", "-"),
        };
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn growth_is_per_unit() {
        let row = |size, load| Row {
            size,
            wasm: 0,
            compile: Usage::default(),
            other: None,
            artifact: 0,
            load,
            instantiate: 0,
        };
        let linear = [row(10, 100), row(20, 150), row(40, 200)];
        assert_eq!(growth(&linear, |row| row.load as f64), Some(1.0));
        let square = [row(10, 100), row(20, 400), row(40, 1600)];
        assert_eq!(growth(&square, |row| row.load as f64), Some(4.0));
    }
}
