//! The standard library for a target: built once by Debian's toolchain from its own source, and kept
//! where `--sysroot` finds it, so that all later builds are ordinary ones.

use super::target::Machine;
use super::toolchain::{CARGO, RUSTC};
use super::windows;
use crate::Outcome;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// A library and how it is built.
pub struct Library {
    /// Whom it is for.
    pub triple: &'static str,
    /// Its crates, for cargo.
    pub crates: &'static str,
    /// What cargo is told beside.
    pub environment: &'static [(&'static str, &'static str)],
}

/// The sysroot with the library for this machine, which is built if it is not there or is that of another compiler.
pub fn prepare(machine: &Machine, folder: &Path) -> Outcome<PathBuf> {
    let library = Library {
        triple: machine.triple,
        crates: "std,panic_unwind,test",
        environment: &[],
    };
    prepare_library(&library, folder, |libraries| match windows::is(machine) {
        true => windows::complete(libraries, folder),
        false => Ok(()),
    })
}

/// The sysroot with a library; `complete` adds what is not Rust's to a new one.
pub fn prepare_library(
    library: &Library,
    folder: &Path,
    complete: impl FnOnce(&Path) -> Outcome,
) -> Outcome<PathBuf> {
    let sysroot = folder.join("sysroot");
    let libraries = sysroot.join("lib/rustlib").join(library.triple).join("lib");
    let stamp = libraries.join("version");
    let version = version()?;
    if fs::read_to_string(&stamp).is_ok_and(|built| built == version) {
        return Ok(sysroot);
    }
    println!("  the standard library for {}", library.triple);
    let built = build(library, &folder.join("library"))?;
    let failed = |error: std::io::Error| format!("{}: {error}", libraries.display());
    if libraries.exists() {
        fs::remove_dir_all(&libraries).map_err(failed)?;
    }
    fs::create_dir_all(&libraries).map_err(failed)?;
    for file in fs::read_dir(&built).map_err(failed)? {
        let path = file.map_err(failed)?.path();
        let name = path.file_name().unwrap_or_default();
        let is_library = path
            .extension()
            .is_some_and(|extension| extension == "rlib");
        if is_library && !name.to_string_lossy().starts_with("libempty") {
            fs::copy(&path, libraries.join(name)).map_err(failed)?;
        }
    }
    complete(&libraries)?;
    fs::write(&stamp, version).map_err(failed)?;
    Ok(sysroot)
}

/// Builds the library below an empty crate; the folder with what came of it.
fn build(library: &Library, folder: &Path) -> Outcome<PathBuf> {
    let source = folder.join("empty");
    let failed = |error: std::io::Error| format!("{}: {error}", source.display());
    fs::create_dir_all(source.join("src")).map_err(failed)?;
    let manifest =
        "[package]\nname = \"empty\"\nversion = \"0.0.0\"\nedition = \"2024\"\n\n[workspace]\n";
    fs::write(source.join("Cargo.toml"), manifest).map_err(failed)?;
    fs::write(source.join("src/lib.rs"), "#![no_std]\n").map_err(failed)?;
    let mut command = Command::new(CARGO);
    command
        .args(["build", "--quiet", "--release"])
        .arg(format!("-Zbuild-std={}", library.crates))
        .args(["--target", library.triple])
        .arg("--target-dir")
        .arg(folder)
        .env("RUSTC", RUSTC)
        // The only door to building the library; what is built of ours goes without.
        .env("RUSTC_BOOTSTRAP", "1")
        .env_remove("RUSTFLAGS")
        .env_remove("CARGO_TARGET_DIR")
        .envs(library.environment.iter().copied())
        .current_dir(&source);
    let status = command
        .status()
        .map_err(|error| format!("{CARGO}: {error}"))?;
    match status.success() {
        true => Ok(folder.join(library.triple).join("release/deps")),
        false => Err(format!(
            "the standard library for {} cannot be built",
            library.triple
        )),
    }
}

fn version() -> Outcome<String> {
    let output = Command::new(RUSTC).arg("-vV").output();
    let output = output.map_err(|error| format!("{RUSTC}: {error}"))?;
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}
