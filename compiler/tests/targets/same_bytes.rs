//! An artifact has the same bytes wherever it is made.
//!
//! The lengths and checksums of some artifacts for every target are in a file, which this test
//! compares with what it makes. It runs wherever the compiler runs, so the same file on other machines
//! (under emulation, too) says that they make the same bytes. `BLESS=1` writes it anew.

use std::fmt::Write;
use std::path::Path;

use precast_compiler::{KNOWN, Options, Silent, Target, Tested, compile};

use super::modules;

/// Where the checksums are.
const FILE: &str = "../tests/golden/same_bytes/artifacts.txt";

/// Compiles with the defaults for a target; `None` where it is refused.
fn artifact(
    triple: &str,
    sample: &modules::Sample,
    change: impl FnOnce(&mut Options),
) -> Option<Vec<u8>> {
    let wasm = wat::parse_str(sample.text).expect("valid text");
    let mut options = Options::new(Target::new(triple).expect("a known name"));
    change(&mut options);
    let compiled = compile(&wasm, &options, &Silent);
    compiled.ok().map(|compiled| compiled.artifact)
}

/// FNV-1a in 64 bits.
fn checksum(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3)
    })
}

fn table() -> String {
    let mut table = String::new();
    for known in KNOWN {
        if matches!(known.tested, Tested::SameBytes(_)) {
            continue;
        }
        let _ = writeln!(table, "{}", known.triple);
        for sample in modules::ALL {
            let line = match artifact(known.triple, sample, |_| {}) {
                Some(bytes) => format!("{:6} {:016x}", bytes.len(), checksum(&bytes)),
                None => "refused".to_owned(),
            };
            let _ = writeln!(table, "  {line:23}  {}", sample.name);
        }
    }
    table
}

#[test]
fn artifacts_have_the_bytes_that_other_hosts_made() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(FILE);
    let table = table();
    if std::env::var_os("BLESS").is_some() {
        std::fs::create_dir_all(path.parent().expect("it has a folder")).expect("it can be made");
        std::fs::write(&path, table).expect("it can be written");
        return;
    }
    let expected = std::fs::read_to_string(&path).expect("`BLESS=1` makes it");
    let mut target = "";
    for (line, expected) in table.lines().zip(expected.lines()) {
        if !line.starts_with(' ') {
            target = line;
        }
        assert_eq!(line, expected, "for {target}; `BLESS=1` writes {FILE} anew");
    }
    assert_eq!(table.lines().count(), expected.lines().count());
}

/// What the list of targets says of those that are not tested themselves.
#[test]
fn targets_with_the_code_of_another_have_its_bytes() {
    for known in KNOWN {
        let Tested::SameBytes(other) = known.tested else {
            continue;
        };
        let own = Options::new(Target::new(known.triple).expect("a known name"));
        for sample in modules::ALL {
            let expected = artifact(known.triple, sample, |_| {});
            let found = artifact(other, sample, |options| {
                options.bounds_checks = own.bounds_checks;
                options.trap_mode = own.trap_mode;
                options.page_size_log2 = Some(own.page_size_log2());
            });
            assert!(expected == found, "{} {}", known.triple, sample.name);
        }
    }
}

#[test]
fn names_of_machines_change_nothing() {
    let sample = modules::named("calls");
    let bytecode = artifact("pulley32", sample, |_| {}).expect("it compiles");
    for machine in ["thumbv7em", "riscv32", "armv7", "i686", "xtensa"] {
        let found = artifact(machine, sample, |_| {});
        assert!(found.as_deref() == Some(&bytecode[..]), "{machine}");
    }
}
