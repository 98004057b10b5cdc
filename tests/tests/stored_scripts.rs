//! Scripts whose modules were compiled before count the same as those that compile as they go.
#![forbid(unsafe_code)]

use precast_cli::wast::{CompiledNow, Stored, compile_script, run_script};
use precast_tests::configuration::ALL;
use precast_tests::suite;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

const PRECAST: &str = env!("CARGO_BIN_EXE_precast-under-test");

/// Calls, traps, refusals, links between modules, threads, what is not supported, and what was made
/// valid later.
const SCRIPTS: &[(&str, &[&str])] = &[
    (
        "wasm-v2",
        &["call.wast", "linking.wast", "imports.wast", "binary.wast"],
    ),
    ("proposals/threads", &["atomic.wast", "thread.wast"]),
    ("proposals/gc", &["struct.wast", "br_on_null.wast"]),
    ("proposals/reference-types", &["unreached-invalid.wast"]),
    ("proposals/annotations", &["token.wast"]),
];

/// An empty folder for one test.
fn scratch(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR"))
        .join("stored_scripts")
        .join(name);
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder).unwrap();
    folder
}

#[test]
fn stored_modules_give_the_same_counts() {
    let mut sum = (0, 0);
    for (number, configuration) in ALL.iter().enumerate() {
        let folder = scratch(&format!("counts-{number}"));
        for (name, wanted) in SCRIPTS {
            let scripts = suite::scripts(name);
            let scripts = scripts.iter().filter(|one| wanted.contains(&one.name()));
            for script in scripts {
                let (name, text) = (script.name(), script.raw());
                let code = CompiledNow(configuration.options());
                compile_script(name, text, &code)
                    .and_then(|stored| stored.write(&folder, text))
                    .unwrap();
                let stored = Stored::read(&folder, text).unwrap();
                let stored = run_script(name, text, &stored, configuration.stacks).unwrap();
                let direct = run_script(name, text, &code, configuration.stacks).unwrap();
                assert_eq!(stored, direct, "{name} ({})", configuration.name);
                sum.0 += stored.passed;
                sum.1 += stored.skipped_count();
            }
        }
    }
    assert!(sum.0 > 2_000 && sum.1 > 10, "{sum:?}");
}

fn precast(folder: &Path, arguments: &[&str]) -> Output {
    let mut command = Command::new(PRECAST);
    command.args(arguments).current_dir(folder);
    command.output().unwrap()
}

#[test]
fn the_command_stores_and_runs() {
    let folder = scratch("command");
    let script = "(module (func (export \"f\") (result i32) i32.const 7))\n\
                  (assert_return (invoke \"f\") (i32.const 7))\n\
                  (assert_invalid (module (func (result i32))) \"type mismatch\")\n";
    fs::write(folder.join("one.wast"), script).unwrap();
    let stored = precast(&folder, &["wast", "--artifacts-out", "stored", "one.wast"]);
    assert!(stored.status.success(), "{stored:?}");
    assert!(stored.stdout.is_empty(), "{stored:?}");

    let ran = precast(&folder, &["wast", "--artifacts", "stored", "one.wast"]);
    let expected = "one.wast: 2 passed, 0 failed, 0 skipped\n";
    assert_eq!(String::from_utf8_lossy(&ran.stdout), expected, "{ran:?}");
    let arguments = ["wast", "--artifacts", "stored", "--json", "one.wast"];
    let ran = precast(&folder, &arguments);
    let json: serde_json::Value = serde_json::from_slice(&ran.stdout).unwrap();
    assert_eq!(json[0]["passed"], 2);

    fs::write(folder.join("one.wast"), format!("{script}\n")).unwrap();
    let ran = precast(&folder, &["wast", "--artifacts", "stored", "one.wast"]);
    assert_eq!(ran.status.code(), Some(1));
    let complaint = String::from_utf8_lossy(&ran.stderr);
    assert!(
        complaint.contains("no modules are stored for it"),
        "{complaint}"
    );
}
