//! The memory plan is exact for real programs, too: each program of the corpus runs in a pool of the
//! size that `precast memory` prints, does not begin in one that is a granule smaller, and asks a
//! custom allocator for what was planned.
#![forbid(unsafe_code)]

use precast_loader::plan::{AllocationMode, HostRequest, Plan, PlanOptions};
use precast_loader::{
    CallError, Category, Imports, InstanceOptions, RuntimeOptions, Source, Stack,
};
use precast_tests::corpus::{self, Program};
use precast_tests::plan_host::Recorder;
use precast_wasi::WasiContext;
use serde_json::Value;
use std::path::{Path, PathBuf};
use std::process::Command;

const PRECAST: &str = env!("CARGO_BIN_EXE_precast-under-test");

/// More files than any of the programs has open at a time.
const OPEN_FILES: &str = "4";

fn scratch(program: &Program, extension: &str) -> PathBuf {
    let name = format!("{}.planned.{extension}", program.name);
    Path::new(env!("CARGO_TARGET_TMPDIR")).join(name)
}

fn words(words: &[&str]) -> Vec<String> {
    words.iter().map(|word| (*word).to_owned()).collect()
}

/// Compiles a program for a pool. Each test has a file of its own.
fn compile(program: &Program, folder: &Path) -> PathBuf {
    let test = std::thread::current().name().unwrap_or("test").to_owned();
    let artifact = scratch(program, &format!("{test}.precast"));
    let output = Command::new(PRECAST)
        .args(["compile", "--quiet", "--bounds-checks", "explicit"])
        .arg(folder.join(&program.wasm))
        .arg("-o")
        .arg(&artifact)
        .output()
        .expect("the command starts");
    assert!(output.status.success(), "{output:?}");
    artifact
}

/// The pages that the program's memory comes to.
fn pages(program: &Program, folder: &Path, artifact: &Path) -> Result<u64, String> {
    let profile = scratch(program, "json");
    let options = words(&["--memory-profile-json", &profile.to_string_lossy()]);
    program.run(PRECAST, folder, &options, artifact)?;
    let text = std::fs::read(&profile).map_err(|error| error.to_string())?;
    let profile: Value = serde_json::from_slice(&text).map_err(|error| error.to_string())?;
    let committed = profile["memories"][0]["committed"].as_u64();
    Ok(committed.ok_or(format!("no memory in {profile}"))? / 65536)
}

/// The pool that is printed for a program with these options.
fn pool(
    program: &Program,
    folder: &Path,
    options: &[String],
    artifact: &Path,
) -> Result<u64, String> {
    let mut options = options.to_vec();
    options.extend(words(&["--alloc", "pool", "--json"]));
    let mut command = program.command(PRECAST, folder, "memory", &options, artifact);
    let output = command.output().expect("the command starts");
    let plan: Value = serde_json::from_slice(&output.stdout)
        .map_err(|_| String::from_utf8_lossy(&output.stderr).into_owned())?;
    plan["pool_bytes"]
        .as_u64()
        .ok_or(format!("no pool in {plan}"))
}

/// Holds a program to its plan; a row of the table.
fn check(program: &Program, folder: &Path) -> Result<String, String> {
    let artifact = compile(program, folder);
    let pages = pages(program, folder, &artifact)?;
    let mut options = words(&["--fixed-memory", "--max-memory-pages", &pages.to_string()]);
    options.extend(words(&["--open-files", OPEN_FILES]));
    let with_files = pool(program, folder, &options, &artifact)?;
    let in_pool = |bytes: u64| {
        let mut options = options.clone();
        options.extend(words(&[
            "--alloc",
            "pool",
            "--pool-size",
            &bytes.to_string(),
        ]));
        options
    };
    program.run(PRECAST, folder, &in_pool(with_files), &artifact)?;

    // Without room for files, what does not fit is the program's beginning.
    options.truncate(options.len() - 2);
    options.extend(words(&["--open-files", "0"]));
    let without_files = pool(program, folder, &options, &artifact)?;
    let in_pool = |bytes: u64| {
        let mut options = options.clone();
        options.extend(words(&[
            "--alloc",
            "pool",
            "--pool-size",
            &bytes.to_string(),
        ]));
        let mut command = program.command(PRECAST, folder, "run", &options, &artifact);
        let output = command.output().expect("the command starts");
        let complaints = String::from_utf8_lossy(&output.stderr).into_owned();
        (output.status.code(), complaints)
    };
    let (_, complaints) = in_pool(without_files);
    if complaints.contains("no memory for") {
        return Err(format!(
            "{without_files} bytes are not enough: {complaints}"
        ));
    }
    let (code, complaints) = in_pool(without_files - 16);
    if code != Some(1) || !complaints.contains("no memory for") {
        return Err(format!("a granule less ended with {code:?}: {complaints}"));
    }
    let name = &program.name;
    Ok(format!(
        "{name:<20} {pages:>6} {with_files:>12} {without_files:>12}   {}",
        complaints.trim_end()
    ))
}

/// Compares what a program asks of an allocator, until it could begin, with its plan.
fn check_custom(program: &Program, folder: &Path) -> Result<(), String> {
    fn text(error: impl std::fmt::Display) -> String {
        error.to_string()
    }
    let artifact = std::fs::read(compile(program, folder))
        .map_err(text)?
        .leak();
    let context = WasiContext::builder().args(program.arguments.iter().cloned());
    let host = context.requests().map(|layout| HostRequest {
        category: Category::Wasi,
        layout,
    });
    let host: Vec<HostRequest> = host.collect();
    let mut options = PlanOptions::default();
    options.mode = AllocationMode::System;
    options.captures = &|_, _| WasiContext::CAPTURE;
    options.host = &host;
    let plan = Plan::new(artifact, &options).map_err(text)?;

    let recorder: &'static Recorder = Box::leak(Box::default());
    let runtime = recorder.runtime(RuntimeOptions::default()).map_err(text)?;
    let module = runtime
        .load_named_by_user(Source::borrowed(artifact))
        .map_err(text)?;
    let context = context.build(&runtime).map_err(text)?;
    let mut imports = Imports::for_module(&module).map_err(text)?;
    context.define_for(&mut imports, &module).map_err(text)?;
    let instance = module
        .instantiate(&imports, InstanceOptions::default())
        .map_err(text)?;
    let environment = instance.execution_environment(Stack::Caller);
    drop(environment.map_err(CallError::from).map_err(text)?);
    match recorder.compare(&plan)? {
        0 => Ok(()),
        more => Err(format!("{more} more requests than planned")),
    }
}

#[test]
fn programs_ask_an_allocator_for_what_was_planned() {
    let Some(folder) = corpus::folder() else {
        return;
    };
    for program in corpus::programs(&folder) {
        let outcome = check_custom(&program, &folder);
        assert_eq!(outcome, Ok(()), "{}", program.name);
    }
}

#[test]
fn programs_run_in_the_pool_that_is_printed() {
    let Some(folder) = corpus::folder() else {
        return;
    };
    let mut failures = Vec::new();
    println!(
        "{:<20} {:>6} {:>12} {:>12}   a granule less",
        "program", "pages", "pool", "no files"
    );
    for program in corpus::programs(&folder) {
        match check(&program, &folder) {
            Ok(row) => println!("{row}"),
            Err(message) => failures.push(format!("{}: {message}", program.name)),
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}
