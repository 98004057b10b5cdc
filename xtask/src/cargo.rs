//! Starting cargo, and finding what it knows about the workspace.

use crate::Outcome;
use serde_json::Value;
use std::path::PathBuf;
use std::process::{Command, Stdio};

/// The cargo that started us, or the one on the path.
pub fn command() -> Command {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    if let Ok(root) = root() {
        command.current_dir(root);
    }
    command
}

/// The folder of the workspace's manifest.
pub fn root() -> Outcome<PathBuf> {
    let package = std::env::var_os("CARGO_MANIFEST_DIR").map(PathBuf::from);
    package
        .as_deref()
        .and_then(|folder| folder.parent())
        .map(|folder| folder.to_path_buf())
        .ok_or_else(|| "start this command with `cargo xtask`".into())
}

/// Runs cargo with its output on the terminal.
pub fn run(arguments: &[&str]) -> Outcome {
    run_with(arguments, &[])
}

/// Runs cargo with environment variables added.
pub fn run_with(arguments: &[&str], variables: &[(&str, &str)]) -> Outcome {
    let status = command()
        .args(arguments)
        .envs(variables.iter().copied())
        .status()
        .map_err(|error| format!("cargo does not start: {error}"))?;
    if status.success() {
        Ok(())
    } else {
        Err(format!("`cargo {}` failed", arguments.join(" ")))
    }
}

/// Runs cargo and takes its standard output; the flag says whether it succeeded.
pub fn capture(arguments: &[&str]) -> Outcome<(bool, String)> {
    let output = command()
        .args(arguments)
        .stderr(Stdio::inherit())
        .output()
        .map_err(|error| format!("cargo does not start: {error}"))?;
    let text =
        String::from_utf8(output.stdout).map_err(|_| "cargo printed something that is not text")?;
    Ok((output.status.success(), text))
}

/// What `cargo metadata` says about the workspace's own packages.
pub fn metadata() -> Outcome<Value> {
    let (succeeded, text) = capture(&["metadata", "--format-version", "1", "--no-deps"])?;
    if !succeeded {
        return Err("`cargo metadata` failed".into());
    }
    serde_json::from_str(&text).map_err(|error| format!("cargo's metadata: {error}"))
}

/// The folder that cargo builds into.
pub fn target_directory() -> Outcome<PathBuf> {
    let metadata = metadata()?;
    let folder = metadata["target_directory"]
        .as_str()
        .ok_or("cargo names no target directory")?;
    Ok(PathBuf::from(folder))
}
