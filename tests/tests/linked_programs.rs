//! Programs with modules linked into them: the example in Rust and the one in C are built, run, and looked
//! at. Both end at once if they ask the system for memory or files while a module runs.
//!
//! For other machines, `PRECAST_CROSS_TARGETS` lists triples, separated by commas; `PRECAST_CROSS_RUSTC`
//! and `PRECAST_CROSS_RUSTFLAGS` say how Rust is compiled for them, and cargo's own variables
//! (`CARGO_TARGET_<TRIPLE>_LINKER`, `CARGO_TARGET_<TRIPLE>_RUNNER`) name the C compiler and the emulator.
#![forbid(unsafe_code)]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

const PRECAST: &str = env!("CARGO_BIN_EXE_precast-under-test");

const RUST_PRINTS: &str = "sum(4) = 10, mean(4) = 2, noted 0
mean(0): wasm trap: integer divide by zero
  0: guest!divide at 0x87
  1: guest!mean at 0x91
done
";

const C_PRINTS: &str = "sum(4) = 10, noted 10
mean(4) = 2, noted 10
mean(0): wasm trap: integer divide by zero
  0: guest!divide at 0x87
  1: guest!mean at 0x91
nothing(0): there is no such export
done
";

/// A machine to build and run programs for.
struct Machine {
    /// The triple; none for this machine.
    triple: Option<String>,
    c_compiler: String,
    runner: Vec<String>,
}

impl Machine {
    fn native() -> Machine {
        Machine {
            triple: None,
            c_compiler: "cc".into(),
            runner: Vec::new(),
        }
    }

    /// The machine that cargo's variables describe.
    fn cross(triple: &str) -> Machine {
        let variable = |what: &str| {
            let name = triple.to_ascii_uppercase().replace('-', "_");
            let name = format!("CARGO_TARGET_{name}_{what}");
            std::env::var(&name).unwrap_or_else(|_| panic!("{name} is set"))
        };
        Machine {
            triple: Some(triple.to_owned()),
            c_compiler: variable("LINKER"),
            runner: variable("RUNNER")
                .split_whitespace()
                .map(str::to_owned)
                .collect(),
        }
    }

    fn name(&self) -> &str {
        self.triple.as_deref().unwrap_or("native")
    }

    /// An empty folder for a test.
    fn scratch(&self, test: &str) -> PathBuf {
        let folder = temporary().join("linked").join(self.name()).join(test);
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir_all(&folder).expect("the folder is writable");
        folder
    }

    /// Builds the example with the command under test, and the C library without what the program in C
    /// does not use; gives the folder of what was built.
    fn build_example(&self) -> PathBuf {
        let library = ["rustc", "--quiet", "--package", "precast-capi", "--lib"];
        let slim = ["--no-default-features", "--features", "std,backtraces"];
        self.cargo(&[&library[..], &slim, &["--crate-type", "staticlib"]].concat());
        self.cargo(&["build", "--quiet", "--package", "static-module"])
    }

    /// Runs cargo for this machine; gives the folder of what it builds.
    fn cargo(&self, arguments: &[&str]) -> PathBuf {
        let cargo = std::env::var_os("CARGO").expect("cargo runs the test");
        let target = temporary().join("linked-target");
        let mut command = Command::new(cargo);
        command
            .args(arguments)
            .current_dir(example())
            .env("CARGO_TARGET_DIR", &target)
            .env("PRECAST", PRECAST);
        let mut built = target;
        if let Some(triple) = &self.triple {
            command.args(["--target", triple]);
            for (ours, cargo_s) in [("RUSTC", "RUSTC"), ("RUSTFLAGS", "RUSTFLAGS")] {
                if let Some(value) = std::env::var_os(format!("PRECAST_CROSS_{ours}")) {
                    command.env(cargo_s, value);
                }
            }
            built = built.join(triple);
        }
        succeed(&mut command);
        built.join("debug")
    }

    fn run(&self, program: &Path) -> Output {
        let mut words = self.runner.iter();
        let mut command = match words.next() {
            Some(emulator) => Command::new(emulator),
            None => Command::new(program),
        };
        if !self.runner.is_empty() {
            command.args(words).arg(program);
        }
        command.output().expect("the program can be started")
    }

    fn precast(&self, arguments: &[&str], folder: &Path) {
        let mut command = Command::new(PRECAST);
        command.args(arguments).arg("--quiet").current_dir(folder);
        if let Some(triple) = &self.triple {
            command.args(["--target", triple]);
        }
        succeed(&mut command);
    }

    /// Compiles and links a program of C.
    fn c_program(&self, folder: &Path, inputs: &[&Path]) -> PathBuf {
        let program = folder.join("program");
        let mut command = Command::new(&self.c_compiler);
        command
            .args(["-std=c11", "-O1", "-Wall", "-Wextra", "-Werror", "-I"])
            .arg(folder)
            .arg("-I")
            .arg(example().join("../../capi/include"))
            .args(inputs)
            .args(["-Wl,--gc-sections", "-lpthread", "-ldl", "-lm", "-o"])
            .arg(&program);
        succeed(&mut command);
        program
    }
}

fn temporary() -> PathBuf {
    PathBuf::from(env!("CARGO_TARGET_TMPDIR"))
}

fn example() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples/static")
}

/// Runs a command that must succeed; gives what it printed.
fn succeed(command: &mut Command) -> String {
    let output = command.output();
    let output = output.unwrap_or_else(|error| panic!("{command:?}: {error}"));
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command:?}:\n{text}{errors}");
    text
}

fn prints(output: &Output, expected: &str, machine: &Machine) {
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{}: {errors}", machine.name());
    assert_eq!(
        String::from_utf8_lossy(&output.stdout),
        expected,
        "{}",
        machine.name()
    );
}

/// Whether there is such a command, for tests that can do without.
fn exists(tool: &str) -> bool {
    let found = Command::new(tool).arg("--version").output().is_ok();
    if !found {
        println!("skipped: there is no {tool}");
    }
    found
}

/// Both examples, on a machine.
fn both_programs_run(machine: &Machine) -> PathBuf {
    let built = machine.build_example();
    prints(
        &machine.run(&built.join("static-module")),
        RUST_PRINTS,
        machine,
    );
    let folder = machine.scratch("c");
    let guest = example().join("src/guest.wat");
    fs::copy(guest, folder.join("guest.wat")).expect("the folder is writable");
    machine.precast(
        &[
            "compile",
            "guest.wat",
            "--emit",
            "object",
            "--emit-header",
            "guest.h",
            "--bounds-checks",
            "explicit",
            "--traps",
            "explicit",
        ],
        &folder,
    );
    let program = machine.c_program(
        &folder,
        &[
            &example().join("main.c"),
            &folder.join("guest.o"),
            &built.join("libprecast.a"),
        ],
    );
    prints(&machine.run(&program), C_PRINTS, machine);
    program
}

#[test]
fn programs_in_rust_and_c_run_linked_modules() {
    if !exists("cc") {
        return;
    }
    let program = both_programs_run(&Machine::native());
    debuggers_walk_the_stack(&program);
}

#[test]
fn programs_for_other_machines_run_linked_modules() {
    let targets = std::env::var("PRECAST_CROSS_TARGETS").unwrap_or_default();
    let targets: Vec<&str> = targets
        .split(',')
        .filter(|triple| !triple.is_empty())
        .collect();
    if targets.is_empty() {
        println!("skipped: PRECAST_CROSS_TARGETS names no other machine");
    }
    for triple in targets {
        both_programs_run(&Machine::cross(triple));
    }
}

/// A debugger finds the frames of the module, and those behind them.
fn debuggers_walk_the_stack(program: &Path) {
    if !exists("gdb") {
        return;
    }
    let stop = "break *((char *) &'guest$divide' + 4)";
    let output = Command::new("gdb")
        .args([
            "-batch",
            "-nx",
            "-ex",
            stop,
            "-ex",
            "run",
            "-ex",
            "backtrace",
        ])
        .arg(program)
        .output()
        .expect("gdb runs");
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let frames = [
        "guest$divide",
        "guest$mean",
        "guest$entry",
        "precast_function_call",
        "main",
    ];
    let mut rest = &*text;
    for frame in frames {
        let Some((_, behind)) = rest.split_once(frame) else {
            panic!("no {frame} in\n{text}");
        };
        rest = behind;
    }
}

#[test]
fn several_modules_are_linked_and_those_that_nobody_names_are_dropped() {
    if !exists("cc") || !exists("nm") {
        return;
    }
    let machine = Machine::native();
    let folder = machine.scratch("several");
    for name in ["one", "two", "three"] {
        let module = format!("(module ${name} (func (export \"{name}\")))");
        let (text, object) = (format!("{name}.wat"), format!("lib{name}.o"));
        fs::write(folder.join(&text), module).expect("the folder is writable");
        let header = format!("{name}.h");
        machine.precast(
            &[
                "compile",
                &text,
                "--emit",
                "object",
                "-o",
                &object,
                "--emit-header",
                &header,
            ],
            &folder,
        );
    }
    let main = r#"
        #include "one.h"
        #include "two.h"
        #include <string.h>
        int main(void) {
            return memcmp(precast_module_one.magic, precast_module_two.magic, 8) != 0
                || precast_module_one.text_size != PRECAST_ONE_TEXT_BYTES
                || precast_module_two.metadata_size != PRECAST_TWO_METADATA_BYTES
                || (size_t)precast_module_one.text % 16 != 0
                || precast_module_one.text == precast_module_two.text;
        }"#;
    fs::write(folder.join("main.c"), main).expect("the folder is writable");
    let inputs = ["main.c", "libone.o", "libtwo.o", "libthree.o"].map(|name| folder.join(name));
    let inputs: Vec<&Path> = inputs.iter().map(PathBuf::as_path).collect();
    let program = machine.c_program(&folder, &inputs);
    assert!(machine.run(&program).status.success());
    let symbols = succeed(Command::new("nm").arg(&program));
    for kept in ["precast_module_one", "one$one", "two$one", "one$metadata"] {
        // Functions have the name that they are exported by.
        let kept = kept.replace("two$one", "two$two");
        assert!(symbols.contains(&*kept), "{kept} is missing:\n{symbols}");
    }
    assert!(!symbols.contains("three"), "{symbols}");
}
