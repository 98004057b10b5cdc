//! `docs/memory.md` and `docs/profiling.md` name a test for each rule; here they are held to that.
#![forbid(unsafe_code)]

use std::path::Path;

#[test]
fn every_rule_names_a_test_that_is_there() {
    check("docs/memory.md", 40);
    check("docs/profiling.md", 10);
}

/// Looks for the tests that a page names, of which there are more than so many.
fn check(page: &str, least: usize) {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let page = std::fs::read_to_string(root.join(page)).expect("the page is there");
    let (_, rules) = page
        .split_once("## Rules and their tests")
        .expect("it has rules");
    let rows = rules.lines().filter(|line| line.starts_with("| ")).skip(1);
    let mut count = 0;
    for row in rows {
        let (_, tests) = row
            .trim_end_matches(" |")
            .rsplit_once(" | ")
            .expect("two columns");
        for name in tests.split(", ") {
            let name = name.trim_matches('`');
            let (file, test) = name.split_once("::").expect("a file and a test");
            let text = std::fs::read_to_string(root.join(file)).unwrap_or_default();
            assert!(
                text.contains(&format!("fn {test}()")),
                "{name} is not there"
            );
            count += 1;
        }
    }
    assert!(count > least, "{page}: {count} tests");
}
