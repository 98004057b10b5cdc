//! The specification's scripts: their modules are compiled here, they run there.

use super::Place;
use super::build::Runner;
use super::counts::Counts;
use super::target::Target;
use super::watch;
use crate::{Outcome, cargo};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

/// So many scripts run in one process: few enough that all processors have work to the end.
const CHUNK: usize = 24;
/// The longest script takes a tenth of it.
const SILENCE: Duration = Duration::from_secs(600);

/// What is small enough for every change: the core of WebAssembly 2.0 under one configuration, with
/// samples of what is implemented apart.
const SMALL_FOLDERS: &[&str] = &["wasm-v2", "proposals/threads", "proposals/exceptions"];
const SMALL_SIMD: &[&str] = &[
    "simd_conversions.wast",
    "simd_f32x4_arith.wast",
    "simd_i16x8_arith2.wast",
    "simd_i64x2_arith.wast",
    "simd_lane.wast",
    "simd_load.wast",
    "simd_splat.wast",
    "simd_store.wast",
];
const SMALL_CONFIGURATIONS: &[&str] = &["guard, direct", "bytecode"];

/// The scripts, and the configurations under which each is run.
pub struct Suite {
    configurations: Vec<Configuration>,
    scripts: Vec<Script>,
}

#[derive(Clone)]
struct Configuration {
    name: String,
    flags: Vec<String>,
    bounded_stacks: bool,
}

struct Script {
    /// Where in the suite it is.
    folder: String,
    path: PathBuf,
    /// The version of WebAssembly that it was written for.
    wasm: String,
    /// Lines whose assertions were taken back, with the reasons.
    taken_back: Vec<(u64, String)>,
}

/// The results under one configuration.
#[derive(Default)]
pub struct Results {
    /// By script.
    pub scripts: Counts,
    /// By assertion.
    pub assertions: Counts,
}

impl Suite {
    /// Lets the package of tests write the scripts.
    pub fn write(folder: &Path) -> Outcome<Suite> {
        let path = folder.display().to_string();
        let arguments = [
            "run",
            "-q",
            "-p",
            "precast-tests",
            "--bin",
            "suite-scripts",
            &path,
        ];
        let (succeeded, text) = cargo::capture(&arguments)?;
        if !succeeded {
            return Err("the scripts of the specification cannot be written".into());
        }
        let list: Value = serde_json::from_str(&text).map_err(|error| error.to_string())?;
        parse(&list).ok_or_else(|| "the list of scripts has another form".into())
    }

    /// What every change runs.
    pub fn small(mut self) -> Suite {
        self.configurations
            .retain(|one| SMALL_CONFIGURATIONS.contains(&one.name.as_str()));
        self.scripts.retain(|script| {
            let name = script.path.file_name().unwrap_or_default();
            let name = name.to_string_lossy();
            match name.starts_with("simd_") {
                true => script.folder == "proposals/simd" && SMALL_SIMD.contains(&&*name),
                false => SMALL_FOLDERS.contains(&script.folder.as_str()),
            }
        });
        self
    }

    /// Compiles and runs everything for one target.
    pub fn run(&self, target: &Target, place: &Place, runner: &Runner) -> Outcome<Vec<Results>> {
        let versions: BTreeSet<&str> = self.scripts.iter().map(|one| one.wasm.as_str()).collect();
        let scratch = place.folder.join("modules").join(target.name);
        let mut results = Vec::new();
        for configuration in &self.configurations {
            if !target.has(&configuration.name) {
                continue;
            }
            println!("  scripts: {}", configuration.name);
            let mut chunks = Vec::new();
            for version in &versions {
                let scripts: Vec<&Script> = self
                    .scripts
                    .iter()
                    .filter(|one| one.wasm == *version)
                    .collect();
                let modules = scratch.join(version);
                configuration.compile(target, place, version, &scripts, &modules)?;
                chunks.extend(
                    scripts
                        .chunks(CHUNK)
                        .map(|chunk| (modules.clone(), chunk.to_vec())),
                );
            }
            let parts = watch::side_by_side(&chunks, |number, (modules, scripts)| {
                let files = scratch.join(format!("chunk-{number}"));
                configuration.run(scripts, modules, runner, &files)
            })?;
            results.push(Results::sum(parts));
            // As large as all modules together, and never needed again.
            std::fs::remove_dir_all(&scratch).map_err(|error| error.to_string())?;
        }
        Ok(results)
    }
}

impl Configuration {
    fn compile(
        &self,
        target: &Target,
        place: &Place,
        version: &str,
        scripts: &[&Script],
        modules: &Path,
    ) -> Outcome {
        let mut command = Command::new(&place.precast);
        command.arg("wast").arg("--artifacts-out").arg(modules);
        command
            .args(["--target", target.code, "--wasm", version])
            .args(target.flags)
            .args(&self.flags);
        command.args(scripts.iter().map(|script| &script.path));
        let status = command.status().map_err(|error| error.to_string())?;
        match status.success() {
            true => Ok(()),
            false => Err(format!("scripts cannot be compiled for {}", target.name)),
        }
    }

    /// Runs scripts one after the other. A script that ends the process fails, and the rest runs in
    /// the next.
    fn run(
        &self,
        scripts: &[&Script],
        modules: &Path,
        runner: &Runner,
        files: &Path,
    ) -> Outcome<Results> {
        let mut results = Results::default();
        let mut rest = scripts;
        while !rest.is_empty() {
            let mut command = runner.command();
            command.args(["wast", "--json", "--artifacts"]).arg(modules);
            if self.bounded_stacks {
                command.arg("--bounded-stacks");
            }
            command.args(rest.iter().map(|script| &script.path));
            let ended = watch::run(command, SILENCE, files)?;
            let reports = reports(&ended.output);
            for (script, report) in rest.iter().zip(&reports) {
                results.add(script, report);
            }
            let told = reports.len().min(rest.len());
            rest = &rest[told..];
            if let Some((script, others)) = rest.split_first() {
                let message = format!("{} ({}): {}", script.name(), self.name, ended.says());
                results.assertions.failed.push(message.clone());
                results.scripts.failed.push(message);
                rest = others;
            }
        }
        Ok(results)
    }
}

/// The reports in what a run printed, as far as it came: each is a line.
fn reports(output: &[u8]) -> Vec<Value> {
    let lines = output.split(|byte| *byte == b'\n');
    lines
        .map(|line| line.strip_suffix(b",").unwrap_or(line))
        .filter(|line| line.first() == Some(&b'{'))
        .filter_map(|line| serde_json::from_slice(line).ok())
        .collect()
}

impl Results {
    fn add(&mut self, script: &Script, report: &Value) {
        let mut counts = Counts {
            passed: report["passed"].as_u64().unwrap_or(0) as usize,
            ..Counts::default()
        };
        let skipped = report["skipped"].as_object().into_iter().flatten();
        for (reason, count) in skipped {
            let count = count.as_u64().unwrap_or(0) as usize;
            counts.skipped.insert(reason.clone(), count);
        }
        for failed in report["failed"].as_array().into_iter().flatten() {
            let line = failed["line"].as_u64().unwrap_or(0);
            match script.taken_back.iter().find(|(taken, _)| *taken == line) {
                Some((_, reason)) => *counts.skipped.entry(reason.clone()).or_default() += 1,
                None => {
                    let message = failed["message"].as_str().unwrap_or_default();
                    counts
                        .failed
                        .push(format!("{}:{line}: {message}", script.name()));
                }
            }
        }
        match counts.failed.first() {
            None => self.scripts.passed += 1,
            Some(first) => {
                let more = counts.failures() - 1;
                self.scripts
                    .failed
                    .push(format!("{first} (and {more} more)"));
            }
        }
        self.assertions.add(counts);
    }

    fn sum(parts: Vec<Results>) -> Results {
        let mut sum = Results::default();
        for part in parts {
            sum.scripts.add(part.scripts);
            sum.assertions.add(part.assertions);
        }
        sum
    }
}

impl Script {
    fn name(&self) -> String {
        let file = self.path.file_name().unwrap_or_default();
        format!("{}/{}", self.folder, file.to_string_lossy())
    }
}

fn parse(list: &Value) -> Option<Suite> {
    let text = |value: &Value| value.as_str().map(str::to_owned);
    let configuration = |one: &Value| {
        Some(Configuration {
            name: text(&one["name"])?,
            flags: one["flags"]
                .as_array()?
                .iter()
                .map(text)
                .collect::<Option<_>>()?,
            bounded_stacks: one["bounded_stacks"].as_bool()?,
        })
    };
    let script = |one: &Value| {
        let mut taken_back = BTreeMap::new();
        for taken in one["taken_back"].as_array()? {
            let reason = text(&taken["reason"])?;
            for line in taken["lines"].as_array()? {
                taken_back.insert(line.as_u64()?, reason.clone());
            }
        }
        Some(Script {
            folder: text(&one["folder"])?,
            path: PathBuf::from(text(&one["path"])?),
            wasm: text(&one["wasm"])?,
            taken_back: taken_back.into_iter().collect(),
        })
    };
    Some(Suite {
        configurations: list["configurations"]
            .as_array()?
            .iter()
            .map(configuration)
            .collect::<Option<_>>()?,
        scripts: list["scripts"]
            .as_array()?
            .iter()
            .map(script)
            .collect::<Option<_>>()?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reports_are_read_as_far_as_they_came() {
        let whole = b"[\n{\"passed\":2},\n{\"passed\":3}\n]\n";
        assert_eq!(reports(whole).len(), 2);
        assert_eq!(reports(b"[\n{\"passed\":2},\n{\"pas").len(), 1);
        assert!(reports(b"").is_empty());
    }

    #[test]
    fn what_was_taken_back_is_no_failure() {
        let script = Script {
            folder: "proposals/old".into(),
            path: "a.wast".into(),
            wasm: "1".into(),
            taken_back: vec![(7, "taken back".into())],
        };
        let report = serde_json::json!({
            "passed": 1,
            "failed": [{"line": 7, "message": "x"}, {"line": 8, "message": "y"}],
            "skipped": {},
        });
        let mut results = Results::default();
        results.add(&script, &report);
        assert_eq!(results.assertions.failed, ["proposals/old/a.wast:8: y"]);
        assert_eq!(results.assertions.skips(), 1);
        assert_eq!(results.scripts.failures(), 1);
    }
}
