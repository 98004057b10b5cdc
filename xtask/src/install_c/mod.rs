//! `cargo xtask install-c`: the C library where C's tools look for it.
//!
//! ```text
//!   PREFIX/include/precast.h, wasm.h, precast_wasm.h
//!   PREFIX/lib/libprecast.a, libprecast.so
//!   PREFIX/lib/pkgconfig/precast.pc
//!   PREFIX/lib/cmake/precast/precast-config.cmake, precast-config-version.cmake
//! ```
//!
//! What a program has to link beside the static library is asked of the Rust compiler, so that it is
//! right for every system.

mod check;

use crate::{Outcome, cargo};
use clap::Args;
use std::fs;
use std::path::{Path, PathBuf};

/// Arguments of `cargo xtask install-c`.
#[derive(Args)]
pub struct InstallArguments {
    /// Where to: `include` and `lib` are made there.
    #[arg(long, value_name = "FOLDER")]
    prefix: PathBuf,
    /// What the installed files say of the prefix, if they move there later.
    #[arg(long, value_name = "FOLDER")]
    final_prefix: Option<PathBuf>,
    /// The triple to build for, if not this machine's.
    #[arg(long, value_name = "TRIPLE")]
    target: Option<String>,
    /// Cargo features beside the default ones.
    #[arg(long, value_name = "LIST")]
    features: Option<String>,
    /// Leaves the default features out.
    #[arg(long)]
    no_default_features: bool,
    /// Builds without optimisation of our own crates, which is quicker.
    #[arg(long)]
    debug: bool,
    /// Builds and runs a program with it, by each of pkg-config, CMake and Meson that is here.
    #[arg(long, conflicts_with_all = ["final_prefix", "target", "no_default_features"])]
    check: bool,
}

/// Libraries as the Rust compiler may build them, by the name on some system.
const STATIC: &[&str] = &["libprecast.a", "precast.lib"];
const SHARED: &[&str] = &["libprecast.so", "libprecast.dylib", "precast.dll"];

/// Runs the command.
pub fn run(arguments: &InstallArguments) -> Outcome {
    let private = build(arguments)?;
    let root = cargo::root()?;
    let mut built = cargo::target_directory()?;
    built.extend(&arguments.target);
    built.push(if arguments.debug { "debug" } else { "release" });

    let include = folder(&arguments.prefix, "include")?;
    for header in headers(arguments) {
        copy(&root.join("capi/include").join(header), &include)?;
    }
    let lib = folder(&arguments.prefix, "lib")?;
    let library = first(&built, STATIC).ok_or("cargo has built no static library")?;
    copy(&built.join(library), &lib)?;
    let shared = first(&built, SHARED);
    if let Some(shared) = shared {
        copy(&built.join(shared), &lib)?;
    }

    let prefix = arguments.final_prefix.as_ref().unwrap_or(&arguments.prefix);
    let prefix = std::path::absolute(prefix).map_err(|error| format!("the prefix: {error}"))?;
    let values = [
        ("@PREFIX@", prefix.display().to_string()),
        ("@VERSION@", version()?),
        ("@PRIVATE@", private.join(" ")),
        ("@PRIVATE_LIST@", private.join(";")),
        ("@STATIC@", library.to_owned()),
        ("@SHARED@", shared.unwrap_or("none").to_owned()),
    ];
    let packaging = root.join("capi/packaging");
    let pkgconfig = folder(&lib, "pkgconfig")?;
    let cmake = folder(&lib, "cmake/precast")?;
    for (template, to) in [
        ("precast.pc.in", &pkgconfig),
        ("precast-config.cmake.in", &cmake),
        ("precast-config-version.cmake.in", &cmake),
    ] {
        fill(&packaging.join(template), to, &values)?;
    }
    println!("installed to {}", arguments.prefix.display());
    match arguments.check {
        true => check::run(&arguments.prefix),
        false => Ok(()),
    }
}

/// The headers of what the library has. Other libraries bring a `wasm.h`, too: none is put in their place for
/// nothing.
fn headers(arguments: &InstallArguments) -> &'static [&'static str] {
    let mut features = arguments.features.iter().flat_map(|list| list.split(','));
    let is_named = features.any(|feature| feature.trim() == "wasm-c-api");
    match !arguments.no_default_features || is_named {
        true => &["precast.h", "wasm.h", "precast_wasm.h"],
        false => &["precast.h"],
    }
}

/// Builds the libraries; gives what has to be linked beside the static one.
fn build(arguments: &InstallArguments) -> Outcome<Vec<String>> {
    let mut command = cargo::command();
    command.args(["rustc", "--package", "precast-capi", "--lib"]);
    if !arguments.debug {
        command.arg("--release");
    }
    if arguments.no_default_features {
        command.arg("--no-default-features");
        // Without the standard library there is nothing to load a shared one.
        command.args(["--crate-type", "staticlib"]);
    }
    if let Some(features) = &arguments.features {
        command.args(["--features", features]);
    }
    if let Some(target) = &arguments.target {
        command.args(["--target", target]);
    }
    command.args(["--", "--print", "native-static-libs"]);
    let output = command
        .output()
        .map_err(|error| format!("cargo does not start: {error}"))?;
    let notes = String::from_utf8_lossy(&output.stderr);
    if !output.status.success() {
        return Err(format!("the library does not build:\n{notes}"));
    }
    let libraries = notes
        .lines()
        .find_map(|line| line.split_once("native-static-libs:"));
    let mut kept = Vec::new();
    for library in libraries.map_or("", |(_, list)| list).split_whitespace() {
        // Whatever links C has these two.
        if !["-lc", "-lgcc_s"].contains(&library) && !kept.iter().any(|other| other == library) {
            kept.push(library.to_owned());
        }
    }
    Ok(kept)
}

/// The version of the library.
fn version() -> Outcome<String> {
    let metadata = cargo::metadata()?;
    let packages = metadata["packages"].as_array();
    let mut packages = packages.ok_or("cargo lists no packages")?.iter();
    let package = packages.find(|package| package["name"] == "precast-capi");
    let version = package.and_then(|package| package["version"].as_str());
    Ok(version.ok_or("cargo knows no version")?.to_owned())
}

/// The first of these files that is there.
fn first<'a>(folder: &Path, names: &[&'a str]) -> Option<&'a str> {
    let mut names = names.iter().copied();
    names.find(|name| folder.join(name).is_file())
}

/// A folder below another, which is made.
fn folder(parent: &Path, name: &str) -> Outcome<PathBuf> {
    let folder = parent.join(name);
    fs::create_dir_all(&folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    Ok(folder)
}

/// Copies a file into a folder.
fn copy(file: &Path, folder: &Path) -> Outcome {
    let name = file.file_name().ok_or("a file has a name")?;
    let copied = fs::copy(file, folder.join(name));
    copied.map_err(|error| format!("{}: {error}", file.display()))?;
    Ok(())
}

/// Writes a template with its values into a folder.
fn fill(template: &Path, folder: &Path, values: &[(&str, String)]) -> Outcome {
    let text = fs::read_to_string(template);
    let mut text = text.map_err(|error| format!("{}: {error}", template.display()))?;
    for (name, value) in values {
        text = text.replace(name, value);
    }
    let name = template.file_stem().ok_or("a template has a name")?;
    let path = folder.join(name);
    fs::write(&path, text).map_err(|error| format!("{}: {error}", path.display()))
}
