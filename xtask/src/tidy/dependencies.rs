//! Dependencies point one way, and those of format and loader are a budget.

use super::Finding;
use crate::Outcome;
use serde_json::Value;

/// What each package may name of the workspace, in any kind of dependency.
const DIRECTION: &[(&str, &[&str])] = &[
    ("precast-format", &[]),
    ("precast-compiler", &["precast-format"]),
    ("precast-loader", &["precast-format"]),
    ("precast-wasi", &["precast-loader", "precast-format"]),
    ("precast-wasi-minimal", &["precast-loader"]),
    (
        "precast-capi",
        &["precast-loader", "precast-wasi", "precast-wasi-minimal"],
    ),
    (
        "precast-cli",
        &[
            "precast-compiler",
            "precast-loader",
            "precast-wasi",
            "precast-format",
        ],
    ),
    (
        "precast-tests",
        &[
            "precast-cli",
            "precast-compiler",
            "precast-loader",
            "precast-wasi",
            "precast-wasi-minimal",
            "precast-format",
        ],
    ),
    ("xtask", &[]),
];

/// What the examples may name: all that an embedder may.
const EXAMPLES: &[&str] = &[
    "precast-compiler",
    "precast-loader",
    "precast-wasi",
    "precast-wasi-minimal",
    "precast-format",
];

/// The groups that the loader's dependencies are taken from: at most one name of each.
const LOADER_BUDGET: &[&[&str]] = &[
    &["precast-format"],
    &["libc"],
    // The system's functions where there is no `libc`: on Windows only.
    &["windows-sys"],
    &["memmap2"],
    &["ed25519-compact", "ed25519-dalek"],
    // The interpreter of the bytecode that Cranelift makes: no processor that has no code generator can
    // do without one, and another one would be another definition of the same language. It brings a
    // bit set, log's empty macros and its own kernel of helpers along; nothing of it allocates here.
    &["pulley-interpreter"],
];

/// Checks every package of the workspace.
pub fn check(metadata: &Value) -> Outcome<Vec<Finding>> {
    let packages = metadata["packages"]
        .as_array()
        .ok_or("cargo lists no packages")?;
    let mut findings = Vec::new();
    for package in packages {
        let name = package["name"].as_str().unwrap_or_default();
        let manifest = package["manifest_path"].as_str().unwrap_or_default();
        let dependencies = package["dependencies"]
            .as_array()
            .map(Vec::as_slice)
            .unwrap_or_default();
        direction(name, manifest, dependencies, &mut findings);
        budget(name, dependencies, &mut findings);
    }
    Ok(findings)
}

fn direction(name: &str, manifest: &str, dependencies: &[Value], findings: &mut Vec<Finding>) {
    let allowed = match DIRECTION.iter().find(|(package, _)| *package == name) {
        Some((_, allowed)) => *allowed,
        None if manifest.contains("/examples/") => EXAMPLES,
        None => {
            findings.push(Finding::new(
                name,
                0,
                "a package that the direction of dependencies omits",
            ));
            return;
        }
    };
    for dependency in dependencies {
        let dependency = dependency["name"].as_str().unwrap_or_default();
        if dependency.starts_with("precast-") && !allowed.contains(&dependency) {
            let message = format!("depends on {dependency}, against the direction of dependencies");
            findings.push(Finding::new(name, 0, message));
        }
    }
}

fn budget(name: &str, dependencies: &[Value], findings: &mut Vec<Finding>) {
    let groups = match name {
        "precast-format" => &[][..],
        "precast-loader" => LOADER_BUDGET,
        _ => return,
    };
    let shipped = dependencies
        .iter()
        .filter(|dependency| dependency["kind"].as_str() != Some("dev"));
    let names: Vec<&str> = shipped
        .filter_map(|dependency| dependency["name"].as_str())
        .collect();
    for name_of_dependency in &names {
        if !groups
            .iter()
            .any(|group| group.contains(name_of_dependency))
        {
            let message = format!("{name_of_dependency} is not in the budget of dependencies");
            findings.push(Finding::new(name, 0, message));
        }
    }
    for group in groups {
        if names.iter().filter(|name| group.contains(name)).count() > 1 {
            let message = format!("takes more than one of {}", group.join(", "));
            findings.push(Finding::new(name, 0, message));
        }
    }
}
