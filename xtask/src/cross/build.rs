//! Building for a target: cargo with another compiler, library, linker and runner.

use super::target::{Machine, Target};
use super::toolchain::RUSTC;
use super::{Place, sysroot, windows};
use crate::{Outcome, cargo};
use std::path::{Path, PathBuf};
use std::process::Command;

/// Seconds that the tests of one file may take.
const LONGEST_TEST: u32 = 1800;

/// Cargo for a target.
pub struct Cross {
    /// The target.
    pub target: &'static Target,
    folder: PathBuf,
    sysroot: Option<PathBuf>,
}

/// A program for the target, and what starts it.
pub struct Runner {
    emulator: Vec<String>,
    program: PathBuf,
}

impl Runner {
    /// The file.
    pub fn program(&self) -> &Path {
        &self.program
    }

    /// Another program of the same machine.
    pub fn other(&self, program: PathBuf) -> Runner {
        Runner {
            emulator: self.emulator.clone(),
            program,
        }
    }

    /// A command that starts the program on its machine.
    pub fn command(&self) -> Command {
        let mut words = self.emulator.iter();
        let Some(emulator) = words.next() else {
            return Command::new(&self.program);
        };
        let mut command = Command::new(emulator);
        command.args(words).arg(&self.program);
        command
    }
}

impl Cross {
    /// Cargo for this target, with a standard library.
    pub fn new(target: &'static Target, place: &Place) -> Outcome<Cross> {
        let sysroot = target
            .machine
            .map(|machine| sysroot::prepare(machine, &place.folder));
        Ok(Cross {
            target,
            folder: place.folder.clone(),
            sysroot: sysroot.transpose()?,
        })
    }

    /// A `precast` without the compiler. It is built in the profile for development: nothing of it
    /// takes long but the programs, and those are optimised already.
    pub fn runner(&self) -> Outcome<Runner> {
        self.built("runner", "precast", &["--no-default-features"])
    }

    /// What bundles begin with.
    pub fn stub(&self) -> Outcome<Runner> {
        self.built("stub", "precast-runner", &["--no-default-features"])
    }

    /// A `precast` with everything.
    pub fn compiler(&self) -> Outcome<Runner> {
        self.built("compiler", "precast", &[])
    }

    /// Builds an executable; a copy is taken, because another build writes the same file.
    fn built(&self, name: &str, executable: &str, arguments: &[&str]) -> Outcome<Runner> {
        println!("  build: {name}");
        let mut command = self.cargo("build");
        command
            .args(["--quiet", "-p", "precast-cli", "--bin", executable])
            .args(arguments);
        let status = command.status().map_err(|error| error.to_string())?;
        if !status.success() {
            return Err(format!(
                "the {name} for {} cannot be built",
                self.target.name
            ));
        }
        let triple = self.target.machine.map_or("", |machine| machine.triple);
        let built = self.build_folder().join(triple).join("debug");
        let mut built = built.join(executable);
        if self.target.is_windows() {
            built.set_extension("exe");
        }
        let program = self
            .folder
            .join("bin")
            .join(format!("{}-{name}", self.target.name));
        copy(&built, &program)?;
        let emulator = self
            .target
            .machine
            .and_then(|machine| self.emulator(machine));
        Ok(Runner {
            emulator: emulator.unwrap_or_default(),
            program,
        })
    }

    /// The words that start a program for a machine, if it does not run by itself.
    fn emulator(&self, machine: &Machine) -> Option<Vec<String>> {
        if windows::is(machine) {
            return Some(windows::emulator(&self.folder));
        }
        let libraries = format!("/usr/{}", machine.tools);
        let emulator = machine.emulator?;
        let words = machine.processor.iter().copied();
        let words = [emulator, "-L", &libraries].into_iter().chain(words);
        Some(words.map(str::to_owned).collect())
    }

    /// A command of cargo's for this target.
    pub fn cargo(&self, subcommand: &str) -> Command {
        let mut command = cargo::command();
        command
            .arg(subcommand)
            .env("CARGO_TARGET_DIR", self.build_folder());
        let (Some(machine), Some(flags)) = (self.target.machine, self.flags()) else {
            return command;
        };
        if let Some(words) = self.emulator(machine) {
            // For tests that start processes.
            command.env("PRECAST_TEST_RUNNER", words.join(" "));
        }
        command
            .args(["--target", machine.triple])
            .env("RUSTC", RUSTC)
            .env("RUSTFLAGS", flags)
            .envs(self.tools(machine));
        command
    }

    /// What the compiler of Rust is told, if the target is another machine.
    pub fn flags(&self) -> Option<String> {
        let (machine, sysroot) = (self.target.machine?, self.sysroot.as_ref()?);
        let mut flags = format!("--sysroot {}", sysroot.display());
        if self.emulator(machine).is_none() {
            // The programs run by themselves, with the libraries of the cross compiler.
            let libraries = format!("/usr/{}", machine.tools);
            flags.push_str(&format!(
                " -Clink-arg=-Wl,--dynamic-linker={libraries}/lib/ld-linux.so.2 \
                 -Clink-arg=-Wl,-rpath={libraries}/lib"
            ));
        }
        Some(flags)
    }

    /// Cargo's variables for linker and runner.
    pub fn tools(&self, machine: &Machine) -> [(String, String); 2] {
        let variable = |what: &str| {
            let triple = machine.triple.replace(['-', '.'], "_").to_uppercase();
            format!("CARGO_TARGET_{triple}_{what}")
        };
        // A test that hangs there must not hang here.
        let mut runner = format!("timeout {LONGEST_TEST}");
        if let Some(words) = self.emulator(machine) {
            runner.push_str(&format!(" {}", words.join(" ")));
        }
        [
            (variable("RUNNER"), runner),
            (variable("LINKER"), format!("{}-gcc", machine.tools)),
        ]
    }

    fn build_folder(&self) -> PathBuf {
        self.folder.join("build")
    }
}

fn copy(from: &Path, to: &Path) -> Outcome {
    let folder = to.parent().unwrap_or(to);
    let copied = std::fs::create_dir_all(folder).and_then(|()| std::fs::copy(from, to));
    copied
        .map(|_| ())
        .map_err(|error| format!("{}: {error}", from.display()))
}
