//! A memory that is cut to `__heap_base`: which modules qualify, and what such a memory does.
#![forbid(unsafe_code)]

use std::mem::MaybeUninit;

use precast_compiler::{CompileError, ErrorKind, Options, Silent, Target};
use precast_format::tunables::BoundsChecks;
use precast_loader::{
    CallError, Category, Imports, Instance, InstanceOptions, Runtime, RuntimeOptions, Source,
    Stack, TrapCode,
};

/// A program as a linker for C leaves it: data from 1024 on, a stack below, 2 KB in all.
const PROGRAM: &str = r#"(module
  (memory (export "memory") 2)
  (global $stack (mut i32) (i32.const 1024))
  (global (export "__data_end") i32 (i32.const 1040))
  (global (export "__heap_base") i32 (i32.const 2042))
  (data (i32.const 1024) "\2a\00\00\00\07\00\00\00")
  (func (export "load") (param i32) (result i32) (i32.load (local.get 0)))
  (func (export "store") (param i32 i32) (i32.store (local.get 0) (local.get 1)))
  (func (export "fill") (param i32 i32) (memory.fill (local.get 0) (i32.const 1) (local.get 1))))"#;

/// 2,042 bytes, rounded up to 16.
const SIZE: usize = 2048;

fn compile_with(text: &str, change: impl FnOnce(&mut Options)) -> Result<Vec<u8>, CompileError> {
    let buffer = wast::parser::ParseBuffer::new(text).unwrap();
    let wasm = wast::parser::parse::<wast::Wat<'_>>(&buffer)
        .unwrap()
        .encode()
        .unwrap();
    let mut options = Options::new(Target::host().unwrap());
    options.shrink_memory = true;
    change(&mut options);
    precast_compiler::compile(&wasm, &options, &Silent).map(|compiled| compiled.artifact)
}

fn compile(text: &str) -> Result<Vec<u8>, CompileError> {
    compile_with(text, |_| {})
}

fn instantiate(runtime: &Runtime, artifact: Vec<u8>) -> Instance {
    let module = runtime
        .load_named_by_user(Source::borrowed(artifact.leak()))
        .unwrap();
    module
        .instantiate(&Imports::new(runtime), InstanceOptions::default())
        .unwrap()
}

/// The whole life of the program.
fn behaves(instance: &Instance) {
    let mut environment = instance.execution_environment(Stack::Caller).unwrap();
    let load = instance.func::<(i32,), i32>("load").unwrap();
    let store = instance.func::<(i32, i32), ()>("store").unwrap();
    let fill = instance.func::<(i32, i32), ()>("fill").unwrap();
    assert_eq!(load.call(&mut environment, (1024,)).unwrap(), 42);
    assert_eq!(load.call(&mut environment, (1028,)).unwrap(), 7);
    let last = SIZE as i32 - 4;
    store.call(&mut environment, (last, 9)).unwrap();
    assert_eq!(load.call(&mut environment, (last,)).unwrap(), 9);
    for beyond in [last + 1, SIZE as i32, 65536, 131068, -1] {
        let error = load.call(&mut environment, (beyond,)).unwrap_err();
        assert!(is_out_of_bounds(&error), "{beyond}: {error}");
    }
    fill.call(&mut environment, (0, SIZE as i32)).unwrap();
    let error = fill.call(&mut environment, (0, SIZE as i32 + 1));
    assert!(is_out_of_bounds(&error.unwrap_err()));
    let memory = instance.memory("memory").unwrap();
    assert_eq!(memory.len().unwrap(), SIZE);
    assert_eq!(memory.grow(1).unwrap(), None);
    assert_eq!(memory.grow(65536).unwrap(), None);
    assert_eq!(memory.len().unwrap(), SIZE);
}

fn is_out_of_bounds(error: &CallError) -> bool {
    matches!(error, CallError::Trap(trap) if trap.code() == TrapCode::MemoryOutOfBounds)
}

#[test]
fn a_program_runs_in_the_bytes_it_needs() {
    for checks in [BoundsChecks::Guard, BoundsChecks::Explicit] {
        let artifact = compile_with(PROGRAM, |options| options.bounds_checks = checks).unwrap();
        let runtime = Runtime::system().unwrap();
        let instance = instantiate(&runtime, artifact);
        assert_eq!(runtime.usage(Category::LinearMemory).current, SIZE);
        behaves(&instance);
    }
}

#[test]
fn a_program_of_2_kb_runs_in_a_pool_of_16_kb() {
    // Under either strategy, because accesses to a cut memory are compared anyway.
    for checks in [BoundsChecks::Guard, BoundsChecks::Explicit] {
        let artifact = compile_with(PROGRAM, |options| options.bounds_checks = checks).unwrap();
        let pool = vec![MaybeUninit::<u8>::uninit(); 16 << 10].leak();
        let runtime = Runtime::with_pool(pool, RuntimeOptions::default()).unwrap();
        let instance = instantiate(&runtime, artifact);
        behaves(&instance);
        assert!(runtime.pool_usage().unwrap().peak < 16 << 10);
    }
}

#[test]
fn images_of_a_cut_memory_end_before_it() {
    // The data is on pages that are whole, and on the last one, which is not.
    for address in [4096, 12300] {
        let text = format!(
            r#"(module (memory 1)
              (global (export "__data_end") i32 (i32.const 12310))
              (global (export "__heap_base") i32 (i32.const 12320))
              (data (i32.const {address}) "\09")
              (func (export "load") (param i32) (result i32) (i32.load8_u (local.get 0))))"#
        );
        let runtime = Runtime::system().unwrap();
        let instance = instantiate(&runtime, compile(&text).unwrap());
        let mut environment = instance.execution_environment(Stack::Caller).unwrap();
        let load = instance.func::<(i32,), i32>("load").unwrap();
        assert_eq!(load.call(&mut environment, (address,)).unwrap(), 9);
        assert!(load.call(&mut environment, (12320,)).is_err());
    }
}

#[test]
fn other_modules_are_refused_with_the_reason() {
    const BOUNDS: &str = r#"(global (export "__data_end") i32 (i32.const 16))
      (global (export "__heap_base") i32 (i32.const 32))"#;
    let cases = [
        (r#"(import "m" "m" (memory 1))"#, true, "imports it"),
        ("", true, "has none"),
        (
            "(memory 1) (func $f (drop (memory.grow (i32.const 1))))",
            true,
            "function 0, \"f\" contains memory.grow",
        ),
        (
            "(memory 1) (func (drop (memory.size)))",
            true,
            "contains memory.size",
        ),
        ("(memory 1)", false, "__data_end"),
        (
            r#"(memory 1) (global (export "__data_end") i32 (i32.const 16))
               (global (export "__heap_base") (mut i32) (i32.const 32))"#,
            false,
            "__heap_base",
        ),
        ("(memory 0)", true, "not in order"),
        (
            r#"(memory 1) (data (i32.const 30) "abc")"#,
            true,
            "data segment 0",
        ),
    ];
    for (body, bounds, reason) in cases {
        let bounds = if bounds { BOUNDS } else { "" };
        let error = compile(&format!("(module {body} {bounds})")).unwrap_err();
        assert_eq!(error.kind, ErrorKind::Options, "{error}");
        assert!(error.message.contains(reason), "{error}");
    }
}
