//! The computed worst case of the native stack against what runs really use.
//!
//! Each module's bound is held against the high-water mark of a run that takes the deepest path, on
//! a region of exactly the size that the loader names: the call must not overflow there, and must
//! not have used more than the bound.

use precast_compiler::{ContextRegister, ErrorKind, Options, Silent, compile};
use precast_format::Artifact;
use precast_format::layout::SectionId;
use precast_format::stack_depth::{self, DepthStep};
use precast_format::tunables::StackChecks;
use precast_loader::limits::LIBCALL_STACK_MARGIN;
use precast_loader::{
    Caller, ExecutionEnvironment, Imports, InstanceOptions, Module, Runtime, Source, Stack,
    StackDepth, Value,
};
use precast_tests::{configuration, corpus};
use std::path::Path;
use std::process::Command;

/// The options under which everything runs: each way to trap, to check the stack, and to hold the
/// context.
fn configurations() -> Vec<(String, Options)> {
    let mut all = Vec::new();
    for configuration in configuration::with_bytecode() {
        let is_native = !configuration.options().target.isa().is_bytecode();
        for register in [ContextRegister::Pinned, ContextRegister::Parameter] {
            for checks in [StackChecks::Explicit, StackChecks::Guard] {
                if !is_native && checks == StackChecks::Guard {
                    continue;
                }
                let mut options = configuration.options();
                options.context_register = Some(register);
                options.stack_checks = checks;
                let label = format!("{}, {register:?}, {}", configuration.name, checks.name());
                all.push((label, options));
            }
        }
    }
    all
}

fn artifact(wat: &str, options: &Options) -> Vec<u8> {
    let wasm = wat::parse_str(wat).unwrap();
    compile(&wasm, options, &Silent).unwrap().artifact
}

fn load(runtime: &Runtime, wat: &str, options: &Options) -> Module {
    let bytes = artifact(wat, options);
    runtime.load_named_by_user(Source::copied(&bytes)).unwrap()
}

fn imports(runtime: &Runtime) -> Imports {
    let mut imports = Imports::new(runtime);
    let host = |_: &mut Caller<'_>, value: i32| -> i32 {
        // Host functions run elsewhere, and may use what the thread has.
        value + i32::from(std::hint::black_box([0u8; 20_000])[77])
    };
    imports.func("host", "f", host).unwrap();
    imports
}

/// The bound in bytes and the size of a region that is enough.
fn bounded(depth: Option<StackDepth>) -> (usize, usize) {
    match depth {
        Some(StackDepth::Bounded { bytes, region, .. }) => (bytes, region),
        other => panic!("no bound: {other:?}"),
    }
}

/// Calls `f` with an argument on a region that is just enough; what it used, and the bound.
fn measure(wat: &str, argument: i32, label: &str, options: &Options) -> (usize, usize) {
    let runtime = Runtime::system().unwrap();
    let module = load(&runtime, wat, options);
    let (bytes, region) = bounded(module.stack_depth("f"));
    let instance = module
        .instantiate(&imports(&runtime), InstanceOptions::default())
        .unwrap();
    // On a region of the host's, whose ends need not be aligned.
    let mut memory = vec![std::mem::MaybeUninit::new(0u8); region + 1];
    let guard = options.stack_checks == StackChecks::Guard;
    let stack = match guard {
        true => Stack::Bytes(region),
        false => Stack::Region(&mut memory[1..]),
    };
    let mut environment: ExecutionEnvironment<'_> = instance.execution_environment(stack).unwrap();
    environment.measure_stack();
    let function = instance.untyped_func("f").unwrap();
    let mut results = [Value::I32(0)];
    let called = function.call(&mut environment, &[Value::I32(argument)], &mut results);
    called
        .unwrap_or_else(|error| panic!("{label}: {error:?} with {bytes} of {region} bytes\n{wat}"));
    (environment.stack_high_water().unwrap(), bytes)
}

/// The largest part of the bound that a run may leave unused: spills that it does not write, the
/// other register's save area.
const SLACK: usize = 160;

/// Runs pure code everywhere: within the bound, and close to it.
fn check_pure(wat: &str, argument: i32) {
    check_with_slack(wat, argument, SLACK);
}

fn check_with_slack(wat: &str, argument: i32, slack: usize) {
    for (label, options) in configurations() {
        let (used, bytes) = measure(wat, argument, &label, &options);
        assert!(used <= bytes, "{label}: {used} of {bytes} bytes\n{wat}");
        // Up to 304 bytes of a bound of 960 were seen to stay unused by bytecode.
        let near = match options.target.is_bytecode() {
            true => 2 * used >= bytes,
            false => used + slack >= bytes,
        };
        assert!(near, "{label}: {used} of {bytes} bytes\n{wat}");
    }
}

/// Runs code that calls the loader or the host: what these use in the margin is not in the bound.
fn check_with_libcalls(wat: &str, argument: i32) {
    for (label, options) in configurations() {
        let (used, bytes) = measure(wat, argument, &label, &options);
        assert!(
            used <= bytes + LIBCALL_STACK_MARGIN,
            "{label}: {used} of {bytes} bytes\n{wat}"
        );
    }
}

#[test]
fn a_leaf() {
    check_pure(
        "(module (func (export \"f\") (param i32) (result i32) (local.get 0)))",
        1,
    );
}

/// A function with so many values alive across a call.
fn wide(name: &str, count: usize, callee: &str) -> String {
    let locals = " i64".repeat(count);
    let sets: String = (0..count)
        .map(|index| {
            let local = index + 1;
            format!("(local.set {local} (i64.load (i32.const {})))", index * 8)
        })
        .collect();
    let sums: String = (0..count)
        .map(|index| format!("(i64.add (local.get {})", index + 1))
        .collect();
    let close = ")".repeat(count);
    format!(
        "(func ${name} (param i32) (result i32) (local{locals}) {sets}
           (i32.add (call ${callee} (local.get 0))
             (i32.wrap_i64 {sums} (i64.const 0) {close})))"
    )
}

#[test]
fn a_chain_and_a_diamond() {
    let [a, b, c] = [wide("a", 9, "b"), wide("b", 30, "c"), wide("c", 2, "d")];
    let leaf = "(func $d (param i32) (result i32) (i32.add (local.get 0) (i32.const 1)))";
    check_pure(
        &format!(
            "(module (memory 1) {a} {b} {c} {leaf}
               (func (export \"f\") (param i32) (result i32) (call $a (local.get 0))))"
        ),
        1,
    );
    check_pure(
        &format!(
            "(module (memory 1) {b} {c} {leaf}
               (func (export \"f\") (param i32) (result i32)
                 (i32.add (call $c (local.get 0)) (call $b (local.get 0)))))"
        ),
        1,
    );
}

#[test]
fn a_large_frame() {
    // Larger than half of the reserve: a stub checks before the frame is taken. Or pages are
    // probed, where a guard page is the end; the last probe may lie below the frame.
    let large = wide("large", 1500, "leaf");
    let leaf = "(func $leaf (param i32) (result i32) (local.get 0))";
    let f = "(func (export \"f\") (param i32) (result i32) (call $large (local.get 0)))";
    check_with_slack(
        &format!("(module (memory 1) {large} {leaf} {f})"),
        1,
        2048 + SLACK,
    );
    // The stub is the last to ask.
    let f = "(export \"f\" (func $large))";
    check_with_slack(
        &format!("(module (memory 1) {large} {leaf} {f})"),
        1,
        2048 + SLACK,
    );
}

#[test]
fn an_indirect_call_reaches_the_functions_of_its_type() {
    let deep = wide("deep", 20, "leaf");
    let wat = format!(
        "(module (memory 1) (table 3 funcref) (elem (i32.const 0) $leaf $deep $other)
           (type $t (func (param i32) (result i32)))
           (func $leaf (type $t) (local.get 0))
           {deep}
           (func $other (result i32) (call $other))
           (func (export \"f\") (param i32) (result i32)
             (call_indirect (type $t) (local.get 0) (local.get 0))))"
    );
    check_pure(&wat, 1);
    let nothing = "(module (table 1 funcref) (func $g)
       (elem (i32.const 0) $g)
       (func (export \"f\") (param i32) (result i32)
         (if (local.get 0) (then (drop (call_indirect (result i64) (i32.const 0)))))
         (local.get 0)))";
    check_pure(nothing, 0);
}

#[test]
fn tail_calls_in_a_circle_are_bounded() {
    let wat = "(module
      (func $even (export \"f\") (param i32) (result i32)
        (if (i32.eqz (local.get 0)) (then (return (i32.const 1))))
        (return_call $odd (i32.sub (local.get 0) (i32.const 1))))
      (func $odd (param i32) (result i32)
        (if (i32.eqz (local.get 0)) (then (return (i32.const 0))))
        (return_call $even (i32.sub (local.get 0) (i32.const 1)))))";
    check_pure(wat, 100_000);
}

/// A tail call to a function with so many parameters of a type.
fn tail_to_many(count: usize, ty: &str) -> String {
    let params = format!(" {ty}").repeat(count);
    let zero = match ty {
        "v128" => "(v128.const i64x2 0 0)".to_owned(),
        ty => format!("({ty}.const 0)"),
    };
    let zeros = zero.repeat(count);
    let deep = wide("deep", 12, "leaf");
    format!(
        "(module (memory 1) (table 1 funcref) (elem (i32.const 0) $many)
           (type $many (func (param i32{params}) (result i32)))
           (func $leaf (param i32) (result i32) (local.get 0))
           {deep}
           (func $many (type $many)
             (if (i32.eqz (local.get 0)) (then (return (call $deep (i32.const 0)))))
             (return_call $few (i32.sub (local.get 0) (i32.const 1))))
           (func $few (param i32) (result i32)
             (if (i32.and (local.get 0) (i32.const 1))
               (then (return_call_indirect (type $many) (local.get 0) {zeros} (i32.const 0))))
             (return_call $many (local.get 0) {zeros}))
           (func (export \"f\") (param i32) (result i32)
             (i32.add (call $few (local.get 0)) (call $few (local.get 0)))))"
    )
}

#[test]
fn tail_calls_with_arguments_on_the_stack() {
    for (count, ty) in [
        (5, "i32"),
        (6, "i64"),
        (7, "i64"),
        (40, "i64"),
        (9, "f64"),
        (30, "f32"),
    ] {
        check_pure(&tail_to_many(count, ty), 1000);
    }
    for count in [8, 9, 33] {
        check_pure(&tail_to_many(count, "v128"), 1000);
    }
    // The pages of the place for arguments are probed where a guard page is the end.
    check_with_slack(&tail_to_many(990, "i64"), 1000, 2048 + SLACK);
}

#[test]
fn many_arguments_and_results_of_ordinary_calls() {
    let params = " i64".repeat(300);
    let zeros = "(i64.const 0)".repeat(300);
    let drops = "drop ".repeat(100);
    let results = " i64".repeat(100);
    let back: String = (0..100)
        .map(|index| format!("(local.get {index})"))
        .collect();
    let wat = format!(
        "(module
           (func $many (param{params}) (result{results}) {back})
           (func (export \"f\") (param i32) (result i32)
             {zeros} (call $many) {drops} (local.get 0)))"
    );
    for (label, options) in configurations() {
        let (used, bytes) = measure(&wat, 1, &label, &options);
        assert!(used <= bytes, "{label}: {used} of {bytes}");
    }
}

#[test]
fn imported_functions_count_to_the_border() {
    let import = "(import \"host\" \"f\" (func $host (param i32) (result i32)))";
    let direct = format!(
        "(module {import}
           (func (export \"f\") (param i32) (result i32) (call $host (local.get 0))))"
    );
    check_with_libcalls(&direct, 1);
    let tail = format!(
        "(module {import}
           (func (export \"f\") (param i32) (result i32) (return_call $host (local.get 0))))"
    );
    check_with_libcalls(&tail, 1);
    let indirect = format!(
        "(module {import} (table 1 funcref) (elem (i32.const 0) $host)
           (func (export \"f\") (param i32) (result i32)
             (call_indirect (param i32) (result i32) (local.get 0) (i32.const 0))))"
    );
    check_with_libcalls(&indirect, 1);
    let runtime = Runtime::system().unwrap();
    for wat in [direct, tail, indirect] {
        let module = load(&runtime, &wat, &configuration::ALL[1].options());
        let depth = module.stack_depth("f").unwrap();
        assert!(
            matches!(depth, StackDepth::Bounded { imports: true, .. }),
            "{depth:?}"
        );
    }
}

#[test]
fn libcalls_run_in_the_margin() {
    let wat = "(module (memory 1 3) (table $t 1 10 funcref)
       (func $grow (param i32) (result i32)
         (drop (memory.grow (local.get 0)))
         (memory.fill (i32.const 0) (i32.const 1) (i32.const 5000))
         (table.grow $t (ref.null func) (i32.const 2)))
       (func (export \"f\") (param i32) (result i32) (call $grow (local.get 0))))";
    check_with_libcalls(wat, 1);
}

#[test]
fn the_start_function_has_a_bound() {
    for (label, options) in configurations() {
        let runtime = Runtime::system().unwrap();
        let wide = wide("wide", 25, "leaf");
        let wat = format!(
            "(module (memory 1) {wide}
               (func $leaf (param i32) (result i32) (local.get 0))
               (func $start (drop (call $wide (i32.const 1))))
               (start $start))"
        );
        let module = load(&runtime, &wat, &options);
        let (bytes, region) = bounded(module.start_stack_depth());
        let mut environment = ExecutionEnvironment::new(&runtime, Stack::Bytes(region)).unwrap();
        environment.measure_stack();
        let options = InstanceOptions::default();
        module
            .instantiate_in(&mut environment, &imports(&runtime), options)
            .unwrap();
        let used = environment.stack_high_water().unwrap();
        assert!(used <= bytes, "{label}: {used} of {bytes}");
        assert!(used + SLACK >= bytes, "{label}: {used} of {bytes}");
        assert_eq!(module.stack_depth("f"), None);
    }
}

/// What the loader says of `f`.
fn depth(wat: &str) -> StackDepth {
    let runtime = Runtime::system().unwrap();
    let module = load(&runtime, wat, &configuration::ALL[1].options());
    module.stack_depth("f").unwrap()
}

#[test]
fn recursion_is_named() {
    let itself = "(module (func) (func $f (export \"f\") (call $f)))";
    assert!(matches!(
        depth(itself),
        StackDepth::Recursion { function: 1, .. }
    ));
    let mutual = "(module
      (func (export \"f\") (call $a))
      (func $a (call $b) (call $c)) (func $b (call $c)) (func $c (call $a)))";
    // The shortest cycle: a and c.
    assert!(matches!(
        depth(mutual),
        StackDepth::Recursion {
            function: 1 | 3,
            ..
        }
    ));
    let indirect = "(module (table 1 funcref) (elem (i32.const 0) $a)
      (func (export \"f\") (call $a))
      (func $a (call_indirect (i32.const 0))))";
    assert!(matches!(
        depth(indirect),
        StackDepth::Recursion { function: 1, .. }
    ));
    // One ordinary call among tail calls is enough.
    let mixed = "(module
      (func $f (export \"f\") (return_call $g))
      (func $g (call $f)))";
    assert!(matches!(depth(mixed), StackDepth::Recursion { .. }));
}

#[test]
fn callees_that_are_not_known_are_named() {
    let call = "(func) (func (export \"f\") (call_indirect (i32.const 0)))";
    let unknown = |wat: String| match depth(&wat) {
        StackDepth::UnknownCallee { function, .. } => assert_eq!(function, 1, "{wat}"),
        other => panic!("{other:?}: {wat}"),
    };
    unknown(format!("(module {call} (table (export \"t\") 1 funcref))"));
    unknown(format!(
        "(module (import \"a\" \"t\" (table 1 funcref)) {call})"
    ));
    // References from elsewhere flow into the table: by an argument, by a copy, by a global.
    unknown(format!(
        "(module {call} (table 1 funcref)
           (func (export \"set\") (param funcref) (table.set (i32.const 0) (local.get 0))))"
    ));
    unknown(format!(
        "(module {call} (table 1 funcref) (table $open (export \"t\") 1 funcref)
           (func (table.copy 0 $open (i32.const 0) (i32.const 0) (i32.const 1))))"
    ));
    unknown(format!(
        "(module (import \"a\" \"g\" (global $g funcref)) {call} (table 1 funcref)
           (elem (i32.const 0) funcref (global.get $g)))"
    ));
    // A table of its own is known, whatever it does with it.
    let own = "(module (table 1 funcref) (table $other 1 funcref)
       (elem declare func $leaf)
       (func $leaf)
       (func (export \"f\")
         (table.set $other (i32.const 0) (ref.func $leaf))
         (table.copy 0 $other (i32.const 0) (i32.const 0) (i32.const 1))
         (call_indirect (i32.const 0))))";
    let own = own.replace(
        "(call_indirect (i32.const 0))",
        "(call_indirect 0 (i32.const 0))",
    );
    let StackDepth::Recursion { function, .. } = depth(&own) else {
        // `f` is referenced as well, because it is exported: the table might hold it.
        panic!("{:?}", depth(&own));
    };
    assert_eq!(function, 1);
    let typed = own
        .replace("(func $leaf)", "(func $leaf (param i64))")
        .replace(
            "(call_indirect 0 (i32.const 0))",
            "(call_indirect 0 (param i64) (i64.const 0) (i32.const 0))",
        );
    assert!(matches!(
        depth(&typed),
        StackDepth::Bounded { imports: false, .. }
    ));
}

#[test]
fn what_is_not_an_export_of_the_module_has_no_depth() {
    let runtime = Runtime::system().unwrap();
    let wat = "(module (import \"host\" \"f\" (func $host (param i32) (result i32)))
       (memory (export \"memory\") 1) (export \"host\" (func $host)) (func (export \"f\")))";
    let module = load(&runtime, wat, &configuration::ALL[1].options());
    for name in ["host", "memory", "none"] {
        assert_eq!(module.stack_depth(name), None);
    }
    assert_eq!(module.start_stack_depth(), None);
    assert!(module.stack_depth("f").is_some());
}

#[test]
fn a_chain_of_thousands() {
    // Deep enough for any recursion of the compiler's to show.
    let count = 20_000;
    let mut wat = String::from("(module (func (export \"f\") (call 1))");
    for index in 1..count {
        wat.push_str(&format!("(func (call {}))", index + 1));
    }
    wat.push_str("(func))");
    let mut options = configuration::ALL[0].options();
    options.threads = None;
    let bytes = artifact(&wat, &options);
    let artifact = Artifact::parse(&bytes).unwrap();
    let frames: u32 = artifact.functions().iter().map(|it| it.frame_size).sum();
    let first = artifact.function_depths().get(0).unwrap();
    assert_eq!(first.depth, Some(frames));
    let Some(stack_depth::StackDepth::Bytes { bytes, imports }) = artifact.stack_depth(0) else {
        panic!("{:?}", artifact.stack_depth(0));
    };
    assert!(!imports && bytes > frames && bytes < frames + 200);
    // One call back to the first, and none of them has a bound.
    let looping = wat.replace("(func))", "(func (call 0)))");
    let bytes = self::artifact(&looping, &options);
    let artifact = Artifact::parse(&bytes).unwrap();
    assert!(artifact.function_depths().iter().all(|function| {
        function.depth.is_none() && matches!(function.step, DepthStep::Call { .. })
    }));
}

#[test]
fn a_limit_refuses_what_may_not_fit() {
    let refusal = |wat: &str, limit: u64| {
        let mut options = configuration::ALL[1].options();
        options.max_stack = Some(limit);
        let wasm = wat::parse_str(wat).unwrap();
        compile(&wasm, &options, &Silent).err()
    };
    let chain =
        "(module (func $leaf) (func $middle (call $leaf)) (func (export \"f\") (call $middle)))";
    let runtime = Runtime::system().unwrap();
    let module = load(&runtime, chain, &configuration::ALL[1].options());
    let region = module.stack_depth("f").unwrap().region().unwrap() as u64;
    assert_eq!(refusal(chain, region), None);
    let error = refusal(chain, region - 1).unwrap();
    assert_eq!(error.kind, ErrorKind::Limit);
    let path = "`f` needs a stack of";
    assert!(error.message.starts_with(path), "{error}");
    assert!(
        error.message.ends_with("`f` -> `middle` -> `leaf`"),
        "{error}"
    );

    let cycle = "(module (func $a (export \"f\") (call $b)) (func $b (call $a)))";
    let error = refusal(cycle, 1 << 40).unwrap();
    assert!(error.message.contains("cycle `a` -> `b` -> `a`"), "{error}");
    assert!(error.offset.is_some() && error.function.is_some());
    let open = "(module (table (export \"t\") 1 funcref)
       (func $a (export \"f\") (call_indirect (i32.const 0))))";
    let error = refusal(open, 1 << 40).unwrap();
    assert!(
        error.message.contains("`a` calls through a table"),
        "{error}"
    );
}

#[test]
fn a_program_that_prints_runs_on_a_stack_that_is_just_enough() {
    let wat = "(module
      (import \"wasi_snapshot_preview1\" \"fd_write\"
        (func $write (param i32 i32 i32 i32) (result i32)))
      (memory (export \"memory\") 1)
      (data (i32.const 0) \"\\08\\00\\00\\00\\03\\00\\00\\00ok\\n\")
      (func (export \"_start\")
        (drop (call $write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 16)))))";
    let runtime = Runtime::system().unwrap();
    for (label, options) in configurations() {
        let bytes = artifact(wat, &options);
        let module = runtime.load_named_by_user(Source::copied(&bytes)).unwrap();
        let (_, region) = bounded(module.stack_depth("_start"));
        let file = Path::new(env!("CARGO_TARGET_TMPDIR")).join("prints.precast");
        std::fs::write(&file, &bytes).unwrap();
        let output = Command::new(env!("CARGO_BIN_EXE_precast-under-test"))
            .args(["run", &format!("--stack-size={region}")])
            .arg(&file)
            .output()
            .unwrap();
        assert_eq!(output.stdout, b"ok\n", "{label}: {output:?}");
    }
}

/// Real programs: where the compiler gives one a bound, a run keeps to it, on a stack that is just
/// enough.
#[test]
fn programs_of_the_corpus() {
    let Some(folder) = corpus::folder() else {
        return;
    };
    let runtime = Runtime::system().unwrap();
    let (mut bounded_programs, mut bounded_functions, mut functions) = (0, 0, 0);
    for program in corpus::programs(&folder) {
        let wasm = std::fs::read(folder.join(&program.wasm)).unwrap();
        let mut options = configuration::ALL[1].options();
        options.threads = None;
        let bytes = compile(&wasm, &options, &Silent).unwrap().artifact;
        let artifact = Artifact::parse(&bytes).unwrap();
        let depths = artifact.function_depths();
        let with_bound = depths.iter().filter(|it| it.depth.is_some()).count();
        functions += depths.len() as usize;
        bounded_functions += with_bound;
        // 2 % is what the tables of depths may add to an artifact.
        let sections = [SectionId::StackBounds, SectionId::FunctionDepths];
        let added: u32 = sections.iter().map(|id| artifact.section(*id).size).sum();
        assert!(
            u64::from(added) * 50 < bytes.len() as u64,
            "{}",
            program.name
        );
        let module = runtime.load_named_by_user(Source::copied(&bytes)).unwrap();
        let depth = module.stack_depth("_start");
        println!(
            "{:12} {with_bound:5} of {:5} functions have a bound; _start: {depth:?}",
            program.name,
            depths.len()
        );
        let Some(StackDepth::Bounded {
            bytes: bound,
            region,
            ..
        }) = depth
        else {
            continue;
        };
        bounded_programs += 1;
        let scratch = Path::new(env!("CARGO_TARGET_TMPDIR")).join("depth.precast");
        std::fs::write(&scratch, &bytes).unwrap();
        let profile = scratch.with_extension("json");
        let options = [
            format!("--stack-size={region}"),
            "--measure-stacks".to_owned(),
            format!("--memory-profile-json={}", profile.display()),
        ];
        let result = program.run(
            env!("CARGO_BIN_EXE_precast-under-test"),
            &folder,
            &options,
            &scratch,
        );
        assert_eq!(
            result,
            Ok(()),
            "{}: {bound} of {region} bytes",
            program.name
        );
        println!("{}", std::fs::read_to_string(profile).unwrap());
    }
    println!(
        "{bounded_programs} programs have a bound; {bounded_functions} of {functions} functions"
    );
    assert!(bounded_functions * 2 > functions);
}
