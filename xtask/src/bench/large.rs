//! Large modules: what compiling and loading them costs, beside wasmtime.
//!
//! Both compilers take all threads that the machine has, in turns, so that a change of its speed
//! touches both alike. The artifact is then loaded as a host does, mapped from its file.

use super::measure::{self, Usage};
use super::runtimes::Runtime;
use crate::Outcome;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

/// The figures of one module.
struct Row {
    name: String,
    wasm: u64,
    compiles: [Usage; 2],
    sizes: [u64; 2],
    load: Loaded,
}

/// What the tool for loading measured.
#[derive(Clone, Copy)]
struct Loaded {
    load: Duration,
    instantiate: Duration,
    /// Resident bytes with an instance that has not run: all of them, and those of no file.
    resident: [u64; 2],
}

/// Measures the modules and gives the table.
pub fn measure(
    modules: &[PathBuf],
    runtimes: [&Runtime; 2],
    tool: &Path,
    scratch: &Path,
    compiles: usize,
) -> Outcome<String> {
    let mut rows = Vec::new();
    for wasm in modules {
        let name = wasm.file_stem().unwrap_or_default().to_string_lossy();
        eprintln!("{name}");
        let outs = ["precast", "cwasm"].map(|extension| scratch.join(format!("large.{extension}")));
        let mut usages = [Vec::new(), Vec::new()];
        for _ in 0..compiles.max(1) {
            for ((runtime, out), usages) in runtimes.iter().zip(&outs).zip(&mut usages) {
                let command = runtime.compile(wasm, out).ok_or("it does not compile")?;
                usages.push(measure::compile(command)?);
            }
        }
        let size = |path: &PathBuf| fs::metadata(path).map_or(0, |data| data.len());
        rows.push(Row {
            wasm: size(wasm),
            compiles: usages.map(|usages| Usage::median(&usages)),
            sizes: [size(&outs[0]), size(&outs[1])],
            load: load(tool, &outs[0])?,
            name: name.into_owned(),
        });
        for out in &outs {
            fs::remove_file(out).map_err(|error| format!("{}: {error}", out.display()))?;
        }
    }
    Ok(render(&rows, compiles))
}

fn load(tool: &Path, artifact: &Path) -> Outcome<Loaded> {
    let output = Command::new(tool)
        .arg(artifact)
        .output()
        .map_err(|error| format!("{}: {error}", tool.display()))?;
    let text = String::from_utf8_lossy(&output.stdout);
    let numbers: Vec<u64> = text
        .split_whitespace()
        .filter_map(|word| word.parse().ok())
        .collect();
    let [load, instantiate, all, anonymous] = numbers[..] else {
        let complaints = String::from_utf8_lossy(&output.stderr);
        return Err(format!("{}: {complaints}", artifact.display()));
    };
    Ok(Loaded {
        load: Duration::from_nanos(load),
        instantiate: Duration::from_nanos(instantiate),
        resident: [all, anonymous],
    })
}

fn render(rows: &[Row], compiles: usize) -> String {
    let mut text = format!(
        "Median of {compiles} compilations in turns: seconds, megabytes, and Precast's figure divided by \
         wasmtime's. Loading maps the file and checks all tables; milliseconds, and resident megabytes \
         with an instance that has not run.\n\n\
         | module | MB | wall | wasmtime | ratio | CPU | wasmtime | ratio | peak | wasmtime | ratio \
         | artifact | wasmtime | load | instantiate | resident | of no file |\n\
         |---|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|\n"
    );
    let megabytes = |bytes: u64| bytes as f64 / 1e6;
    for row in rows {
        let [ours, theirs] = &row.compiles;
        let pair =
            |ours: f64, theirs: f64| format!("{ours:.1} | {theirs:.1} | {:.3}", ours / theirs);
        let [size, other_size] = row.sizes.map(megabytes);
        let [all, anonymous] = row.load.resident.map(megabytes);
        text += &format!(
            "| {} | {:.1} | {} | {} | {} | {size:.1} | {other_size:.1} | {:.2} | {:.2} | {all:.1} | {anonymous:.1} |\n",
            row.name,
            megabytes(row.wasm),
            pair(ours.wall.as_secs_f64(), theirs.wall.as_secs_f64()),
            pair(ours.cpu.as_secs_f64(), theirs.cpu.as_secs_f64()),
            pair(megabytes(ours.peak), megabytes(theirs.peak)),
            row.load.load.as_secs_f64() * 1e3,
            row.load.instantiate.as_secs_f64() * 1e3,
        );
    }
    text
}
