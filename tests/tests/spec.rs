//! The specification's own scripts: each folder of the suite under each configuration.
//!
//! Nothing is patched and nothing is skipped by name: what the compiler refuses with the name of an
//! unsupported feature is counted as skipped, everything else has to hold.
#![forbid(unsafe_code)]

use precast_cli::wast::StackFigures;
use precast_tests::configuration::{ALL, BYTECODE, BYTECODE_EXPLICIT, Configuration};
use precast_tests::suite;

/// Runs a folder and fails with a list of what did not hold.
fn check(folder: &str, configuration: &Configuration) {
    let mut passed = 0;
    let mut skipped = 0;
    let mut failures = Vec::new();
    let mut stack = StackFigures::default();
    for script in suite::scripts(folder) {
        let report = suite::run(&script, configuration);
        passed += report.passed;
        skipped += report.skipped_count();
        stack.add(report.stack);
        for (reason, count) in &report.skipped {
            println!("  {}: {count} skipped: {reason}", script.name());
        }
        for failed in report.failed {
            failures.push(format!(
                "{}:{}: {}",
                script.name(),
                failed.line,
                failed.message
            ));
        }
    }
    println!(
        "{folder} ({}): {passed} passed, {skipped} skipped",
        configuration.name
    );
    if stack.calls > 0 {
        println!(
            "  {} calls on stacks that were just enough: {} of {} bytes used",
            stack.calls, stack.used, stack.bound
        );
    }
    assert!(
        failures.is_empty(),
        "{} failures:\n{}",
        failures.len(),
        failures.join("\n")
    );
}

macro_rules! folders {
    ($($test:ident = $folder:literal, $($configuration:ident = $options:expr),*;)*) => {
        $(mod $test {
            $(#[test]
            fn $configuration() {
                super::check($folder, &$options);
            })*
        })*

        #[test]
        fn every_folder_has_its_tests() {
            assert_eq!(suite::names(), [$($folder),*]);
        }
    };
}

macro_rules! under_all_configurations {
    ($($test:ident = $folder:literal;)*) => {
        folders! {
            $($test = $folder,
                guard_direct = super::ALL[0], guard_xip = super::ALL[1],
                explicit_direct = super::ALL[2], explicit_xip = super::ALL[3],
                bytecode = super::BYTECODE,
                bytecode_explicit = super::BYTECODE_EXPLICIT;)*
        }
    };
}

under_all_configurations! {
    wasm_v1 = "wasm-v1";
    wasm_v2 = "wasm-v2";
    wasm_v3 = "wasm-v3";
    annotations = "proposals/annotations";
    bulk_memory = "proposals/bulk-memory";
    custom_page_sizes = "proposals/custom-page-sizes";
    custom_descriptors = "proposals/custom-descriptors";
    exceptions = "proposals/exceptions";
    extended_const = "proposals/extended-const";
    function_references = "proposals/function-references";
    gc = "proposals/gc";
    memory64 = "proposals/memory64";
    multi_memory = "proposals/multi-memory";
    multi_value = "proposals/multi-value";
    mutable_global = "proposals/mutable-global";
    nontrapping_conversions = "proposals/nontrapping-float-to-int-conversions";
    reference_types = "proposals/reference-types";
    relaxed_simd = "proposals/relaxed-simd";
    sign_extension = "proposals/sign-extension-ops";
    simd = "proposals/simd";
    tail_call = "proposals/tail-call";
    threads = "proposals/threads";
    wide_arithmetic = "proposals/wide-arithmetic";
}

/// The suite is as large as the README says; a smaller one would pass unnoticed.
#[test]
fn the_simd_folder_has_all_its_assertions() {
    let mut count = 0;
    for script in suite::scripts("proposals/simd") {
        count += script.raw().matches("(assert_").count();
    }
    assert!(count >= 25_000, "{count}");
}
