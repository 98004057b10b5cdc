//! Links the command statically and at a fixed address, where that is known to work.
//!
//! A small artifact runs in less time than a dynamic linker needs to start this command: the code
//! generator's tables hold some twenty thousand pointers, which a position-independent executable
//! relocates at each start, and three libraries are looked up. Compiled code, memories and stacks
//! keep their random addresses.
//!
//! Cargo cannot ask for `crt-static` in one crate, and for all of them it breaks procedural macros.
//! So the linker gets a folder in which the names of the shared libraries are static ones. Where
//! the system has no static C library, the command stays dynamic.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs};

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    let variable = |name: &str| env::var(name).unwrap_or_default();
    let target = [
        "CARGO_CFG_TARGET_OS",
        "CARGO_CFG_TARGET_ENV",
        "CARGO_CFG_TARGET_ARCH",
    ]
    .map(variable);
    let native = variable("HOST") == variable("TARGET");
    if target != ["linux", "gnu", "x86_64"] || !native || variable("PROFILE") != "release" {
        return;
    }
    println!("cargo:rustc-link-arg-bins=-no-pie");
    let folder = PathBuf::from(variable("OUT_DIR"));
    if let Some(libraries) = static_libraries()
        && write_scripts(&folder, &libraries).is_ok()
    {
        println!("cargo:rustc-link-arg-bins=-static");
        println!("cargo:rustc-link-arg-bins=-L{}", folder.display());
    }
}

/// What stands for each shared library that rustc names, or nothing where one is missing.
fn static_libraries() -> Option<Vec<(&'static str, Vec<PathBuf>)>> {
    [
        ("libgcc_s.a", &["libgcc_eh.a", "libgcc.a"][..]),
        ("libc.a", &["libc.a"]),
        ("libm.a", &["libm.a"]),
    ]
    .into_iter()
    .map(|(name, parts)| {
        Some((
            name,
            parts
                .iter()
                .map(|part| locate(part))
                .collect::<Option<_>>()?,
        ))
    })
    .collect()
}

/// Where the C compiler finds a library.
fn locate(library: &str) -> Option<PathBuf> {
    let output = Command::new("cc")
        .arg(format!("-print-file-name={library}"))
        .output()
        .ok()?;
    let path = PathBuf::from(String::from_utf8(output.stdout).ok()?.trim());
    path.is_absolute().then_some(path)
}

/// Writes a linker script for each library, which names the static ones.
fn write_scripts(folder: &Path, libraries: &[(&str, Vec<PathBuf>)]) -> std::io::Result<()> {
    for (name, parts) in libraries {
        let parts: Vec<String> = parts
            .iter()
            .map(|part| part.display().to_string())
            .collect();
        fs::write(
            folder.join(name),
            format!("GROUP ( {} )\n", parts.join(" ")),
        )?;
    }
    Ok(())
}
