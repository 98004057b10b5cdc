//! The corpus of real programs, where there is one beside the project: compiled here, run there.

use super::Place;
use super::build::Runner;
use super::counts::Counts;
use super::target::Target;
use super::watch;
use crate::Outcome;
use crate::bench::corpus::{self, Program};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

/// An interpreter in an emulator takes its time, and programs print when they are done.
const SILENCE: Duration = Duration::from_secs(3600);

/// The folder of the corpus, if there is one.
pub fn folder(place: &Place) -> Option<PathBuf> {
    let folder = place.root.join("../shared/corpus").canonicalize().ok()?;
    folder.join("bench.tsv").exists().then_some(folder)
}

/// What came of compiling a module.
pub enum Compiled {
    /// There is an artifact.
    Written,
    /// The bytecode has not what the module needs, which the compiler says in these words.
    Refused(String),
}

/// Compiles a module of the corpus with this command.
///
/// # Errors
///
/// The compiler's words.
pub fn compile(
    mut precast: Command,
    target: &Target,
    wasm: &Path,
    artifact: &Path,
) -> Outcome<Compiled> {
    precast
        .args(["compile", "--quiet", "--target", target.code])
        .args(target.flags);
    let output = precast.arg(wasm).arg("-o").arg(artifact).output();
    let output = output.map_err(|error| error.to_string())?;
    let complaints = String::from_utf8_lossy(&output.stderr);
    match (output.status.success(), refusal(&complaints)) {
        (true, _) => Ok(Compiled::Written),
        // Code of machines has to do whatever the reference does.
        (false, Some(reason)) if target.bytecode => Ok(Compiled::Refused(reason.to_owned())),
        (false, _) => Err(complaints.trim().to_owned()),
    }
}

/// What is missing, without the place where it is needed: the reason why a program is skipped.
fn refusal(complaints: &str) -> Option<&str> {
    let (_, reason) = complaints.split_once(": unsupported feature: ")?;
    let reason = reason.lines().next()?;
    Some(
        reason
            .split_once(", in function ")
            .map_or(reason, |(reason, _)| reason),
    )
}

/// Runs all programs; nothing where there is no corpus.
pub fn run(target: &Target, place: &Place, runner: &Runner) -> Outcome<Option<Counts>> {
    let Some(folder) = folder(place) else {
        return Ok(None);
    };
    println!("  programs");
    let scratch = place.folder.join("programs").join(target.name);
    std::fs::create_dir_all(&scratch).map_err(|error| error.to_string())?;
    let programs = corpus::read(&folder)?;
    let outcomes = watch::side_by_side(&programs, |_, program| {
        Ok(run_one(program, &folder, target, place, runner, &scratch))
    })?;
    let mut counts = Counts::default();
    for (program, outcome) in programs.iter().zip(outcomes) {
        match outcome {
            Ok(counted) => counts.add(counted),
            Err(message) => counts.failed.push(format!("{}: {message}", program.name)),
        }
    }
    Ok(Some(counts))
}

fn run_one(
    program: &Program,
    folder: &Path,
    target: &Target,
    place: &Place,
    runner: &Runner,
    scratch: &Path,
) -> Outcome<Counts> {
    let artifact = scratch.join(format!("{}.precast", program.name));
    let wasm = folder.join(&program.wasm);
    let precast = Command::new(&place.precast);
    if let Compiled::Refused(reason) = compile(precast, target, &wasm, &artifact)? {
        return Ok(Counts::skipped(reason));
    }
    let mut command = runner.command();
    command.arg("run").current_dir(folder);
    for directory in &program.dirs {
        command.args(["--dir", directory]);
    }
    command.arg(&artifact).arg("--").args(&program.args);
    let ended = watch::run(command, SILENCE, &scratch.join(&program.name))?;
    let exit = ended.status.and_then(|status| status.code());
    let checked = program.check(&ended.output, exit);
    checked.map_err(|message| format!("{message}: {}", ended.says()))?;
    Ok(Counts::passed())
}

#[cfg(test)]
mod tests {
    use super::refusal;

    #[test]
    fn a_refusal_is_what_is_missing_and_not_where() {
        let text = "error: a.wasm: unsupported feature: the module needs SIMD, in function 3, at offset 0xd2d\n";
        assert_eq!(refusal(text), Some("the module needs SIMD"));
        let text = "error: a.wasm: unsupported feature: the module needs threads\n  a remedy\n";
        assert_eq!(refusal(text), Some("the module needs threads"));
        assert_eq!(refusal("error: a.wasm: No such file or directory\n"), None);
    }
}
