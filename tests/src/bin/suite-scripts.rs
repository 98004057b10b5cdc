//! Writes the specification's scripts to a folder, and prints what a run on another machine has to
//! know of them as JSON: for `cargo xtask cross`.
#![forbid(unsafe_code)]

use precast_cli::wast::Stacks;
use precast_tests::configuration::with_bytecode;
use precast_tests::suite;
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

fn main() -> ExitCode {
    let Some(folder) = std::env::args_os().nth(1).map(PathBuf::from) else {
        eprintln!("error: which folder?");
        return ExitCode::FAILURE;
    };
    match write(&folder) {
        Ok(scripts) => {
            let list = json!({ "configurations": configurations(), "scripts": scripts });
            println!("{list}");
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("error: {}: {error}", folder.display());
            ExitCode::FAILURE
        }
    }
}

fn configurations() -> Vec<Value> {
    let one = |configuration: &precast_tests::configuration::Configuration| {
        json!({
            "name": configuration.name,
            "flags": configuration.flags(),
            "bounded_stacks": configuration.stacks == Stacks::Bounded,
        })
    };
    with_bytecode().map(one).collect()
}

fn write(folder: &Path) -> std::io::Result<Vec<Value>> {
    let mut written = Vec::new();
    for name in suite::names() {
        let beside = folder.join(&name);
        std::fs::create_dir_all(&beside)?;
        for script in suite::scripts(&name) {
            let path = beside.join(script.name());
            std::fs::write(&path, script.raw())?;
            let taken_back: Vec<Value> = suite::taken_back(&script)
                .into_iter()
                .map(|(lines, reason)| json!({ "lines": lines, "reason": reason }))
                .collect();
            written.push(json!({
                "folder": name,
                "path": path,
                "wasm": suite::version_flag(suite::version(script.parent())),
                "taken_back": taken_back,
            }));
        }
    }
    Ok(written)
}
