//! Exceptions: scripts of our own, for what the specification's do not have. The older form with
//! `delegate` and `rethrow`; exceptions that cross instances; references to exceptions as values.
#![forbid(unsafe_code)]

use precast_cli::wast::run_script;
use precast_tests::configuration::{ALL, Configuration};
use std::path::Path;

/// Runs a script; nothing of it may be skipped.
fn check(name: &str, configuration: &Configuration) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("scripts/exceptions");
    let text = std::fs::read_to_string(folder.join(name)).expect("the script is there");
    let options = configuration.options();
    let report = run_script(name, &text, &options, configuration.stacks);
    let report = report.expect("it is a script");
    let text = report.text(name);
    println!("{}: {text}", configuration.name);
    assert!(report.passed > 0, "{text}");
    assert!(
        report.failed.is_empty() && report.skipped.is_empty(),
        "{text}"
    );
}

macro_rules! scripts {
    ($($test:ident = $script:literal;)*) => {
        $(#[test]
        fn $test() {
            for configuration in &ALL {
                check($script, configuration);
            }
        })*

        #[test]
        fn every_script_has_its_test() {
            let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("scripts/exceptions");
            let files = std::fs::read_dir(folder).expect("the folder is there");
            let mut names: Vec<String> = files
                .filter_map(|file| file.ok()?.file_name().into_string().ok())
                .collect();
            names.sort();
            assert_eq!(names, [$($script),*]);
        }
    };
}

scripts! {
    across_instances = "instances.wast";
    the_older_form = "legacy.wast";
    as_values = "values.wast";
}
