//! Compiled languages that unwind by WebAssembly's exceptions: Rust's panics and C's longjmp, in the
//! present form of the instructions and in the legacy one. `tests/programs/README.md` says how the
//! modules are made; what they print was first seen under other engines.
#![forbid(unsafe_code)]

use std::fs;
use std::path::{Path, PathBuf};

use precast_tests::{child, configuration};

const PRECAST: &str = env!("CARGO_BIN_EXE_precast-under-test");

/// The ways that code can be made which an exception could mind.
const OPTIONS: &[&[&str]] = &[
    &[],
    &["--opt-level", "none"],
    &["--bounds-checks", "explicit", "--traps", "explicit"],
    &["--xip"],
    &["--context-register", "parameter"],
    &["--stack-checks", "none", "--aux-stack-checks", "off"],
];

fn folder(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("programs")
        .join(name)
}

/// Runs a module in every way: it prints what it must, and ends with `exit`.
fn check(name: &str, module: &str, exit: i32) {
    check_with(OPTIONS, name, module, exit);
}

fn check_with(ways: &[&[&str]], name: &str, module: &str, exit: i32) {
    let expected = fs::read_to_string(folder(name).join(format!("{name}.out"))).unwrap();
    for options in ways {
        let output = child::command(PRECAST)
            .arg("run")
            .args(*options)
            .arg(folder(name).join(module))
            .output()
            .unwrap();
        let complaints = String::from_utf8_lossy(&output.stderr);
        let printed = String::from_utf8_lossy(&output.stdout);
        assert_eq!(printed, expected, "{module} with {options:?}: {complaints}");
        let code = output.status.code();
        assert_eq!(code, Some(exit), "{module} with {options:?}: {complaints}");
    }
}

#[test]
fn panics_are_caught() {
    check("unwind", "unwind.wasm", 101);
}

#[test]
fn panics_are_caught_in_the_legacy_form() {
    check("unwind", "unwind-legacy.wasm", 101);
}

#[test]
fn long_jumps_arrive() {
    check("setjmp", "setjmp.wasm", 7);
}

#[test]
fn long_jumps_arrive_in_the_legacy_form() {
    check("setjmp", "setjmp-legacy.wasm", 7);
}

#[test]
fn caught_exceptions_give_their_memory_back() {
    // The program throws more than ten thousand times; the pool has room for three kilobytes beyond
    // what the plan of the module asks for. Bytecode has its stack there, too.
    let size = match configuration::HAS_NATIVE_CODE {
        true => "1100K",
        false => "2124K",
    };
    let pool: &[&str] = &["--alloc", "pool", "--pool-size", size];
    check_with(&[pool], "unwind", "unwind.wasm", 101);
    check_with(&[pool], "unwind", "unwind-legacy.wasm", 101);
}
