//! Pages under `docs` name a test for each rule; here they are held to that.
#![forbid(unsafe_code)]

use std::path::Path;

#[test]
fn every_rule_names_a_test_that_is_there() {
    check("docs/memory.md", 40);
    check("docs/profiling.md", 10);
    check("docs/targets.md", 15);
}

/// The golden test holds the other file to what the command prints.
#[test]
fn the_list_of_targets_is_what_the_command_prints() {
    let tests = Path::new(env!("CARGO_MANIFEST_DIR"));
    let read = |path: &str| std::fs::read_to_string(tests.join(path)).expect("the file is there");
    let between = |text: String, end: &str| {
        let (_, rest) = text
            .split_once("$ precast targets\n")
            .expect("the command is there");
        let (list, _) = rest.split_once(end).expect("it has an end");
        list.to_owned()
    };
    let page = between(read("../docs/targets.md"), "```");
    let printed = between(read("golden/cli/targets.golden"), "--- ");
    assert!(
        page == printed,
        "copy the list into docs/targets.md:\n{printed}"
    );
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
