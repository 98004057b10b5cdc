//! The files for `perf`, read as it reads them.
#![forbid(unsafe_code)]

use std::ops::Range;
use std::path::{Path, PathBuf};
use std::process::Command;

const PRECAST: &str = env!("CARGO_BIN_EXE_precast-under-test");

/// A program with a host call, whose names are in the name section, in part odd ones.
const PROGRAM: &str = r#"(module $work
  (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
  (memory (export "memory") 1)
  (func $leaf (param i32) (result i32) (i32.load (local.get 0)))
  (func (@name "std::vec<'a>::push \0a2") (param i32) (result i32)
    (i32.add (call $leaf (local.get 0)) (call $leaf (i32.const 4))))
  (func (export "_start") (call $exit (call 2 (i32.const 8)))))"#;

/// Runs the program in a folder of its own; gives the folder and the number that the process had.
fn run(name: &str, profile: &str) -> (PathBuf, u32) {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR"))
        .join("profiling")
        .join(name);
    let _ = std::fs::remove_dir_all(&folder);
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(folder.join("work.wat"), PROGRAM).unwrap();
    let mut child = Command::new(PRECAST)
        .args([
            "run",
            "work.wat",
            "--profile",
            profile,
            "--profile-dir",
            ".",
        ])
        .current_dir(&folder)
        .spawn()
        .unwrap();
    assert!(child.wait().unwrap().success());
    (folder, child.id())
}

const PUSH: &str = r"work!std::vec<'a>::push \n2";

/// The ranges must not overlap.
fn assert_apart(mut ranges: Vec<Range<u64>>) {
    ranges.sort_by_key(|range| range.start);
    for pair in ranges.windows(2) {
        assert!(pair[0].end <= pair[1].start, "{pair:x?}");
    }
}

#[test]
fn a_perf_map_names_every_function() {
    let (folder, process) = run("map", "perfmap");
    let text = std::fs::read_to_string(folder.join(format!("perf-{process}.map"))).unwrap();
    let mut names = Vec::new();
    let mut ranges = Vec::new();
    for line in text.lines() {
        let mut words = line.splitn(3, ' ');
        let mut number = || u64::from_str_radix(words.next().unwrap(), 16).unwrap();
        let (start, size) = (number(), number());
        assert!(start > 0 && size > 0, "{line}");
        ranges.push(start..start + size);
        names.push(words.next().unwrap());
    }
    assert_eq!(names[..3], ["work!leaf", PUSH, "work!_start"]);
    assert!(names[3..].iter().all(|name| *name == "[precast adapters]"));
    assert!(names.len() > 3, "there is a trampoline and an adapter");
    assert_apart(ranges);
}

/// Reads numbers and texts of a jitdump.
struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    fn take(&mut self, count: usize) -> &'a [u8] {
        let (head, rest) = self.0.split_at(count);
        self.0 = rest;
        head
    }

    fn word(&mut self) -> u32 {
        u32::from_ne_bytes(self.take(4).try_into().unwrap())
    }

    fn long(&mut self) -> u64 {
        u64::from_ne_bytes(self.take(8).try_into().unwrap())
    }

    fn text(&mut self) -> &'a [u8] {
        let end = self.0.iter().position(|byte| *byte == 0).unwrap();
        let text = self.take(end);
        self.take(1);
        text
    }
}

/// What a debug record says: the code's address, and for each place its address and line.
type Lines = (u64, Vec<(u64, u32)>);

fn read_lines(record: &mut Reader<'_>) -> Lines {
    let (address, count) = (record.long(), record.long());
    let mut lines = Vec::new();
    for _ in 0..count {
        let place = (record.long(), record.word());
        assert_eq!(record.word(), 0, "there is no discriminator");
        assert_eq!(record.text(), b"work.wasm");
        lines.push(place);
    }
    (address, lines)
}

#[test]
fn a_jitdump_has_code_and_lines() {
    let (folder, process) = run("dump", "jitdump");
    let bytes = std::fs::read(folder.join(format!("jit-{process}.dump"))).unwrap();
    let mut reader = Reader(&bytes);
    assert_eq!(
        (reader.word(), reader.word(), reader.word()),
        (0x4a69_5444, 1, 40)
    );
    let machine = reader.word();
    assert!(!cfg!(target_arch = "x86_64") || machine == 62);
    assert_eq!((reader.word(), reader.word()), (0, process));
    let mut time = reader.long();
    assert!(time > 0 && reader.long() == 0, "a time, and no flags");
    let (mut names, mut ranges, mut pending) = (Vec::new(), Vec::new(), None::<Lines>);
    let mut closed = false;
    while !reader.0.is_empty() {
        assert!(!closed, "nothing follows the end");
        let (kind, size) = (reader.word(), reader.word() as usize);
        let now = reader.long();
        assert!(now >= time, "time goes forward");
        time = now;
        let mut record = Reader(reader.take(size - 16));
        match kind {
            0 => {
                assert_eq!(record.word(), process);
                assert_eq!(
                    record.word(),
                    process,
                    "the main thread has the process's number"
                );
                let (address, again) = (record.long(), record.long());
                assert_eq!(address, again);
                let size = record.long();
                assert_eq!(record.long(), names.len() as u64);
                names.push(String::from_utf8(record.text().to_vec()).unwrap());
                assert_eq!(record.take(size as usize).len() as u64, size);
                if let Some((described, lines)) = pending.take() {
                    assert_eq!(described, address);
                    let inside = |place: &(u64, u32)| (address..=address + size).contains(&place.0);
                    assert!(lines.iter().all(inside), "{lines:x?}");
                    // The body, and at least one instruction in it.
                    assert!(lines.len() > 1 && lines.is_sorted(), "{lines:x?}");
                    assert_eq!(lines[0].0, address);
                }
                ranges.push(address..address + size);
            }
            2 => pending = Some(read_lines(&mut record)),
            3 => closed = true,
            other => panic!("a record of kind {other}"),
        }
        assert!(
            record.0.is_empty(),
            "a record of kind {kind} ends where it says"
        );
    }
    assert!(closed);
    assert_eq!(names[..3], ["work!leaf", PUSH, "work!_start"]);
    assert_apart(ranges);
}
