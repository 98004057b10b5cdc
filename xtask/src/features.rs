//! `cargo xtask features`: whether the loader compiles with each of its facilities alone, with all but
//! one, with none and with all, and refuses by name what needs one that is not there.

use crate::{Outcome, cargo};

/// Features that are no facilities: what they need comes with them, or they are for one program.
const OTHERS: &[&str] = &["default", "command", "plan", "profiling"];

/// Checks all sets; none is left out because of another.
pub fn run() -> Outcome {
    let facilities = facilities()?;
    let names: Vec<&str> = facilities.iter().map(String::as_str).collect();
    let mut sets = vec![Vec::new(), names.clone()];
    for name in &names {
        sets.push(vec![*name]);
        sets.push(
            names
                .iter()
                .copied()
                .filter(|other| other != name)
                .collect(),
        );
    }
    let mut failed = Vec::new();
    for set in &sets {
        let list = set.join(",");
        println!("features: {list}");
        let arguments = [
            "check",
            "--quiet",
            "-p",
            "precast-loader",
            "--no-default-features",
        ];
        if cargo::run(&[&arguments[..], &["--features", &list]].concat()).is_err() {
            failed.push(list);
        }
    }
    let none: &[&str] = &["--features", ""];
    for features in [none, &["--all-features"]] {
        let arguments = ["test", "-p", "precast-loader", "--no-default-features"];
        let only = ["--test", "facilities"];
        let arguments = [&arguments[..], features, &only].concat();
        if cargo::run(&arguments).is_err() {
            failed.push(arguments.join(" "));
        }
    }
    println!("features: {} sets, {} failed", sets.len(), failed.len());
    match failed.is_empty() {
        true => Ok(()),
        false => Err(format!("does not work with {}", failed.join("; "))),
    }
}

/// The loader's features that stand for something that is there or not.
fn facilities() -> Outcome<Vec<String>> {
    let metadata = cargo::metadata()?;
    let packages = metadata["packages"].as_array();
    let mut packages = packages.into_iter().flatten();
    let features = packages
        .find(|package| package["name"] == "precast-loader")
        .and_then(|package| package["features"].as_object())
        .ok_or("cargo does not list the loader's features")?;
    let names = features
        .keys()
        .filter(|name| !OTHERS.contains(&name.as_str()));
    Ok(names.cloned().collect())
}
