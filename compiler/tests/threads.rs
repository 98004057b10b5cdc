//! Atomic instructions and shared memories on every target, seen through the artifact.

use precast_compiler::{
    CompileError, Compiled, ContextRegister, ErrorKind, OptLevel, Options, Silent, Target, compile,
};
use precast_format::Artifact;
use precast_format::features::WasmFeature;
use precast_format::trap::TrapCode;
use precast_format::tunables::{BoundsChecks, TrapMode};

const WITH_ATOMICS: [&str; 4] = ["x86_64", "aarch64", "riscv64", "s390x"];

fn options(target: &str) -> Options {
    Options::new(Target::new(target).expect("a known target"))
}

fn compile_text(text: &str, options: &Options) -> Result<Compiled, CompileError> {
    compile(&wat::parse_str(text).expect("valid text"), options, &Silent)
}

/// A function for each access: its type in memory in bytes, and its instruction.
fn accesses() -> Vec<(u32, String)> {
    let mut all = Vec::new();
    let widths = [
        ("i32", "", 4),
        ("i32", "8", 1),
        ("i32", "16", 2),
        ("i64", "", 8),
        ("i64", "8", 1),
        ("i64", "16", 2),
        ("i64", "32", 4),
    ];
    for (ty, width, bytes) in widths {
        let signed = if width.is_empty() { "" } else { "_u" };
        let address = "(local.get $address)";
        let value = format!("({ty}.const 5)");
        all.push((
            bytes,
            format!("(drop ({ty}.atomic.load{width}{signed} {address}))"),
        ));
        all.push((
            bytes,
            format!("({ty}.atomic.store{width} {address} {value})"),
        ));
        for change in ["add", "sub", "and", "or", "xor", "xchg"] {
            let name = format!("{ty}.atomic.rmw{width}.{change}{signed}");
            all.push((bytes, format!("(drop ({name} {address} {value}))")));
        }
        let name = format!("{ty}.atomic.rmw{width}.cmpxchg{signed}");
        all.push((bytes, format!("(drop ({name} {address} {value} {value}))")));
    }
    all
}

/// A module with all of these.
fn module(memory: &str) -> (String, Vec<u32>) {
    let mut text = format!("(module (memory {memory})");
    let accesses = accesses();
    for (_, access) in &accesses {
        text.push_str(&format!("(func (param $address i32) {access})"));
    }
    text.push_str(
        "(func (param i32) (result i32)
            (atomic.fence)
            (drop (memory.atomic.wait32 (local.get 0) (i32.const 1) (i64.const 2)))
            (drop (memory.atomic.wait64 (local.get 0) (i64.const 1) (i64.const 2)))
            (memory.atomic.notify offset=4 (local.get 0) (i32.const 1))))",
    );
    (text, accesses.into_iter().map(|(bytes, _)| bytes).collect())
}

#[test]
fn every_access_says_why_it_traps() {
    for target in WITH_ATOMICS {
        for (memory, bounds_checks) in [
            ("1 2 shared", BoundsChecks::Guard),
            ("1 2 shared", BoundsChecks::Explicit),
            ("1", BoundsChecks::Guard),
            ("1", BoundsChecks::Explicit),
            ("i64 1", BoundsChecks::Guard),
        ] {
            for opt_level in [OptLevel::None, OptLevel::Speed] {
                let (text, widths) = module(memory);
                let text = match memory.starts_with("i64") {
                    true => text
                        .replace("$address i32", "$address i64")
                        .replace("(func (param i32)", "(func (param i64)"),
                    false => text,
                };
                let mut options = options(target);
                options.bounds_checks = bounds_checks;
                options.opt_level = opt_level;
                let compiled = compile_text(&text, &options).expect(target);
                let artifact = Artifact::parse(&compiled.artifact).expect("a valid artifact");
                for (function, width) in artifact.functions().iter().zip(widths) {
                    let codes: Vec<_> = artifact.traps().of(&function).map(|s| s.code).collect();
                    let context = format!("{target} {memory} {bounds_checks:?} {}", function.index);
                    assert!(
                        codes.contains(&TrapCode::MemoryOutOfBounds),
                        "{context}: {codes:?}"
                    );
                    assert_eq!(
                        codes.contains(&TrapCode::UnalignedAtomic),
                        width > 1,
                        "{context}: {codes:?}"
                    );
                }
                let features = artifact.header().wasm_features;
                assert!(features.contains(WasmFeature::Threads));
            }
        }
    }
}

#[test]
fn targets_without_atomics_refuse_them_by_name() {
    for target in ["pulley32", "pulley64"] {
        for text in [
            "(module (memory 1 1 shared))",
            "(module (import \"env\" \"memory\" (memory 1 1 shared)))",
            "(module (memory 1) (func (drop (i32.atomic.load (i32.const 0)))))",
            "(module (func (atomic.fence)))",
        ] {
            let error = compile_text(text, &options(target)).expect_err(text);
            assert_eq!(error.kind, ErrorKind::Unsupported, "{text}: {error}");
            assert!(error.message.contains("threads"), "{text}: {error}");
            assert!(error.message.contains(target), "{text}: {error}");
        }
        compile_text("(module (memory 1))", &options(target)).expect("it needs no threads");
    }
}

/// A loop that stores nothing and calls nothing: where Cranelift could take reads out.
const ENDLESS: &str = "(module MEMORY (func (export \"run\") (loop (br 0))))";

fn interrupts(artifact: &[u8]) -> usize {
    let artifact = Artifact::parse(artifact).expect("a valid artifact");
    let function = artifact.functions().get(0).expect("one function");
    let sites = artifact.traps().of(&function);
    sites
        .filter(|site| site.code == TrapCode::Interrupted)
        .count()
}

#[test]
fn interruptions_are_looked_for_where_asked_for_or_where_memory_is_shared() {
    for target in WITH_ATOMICS {
        for (memory, checks, expected) in [
            ("", None, false),
            ("(memory 1 1)", None, false),
            ("(memory 1 1 shared)", None, true),
            ("(memory 1 1 shared)", Some(false), false),
            ("", Some(true), true),
        ] {
            for register in [ContextRegister::Pinned, ContextRegister::Parameter] {
                for opt_level in [OptLevel::None, OptLevel::Speed] {
                    let mut options = options(target);
                    options.interrupt_checks = checks;
                    options.context_register = Some(register);
                    options.opt_level = opt_level;
                    let text = ENDLESS.replace("MEMORY", memory);
                    let compiled = compile_text(&text, &options).expect(target);
                    // One at the start of the function, one in the loop.
                    let count = if expected { 2 } else { 0 };
                    assert_eq!(interrupts(&compiled.artifact), count, "{target} {memory}");
                    let artifact = Artifact::parse(&compiled.artifact).expect("a valid artifact");
                    let tunables = artifact.header().tunables;
                    assert_eq!(tunables.interrupt_checks, expected);
                }
            }
        }
    }
}

#[test]
fn explicit_traps_leave_no_faults_in_atomics() {
    // For riscv64, Cranelift lists atomic instructions as places of faults, whatever it is told.
    for target in WITH_ATOMICS.into_iter().filter(|name| *name != "riscv64") {
        let mut options = options(target);
        options.bounds_checks = BoundsChecks::Explicit;
        options.trap_mode = TrapMode::Explicit;
        let (text, _) = module("1 2 shared");
        let compiled = compile_text(&text, &options).expect(target);
        let artifact = Artifact::parse(&compiled.artifact).expect("a valid artifact");
        for function in artifact.functions().iter() {
            for site in artifact.traps().of(&function) {
                assert_eq!(site.code, TrapCode::Unreachable, "{target}");
            }
        }
    }
}
