//! Files of tests that have nothing in them on this machine: an ignored test for each, named after the
//! file, so that no summary leaves them out without a word.

use std::fs;
use std::path::Path;

macro_rules! left_out {
    ($($file:ident $(, $more:ident)* only $condition:tt: $reason:literal;)*) => {
        $(
            left_out!(@ $file, $condition, $reason);
            $(left_out!(@ $more, $condition, $reason);)*
        )*

        /// The files, and the condition that each begins with.
        const FILES: &[(&[&str], &str)] = &[
            $((&[stringify!($file) $(, stringify!($more))*], stringify!($condition))),*
        ];
    };
    (@ $file:ident, $condition:tt, $reason:literal) => {
        #[cfg(not $condition)]
        #[test]
        #[ignore = $reason]
        fn $file() {}
    };
}

left_out! {
    calls, pool, pool_alone, stacks only (all(unix, not(target_vendor = "apple"), any(
        target_arch = "aarch64",
        target_arch = "riscv64",
        target_arch = "s390x",
        target_arch = "x86_64"
    ))): "the file's tests have no code for this machine";
    code_memory, static_module only (all(target_os = "linux", any(
        target_arch = "aarch64",
        target_arch = "riscv64",
        target_arch = "s390x",
        target_arch = "x86_64"
    ))): "the file's tests have no code for this machine";
    plan_by_width only (all(feature = "plan", feature = "command")):
        "the file needs the features `plan` and `command`";
    trust only (feature = "signatures"): "the file needs the feature `signatures`";
}

/// What conditions are compared by: whatever is not white space, without commas at the end of lists.
fn dense(text: &str) -> String {
    let dense: String = text.split_whitespace().collect();
    dense.replace(",)", ")")
}

#[test]
fn each_file_is_in_the_list_with_its_condition() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests");
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).expect("it is there") {
        let path = entry.expect("it can be read").path();
        if path.extension().is_none_or(|extension| extension != "rs") {
            continue;
        }
        let text = fs::read_to_string(&path).expect("it is text");
        let condition = text
            .split_once("\n#![cfg(")
            .and_then(|(_, rest)| rest.split_once(")]"))
            .map(|(condition, _)| dense(&format!("({condition})")));
        let name = path.file_stem().and_then(|name| name.to_str());
        found.extend(condition.map(|condition| (name.unwrap_or_default().to_owned(), condition)));
    }
    found.sort();
    let mut listed: Vec<_> = FILES
        .iter()
        .flat_map(|(names, condition)| {
            names
                .iter()
                .map(|name| (name.to_string(), dense(condition)))
        })
        .collect();
    listed.sort();
    assert_eq!(found, listed);
}
