//! Golden tests: input, command and expectation in one file.
//!
//! A file under `golden/` begins with a comment and goes on with sections. `--- NAME` is a file
//! that the commands see; `--- $ precast …` is a command, followed by what it prints. Lines of
//! standard error begin with `! `, and an exit code other than zero stands in the last line as
//! `[exit 2]`. `cargo xtask bless` rewrites the expectations.
#![forbid(unsafe_code)]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

const PRECAST: &str = env!("CARGO_BIN_EXE_precast-under-test");

/// One `---` section.
struct Section {
    title: String,
    body: String,
}

/// Takes a golden file apart: the comment, and the sections.
fn sections(text: &str) -> (String, Vec<Section>) {
    let mut head = String::new();
    let mut sections: Vec<Section> = Vec::new();
    for line in text.split_inclusive('\n') {
        match (line.strip_prefix("--- "), sections.last_mut()) {
            (Some(title), _) => {
                let title = title.trim_end().to_owned();
                sections.push(Section {
                    title,
                    body: String::new(),
                });
            }
            (None, Some(section)) => section.body.push_str(line),
            (None, None) => head.push_str(line),
        }
    }
    (head, sections)
}

/// Runs a command in the scratch folder and renders what it prints.
fn run(command: &str, scratch: &Path) -> String {
    let mut words = command.split_whitespace();
    assert_eq!(
        words.next(),
        Some("precast"),
        "golden tests run precast only: `{command}`"
    );
    let mut arguments: Vec<&str> = words.collect();
    let mut stdin = Stdio::null();
    // `< FILE` at the end is the standard input.
    if let [rest @ .., "<", file] = arguments.as_slice() {
        stdin = Stdio::from(fs::File::open(scratch.join(file)).unwrap());
        arguments = rest.to_vec();
    }
    let output = Command::new(PRECAST)
        .args(arguments)
        .current_dir(scratch)
        .stdin(stdin)
        .output()
        .unwrap();
    let mut text = String::from_utf8_lossy(&output.stdout).into_owned();
    if !text.is_empty() && !text.ends_with('\n') {
        text.push('\n');
    }
    for line in String::from_utf8_lossy(&output.stderr).lines() {
        text.push_str(format!("! {line}").trim_end());
        text.push('\n');
    }
    match output.status.code() {
        Some(0) => {}
        Some(code) => text.push_str(&format!("[exit {code}]\n")),
        None => text.push_str("[ended by a signal]\n"),
    }
    without_times(&text)
}

/// Replaces durations, which differ from run to run.
fn without_times(text: &str) -> String {
    let mut lines = Vec::new();
    for line in text.split('\n') {
        match line.split_once(" functions in ") {
            Some((before, after)) if line.contains("compiled ") => {
                let rest = after.split_once(" s ").map_or("", |(_, rest)| rest);
                lines.push(format!("{before} functions in _ s {rest}"));
            }
            _ => lines.push(line.to_owned()),
        }
    }
    lines.join("\n")
}

/// Runs one golden file; gives the text that it should have.
fn actual(path: &Path, text: &str) -> String {
    let (head, sections) = sections(text);
    let name = path.file_stem().unwrap().to_string_lossy().into_owned();
    let folder = path
        .parent()
        .and_then(Path::file_name)
        .unwrap()
        .to_string_lossy()
        .into_owned();
    let scratch = Path::new(env!("CARGO_TARGET_TMPDIR"))
        .join("golden")
        .join(format!("{folder}-{name}"));
    let _ = fs::remove_dir_all(&scratch);
    fs::create_dir_all(&scratch).unwrap();
    let mut result = head;
    for section in sections {
        let body = match section.title.strip_prefix("$ ") {
            Some(command) => run(command, &scratch),
            None => {
                fs::write(scratch.join(&section.title), &section.body).unwrap();
                section.body
            }
        };
        result.push_str(&format!("--- {}\n{body}", section.title));
    }
    result
}

fn golden_files(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            golden_files(&path, files);
        } else if path
            .extension()
            .is_some_and(|extension| extension == "golden")
        {
            files.push(path);
        }
    }
    files.sort();
}

fn check(folder: &str) {
    let bless = std::env::var_os("BLESS").is_some();
    let mut files = Vec::new();
    golden_files(
        &Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("golden")
            .join(folder),
        &mut files,
    );
    assert!(!files.is_empty(), "no golden files in {folder}");
    let mut failures = Vec::new();
    for path in files {
        let expected = fs::read_to_string(&path).unwrap();
        let actual = actual(&path, &expected);
        if actual == expected {
            continue;
        }
        if bless {
            fs::write(&path, actual).unwrap();
        } else {
            failures.push(difference(&path, &expected, &actual));
        }
    }
    assert!(
        failures.is_empty(),
        "`cargo xtask bless` rewrites:\n{}",
        failures.join("\n")
    );
}

/// Shows the first line that differs, with what follows.
fn difference(path: &Path, expected: &str, actual: &str) -> String {
    let common = expected
        .lines()
        .zip(actual.lines())
        .take_while(|(one, two)| one == two)
        .count();
    let part = |text: &str| {
        text.lines()
            .skip(common)
            .take(8)
            .collect::<Vec<_>>()
            .join("\n    ")
    };
    let line = common + 1;
    format!(
        "{}:{line}:\n  expected\n    {}\n  got\n    {}",
        path.display(),
        part(expected),
        part(actual)
    )
}

#[test]
fn clif() {
    check("clif");
}

#[test]
fn disassembly() {
    check("disas");
}

#[test]
fn format() {
    check("format");
}

#[test]
fn command_line() {
    check("cli");
}
