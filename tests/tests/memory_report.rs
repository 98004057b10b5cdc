//! Memory before and after a run: the pool that is printed is enough, profiles are told however a
//! program ends, and drawings are whole files that say what they show.
#![forbid(unsafe_code)]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::Value;

const PRECAST: &str = env!("CARGO_BIN_EXE_precast-under-test");

/// A folder with one program, for one test.
fn scratch(name: &str, file: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR"))
        .join("memory_report")
        .join(name);
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder).unwrap();
    let program = r#"(module
      (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
      (memory (export "memory") 2 9)
      (table 4 funcref)
      (func $grow (param i32)
        (i32.store (i32.const 100000) (i32.const 1))
        (drop (memory.grow (local.get 0))))
      (func (export "_start") (call $grow (i32.const 3)))
      (func (export "trap") (call $grow (i32.const 3)) unreachable)
      (func (export "exit") (call $grow (i32.const 3)) (call $exit (i32.const 9))))"#;
    fs::write(folder.join(file), program).unwrap();
    folder
}

fn precast(folder: &Path, arguments: &[&str]) -> Output {
    Command::new(PRECAST)
        .args(arguments)
        .current_dir(folder)
        .output()
        .unwrap()
}

fn succeeds(folder: &Path, arguments: &[&str]) -> String {
    let output = precast(folder, arguments);
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{arguments:?}: {errors}");
    String::from_utf8(output.stdout).unwrap()
}

fn json(text: &str) -> Value {
    serde_json::from_str(text).unwrap()
}

/// A category's figures in a plan or a profile.
fn category<'a>(report: &'a Value, name: &str) -> &'a Value {
    let lifetimes = report["lifetimes"].as_array().unwrap();
    let mut categories = lifetimes
        .iter()
        .flat_map(|lifetime| lifetime["categories"].as_array().unwrap());
    categories
        .find(|category| category["name"] == name)
        .unwrap()
}

#[test]
fn the_pool_that_is_printed_is_enough_and_no_larger() {
    let folder = scratch("pool", "app.wat");
    succeeds(
        &folder,
        &["compile", "-q", "--bounds-checks", "explicit", "app.wat"],
    );
    for options in [
        &[][..],
        &["--max-memory-pages", "5", "--fixed-memory"],
        &["--heap-size", "100K", "--stack-size", "64K"],
    ] {
        let mut command = vec!["memory", "--alloc", "pool", "--json", "app.precast"];
        command.extend(options);
        let plan = json(&succeeds(&folder, &command));
        let pool = plan["pool_bytes"].as_u64().unwrap();
        let run = |bytes: u64| {
            let bytes = bytes.to_string();
            let mut command = vec!["run", "--alloc", "pool", "--pool-size", &bytes];
            command.extend(options);
            command.push("app.precast");
            precast(&folder, &command)
        };
        assert!(run(pool).status.success());
        let smaller = run(pool - 16);
        let error = String::from_utf8_lossy(&smaller.stderr);
        assert_eq!(smaller.status.code(), Some(1), "{error}");
        assert!(error.contains("no memory for"), "{error}");
    }
}

#[test]
fn a_profile_is_told_however_a_program_ends() {
    let folder = scratch("ends", "app.wat");
    let run = |arguments: &[&str]| {
        let mut command = vec!["run", "--memory-profile", "--memory-profile-json", "p.json"];
        command.extend(arguments);
        let output = precast(&folder, &command);
        assert!(output.stdout.is_empty());
        let text = String::from_utf8(output.stderr).unwrap();
        let profile = json(&fs::read_to_string(folder.join("p.json")).unwrap());
        fs::remove_file(folder.join("p.json")).unwrap();
        (output.status.code(), text, profile)
    };
    for (arguments, code) in [
        (&["app.wat"][..], 0),
        (&["app.wat", "--invoke", "trap"], 134),
        (&["app.wat", "--invoke", "exit"], 9),
    ] {
        let (found, text, profile) = run(arguments);
        assert_eq!(found, Some(code), "{text}");
        assert!(text.contains("linear memory"), "{text}");
        assert!(text.contains("memory 0    declared 131,072 to 589,824, committed 327,680"));
        assert_eq!(text.contains("unreachable"), code == 134, "{text}");
        let memory = &profile["memories"][0];
        assert_eq!(memory["declared_min"], 2 * 65536);
        assert_eq!(memory["declared_max"], 9 * 65536);
        assert_eq!(memory["committed"], 5 * 65536);
        if let Some(resident) = memory["resident"].as_u64() {
            assert!((1..65536).contains(&resident), "{resident}");
        }
        assert_eq!(profile["tables"][0]["elements"], 4);
        let linear = category(&profile, "linear memory");
        assert!(linear["peak"].as_u64() >= Some(5 * 65536), "{linear}");
        assert_eq!(profile["pool"], Value::Null);
    }
    let pool = ["--alloc", "pool", "--pool-size", "2M", "app.wat"];
    let (_, text, profile) = run(&pool);
    assert!(text.lines().any(|line| line.starts_with("pool ")), "{text}");
    let pool = &profile["pool"];
    assert!(pool["peak"].as_u64() >= Some(5 * 65536), "{pool}");
    assert!(pool["capacity"].as_u64() < Some(2 << 20), "{pool}");
}

#[test]
fn stacks_and_heaps_in_linear_memory_are_measured() {
    let folder = scratch("stacks", "app.wat");
    let program = r#"(module
      (memory (export "memory") 1)
      (global $sp (export "__stack_pointer") (mut i32) (i32.const 2048))
      (global (export "__data_end") i32 (i32.const 1024))
      (global (export "__heap_base") i32 (i32.const 2048))
      (func (export "_start")
        (global.set $sp (i32.sub (global.get $sp) (i32.const 160)))
        (i32.store (global.get $sp) (i32.const 7))
        (global.set $sp (i32.add (global.get $sp) (i32.const 160)))))"#;
    fs::write(folder.join("c.wat"), program).unwrap();
    let run = |options: &[&str]| {
        let mut command = vec!["run", "--memory-profile=p.txt", "--memory-profile-json=-"];
        command.extend(options);
        command.push("c.wat");
        let profile = json(&succeeds(&folder, &command));
        (profile, fs::read_to_string(folder.join("p.txt")).unwrap())
    };
    let (profile, text) = run(&[]);
    assert_eq!(profile["aux_stack"]["size"], 1024);
    assert_eq!(profile["aux_stack"]["peak"], Value::Null);
    assert_eq!(profile["app_heap"], Value::Null);
    assert!(
        text.contains("C stack     1,024 bytes, not measured"),
        "{text}"
    );
    let (profile, text) = run(&["--measure-stacks", "--heap-size", "64K"]);
    assert_eq!(profile["aux_stack"]["peak"], 160);
    assert_eq!(profile["app_heap"]["size"], 65536);
    assert!(
        text.contains("C stack     at most 160 of 1,024 bytes"),
        "{text}"
    );
    assert!(
        text.contains("app heap    at most 0 of 65,536 bytes"),
        "{text}"
    );
    let (profile, text) = run(&["--measure-stacks", "--stack-size", "64K"]);
    let peak = profile["native_stack"]["peak"].as_u64().unwrap();
    assert!((1..65536).contains(&peak), "{peak}");
    assert!(text.contains("\nstack       at most "), "{text}");
    let call_stack = category(&profile, "call stack");
    assert!(
        call_stack["current"].as_u64() >= Some(65536),
        "{call_stack}"
    );
}

#[test]
fn a_drawing_names_what_it_shows() {
    let name = "a&b <c>.wat";
    let folder = scratch("plot", name);
    succeeds(&folder, &["run", "--memory-profile-json=p.json", name]);
    succeeds(&folder, &["memory", "--plot", "plain.svg", name]);
    succeeds(
        &folder,
        &["memory", "--plot", "over.svg", "--profile", "p.json", name],
    );
    let read = |file: &str| fs::read_to_string(folder.join(file)).unwrap();
    let (plain, over) = (read("plain.svg"), read("over.svg"));
    for drawing in [&plain, &over] {
        assert!(drawing.starts_with("<svg ") && drawing.ends_with("</svg>\n"));
        assert!(drawing.contains("a&amp;b &lt;c&gt;.wat</text>"));
        for element in ["text", "title"] {
            let begins = drawing.matches(&format!("<{element}>")).count()
                + drawing.matches(&format!("<{element} ")).count();
            let ends = drawing.matches(&format!("</{element}>")).count();
            assert_eq!(begins, ends, "{element}");
        }
        assert!(drawing.contains(">linear memory, "), "a bar has its figure");
        for lifetime in ["runtime", "module", "instance", "execution"] {
            assert!(drawing.contains(&format!(">{lifetime}</text>")));
        }
    }
    assert!(over.contains(">run: linear memory, "));
    assert!(!plain.contains("run: "));
    // What is written twice is the same, and nothing temporary is left.
    succeeds(&folder, &["memory", "--plot", "again.svg", name]);
    assert_eq!(read("again.svg"), plain);
    assert_eq!(fs::read_dir(&folder).unwrap().count(), 5);
}
