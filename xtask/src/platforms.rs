//! `cargo xtask check-platforms`: whether the loader, WASI, the C library and the command compile for
//! systems that nobody here can link or run programs for.
//!
//! The standard library is checked from its source, which takes a toolchain that brings it; Debian's
//! does. Nothing is linked.

use crate::{Outcome, cargo};
use std::path::Path;
use std::process::Command;

/// The systems.
const TRIPLES: &[&str] = &[
    "aarch64-apple-darwin",
    "x86_64-apple-darwin",
    "x86_64-unknown-freebsd",
    "aarch64-pc-windows-msvc",
    "x86_64-pc-windows-msvc",
];

/// Debian's toolchain, which is beside that of the workspace.
const RUSTC: &str = "/usr/bin/rustc";
const CARGO: &str = "/usr/bin/cargo";
const LIBRARY: &str = "/usr/lib/rustlib/src/rust/library";

/// Checks each system; none is left out because of another.
pub fn run() -> Outcome {
    let tools = [RUSTC, CARGO, LIBRARY];
    if let Some(missing) = tools.iter().find(|path| !Path::new(path).exists()) {
        println!(
            "skipped: {missing} is missing; Debian's packages rustc-web, cargo-web and rust-web-src have it"
        );
        return Ok(());
    }
    let folder = cargo::target_directory()?.join("platforms");
    let mut failed = Vec::new();
    for triple in TRIPLES {
        println!("{triple}");
        let mut command = Command::new(CARGO);
        command
            .args(["check", "--quiet", "-Zbuild-std=std,panic_unwind"])
            .args([
                "-p",
                "precast-cli",
                "--bin",
                "precast",
                "-p",
                "precast-capi",
                "--lib",
                "--no-default-features",
                "--features",
                "precast-capi/wasi",
            ])
            .args(["--target", triple])
            .current_dir(cargo::root()?)
            .env("RUSTC", RUSTC)
            // The door to the library's source; what is ours goes without.
            .env("RUSTC_BOOTSTRAP", "1")
            .env("CARGO_TARGET_DIR", &folder);
        let status = command
            .status()
            .map_err(|error| format!("{CARGO}: {error}"))?;
        if !status.success() {
            failed.push(*triple);
        }
    }
    let (passed, broken) = (TRIPLES.len() - failed.len(), failed.len());
    println!("check-platforms: {passed} passed, {broken} failed, 0 skipped");
    match failed.is_empty() {
        true => Ok(()),
        false => Err(format!("does not compile for {}", failed.join(", "))),
    }
}
