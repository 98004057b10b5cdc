//! `cargo xtask bench`: real programs, measured the way a user would feel them.
//!
//! Every program of a corpus runs as a compiled artifact under each runtime and as native code,
//! in turns, so that a change of the machine's speed touches all of them alike. What counts is
//! the median of user plus system time of the whole process. Compilation is measured the same
//! way, with its peak memory. Output is compared on each run: a fast wrong answer is an error.

pub mod corpus;
mod exceptions;
mod large;
pub mod measure;
mod report;
mod resident;
pub mod runtimes;
mod stack_checks;
mod startup;

pub use report::Table;
pub use runtimes::{cache_folder, find_wasmtime};

use crate::{Outcome, cargo, markers};
use clap::Args;
use corpus::Program;
use measure::{Usage, median};
use report::Row;
use runtimes::Runtime;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Options of `cargo xtask bench`.
#[derive(Args)]
pub struct BenchArguments {
    /// Only these programs, by name; nothing is recorded in the documentation then.
    #[arg(long, value_delimiter = ',')]
    programs: Vec<String>,
    /// How often each program runs under each runtime.
    #[arg(long, default_value_t = 5)]
    runs: usize,
    /// How often each program is compiled by each compiler.
    #[arg(long, default_value_t = 3)]
    compiles: usize,
    /// A folder with `bench.tsv` and what it names.
    #[arg(long, default_value = "../shared/corpus")]
    folder: PathBuf,
    /// A further runtime: `name=run template`, or `name=compile template => run template`.
    ///
    /// `{wasm}`, `{out}`, `{dirs}` and `{args}` are replaced; `{dirs}` becomes a `--dir` option
    /// for each folder that the program may see.
    #[arg(long = "runtime", value_name = "NAME=TEMPLATE")]
    runtimes: Vec<String>,
    /// Options for `precast compile`, separated by spaces.
    #[arg(long, default_value = "", allow_hyphen_values = true)]
    compile_options: String,
    /// Measure Precast and native code only.
    #[arg(long)]
    no_wasmtime: bool,
    /// Only compile and load these modules, large ones; the table goes into the documentation.
    #[arg(long, value_delimiter = ',', value_name = "MODULES")]
    large: Vec<PathBuf>,
    /// Only look at the resident memory of a program that does not touch its own; nothing is
    /// recorded.
    #[arg(long)]
    resident: bool,
    /// Only compare code that looks for stack with code that does not; nothing is recorded.
    #[arg(long, conflicts_with = "resident")]
    stack_checks: bool,
    /// Only measure what an exception costs; nothing is recorded.
    #[arg(long, conflicts_with_all = ["resident", "stack_checks"])]
    exceptions: bool,
}

/// Measures, prints the tables, and records them when every program was measured.
pub fn run(arguments: &BenchArguments) -> Outcome {
    let folder = std::path::absolute(&arguments.folder).map_err(|error| error.to_string())?;
    let needs_corpus = !arguments.resident && !arguments.exceptions && arguments.large.is_empty();
    let mut programs = match needs_corpus {
        true => corpus::read(&folder)?,
        false => Vec::new(),
    };
    if !arguments.programs.is_empty() {
        programs.retain(|program| arguments.programs.contains(&program.name));
    }
    if programs.is_empty() && needs_corpus {
        return Err("no program of the corpus has such a name".into());
    }
    cargo::run(&["build", "--release", "--quiet", "-p", "precast-cli"])?;
    let target = cargo::target_directory()?;
    let precast = target.join("release").join("precast");
    let scratch = target.join("bench");
    fs::create_dir_all(&scratch).map_err(|error| format!("{}: {error}", scratch.display()))?;

    if !arguments.large.is_empty() {
        return measure_large(arguments, &precast, &scratch);
    }
    if arguments.stack_checks {
        let runs = arguments.runs;
        let table = stack_checks::measure(&programs, &folder, &precast, &scratch, runs)?;
        println!("{table}");
        return Ok(());
    }

    let options: Vec<&str> = arguments.compile_options.split_whitespace().collect();
    let mut runtimes = vec![Runtime::precast(&precast, &options)];
    if !arguments.no_wasmtime {
        runtimes.push(Runtime::wasmtime(&runtimes::find_wasmtime()?));
    }
    for template in &arguments.runtimes {
        runtimes.push(Runtime::from_template(template)?);
    }

    if arguments.exceptions {
        let table = exceptions::measure(&runtimes, &scratch, arguments.runs)?;
        println!("{table}");
        return Ok(());
    }
    let resident = resident::render(&resident::measure(&runtimes, &scratch)?);
    if arguments.resident {
        println!("{resident}");
        return Ok(());
    }
    let mut rows = Vec::new();
    for program in &programs {
        rows.push(measure_program(
            program, &folder, &runtimes, &scratch, arguments,
        )?);
    }
    let start = startup::measure(&runtimes, &scratch)?;

    let names: Vec<&str> = runtimes
        .iter()
        .map(|runtime| runtime.name.as_str())
        .collect();
    let mut text = report::render(&names, &rows, &start, arguments.runs);
    text += &format!("\n{resident}");
    println!("{text}");
    let whole = arguments.programs.is_empty() && arguments.runtimes.is_empty();
    if whole && !arguments.no_wasmtime && arguments.compile_options.is_empty() {
        let root = cargo::root()?;
        markers::replace(&root.join("docs/performance.md"), "bench", &text)?;
        markers::replace(
            &root.join("README.md"),
            "bench",
            &report::summary(&rows, &start),
        )?;
    }
    Ok(())
}

/// Large modules against wasmtime.
fn measure_large(arguments: &BenchArguments, precast: &Path, scratch: &Path) -> Outcome {
    let build = ["build", "--release", "--quiet", "-p", "precast-tests"];
    cargo::run(&[&build[..], &["--bin", "load-times"]].concat())?;
    let tool = precast.with_file_name("load-times");
    let options: Vec<&str> = arguments.compile_options.split_whitespace().collect();
    let ours = Runtime::precast(precast, &options);
    let theirs = Runtime::wasmtime(&runtimes::find_wasmtime()?);
    let modules = &arguments.large;
    let runtimes = [&ours, &theirs];
    let table = large::measure(modules, runtimes, &tool, scratch, arguments.compiles)?;
    println!("{table}");
    if options.is_empty() {
        markers::replace(&cargo::root()?.join("docs/performance.md"), "large", &table)?;
    }
    Ok(())
}

fn measure_program(
    program: &Program,
    folder: &Path,
    runtimes: &[Runtime],
    scratch: &Path,
    arguments: &BenchArguments,
) -> Outcome<Row> {
    eprintln!("{}", program.name);
    let wasm = folder.join(&program.wasm);
    let artifacts: Vec<PathBuf> = runtimes
        .iter()
        .map(|r| scratch.join(format!("{}.{}", program.name, r.name)))
        .collect();

    let mut compiles: Vec<Vec<Usage>> = vec![Vec::new(); runtimes.len()];
    for _ in 0..arguments.compiles {
        for (index, runtime) in runtimes.iter().enumerate() {
            if let Some(command) = runtime.compile(&wasm, &artifacts[index]) {
                compiles[index].push(measure::compile(command)?);
            }
        }
    }

    let mut runs: Vec<Vec<Duration>> = vec![Vec::new(); runtimes.len()];
    let mut native: Vec<Duration> = Vec::new();
    for _ in 0..arguments.runs {
        for (index, runtime) in runtimes.iter().enumerate() {
            let command = runtime.run(&wasm, &artifacts[index], &program.dirs, &program.args);
            let (usage, output) = measure::run(command, folder, scratch)?;
            program
                .check(&output, usage.exit)
                .map_err(|error| format!("{} under {}: {error}", program.name, runtime.name))?;
            runs[index].push(usage.cpu);
        }
        if let Some(path) = &program.native {
            let mut command = std::process::Command::new(folder.join(path));
            command.args(&program.args);
            native.push(measure::run(command, folder, scratch)?.0.cpu);
        }
    }

    Ok(Row {
        name: program.name.clone(),
        runs: runs.iter().map(|times| median(times)).collect(),
        native: (!native.is_empty()).then(|| median(&native)),
        compiles: compiles
            .iter()
            .map(|usages| Usage::median(usages))
            .collect(),
        sizes: artifacts
            .iter()
            .map(|path| fs::metadata(path).map_or(0, |data| data.len()))
            .collect(),
    })
}
