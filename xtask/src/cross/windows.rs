//! Windows: built with MinGW's linker, run by Wine.
//!
//! Code is compiled for Microsoft's triple, which is the one that people use; a loader that is linked
//! by other tools runs it as well. The compiler itself is not built for Windows here, so the tests that
//! need it are left out.

use super::target::Machine;
use super::toolchain::RUSTC;
use crate::Outcome;
use std::fs;
use std::path::Path;
use std::process::Command;

/// Windows on the processor of this machine.
pub const MACHINE: Machine = Machine {
    triple: "x86_64-pc-windows-gnu",
    tools: "x86_64-w64-mingw32",
    emulator: Some(WINE),
    processor: &[],
    packages: &["gcc-mingw-w64-x86-64-win32"],
};

/// Where Debian's package has Wine without the parts for 32-bit programs.
pub const WINE: &str = "/usr/lib/wine/wine64";
/// The package.
pub const WINE_PACKAGE: &str = "wine64";
/// Where its source of the library has the two objects that begin and end a program.
const START_UP: &str = "/usr/lib/rustlib/src/rust/library/rtstartup";
/// A library that is younger than Debian's Wine, with the one function that Rust's wants of it: random
/// bytes, which an older library has, too.
const RANDOM: &str = "EXPORTS\nProcessPrng=advapi32.SystemFunction036\n";

/// Whether a machine is Windows.
pub fn is(machine: &Machine) -> bool {
    machine.emulator == Some(WINE)
}

/// The words that start a program. Wine has a folder of its own here, and keeps quiet.
pub fn emulator(folder: &Path) -> Vec<String> {
    let prefix = format!("WINEPREFIX={}", folder.join("wine").display());
    ["env", "WINEDEBUG=-all", &prefix, WINE]
        .map(str::to_owned)
        .to_vec()
}

/// Adds to the standard library what programs are linked with, and what Wine lacks to Wine.
pub fn complete(libraries: &Path, folder: &Path) -> Outcome {
    for name in ["rsbegin", "rsend"] {
        let object = libraries.join(format!("{name}.o"));
        let mut rustc = Command::new(RUSTC);
        rustc
            .args([
                "--target",
                MACHINE.triple,
                "--crate-type=lib",
                "-Cpanic=abort",
            ])
            .arg(format!("--emit=obj={}", object.display()))
            .arg(format!("{START_UP}/{name}.rs"))
            // The objects are a part of the library.
            .env("RUSTC_BOOTSTRAP", "1");
        run(
            rustc,
            "the objects for the start of programs cannot be built",
        )?;
    }
    let mut words = emulator(folder).into_iter();
    let mut boot = Command::new(words.next().unwrap_or_default());
    boot.args(words).args(["wineboot", "--init"]);
    run(boot, "Wine does not start")?;
    let definition = folder.join("random.def");
    fs::write(&definition, RANDOM).map_err(|error| error.to_string())?;
    let library = folder.join("wine/drive_c/windows/system32/bcryptprimitives.dll");
    if library.exists() {
        return Ok(());
    }
    let mut linker = Command::new(format!("{}-gcc", MACHINE.tools));
    linker
        .args(["-shared", "-nostdlib", "-Wl,--entry=0", "-o"])
        .arg(&library)
        .arg(&definition);
    run(linker, "a library for Wine cannot be linked")
}

fn run(mut command: Command, complaint: &str) -> Outcome {
    let output = command.output().map_err(|error| error.to_string())?;
    match output.status.success() {
        true => Ok(()),
        false => {
            let said = String::from_utf8_lossy(&output.stderr);
            let last = said.lines().last().unwrap_or_default();
            Err(format!("{complaint}: {last}"))
        }
    }
}
