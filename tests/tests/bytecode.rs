//! Bytecode, as a user meets it: what is refused, how it stops, where it lies, what it takes. What it
//! has in common with native code is tested where that is: the specification, exceptions, backtraces,
//! stacks and plans run under both.
#![forbid(unsafe_code)]

use std::mem::MaybeUninit;
use std::process::Command;

use precast_compiler::{Options, Silent, Target, compile};
use precast_format::Artifact;
use precast_format::tunables::{BoundsChecks, StackChecks};
use precast_loader::plan::{Plan, PlanOptions};
use precast_loader::{
    CallError, Caller, Category, ExecutionEnvironment, HostError, Imports, Instance,
    InstanceOptions, LoadError, Module, Runtime, RuntimeOptions, Source, Stack, StackError,
    TrapCode,
};
use precast_tests::configuration::{ALL, BYTECODE};
use precast_tests::corpus;

/// The command.
const PRECAST: &str = env!("CARGO_BIN_EXE_precast-under-test");

/// Everything that a processor would trap by itself, and some that it would not.
const TRAPS: &str = r#"(module
  (memory 1) (table 1 funcref) (type $none (func))
  (func $f (export "divide") (param i32) (drop (i32.div_s (i32.const 1) (local.get 0))))
  (func (export "remainder") (param i32) (drop (i64.rem_u (i64.const 1) (i64.extend_i32_u (local.get 0)))))
  (func (export "overflow") (param i32) (drop (i32.div_s (i32.const 0x80000000) (i32.sub (local.get 0) (i32.const 1)))))
  (func (export "convert") (param i32) (drop (i32.trunc_f64_s (f64.const nan))))
  (func (export "convert much") (param i32) (drop (i64.trunc_f32_u (f32.const 1e30))))
  (func (export "load") (param i32) (drop (i32.load offset=65536 (local.get 0))))
  (func (export "widen") (param i32) (drop (v128.load8x8_s offset=65536 (local.get 0))))
  (func (export "call") (param i32) (call_indirect (type $none) (local.get 0)))
  (func (export "call beyond") (param i32) (call_indirect (type $none) (i32.const 7)))
  (func (export "stop") (param i32) unreachable)
  (func $deep (export "deep") (param i32) (call $deep (local.get 0)) (call $deep (local.get 0))))"#;

const EXPECTED: &[(&str, TrapCode)] = &[
    ("divide", TrapCode::IntegerDivideByZero),
    ("remainder", TrapCode::IntegerDivideByZero),
    ("overflow", TrapCode::IntegerOverflow),
    ("convert", TrapCode::InvalidConversionToInteger),
    ("convert much", TrapCode::IntegerOverflow),
    ("load", TrapCode::MemoryOutOfBounds),
    ("widen", TrapCode::MemoryOutOfBounds),
    ("call", TrapCode::UninitializedElement),
    ("call beyond", TrapCode::UndefinedElement),
    ("stop", TrapCode::Unreachable),
    ("deep", TrapCode::StackOverflow),
];

fn artifact(wat: &str, options: &Options) -> Vec<u8> {
    let wasm = wat::parse_str(wat).expect("the module is well formed");
    compile(&wasm, options, &Silent)
        .expect("it compiles")
        .artifact
}

fn module(runtime: &Runtime, wat: &str) -> Module {
    let artifact = artifact(wat, &BYTECODE.options());
    let module = runtime.load_named_by_user(Source::copied(&artifact));
    module.expect("the device accepts it")
}

fn instance(runtime: &Runtime, wat: &str, imports: &Imports) -> Instance {
    let instance = module(runtime, wat).instantiate(imports, InstanceOptions::default());
    instance.expect("it has what it imports")
}

fn trap(instance: &Instance, name: &str, stack: Stack<'_>) -> (TrapCode, String) {
    let function = instance.func::<(i32,), ()>(name).expect("it is exported");
    let mut environment = instance
        .execution_environment(stack)
        .expect("there is memory");
    match function.call(&mut environment, (0,)) {
        Err(CallError::Trap(trap)) => (trap.code(), trap.to_string()),
        other => panic!("{name}: {other:?}"),
    }
}

#[test]
fn traps_have_the_code_and_the_place_that_they_have_in_native_code() {
    let runtime = Runtime::system().expect("there is memory");
    let imports = Imports::new(&runtime);
    let bytecode = instance(&runtime, TRAPS, &imports);
    let native = artifact(TRAPS, &ALL[1].options());
    let native = runtime.load_named_by_user(Source::copied(&native));
    let native = native.expect("the device accepts it");
    let native = native.instantiate(&imports, InstanceOptions::default());
    let native = native.expect("it imports nothing");
    for (name, code) in EXPECTED {
        // On the frames of a recursion without an end there is no agreement.
        let is_deep = *code == TrapCode::StackOverflow;
        let (found, text) = trap(&bytecode, name, Stack::Caller);
        assert_eq!(found, *code, "{name}");
        if !is_deep {
            assert_eq!(trap(&native, name, Stack::Caller).1, text, "{name}");
        }
        for stack in [
            Stack::CallerBytes(64 << 10),
            Stack::Bytes(64 << 10),
            Stack::Region(&mut [MaybeUninit::uninit(); 64 << 10]),
        ] {
            assert_eq!(trap(&bytecode, name, stack).0, *code, "{name}");
        }
    }
    let usage = runtime.usage(Category::CallStack);
    assert_eq!((usage.current, usage.blocks), (0, 0));
    assert!(usage.peak >= 1 << 20, "{usage:?}");
}

#[test]
fn no_signal_and_no_guard_page_is_needed() {
    let options = RuntimeOptions::default().signals(false).guard_pages(false);
    let runtime = Runtime::system_with(options).expect("there is memory");
    let instance = instance(&runtime, TRAPS, &Imports::new(&runtime));
    for (name, code) in EXPECTED {
        assert_eq!(trap(&instance, name, Stack::Caller).0, *code, "{name}");
    }
}

/// Goes down to zero, from the host into code and back, and traps there; or throws.
const NESTED: &str = r#"(module
  (import "host" "down" (func $down (param i32) (result i32)))
  (tag $tag (param i32))
  (func (export "run") (param i32) (result i32)
    (if (i32.eqz (local.get 0)) (then (unreachable)))
    (if (i32.eq (local.get 0) (i32.const -1)) (then (throw $tag (i32.const 5))))
    (i32.add (call $down (local.get 0)) (i32.const 1)))
  (func (export "catch") (param i32) (result i32)
    (block $caught (result i32)
      (try_table (result i32) (catch $tag $caught) (call $down (local.get 0)))
      (return (i32.const 100)))))"#;

fn nested(runtime: &Runtime) -> Instance {
    let mut imports = Imports::new(runtime);
    let down = |caller: &mut Caller<'_>, left: i32| -> Result<i32, HostError> {
        let run = caller.instance().func::<(i32,), i32>("run")?;
        Ok(run.call(caller, (left - 1,))?)
    };
    imports.func("host", "down", down).expect("there is memory");
    instance(runtime, NESTED, &imports)
}

#[test]
fn calls_from_host_functions_go_on_below_on_the_same_region() {
    let runtime = Runtime::system().expect("there is memory");
    let instance = nested(&runtime);
    let run = instance.func::<(i32,), i32>("run").expect("it is exported");
    let mut region = vec![MaybeUninit::uninit(); 64 << 10];
    for stack in [Stack::Caller, Stack::Region(&mut region)] {
        let environment = ExecutionEnvironment::new(&runtime, stack);
        let mut environment = environment.expect("there is memory");
        environment.measure_stack();
        let error = run.call(&mut environment, (10,)).expect_err("it traps");
        let text = error.to_string();
        assert!(text.contains("unreachable"), "{text}");
        assert_eq!(
            text.matches("host function host.down").count(),
            10,
            "{text}"
        );
        // One region for all of them.
        assert!(runtime.usage(Category::CallStack).peak <= 1 << 20);
        if let Some(used) = environment.stack_high_water() {
            assert!(used > 10 * 64, "{used}");
        }
    }
}

#[test]
fn calls_without_end_through_the_host_end_in_a_trap() {
    let runtime = Runtime::system().expect("there is memory");
    let instance = nested(&runtime);
    for stack in [Stack::Caller, Stack::Bytes(32 << 10)] {
        let run = instance.func::<(i32,), i32>("run").expect("it is exported");
        let environment = instance.execution_environment(stack);
        let mut environment = environment.expect("there is memory");
        match run.call(&mut environment, (i32::MAX,)) {
            Err(CallError::Trap(trap)) => assert_eq!(trap.code(), TrapCode::StackOverflow),
            other => panic!("{other:?}"),
        }
        // The instance is as usable as before.
        let error = run.call(&mut environment, (1,)).expect_err("it traps");
        assert!(error.to_string().contains("unreachable"), "{error}");
    }
}

#[test]
fn exceptions_cross_the_host() {
    let runtime = Runtime::system().expect("there is memory");
    let instance = nested(&runtime);
    let catch = instance
        .func::<(i32,), i32>("catch")
        .expect("it is exported");
    let environment = instance.execution_environment(Stack::Caller);
    let mut environment = environment.expect("there is memory");
    assert_eq!(catch.call(&mut environment, (0,)).expect("it is caught"), 5);
}

#[test]
fn guard_pages_are_refused_by_name() {
    let target = || Target::new("pulley64").expect("it is known");
    let wasm = wat::parse_str(TRAPS).expect("the module is well formed");
    let mut options = Options::new(target());
    options.bounds_checks = BoundsChecks::Guard;
    let error = compile(&wasm, &options, &Silent).expect_err("there are no guard pages");
    let text = error.to_string();
    assert!(
        text.contains("bounds checks") && text.contains("pulley64"),
        "{text}"
    );
    let mut options = Options::new(target());
    options.stack_checks = StackChecks::Guard;
    let error = compile(&wasm, &options, &Silent).expect_err("there are no guard pages");
    assert!(error.to_string().contains("stack checks"), "{error}");
}

#[test]
fn what_bytecode_has_no_instruction_for_is_refused_by_name() {
    let wasm = wat::parse_str(TRAPS).expect("the module is well formed");
    let options = || Options::new(Target::new("pulley64").expect("it is known"));
    let mut interruptible = options();
    interruptible.interrupt_checks = Some(true);
    let error = compile(&wasm, &interruptible, &Silent).expect_err("there are no atomics");
    assert!(error.to_string().contains("interrupt checks"), "{error}");
    let mut masked = options();
    masked.heap_spectre_guard = true;
    let error = compile(&wasm, &masked, &Silent).expect_err("it is interpreted");
    assert!(error.to_string().contains("masked"), "{error}");
}

#[test]
fn threads_are_refused_by_name() {
    let wasm = wat::parse_str("(module (memory 1 1 shared))").expect("it is well formed");
    let options = Options::new(Target::new("pulley64").expect("it is known"));
    let error = compile(&wasm, &options, &Silent).expect_err("there are no atomics");
    assert!(error.to_string().contains("needs threads"), "{error}");
}

#[test]
fn pointers_and_byte_order_have_to_be_the_device_s() {
    let runtime = Runtime::system().expect("there is memory");
    let refusal = |target: &str| {
        let options = Options::new(Target::new(target).expect("it is known"));
        let artifact = artifact("(module (func (export \"f\")))", &options);
        let loaded = runtime.load_named_by_user(Source::copied(&artifact));
        loaded.map(drop).expect_err("it is for another device")
    };
    let is_little = cfg!(target_endian = "little");
    let (width, other) = match size_of::<usize>() {
        4 => (32, 64),
        _ => (64, 32),
    };
    let (same, foreign) = if is_little { ("", "be") } else { ("be", "") };
    let error = refusal(&format!("pulley{other}{same}"));
    assert!(matches!(error, LoadError::Isa { .. }), "{error}");
    let error = refusal(&format!("pulley{width}{foreign}"));
    assert!(matches!(error, LoadError::ByteOrder { .. }), "{error}");
}

#[test]
fn native_code_and_bytecode_are_not_linked() {
    let runtime = Runtime::system().expect("there is memory");
    let provider = "(module (func (export \"f\") (result i32) (i32.const 4)))";
    let user = r#"(module (import "m" "f" (func $f (result i32)))
      (func (export "g") (result i32) (call $f)))"#;
    let code = |wat: &str, options: &Options| {
        let artifact = artifact(wat, options);
        let module = runtime.load_named_by_user(Source::copied(&artifact));
        module.expect("the device accepts it")
    };
    let (native, bytecode) = (ALL[1].options(), BYTECODE.options());
    for (one, other, fits) in [
        (&native, &bytecode, false),
        (&bytecode, &native, false),
        (&bytecode, &bytecode, true),
    ] {
        let nothing = Imports::new(&runtime);
        let provider = code(provider, one).instantiate(&nothing, InstanceOptions::default());
        let provider = provider.expect("it imports nothing");
        let mut imports = Imports::new(&runtime);
        let f = provider.export("f").expect("it is exported");
        imports.define("m", "f", f).expect("there is memory");
        let linked = code(user, other).instantiate(&imports, InstanceOptions::default());
        match linked {
            Ok(instance) => {
                assert!(fits);
                let g = instance.func::<(), i32>("g").expect("it is exported");
                let environment = instance.execution_environment(Stack::Caller);
                let mut environment = environment.expect("there is memory");
                assert_eq!(g.call(&mut environment, ()).expect("it returns"), 4);
            }
            Err(error) => {
                assert!(!fits);
                let expected = StackError::Mixed.to_string();
                assert!(error.to_string().contains(&expected), "{error}");
            }
        }
    }
}

#[test]
fn bytecode_is_used_where_the_artifact_lies() {
    let runtime = Runtime::system().expect("there is memory");
    let artifact = artifact(TRAPS, &BYTECODE.options());
    let stays: &'static [u8] = artifact.clone().leak();
    let path = std::env::temp_dir().join(format!("bytecode-{}.precast", std::process::id()));
    std::fs::write(&path, &artifact).expect("there is a folder for such files");
    let load = |source: Source<'_>| {
        let module = runtime
            .load_named_by_user(source)
            .expect("the device accepts it");
        assert_eq!(runtime.usage(Category::Code).current, 0);
        let imports = Imports::new(&runtime);
        let instance = module.instantiate(&imports, InstanceOptions::default());
        let instance = instance.expect("it imports nothing");
        let code = TrapCode::IntegerDivideByZero;
        assert_eq!(trap(&instance, "divide", Stack::Caller).0, code);
        module.artifact_usage()
    };
    // What follows the text has served its purpose.
    let view = Artifact::parse(&artifact).expect("it was loaded");
    let kept = view.size_to_text();
    assert!(kept < artifact.len());
    assert_eq!(load(Source::borrowed(stays)).borrowed, kept);
    assert!(load(Source::file(&path)).mapped >= kept);
    assert_eq!(load(Source::copied(&artifact)).owned, kept);
    assert!(load(Source::given(stays.to_vec())).owned >= kept);
    std::fs::remove_file(&path).expect("it was just written");
}

#[test]
fn a_pool_of_the_planned_size_has_the_stack_for_a_call() {
    let start = "(module (func $f) (start $f) (func (export \"run\") (param i32) unreachable))";
    let artifact: &'static [u8] = artifact(start, &BYTECODE.options()).leak();
    let plan = Plan::new(artifact, &PlanOptions::default()).expect("it can be planned");
    let bytes = plan.pool_bytes().expect("it fits in a pool");
    assert!(
        (1 << 20..(1 << 20) + (16 << 10)).contains(&bytes),
        "{bytes}"
    );
    let run = |bytes: usize| -> Result<(), CallError> {
        let pool = vec![MaybeUninit::<u8>::uninit(); bytes + 16].leak();
        let skipped = pool.as_ptr().align_offset(16);
        let pool = &mut pool[skipped..][..bytes];
        let runtime = Runtime::with_pool(pool, RuntimeOptions::default())?;
        let module = runtime.load_named_by_user(Source::borrowed(artifact));
        let module = module.expect("the device accepts it");
        let imports = Imports::for_module(&module)?;
        let instance = module.instantiate(&imports, InstanceOptions::default());
        let instance = instance.map_err(|_| StackError::TooSmall { needed: 0 })?;
        let run = instance.func::<(i32,), ()>("run").expect("it is exported");
        let environment = instance.execution_environment(Stack::Caller);
        run.call(&mut environment?, (0,))
    };
    assert!(
        matches!(run(bytes), Err(CallError::Trap(_))),
        "{:?}",
        run(bytes)
    );
    assert!(!matches!(run(bytes - 16), Err(CallError::Trap(_))));
}

/// Programs of the corpus, with little to do: bytecode takes its time.
const PROGRAMS: &[(&str, &[&str])] = &[
    (
        "wasm/lua.wasm",
        &[
            "-e",
            "t = {} for i = 1, 2000 do t[i] = i / 3 end print(math.pi, ('x'):rep(9), #t, t[2000])",
        ],
    ),
    ("wasm/bzip2.wasm", &["-9", "-k", "-c", "data/bench.lua"]),
    ("wasm/cwebp-simd.wasm", &["-version"]),
];

#[test]
fn programs_print_what_they_print_as_native_code() {
    let Some(folder) = corpus::folder() else {
        return;
    };
    for (wasm, arguments) in PROGRAMS {
        let run = |target: &[&str]| {
            let mut command = Command::new(PRECAST);
            command.arg("run").args(target).args(["--dir", "data"]);
            command.arg(wasm).arg("--").args(*arguments);
            let output = command.current_dir(&folder).output();
            let output = output.expect("the command starts");
            let errors = String::from_utf8_lossy(&output.stderr).into_owned();
            assert!(output.status.success(), "{wasm}: {errors}");
            output.stdout
        };
        let native = run(&[]);
        assert!(!native.is_empty(), "{wasm}");
        assert!(run(&["--target", "pulley64"]) == native, "{wasm}");
    }
}
