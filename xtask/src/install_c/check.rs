//! Whether C's tools find what was installed: a program is built and run by each that is here.

use crate::{Outcome, cargo};
use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The files of the program and of its projects.
const FILES: &[&str] = &[
    "program.c",
    "CMakeLists.txt",
    "meson.build",
    "meson_options.txt",
];

/// Builds and runs the program by each way, and says which of them cannot be tried here.
pub fn run(prefix: &Path) -> Outcome {
    let prefix = std::path::absolute(prefix).map_err(|error| format!("the prefix: {error}"))?;
    let packaging = cargo::root()?.join("capi/packaging");
    let work = cargo::target_directory()?.join("install-c");
    let _ = fs::remove_dir_all(&work);
    let source = super::folder(&work, "source")?;
    for file in FILES {
        super::copy(&packaging.join("check").join(file), &source)?;
    }
    // As a project would have it, in a folder of its own.
    let snippet = super::folder(&source, "precast")?;
    super::copy(&packaging.join("meson.build"), &snippet)?;

    let place = Place {
        prefix,
        work,
        source,
    };
    let mut tried = 0;
    for (name, tools, check) in WAYS {
        match tools.iter().find(|tool| !is_here(tool)) {
            Some(missing) => println!("{name}: skipped: there is no {missing}"),
            None => {
                check(&place)?;
                println!("{name}: passed");
                tried += 1;
            }
        }
    }
    println!("install-c: {tried} passed, {} skipped", WAYS.len() - tried);
    Ok(())
}

/// Where everything of the check is.
struct Place {
    prefix: PathBuf,
    work: PathBuf,
    source: PathBuf,
}

/// A way to find the library.
type Check = fn(&Place) -> Outcome;

/// Each way, and the tools that it takes.
const WAYS: &[(&str, &[&str], Check)] = &[
    ("pkg-config", &["pkg-config", "cc"], pkg_config),
    ("CMake", &["cmake", "cc"], cmake),
    ("Meson", &["meson", "ninja", "pkg-config", "cc"], meson),
    (
        "Meson without pkg-config",
        &["meson", "ninja", "cc"],
        meson_alone,
    ),
];

fn is_here(tool: &str) -> bool {
    let path = env::var_os("PATH").unwrap_or_default();
    env::split_paths(&path).any(|folder| folder.join(tool).is_file())
}

impl Place {
    fn pkg_config_path(&self) -> PathBuf {
        self.prefix.join("lib/pkgconfig")
    }

    /// Runs a program that was built, with the shared library where it can be found.
    fn try_out(&self, program: &Path) -> Outcome {
        let said = run_tool(Command::new(program).env("LD_LIBRARY_PATH", self.prefix.join("lib")))?;
        match said.trim() {
            "success" => Ok(()),
            other => Err(format!("{} says `{other}`", program.display())),
        }
    }
}

fn pkg_config(place: &Place) -> Outcome {
    for (kind, more) in [("shared", &[][..]), ("static", &["--static"][..])] {
        let mut command = Command::new("pkg-config");
        command
            .args(["--cflags", "--libs"])
            .args(more)
            .arg("precast");
        let flags = run_tool(command.env("PKG_CONFIG_PATH", place.pkg_config_path()))?;
        let program = place.work.join(format!("pkg-config-{kind}"));
        let mut command = Command::new("cc");
        command.arg(place.source.join("program.c"));
        command.args(flags.split_whitespace());
        run_tool(command.arg("-o").arg(&program))?;
        place.try_out(&program)?;
    }
    Ok(())
}

fn cmake(place: &Place) -> Outcome {
    let built = place.work.join("cmake");
    let mut command = Command::new("cmake");
    command.arg("-S").arg(&place.source).arg("-B").arg(&built);
    let found = format!("-DCMAKE_PREFIX_PATH={}", place.prefix.display());
    run_tool(command.arg(found))?;
    run_tool(Command::new("cmake").arg("--build").arg(&built))?;
    place.try_out(&built.join("shared"))?;
    place.try_out(&built.join("static"))
}

fn meson(place: &Place) -> Outcome {
    let path = place.pkg_config_path();
    with_meson(place, "meson", &path, "")
}

/// Where pkg-config knows nothing of the library, the project says where it is.
fn meson_alone(place: &Place) -> Outcome {
    let prefix = place.prefix.display().to_string();
    with_meson(place, "meson-alone", Path::new(""), &prefix)
}

fn with_meson(place: &Place, name: &str, pkg_config_path: &Path, prefix: &str) -> Outcome {
    let built = place.work.join(name);
    let mut command = Command::new("meson");
    command.arg("setup").arg(&built).arg(&place.source);
    command.arg(format!("-Dprecast_prefix={prefix}"));
    run_tool(command.env("PKG_CONFIG_PATH", pkg_config_path))?;
    run_tool(Command::new("ninja").arg("-C").arg(&built))?;
    place.try_out(&built.join("program"))
}

/// Runs a command that must succeed; gives what it printed.
fn run_tool(command: &mut Command) -> Outcome<String> {
    let output = command.output();
    let output = output.map_err(|error| format!("{command:?}: {error}"))?;
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
    }
    let notes = String::from_utf8_lossy(&output.stderr);
    let said = String::from_utf8_lossy(&output.stdout);
    Err(format!(
        "{command:?} failed: {}\n{said}{notes}",
        output.status
    ))
}
