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
//!
//! What runs an artifact is a small part of the command, and would lie scattered among the code
//! generator. The system maps code in pieces of 64 KiB around each page that is touched; so what runs
//! is put side by side, and a program that waits has a megabyte less in memory.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs};

/// The libraries with which an artifact runs.
const RUNNING: &[&str] = &[
    "libstd-*.rlib",
    "libcore-*.rlib",
    "liballoc-*.rlib",
    "libhashbrown-*.rlib",
    "libc.a",
    "liblibc-*.rlib",
    "librustix-*.rlib",
    "libcap_std-*.rlib",
    "libcap_primitives-*.rlib",
    "libio_lifetimes-*.rlib",
    "libio_extras-*.rlib",
    "libprecast_format-*.rlib",
    "libprecast_loader-*.rlib",
    "libprecast_wasi-*.rlib",
];

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
    let order = folder.join("order.ld");
    if fs::write(&order, order_script()).is_ok() {
        println!("cargo:rustc-link-arg-bins=-Wl,-T,{}", order.display());
    }
    if let Some(libraries) = static_libraries()
        && write_scripts(&folder, &libraries).is_ok()
    {
        println!("cargo:rustc-link-arg-bins=-static");
        println!("cargo:rustc-link-arg-bins=-L{}", folder.display());
    }
}

/// A linker script that puts what runs an artifact before everything else.
fn order_script() -> String {
    let sections = |name: &str| -> String {
        let inputs = RUNNING
            .iter()
            .map(|library| format!("    *{library}:*({name} {name}.*)\n"));
        inputs.collect()
    };
    format!(
        "SECTIONS {{ .text.running : {{\n{}  }} }} INSERT BEFORE .text;\n\
         SECTIONS {{ .rodata.running : {{\n{}  }} }} INSERT BEFORE .rodata;\n",
        sections(".text"),
        sections(".rodata")
    )
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
