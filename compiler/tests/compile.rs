//! What the compiler promises about every artifact, seen through the reader.

use precast_compiler::{
    CompileError, Compiled, ContextRegister, ErrorKind, OptLevel, Options, Silent, Target,
    WasmVersion, compile,
};
use precast_format::Artifact;
use precast_format::tunables::{BoundsChecks, RelocationModel, StackChecks, TrapMode};

fn options() -> Options {
    Options::new(Target::new("x86_64").expect("a known target"))
}

fn compile_text(text: &str, options: &Options) -> Result<Compiled, CompileError> {
    compile(&wat::parse_str(text).expect("valid text"), options, &Silent)
}

fn artifact_of(text: &str, options: &Options) -> Vec<u8> {
    compile_text(text, options)
        .expect("a valid module")
        .artifact
}

/// A module with a bit of everything that leaves a trace in the artifact.
const MIXED: &str = r#"(module
    (import "env" "host" (func $host (param i32) (result i32)))
    (memory (export "memory") 1)
    (table 4 funcref)
    (elem (i32.const 0) $add $fill)
    (data (i32.const 8) "hello")
    (global $count (mut i32) (i32.const 3))
    (func $add (export "add") (param i32 i32) (result i32)
        (i32.add (local.get 0) (local.get 1)))
    (func $fill (param i32 i32) (result i32)
        (memory.fill (local.get 0) (i32.const 7) (local.get 1))
        (i32.div_s (local.get 0) (local.get 1)))
    (func (export "run") (param i32) (result i32)
        (global.set $count (i32.load offset=4 (local.get 0)))
        (call_indirect (param i32 i32) (result i32)
            (call $host (global.get $count)) (i32.const 2) (local.get 0))))"#;

#[test]
fn bytes_do_not_depend_on_the_number_of_threads() {
    let mut options = options();
    options.threads = Some(1);
    let one = artifact_of(MIXED, &options);
    for threads in [2, 5, 16] {
        options.threads = Some(threads);
        assert_eq!(one, artifact_of(MIXED, &options), "{threads} threads");
    }
}

#[test]
fn every_combination_of_options_makes_an_artifact() {
    for bounds_checks in BoundsChecks::ALL {
        for stack_checks in StackChecks::ALL {
            for trap_mode in TrapMode::ALL {
                for relocation_model in RelocationModel::ALL {
                    for opt_level in [OptLevel::None, OptLevel::Speed, OptLevel::Size] {
                        for register in [ContextRegister::Pinned, ContextRegister::Parameter] {
                            let mut options = options();
                            options.bounds_checks = *bounds_checks;
                            options.stack_checks = *stack_checks;
                            options.trap_mode = *trap_mode;
                            options.relocation_model = *relocation_model;
                            options.opt_level = opt_level;
                            options.context_register = Some(register);
                            let bytes = artifact_of(MIXED, &options);
                            let artifact = Artifact::parse(&bytes).expect("a valid artifact");
                            let tunables = artifact.header().tunables;
                            assert_eq!(tunables.bounds_checks, *bounds_checks);
                            assert_eq!(tunables.stack_checks, *stack_checks);
                            assert_eq!(tunables.trap_mode, *trap_mode);
                            assert_eq!(tunables.relocation_model, *relocation_model);
                        }
                    }
                }
            }
        }
    }
}

#[test]
fn code_that_runs_in_place_has_no_relocations_on_any_instruction_set() {
    let isas = [
        "x86_64", "aarch64", "riscv64", "s390x", "pulley32", "pulley64",
    ];
    for isa in isas {
        let mut options = Options::new(Target::new(isa).expect("a known target"));
        let mut relocations = |model| {
            options.relocation_model = model;
            let bytes = artifact_of(MIXED, &options);
            let artifact = Artifact::parse(&bytes).expect("a valid artifact");
            assert_ne!(artifact.text().len(), 0, "{isa}");
            artifact.relocations().into_iter().count()
        };
        assert_eq!(relocations(RelocationModel::Xip), 0, "{isa}");
        // Bytecode calls the loader by number and is not patched.
        let patched = !isa.starts_with("pulley");
        let places = relocations(RelocationModel::Direct);
        assert_eq!(places > 0, patched, "{isa}: {places}");
    }
}

#[test]
fn functions_with_many_parameters_have_adapters_everywhere() {
    let parameters = " i64".repeat(1000);
    let wat = format!(
        r#"(module (import "a" "f" (func $f (param{parameters})))
            (table (export "t") 2 funcref) (elem (i32.const 0) func $f $g)
            (func $g (export "g") (param{parameters}) (result i64) (local.get 999)))"#
    );
    let wasm = wat::parse_str(&wat).expect("it is well formed");
    for target in ["x86_64", "aarch64", "riscv64", "s390x", "pulley64"] {
        let options = Options::new(Target::new(target).expect("a known target"));
        let compiled = compile(&wasm, &options, &Silent);
        assert!(compiled.is_ok(), "{target}: {:?}", compiled.err());
    }
}

/// On s390x, arguments on the stack are below the caller's frame, where nothing is probed.
#[test]
fn arguments_that_would_go_over_a_guard_page_are_refused() {
    let wasm = |parameters: usize| {
        let text = format!(
            "(module (func $callee (param{})) (func (export \"f\") (call $callee {})))",
            " i64".repeat(parameters),
            "(i64.const 1)".repeat(parameters)
        );
        wat::parse_str(text).unwrap()
    };
    for (target, parameters, accepted) in [
        ("x86_64", 1000, true),
        ("aarch64", 1000, true),
        ("s390x", 200, true),
        ("s390x", 300, false),
    ] {
        let mut options = Options::new(Target::new(target).unwrap());
        options.stack_checks = StackChecks::Guard;
        let compiled = compile(&wasm(parameters), &options, &Silent);
        assert_eq!(compiled.is_ok(), accepted, "{target}: {parameters}");
        if let Err(error) = compiled {
            let remedy =
                "cannot end at a guard page on s390x; compile with --stack-checks explicit";
            assert!(error.to_string().contains(remedy), "{error}");
        }
        options.stack_checks = StackChecks::Explicit;
        assert!(compile(&wasm(parameters), &options, &Silent).is_ok());
    }
}

#[test]
fn frames_that_no_guard_page_would_end_are_refused() {
    // The values that a call has on the stack, and those that are kept over it.
    let (many, kept) = (" i64".repeat(1000), " i64".repeat(400));
    let constants = "(i64.const 1)".repeat(1000);
    let loads: String = (0..400)
        .map(|index| format!("(local.set {index} (i64.load (i32.const {})))", index * 8))
        .collect();
    let drops: String = (0..400)
        .map(|index| format!("(i64.store (i32.const {}) (local.get {index}))", index * 8))
        .collect();
    let wat = format!(
        r#"(module (import "a" "f" (func $f (param{many}))) (memory 1)
            (func (local{kept}) {loads} (call $f {constants}) {drops}))"#
    );
    let wasm = wat::parse_str(&wat).expect("it is well formed");
    for (target, accepted) in [("x86_64", true), ("aarch64", true), ("riscv64", false)] {
        let mut options = Options::new(Target::new(target).expect("a known target"));
        options.stack_checks = StackChecks::Explicit;
        assert!(compile(&wasm, &options, &Silent).is_ok(), "{target}");
        options.stack_checks = StackChecks::Guard;
        match compile(&wasm, &options, &Silent) {
            Ok(_) => assert!(accepted, "{target}"),
            Err(error) => {
                assert!(!accepted, "{target}: {error}");
                assert!(error.to_string().contains("--stack-checks explicit"));
            }
        }
    }
}

#[test]
fn cpu_features_are_those_that_the_code_uses() {
    let mut target = Target::new("x86_64").expect("a known target");
    target.set_cpu("x86-64-v3").expect("a known CPU");
    let options = Options::new(target);
    let names = |text: &str| -> Vec<&str> {
        let bytes = artifact_of(text, &options);
        let header = *Artifact::parse(&bytes).expect("a valid artifact").header();
        header.cpu_features.names(header.isa).collect()
    };
    let unary = |op: &str| format!("(module (func (param i32) (result i32) ({op} (local.get 0))))");
    assert_eq!(names(&unary("i32.eqz")), [""; 0]);
    assert_eq!(names(&unary("i32.popcnt")), ["popcnt"]);
    assert_eq!(names(&unary("i32.clz")), ["lzcnt"]);
    // The function moves nothing; the trampoline that the host calls it by does, with AVX.
    let identity = r#"(module (func (export "f") (param f64) (result f64) (local.get 0)))"#;
    assert!(names(identity).contains(&"avx"), "{:?}", names(identity));
    // A jump table lies between the branch and its targets.
    let blocks = "block ".repeat(40);
    let labels: String = (0..40).map(|label| format!("{label} ")).collect();
    let arms = "end local.get 0 i32.popcnt return ".repeat(40);
    let table = format!(
        "(module (func (param i32) (result i32)
            {blocks} local.get 0 br_table {labels} {arms} unreachable))"
    );
    assert_eq!(names(&table), ["popcnt"]);
}

#[test]
fn explicit_traps_leave_nothing_to_signals() {
    let mut options = options();
    options.trap_mode = TrapMode::Explicit;
    options.bounds_checks = BoundsChecks::Explicit;
    let bytes = artifact_of(MIXED, &options);
    let artifact = Artifact::parse(&bytes).expect("a valid artifact");
    // What remains are the instructions behind calls of `raise`, which never return, and the
    // divisions whose operands were tested.
    for function in artifact.functions().iter() {
        for site in artifact.traps().of(&function) {
            let code = site.code;
            assert!(
                matches!(
                    code,
                    precast_format::trap::TrapCode::Unreachable
                        | precast_format::trap::TrapCode::IntegerDivideByZero
                        | precast_format::trap::TrapCode::IntegerOverflow
                ),
                "{code:?} in function {}",
                function.index
            );
        }
    }
}

#[test]
fn later_features_are_refused_by_name() {
    let cases = [
        ("(module (type (struct)))", "garbage collection"),
        ("(module (type (array i8)))", "garbage collection"),
        ("(module (type (sub (func))))", "garbage collection"),
        (
            "(module (global anyref (ref.null any)))",
            "garbage collection",
        ),
        ("(module (func (param eqref)))", "garbage collection"),
        ("(module (func (local i31ref)))", "garbage collection"),
        ("(module (table 1 structref))", "garbage collection"),
        (
            "(module (func unreachable (block (result anyref) unreachable) drop))",
            "garbage collection",
        ),
        (
            "(module (func (drop (ref.null none))))",
            "garbage collection",
        ),
        (
            "(module (func (param funcref) (drop (ref.test nullfuncref (local.get 0)))))",
            "garbage collection",
        ),
        (
            "(module (func (param externref) (drop (any.convert_extern (local.get 0)))))",
            "garbage collection",
        ),
    ];
    for (text, name) in cases {
        let error = compile_text(text, &options()).expect_err(text);
        assert_eq!(error.kind, ErrorKind::Unsupported, "{text}: {error}");
        assert!(error.message.contains(name), "{text}: {error}");
    }
}

#[test]
fn features_beyond_the_chosen_version_are_refused_by_name() {
    let mut options = options();
    options.wasm = WasmVersion::V1;
    let refused = |text: &str, options: &Options, name: &str| {
        let error = compile_text(text, options).expect_err(text);
        assert_eq!(error.kind, ErrorKind::Unsupported, "{error}");
        assert!(error.message.contains(name), "{error}");
    };
    let text = "(module (func (result i32 i32) (i32.const 1) (i32.const 2)))";
    refused(text, &options, "multiple results");
    options.wasm = WasmVersion::V2;
    refused("(module (tag))", &options, "needs exception handling");
    let text = "(module (type $t (func)) (func (param (ref $t)) (call_ref $t (local.get 0))))";
    refused(text, &options, "needs typed function references");
    let text = "(module (func try catch_all end))";
    refused(text, &options, "needs exception handling (legacy)");
}

#[test]
fn an_invalid_body_is_located() {
    let wasm = wat::parse_str("(module (func) (func (result i32) (i64.const 1)))").expect("text");
    let error = compile(&wasm, &options(), &Silent).expect_err("a type error");
    assert_eq!(error.kind, ErrorKind::Invalid);
    assert_eq!(error.function, Some(1));
    assert!(
        error
            .offset
            .is_some_and(|offset| offset > 8 && offset < wasm.len()),
        "{error}"
    );
}

#[test]
fn every_truncation_is_an_error() {
    let wasm = wat::parse_str(MIXED).expect("text");
    // The empty module is valid, and so is one that ends between sections; neither panics.
    for length in 0..wasm.len() {
        let _ = compile(&wasm[..length], &options(), &Silent);
    }
    assert_eq!(
        compile(&wasm[..6], &options(), &Silent)
            .expect_err("a cut header")
            .kind,
        ErrorKind::Invalid
    );
}

#[test]
fn bodies_that_name_what_is_not_there_are_invalid() {
    for body in [
        "(call 9)",
        "(call_indirect 3 (type 0) (i32.const 0))",
        "(call_indirect 0 (type 7) (i32.const 0))",
        "(table.copy 0 5 (i32.const 0) (i32.const 0) (i32.const 0))",
        "(table.init 0 8 (i32.const 0) (i32.const 0) (i32.const 0))",
        "(table.set 6 (i32.const 0) (ref.null func))",
    ] {
        let text =
            format!("(module (type (func)) (table 1 funcref) (func {body}) (func (call 0)))");
        let error = compile_text(&text, &options()).expect_err("something is not there");
        assert_eq!(error.kind, ErrorKind::Invalid, "{body}: {error}");
    }
}

#[test]
fn a_frame_beyond_the_reserve_is_checked_before_it_is_taken() {
    // 3,000 live values need a frame of more than half of the reserve.
    let mut text =
        String::from("(module (func $leaf (result i64) (i64.const 1)) (func (result i64)");
    for _ in 0..3000 {
        text.push_str("(call $leaf)");
    }
    for _ in 1..3000 {
        text.push_str("(i64.xor)");
    }
    text.push_str("))");
    let bytes = artifact_of(&text, &options());
    let artifact = Artifact::parse(&bytes).expect("a valid artifact");
    let function = artifact.functions().get(1).expect("two functions");
    assert!(
        function.frame_size > 8 << 10,
        "{} bytes",
        function.frame_size
    );
    let overflows = artifact
        .traps()
        .of(&function)
        .filter(|site| site.code == precast_format::trap::TrapCode::StackOverflow)
        .count();
    assert_eq!(
        overflows, 1,
        "the stub looks for all that the function takes"
    );
}

#[test]
fn the_spectre_guard_masks_explicitly_checked_addresses() {
    let text = "(module (memory 1) (func (param i32) (result i32) (i32.load (local.get 0))))";
    let wasm = wat::parse_str(text).expect("text");
    let mut options = options();
    for (bounds, guard, expected) in [
        (BoundsChecks::Explicit, false, false),
        (BoundsChecks::Explicit, true, true),
        (BoundsChecks::Guard, true, false),
    ] {
        options.bounds_checks = bounds;
        options.heap_spectre_guard = guard;
        let clif = precast_compiler::emit::clif(&wasm, &options, &Default::default());
        let masked = clif.expect("valid").contains("select_spectre_guard");
        assert_eq!(masked, expected, "{bounds:?}, {guard}");
    }
}

#[test]
fn accesses_beyond_a_small_reservation_are_compared() {
    let text =
        "(module (memory 1) (func (param i32) (result i32) (i32.load offset=4096 (local.get 0))))";
    let wasm = wat::parse_str(text).expect("text");
    let mut options = options();
    for (reservation, guard, compared) in [
        (4 << 30, 32 << 20, false),
        (4 << 30, 4096, true),
        (1 << 20, 1 << 20, true),
    ] {
        options.memory_reservation = reservation;
        options.memory_guard = guard;
        let clif = precast_compiler::emit::clif(&wasm, &options, &Default::default());
        let has_check = clif.expect("valid").contains("trapnz");
        assert_eq!(has_check, compared, "{reservation}, {guard}");
    }
}
