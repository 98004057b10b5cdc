//! A bundle for the target: made on this machine from a stub that was built for the other one, and run
//! there in an empty folder, with nothing else of Precast.

use super::build::Cross;
use super::counts::Counts;
use super::{Place, watch};
use crate::Outcome;
use std::fs;
use std::process::Command;
use std::time::Duration;

/// Says what it was given, and ends with the number of its arguments. The tests of bundles have it, too.
const PROGRAM: &str = "tests/bundle/echo.wat";

/// What it says after its name of the arguments below: they are all its own, and it has neither variables nor
/// a folder.
const SAYS: &str = "\0--dir\0--\0no folder\0";

/// More than an emulated program takes.
const SILENCE: Duration = Duration::from_secs(120);

/// Makes the bundle and runs it.
pub fn run(cross: &Cross, place: &Place) -> Outcome<Counts> {
    let stub = cross.stub()?;
    println!("  bundle");
    let folder = place.folder.join("bundle").join(cross.target.name);
    // What an earlier run has left would be in reach.
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    let name = match cross.target.is_windows() {
        true => "echo.exe",
        false => "echo",
    };
    let executable = folder.join(name);
    let mut bundle = Command::new(&place.precast);
    bundle
        .args(["bundle", "--quiet", "--target", cross.target.code])
        .args(cross.target.flags)
        .arg("--stub")
        .arg(stub.program())
        .arg(place.root.join(PROGRAM))
        .arg("-o")
        .arg(&executable);
    let output = bundle.output().map_err(|error| error.to_string())?;
    if !output.status.success() {
        let complaints = String::from_utf8_lossy(&output.stderr);
        return Ok(Counts::failed(format!("bundle: {}", complaints.trim())));
    }
    let mut command = stub.other(executable).command();
    command.args(["--dir", "--"]).current_dir(&folder);
    let ended = watch::run(command, SILENCE, &folder)?;
    let says = String::from_utf8_lossy(&ended.output);
    let exit = ended.status.and_then(|status| status.code());
    if says.strip_prefix(name) == Some(SAYS) && exit == Some(3) {
        return Ok(Counts::passed());
    }
    let ends = ended.says();
    Ok(Counts::failed(format!("bundle: it says {says:?}: {ends}")))
}
