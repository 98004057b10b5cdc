//! `cargo xtask cross`: code for other instruction sets, run where this machine is none of them.
//!
//! This machine compiles the modules of the specification's scripts and the programs of the corpus
//! for each target; a `precast` without the compiler, built for the target, runs them under
//! emulation. What cannot be tried is skipped with the reason, and never counts as passed. Each target that
//! was measured whole gets its row in the README at once, so that the table can be made in several runs; the
//! row says of which commit it is. The last line sums up: `cross: N passed, N failed, N skipped`, a script under one configuration being one,
//! and so are a program and a test.

mod build;
mod bundle;
mod corpus;
mod counts;
mod faults;
mod reasons;
mod same_bytes;
mod scripts;
pub mod sysroot;
mod table;
mod target;
pub mod toolchain;
pub mod watch;
mod windows;

use crate::{Outcome, cargo, markers};
use clap::Args;
use counts::Counts;
use scripts::Suite;
use std::path::PathBuf;
use std::process::Command;
use table::{Measured, Row};
use target::{TARGETS, Target};

/// Options of `cargo xtask cross`.
#[derive(Args)]
pub struct CrossArguments {
    /// What every change has to pass: fewer scripts, no programs, a bundle, the loader's tests.
    #[arg(long)]
    small: bool,
    /// Only these targets, by name.
    #[arg(long, value_delimiter = ',', value_name = "TARGET")]
    only: Vec<String>,
    /// Install no packages; a target that needs some is skipped.
    #[arg(long)]
    no_install: bool,
    /// Only the scripts of the specification, of all targets.
    #[arg(long, conflicts_with = "small")]
    scripts: bool,
}

/// Where everything of this command is.
pub struct Place {
    /// A folder in cargo's own.
    pub folder: PathBuf,
    /// The workspace.
    pub root: PathBuf,
    /// The `precast` of this machine, with the compiler.
    pub precast: PathBuf,
}

/// Measures the targets, prints the table, and records it if it is whole.
pub fn run(arguments: &CrossArguments) -> Outcome {
    let chosen = choose(arguments)?;
    let (root, built) = (cargo::root()?, cargo::target_directory()?);
    cargo::run(&["build", "--quiet", "--workspace", "--bin", "precast"])?;
    let place = Place {
        folder: built.join("cross"),
        root,
        precast: built.join("debug/precast"),
    };
    let suite = Suite::write(&place.folder.join("scripts"))?;
    let suite = if arguments.small {
        suite.small()
    } else {
        suite
    };
    toolchain::prepare(&chosen, !arguments.no_install);
    let (readme, commit) = (place.root.join("README.md"), commit(&place));
    let mut rows = Vec::new();
    for target in chosen {
        println!("{}", target.name);
        let outcome = match toolchain::missing(target) {
            Some(reason) => Err(Counts::skipped(reason)),
            None => match build::Cross::new(target, &place) {
                // Without a network, perhaps; nothing of ours is in it.
                Err(reason) => Err(Counts::skipped(reason)),
                Ok(cross) => measure(&cross, &place, &suite, arguments).map_err(Counts::failed),
            },
        };
        let row = Row { target, outcome };
        row.complaints()
            .for_each(|complaint| println!("  {complaint}"));
        rows.push(row);
        if !arguments.small && !arguments.scripts {
            let older = markers::read(&readme, "cross")?;
            let text = table::render(&rows, &older, &commit);
            markers::replace(&readme, "cross", &text)?;
        }
    }
    println!("\n{}", table::render(&rows, "", &commit));
    let mut sum = Counts::default();
    rows.iter().for_each(|row| sum.add(row.sum()));
    let (passed, failed, skipped) = (sum.passed, sum.failures(), sum.skips());
    println!("cross: {passed} passed, {failed} failed, {skipped} skipped");
    match failed {
        0 => Ok(()),
        _ => Err("something failed on another target".into()),
    }
}

/// The commit of the work tree, shortened, with a `+` where files have changed since; nothing without git.
fn commit(place: &Place) -> String {
    let git = |arguments: &[&str]| {
        let mut command = Command::new("git");
        command.current_dir(&place.root).args(arguments);
        let output = command
            .output()
            .ok()
            .filter(|output| output.status.success());
        output.map(|output| String::from_utf8_lossy(&output.stdout).trim().to_owned())
    };
    let commit = git(&["rev-parse", "--short=7", "HEAD"]).unwrap_or_default();
    // The table itself is written meanwhile.
    let changes = git(&["status", "--porcelain", "--", ".", ":!README.md"]);
    match changes {
        Some(changes) if !changes.is_empty() => commit + "+",
        _ => commit,
    }
}

fn choose(arguments: &CrossArguments) -> Outcome<Vec<&'static Target>> {
    for name in &arguments.only {
        if !TARGETS.iter().any(|target| target.name == name) {
            let names: Vec<&str> = TARGETS.iter().map(|target| target.name).collect();
            return Err(format!(
                "no target `{name}`; there are {}",
                names.join(", ")
            ));
        }
    }
    let wanted = |target: &&Target| match arguments.only.is_empty() {
        true => !arguments.small || target.is_for_every_change(),
        false => arguments.only.iter().any(|name| name == target.name),
    };
    Ok(TARGETS.iter().filter(wanted).collect())
}

fn measure(
    cross: &build::Cross,
    place: &Place,
    suite: &Suite,
    arguments: &CrossArguments,
) -> Outcome<Measured> {
    let target = cross.target;
    let runner = cross.runner()?;
    let scripts = suite.run(target, place, &runner)?;
    let mut measured = Measured {
        scripts,
        ..Measured::default()
    };
    if arguments.scripts {
        return Ok(measured);
    }
    if !arguments.small {
        measured.programs = corpus::run(target, place, &runner)?;
    }
    measured.bundle = Some(bundle::run(cross, place)?);
    measured.loader = Some(faults::loader(cross)?);
    if !arguments.small && !target.is_windows() {
        measured.faults = Some(faults::whole(cross)?);
        if target.has_native_code() && !target.bytecode {
            measured.linked = faults::linked(cross)?;
        }
        measured.same_bytes = same_bytes::run(cross, place)?;
    }
    Ok(measured)
}
