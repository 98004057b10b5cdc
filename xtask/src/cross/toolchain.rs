//! What has to be installed: cross compilers, the emulator, and a toolchain that brings the source
//! of the standard library. All of it are Debian's packages.
//!
//! The emulator of the stable suite reserves address space slowly, so a newer one is taken from the
//! backports where they can be had. Nothing here fails: a target whose tools are missing afterwards
//! is skipped, and the reason says what to install.

use super::target::Target;
use super::windows;
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

/// Debian's toolchain; the one of the workspace stays the first on the path.
pub const RUSTC: &str = "/usr/bin/rustc";
/// Its cargo, which builds the standard library.
pub const CARGO: &str = "/usr/bin/cargo";
const RUST_PACKAGES: &[&str] = &["rustc-web", "cargo-web", "rust-web-src"];
const EMULATOR_PACKAGE: &str = "qemu-user-static";
/// What the packages of all emulators begin with; they are taken from one suite.
const EMULATORS: &str = "qemu-";
/// Where its source of the library is.
const LIBRARY: &str = "/usr/lib/rustlib/src/rust/library";

/// Installs what the targets need and the machine has not.
pub fn prepare(targets: &[&Target], may_install: bool) {
    install_missing(&packages(targets), may_install);
}

/// Installs these packages, or says why not.
pub fn install_missing(wanted: &[&str], may_install: bool) {
    if wanted.is_empty() {
        return;
    }
    let list = wanted.join(" ");
    if !may_install {
        println!("not installed: {list}");
    } else if !is_root() || !has("apt-get") {
        println!("not installed, because that takes root and apt-get: {list}");
    } else if let Err(message) = install(wanted) {
        println!("not installed: {list}: {message}");
    }
}

/// What a target needs and this machine has not, in a sentence.
pub fn missing(target: &Target) -> Option<String> {
    missing_packages(&packages(&[target]))
}

/// The sentence about packages that are not there.
pub fn missing_packages(wanted: &[&str]) -> Option<String> {
    if std::env::consts::ARCH != "x86_64" || std::env::consts::OS != "linux" {
        return Some("the recipes are for Linux on x86_64".into());
    }
    match wanted {
        [] => None,
        wanted => Some(format!("needs Debian's packages {}", wanted.join(", "))),
    }
}

/// The packages of which something is missing.
fn packages(targets: &[&Target]) -> Vec<&'static str> {
    let mut wanted: Vec<&'static str> = Vec::new();
    let machines = targets.iter().filter_map(|target| target.machine);
    for machine in machines {
        wanted.extend(rust_packages());
        let libraries = Path::new("/usr").join(machine.tools).join("lib");
        let (library, emulator_package) = match windows::is(machine) {
            true => ("libmsvcrt.a", windows::WINE_PACKAGE),
            false => ("libc.a", EMULATOR_PACKAGE),
        };
        if !has(&format!("{}-gcc", machine.tools)) || !libraries.join(library).exists() {
            wanted.extend(machine.packages);
        }
        if machine.emulator.is_some_and(|emulator| !has(emulator)) {
            wanted.push(emulator_package);
        }
    }
    wanted.sort_unstable();
    wanted.dedup();
    wanted
}

/// The packages of the toolchain, if something of it is missing.
pub fn rust_packages() -> &'static [&'static str] {
    match [LIBRARY, RUSTC, CARGO]
        .iter()
        .all(|path| Path::new(path).exists())
    {
        true => &[],
        false => RUST_PACKAGES,
    }
}

fn install(packages: &[&str]) -> Result<(), String> {
    const INSTALL: [&str; 3] = ["install", "--yes", "--no-install-recommends"];
    let emulators = packages.iter().filter(|name| name.starts_with(EMULATORS));
    let emulators: Vec<&str> = emulators.copied().collect();
    let backports = match emulators.is_empty() {
        true => None,
        false => backports(),
    };
    apt(&["update"])?;
    if let Some(suite) = &backports {
        // With what it depends on. There may be none; the older one is slow, not wrong.
        let newer = ["--target-release", suite];
        let _ = apt(&[&INSTALL[..], &newer, &emulators].concat());
    }
    apt(&[&INSTALL[..], packages].concat())
}

fn apt(arguments: &[&str]) -> Result<(), String> {
    let mut command = Command::new("apt-get");
    command
        .arg("--quiet")
        .args(arguments)
        .env("DEBIAN_FRONTEND", "noninteractive");
    let output = command.output().map_err(|error| error.to_string())?;
    if output.status.success() {
        return Ok(());
    }
    let complaints = String::from_utf8_lossy(&output.stderr);
    let last = complaints
        .lines()
        .last()
        .unwrap_or("no complaint")
        .to_owned();
    Err(format!("apt-get {}: {last}", arguments[0]))
}

/// The suite of backports, which is added unless some list has it.
fn backports() -> Option<String> {
    let codename = codename()?;
    let suite = format!("{codename}-backports");
    let lists = Path::new("/etc/apt/sources.list.d");
    let files = fs::read_dir(lists).into_iter().flatten().flatten();
    let files = files.map(|file| file.path());
    let mut texts = files
        .chain([Path::new("/etc/apt/sources.list").to_path_buf()])
        .filter_map(|path| fs::read_to_string(path).ok());
    if texts.any(|text| text.contains(&suite)) {
        return Some(suite);
    }
    let source = format!(
        "Types: deb\nURIs: http://deb.debian.org/debian\nSuites: {suite}\nComponents: main\n\
         Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg\n"
    );
    let written = fs::write(lists.join("backports.sources"), source);
    written.is_ok().then_some(suite)
}

/// The suite that this machine has, if it is Debian.
fn codename() -> Option<String> {
    let text = fs::read_to_string("/etc/os-release").ok()?;
    let value = |name: &str| {
        let line = text.lines().find_map(|line| line.strip_prefix(name));
        line.map(|value| value.trim_matches('"').to_owned())
    };
    (value("ID=")? == "debian").then(|| value("VERSION_CODENAME="))?
}

fn is_root() -> bool {
    let output = Command::new("id").arg("-u").output();
    output.is_ok_and(|output| output.stdout.trim_ascii() == b"0")
}

/// Whether a program can be started.
pub fn has(program: &str) -> bool {
    let mut command = Command::new(program);
    command.arg("--version").stdin(Stdio::null());
    command.stdout(Stdio::null()).stderr(Stdio::null());
    command.status().is_ok()
}
