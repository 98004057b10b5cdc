//! The loader as a C library: the tests in C (`tests/c/`) and the examples (`examples/c/`) are compiled
//! by each C compiler that is there, linked with the static library, and run: plainly, with the
//! compiler's checks of memory and arithmetic, and under valgrind.
#![forbid(unsafe_code)]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::OnceLock;

use ed25519_compact::{KeyPair, Seed};
use precast_format::envelope::Signature;

const PRECAST: &str = env!("CARGO_BIN_EXE_precast-under-test");

/// For pools, and for machines without signals.
const EXPLICIT: &[&str] = &[
    "--bounds-checks",
    "explicit",
    "--traps",
    "explicit",
    "--stack-checks",
    "explicit",
];

/// What the tests load, by the name of its text, and how it is compiled beside the defaults.
const ARTIFACTS: &[(&str, &str, &[&str])] = &[
    ("basic", "basic", &[]),
    (
        "explicit",
        "basic",
        &[
            "--bounds-checks",
            "explicit",
            "--traps",
            "explicit",
            "--stack-checks",
            "explicit",
        ],
    ),
    ("start", "start", &[]),
    ("throw", "throw", &[]),
    ("exception", "exception", &[]),
    ("sharing", "sharing", &[]),
    ("host", "host", &[]),
    ("caller", "caller", &[]),
    ("starts", "starts", &[]),
    ("malloc", "malloc", &[]),
    ("loop", "loop", &["--interrupt-checks", "1"]),
    ("stack", "stack", &[]),
    ("adder", "adder", &[]),
    ("profile", "basic", &["--call-profile"]),
    ("wasi", "wasi", &[]),
    ("device_wasi", "device_wasi", &[]),
    ("standard", "standard", &["--host-references"]),
    ("importer", "importer", &[]),
];

const WARNINGS: &[&str] = &["-std=c11", "-pedantic", "-Wall", "-Wextra", "-Werror", "-g"];

const SANITIZERS: &[&str] = &["-fsanitize=address,undefined", "-fno-sanitize-recover=all"];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// A folder of this test's.
fn scratch(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR"))
        .join("c-api")
        .join(name);
    fs::create_dir_all(&folder).expect("the folder is writable");
    folder
}

/// Runs a command that must succeed; gives what it printed.
fn succeed(command: &mut Command) -> String {
    let output = command.output();
    let output = output.unwrap_or_else(|error| panic!("{command:?}: {error}"));
    successful(&format!("{command:?}"), &output)
}

fn successful(what: &str, output: &Output) -> String {
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(
        output.status.success(),
        "{what}: {}\n{text}{errors}",
        output.status
    );
    text
}

/// Whether there is such a command, for tests that can do without.
fn exists(tool: &str) -> bool {
    let found = Command::new(tool).arg("--version").output().is_ok();
    if !found {
        println!("skipped: there is no {tool}");
    }
    found
}

/// The C compilers that are there.
fn compilers() -> Vec<&'static str> {
    ["gcc", "clang"]
        .into_iter()
        .filter(|tool| exists(tool))
        .collect()
}

/// The static library, built with all that the tests use.
fn library() -> &'static Path {
    static LIBRARY: OnceLock<PathBuf> = OnceLock::new();
    LIBRARY.get_or_init(|| {
        // Beside what cargo has built already: the same dependencies serve.
        let profile = std::env::current_exe().expect("the test has a path");
        let target = profile
            .ancestors()
            .nth(3)
            .expect("cargo's folders are so deep");
        let cargo = std::env::var_os("CARGO").expect("cargo runs the test");
        succeed(
            Command::new(cargo)
                .args(["build", "--quiet", "--package", "precast-capi"])
                .args(["--features", "plan,call-profile"])
                .current_dir(root())
                .env("CARGO_TARGET_DIR", target),
        );
        target.join("debug/libprecast.a")
    })
}

/// The folder of the artifacts, of a module to be linked, and of its header.
fn artifacts() -> &'static Path {
    static FOLDER: OnceLock<PathBuf> = OnceLock::new();
    FOLDER.get_or_init(|| compile("artifacts", &[]))
}

/// The same with artifacts of which none relies on faults, which valgrind would report.
fn artifacts_without_faults() -> &'static Path {
    static FOLDER: OnceLock<PathBuf> = OnceLock::new();
    FOLDER.get_or_init(|| compile("artifacts-without-faults", EXPLICIT))
}

/// Compiles everything, with these options where there are no others.
fn compile(name: &str, explicit: &[&str]) -> PathBuf {
    let folder = scratch(name);
    let texts = root().join("tests/c/modules");
    for (name, text, options) in ARTIFACTS {
        let text = texts.join(format!("{text}.wat"));
        let artifact = folder.join(format!("{name}.precast"));
        let mut command = Command::new(PRECAST);
        command
            .args(["compile", "--quiet"])
            .arg(text)
            .arg("-o")
            .arg(artifact)
            .args(*options);
        if *options != EXPLICIT {
            command.args(explicit);
        }
        succeed(&mut command);
    }
    succeed(
        Command::new(PRECAST)
            .args([
                "compile", "--quiet", "--emit", "object", "--symbol", "linked",
            ])
            .args(explicit)
            .arg(texts.join("basic.wat"))
            .arg("-o")
            .arg(folder.join("linked.o"))
            .arg("--emit-header")
            .arg(folder.join("linked.h")),
    );
    let keys = KeyPair::from_seed(Seed::new([7; 32]));
    for (name, to) in [("basic", "signed"), ("importer", "signed-importer")] {
        let artifact = folder.join(format!("{name}.precast"));
        let mut signed = fs::read(artifact).expect("it was just written");
        let trailer = Signature {
            public_key: *keys.pk,
            signature: *keys.sk.sign(&signed, None),
        };
        signed.extend_from_slice(&trailer.to_trailer());
        let to = folder.join(format!("{to}.precast"));
        fs::write(to, signed).expect("the folder is writable");
    }
    fs::write(folder.join("key.precast"), *keys.pk).expect("the folder is writable");
    folder
}

/// Compiles and links a program.
fn build(compiler: &str, program: &Path, sources: &[PathBuf], flags: &[&str]) {
    succeed(
        Command::new(compiler)
            .args(WARNINGS)
            .args(flags)
            .arg("-I")
            .arg(root().join("capi/include"))
            .arg("-I")
            .arg(artifacts())
            .args(sources)
            .arg(library())
            .args(["-Wl,--gc-sections", "-lpthread", "-ldl", "-lm", "-o"])
            .arg(program),
    );
}

/// The sources of the tests, and the module that is linked with them.
fn test_sources() -> Vec<PathBuf> {
    let mut sources = c_files(&root().join("tests/c"));
    sources.push(artifacts().join("linked.o"));
    sources
}

fn c_files(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).expect("the folder is there");
    let paths = entries.map(|entry| entry.expect("the folder is readable").path());
    let mut files: Vec<PathBuf> = paths
        .filter(|path| path.extension().is_some_and(|extension| extension == "c"))
        .collect();
    files.sort();
    files
}

/// The sources of the tests of `wasm.h`, which are a program of their own.
fn standard_sources() -> Vec<PathBuf> {
    c_files(&root().join("tests/c/standard"))
}

#[test]
fn every_function_does_what_it_should_and_refuses_what_it_should() {
    for compiler in compilers() {
        for (name, sources) in [("tests", test_sources()), ("standard", standard_sources())] {
            let program = scratch(compiler).join(name);
            build(compiler, &program, &sources, &["-O1"]);
            println!("{}", succeed(Command::new(&program).arg(artifacts())));
        }
    }
}

#[test]
fn the_compiler_s_checks_find_nothing() {
    for compiler in compilers() {
        let folder = scratch(compiler);
        let trivial = folder.join("trivial.c");
        fs::write(&trivial, "int main(void) { return 0; }").expect("the folder is writable");
        let probe = Command::new(compiler)
            .args(SANITIZERS)
            .arg(&trivial)
            .arg("-o")
            .arg(folder.join("trivial"))
            .output();
        if !probe.is_ok_and(|output| output.status.success()) {
            println!("skipped: {compiler} has no sanitizers");
            continue;
        }
        for (name, sources) in [("tests", test_sources()), ("standard", standard_sources())] {
            let program = folder.join(format!("{name}-checked"));
            build(compiler, &program, &sources, SANITIZERS);
            succeed(Command::new(&program).arg(artifacts()));
        }
    }
}

#[test]
fn valgrind_finds_nothing() {
    let Some(compiler) = compilers().into_iter().next() else {
        return;
    };
    if !exists("valgrind") {
        return;
    }
    let mut sources = c_files(&root().join("tests/c"));
    sources.push(artifacts_without_faults().join("linked.o"));
    let programs = [
        ("tests", sources, &["without-faults"][..]),
        ("standard", standard_sources(), &[]),
    ];
    for (name, sources, arguments) in programs {
        let program = scratch("valgrind").join(name);
        build(compiler, &program, &sources, &["-O1"]);
        succeed(
            Command::new("valgrind")
                .args(["--quiet", "--error-exitcode=9", "--leak-check=full"])
                .arg("--errors-for-leak-kinds=definite")
                .arg(format!(
                    "--suppressions={}",
                    root().join("tests/c/valgrind.supp").display()
                ))
                .arg(&program)
                .arg(artifacts_without_faults())
                .args(arguments),
        );
    }
}

#[test]
fn every_function_of_the_header_has_a_test() {
    let header = fs::read_to_string(root().join("capi/include/precast.h")).expect("it is there");
    let tests: String = c_files(&root().join("tests/c"))
        .into_iter()
        .map(|path| fs::read_to_string(path).expect("it is readable"))
        .collect();
    let functions = functions(&header);
    assert!(functions.len() > 100, "{functions:?}");
    for function in functions {
        let called = tests.contains(&format!("{function}("));
        assert!(called, "no test in C calls {function}");
    }
}

/// Tests of `wasm.h` name functions by patterns, so they are looked at as the compiler sees them.
#[test]
fn every_function_of_the_standard_header_has_a_test() {
    let Some(compiler) = compilers().into_iter().next() else {
        return;
    };
    let headers = ["wasm.h", "precast_wasm.h"].map(|name| {
        let header = fs::read_to_string(root().join("capi/include").join(name));
        header.expect("it is there")
    });
    let functions: Vec<&str> = headers.iter().flat_map(|text| standard(text)).collect();
    assert!(functions.len() > 290, "{functions:?}");
    let sources: Vec<String> = standard_sources()
        .iter()
        .map(|path| {
            let mut command = Command::new(compiler);
            command.args(["-E", "-P", "-I"]);
            command.arg(root().join("capi/include")).arg(path);
            succeed(&mut command)
        })
        .collect();
    for function in functions {
        // The declaration is there, too.
        let call = format!("{function}(");
        let is_called = |source: &String| source.matches(&call).count() > 1;
        let called = sources.iter().any(is_called);
        assert!(called, "no test in C calls {function}");
    }
}

/// The functions that `wasm.h` declares.
fn standard(header: &str) -> Vec<&str> {
    let declarations = header
        .lines()
        .filter_map(|line| line.strip_prefix("WASM_API_EXTERN "));
    declarations
        .filter_map(|line| line.split_once('(')?.0.rsplit([' ', '*']).next())
        .collect()
}

#[test]
fn the_guides_name_what_there_is() {
    let header = ["precast.h", "precast_wasm.h"].map(|name| {
        fs::read_to_string(root().join("capi/include").join(name)).expect("it is there")
    });
    let header = header.concat();
    for guide in ["docs/c.md", "docs/from-wamr.md"] {
        let text = fs::read_to_string(root().join(guide)).expect("it is there");
        let is_name = |c: char| c.is_ascii_alphanumeric() || c == '_';
        for word in text.split(|c| !is_name(c)) {
            // An ellipsis follows what is only the beginning of names.
            let named = word.starts_with("precast_") && !word.ends_with('_');
            assert!(!named || header.contains(word), "{guide}: {word}");
        }
    }
}

/// The functions that a header declares.
fn functions(header: &str) -> Vec<&str> {
    let code = header
        .lines()
        .filter(|line| !line.trim_start().starts_with("//"));
    code.filter_map(|line| {
        let (before, _) = line.split_once('(')?;
        let name = before.rsplit([' ', '*']).next()?;
        // A type of functions has a parenthesis before its name.
        (name.starts_with("precast_") && !before.starts_with("typedef")).then_some(name)
    })
    .collect()
}

#[test]
fn the_header_is_also_one_of_cpp() {
    for compiler in ["g++", "clang++"].into_iter().filter(|tool| exists(tool)) {
        let folder = scratch(compiler);
        let source = folder.join("main.cc");
        let text = "#include <precast_wasm.h>\n#include \"linked.h\"\n\
            int main() {\n\
                precast_error error = {};\n\
                error.size = sizeof error;\n\
                precast_runtime *runtime = nullptr;\n\
                precast_value value = {};\n\
                value.kind = PRECAST_I32;\n\
                if (precast_runtime_new(nullptr, nullptr, &error) != PRECAST_NULL_ARGUMENT)\n\
                    return 1;\n\
                if (precast_runtime_new(nullptr, &runtime, &error) != PRECAST_OK)\n\
                    return 2;\n\
                precast_runtime_free(runtime);\n\
                wasm_engine_t *engine = wasm_engine_new();\n\
                wasm_store_delete(wasm_store_new(engine));\n\
                wasm_engine_delete(engine);\n\
                return value.kind == PRECAST_I32 ? 0 : 3;\n\
            }\n";
        fs::write(&source, text).expect("the folder is writable");
        let program = folder.join("program");
        succeed(
            Command::new(compiler)
                .args([
                    "-std=c++17",
                    "-pedantic",
                    "-Wall",
                    "-Wextra",
                    "-Werror",
                    "-I",
                ])
                .arg(root().join("capi/include"))
                .arg("-I")
                .arg(artifacts())
                .arg(&source)
                .arg(library())
                .args(["-lpthread", "-ldl", "-lm", "-o"])
                .arg(&program),
        );
        succeed(&mut Command::new(&program));
    }
}

/// The examples: what is compiled for each, what it is given, and what it prints.
const EXAMPLES: &[Example] = &[
    Example {
        name: "hello",
        module: "c/hello.wat",
        input: "",
        prints: "40 + 2 = 42\n",
    },
    Example {
        name: "host-functions",
        module: "c/thermostat.wat",
        input: "",
        prints: "lamp on\nlamp on\nlamp off\nwarm enough\na lamp is on or off\n",
    },
    Example {
        name: "traps",
        module: "c/traps.wat",
        input: "",
        prints: "integer divide by zero\n\
            \x20 0: statistics!divide, function 0, 5 bytes into its body\n\
            \x20 1: statistics!average, function 1, 5 bytes into its body\n\
            12 / 4 = 3\n",
    },
    Example {
        name: "wasi",
        module: "count.wat",
        input: "one two\nthree\n",
        prints: "2 3 14\n",
    },
    Example {
        name: "pool",
        module: "c/counter.wat",
        input: "",
        prints: "counted to 3\n\
            cannot instantiate the module: no memory for 65536 bytes of linear memory\n\
            little of the pool is free\n",
    },
];

struct Example {
    name: &'static str,
    module: &'static str,
    input: &'static str,
    prints: &'static str,
}

#[test]
fn the_examples_print_what_they_should() {
    for compiler in compilers() {
        for example in EXAMPLES {
            run_example(compiler, example);
        }
    }
}

fn run_example(compiler: &str, example: &Example) {
    let folder = scratch(compiler).join(example.name);
    fs::create_dir_all(&folder).expect("the folder is writable");
    let module = root().join("examples").join(example.module);
    let mut sources = vec![root().join(format!("examples/c/{}.c", example.name))];
    let mut command = Command::new(PRECAST);
    command.args(["compile", "--quiet"]).arg(module).arg("-o");
    let artifact = folder.join("module.precast");
    if example.name == "pool" {
        // Linked, and for a pool.
        let object = folder.join("counter.o");
        command
            .arg(&object)
            .args(["--emit", "object", "--symbol", "counter", "--emit-header"])
            .arg(folder.join("counter.h"))
            .args(EXPLICIT);
        sources.push(object);
    } else {
        command.arg(&artifact);
    }
    succeed(&mut command);
    let program = folder.join("program");
    let include = format!("-I{}", folder.display());
    build(compiler, &program, &sources, &[&include, "-O2"]);
    let input = folder.join("input");
    fs::write(&input, example.input).expect("the folder is writable");
    let output = Command::new(&program)
        .arg(&artifact)
        .stdin(fs::File::open(input).expect("it was just written"))
        .output()
        .expect("the program can be started");
    assert_eq!(successful(example.name, &output), example.prints);
}

#[test]
fn every_example_is_run() {
    for path in c_files(&root().join("examples/c")) {
        let name = path.file_stem().and_then(|name| name.to_str());
        let is_run = EXAMPLES.iter().any(|example| Some(example.name) == name);
        assert!(is_run, "{}", path.display());
    }
}
