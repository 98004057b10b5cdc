//! Linking the program as firmware is linked: whole-program optimisation for size, sections that
//! nobody needs left out, and no tables for unwinding, which nothing here does.

use super::list::{Set, Target};
use crate::{Outcome, cargo};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The precompiled `core` describes its functions for debuggers, from which the compiler concludes that
/// all functions of the program need tables for unwinding.
const WITHOUT_UNWINDING: &str = "SECTIONS { /DISCARD/ : { *(.eh_frame) } } INSERT AFTER .text;\n";

/// Debian's toolchain, which brings the source of `core`.
const RUSTC: &str = "/usr/bin/rustc";
const CARGO: &str = "/usr/bin/cargo";
const LIBRARY: &str = "/usr/lib/rustlib/src/rust/library";

/// What a target needs and this machine has not.
pub fn missing(target: &Target) -> Option<String> {
    if target.is_installed {
        let is_here = std::env::consts::ARCH == "x86_64" && std::env::consts::OS == "linux";
        return (!is_here).then(|| "needs Linux on x86-64".into());
    }
    let sources = [RUSTC, CARGO, LIBRARY];
    if let Some(path) = sources.iter().find(|path| !Path::new(path).exists()) {
        return Some(format!(
            "{path} is missing; Debian's packages rustc-web, cargo-web and rust-web-src have it"
        ));
    }
    let linker = target.linker?;
    let started = Command::new(linker).arg("--version").output();
    started.is_err().then(|| format!("{linker} is missing"))
}

/// Links the program and says where it is.
pub fn link(target: &Target, set: &Set) -> Outcome<PathBuf> {
    let folder = cargo::target_directory()?.join("sizes");
    fs::create_dir_all(&folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    let script = folder.join("without-unwinding.ld");
    fs::write(&script, WITHOUT_UNWINDING)
        .map_err(|error| format!("{}: {error}", script.display()))?;
    let mut flags = vec![
        // Parts are told by the names of symbols.
        "-Csymbol-mangling-version=v0".into(),
        "-Cforce-unwind-tables=no".into(),
        "-Crelocation-model=static".into(),
    ];
    if target.has_system {
        flags.extend([
            "-Clink-arg=-Wl,--gc-sections".into(),
            "-Clink-arg=-Wl,--no-eh-frame-hdr".into(),
            format!("-Clink-arg=-Wl,-T,{}", script.display()),
        ]);
    } else {
        flags.push("-Clink-arg=--gc-sections".into());
        // Somewhere, as the program is not run.
        let places = [
            "artifact_start=0x1000000",
            "artifact_size=0x4000",
            "output_register=0x2000000",
            "result_register=0x2000004",
        ];
        flags.extend(places.map(|place| format!("-Clink-arg=--defsym={place}")));
    }
    if target.is_native {
        // Comparisons are smaller; the interpreter, which is one large choice, would be slower.
        flags.push("-Cjump-tables=no".into());
    }
    if let Some(linker) = target.linker {
        flags.push(format!("-Clinker={linker}"));
    }
    let mut command = if target.is_installed {
        cargo::command()
    } else {
        let mut command = Command::new(CARGO);
        command
            .current_dir(cargo::root()?)
            .arg("-Zbuild-std=core,alloc")
            .env("RUSTC", RUSTC)
            // The door to the library's source; what is ours goes without.
            .env("RUSTC_BOOTSTRAP", "1");
        command
    };
    let status = command
        .args(["build", "--quiet", "-p", "minimal", "--profile", "size"])
        .args(["--features", set.features])
        .args(["--target", target.triple])
        .env("CARGO_TARGET_DIR", &folder)
        .env("CARGO_ENCODED_RUSTFLAGS", flags.join("\x1f"))
        .status()
        .map_err(|error| format!("cargo does not start: {error}"))?;
    if !status.success() {
        return Err(format!("{} {} does not link", target.triple, set.name));
    }
    Ok(folder.join(target.triple).join("size/minimal"))
}
