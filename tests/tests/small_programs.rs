//! What the smallest programs take, in a pool with all that the pool adds: the figures of
//! `docs/memory.md`, and the marks that they have to stay below.

use precast_compiler::{Options, Silent, Target};
use precast_format::tunables::BoundsChecks;
use precast_loader::plan::{Plan, PlanOptions, Stage};
use precast_loader::{
    Allocator, Category, Imports, InstanceOptions, Runtime, RuntimeOptions, Source, Stack,
};
use std::mem::MaybeUninit;
use std::ptr::NonNull;

/// A module of 71 bytes that adds.
const ADDER: &str = r#"(module
  (@custom "about" "adds two numbers, fast")
  (func (export "add") (param i32 i32) (result i32) local.get 0 local.get 1 i32.add))"#;

/// A program as a linker for C leaves it, with 2 KB of data and stack.
const SHRINKABLE: &str = r#"(module
  (memory (export "memory") 2)
  (global $stack (mut i32) (i32.const 1024))
  (global (export "__data_end") i32 (i32.const 2040))
  (global (export "__heap_base") i32 (i32.const 2048))
  (data (i32.const 1024) "\2a\00\00\00\07\00\00\00")
  (func (export "add") (param i32 i32) (result i32)
    (i32.add (i32.load offset=1024 (i32.const 0))
      (i32.add (local.get 0) (i32.sub (local.get 1) (i32.const 42))))))"#;

/// The stack of the execution environment.
const STACK: usize = 8 << 10;

fn compile(text: &str, shrink: bool) -> (usize, Vec<u8>) {
    let wasm = wat::parse_str(text).expect("the text is a module");
    let mut options = Options::new(Target::host().expect("code can be made for this machine"));
    options.bounds_checks = BoundsChecks::Explicit;
    options.shrink_memory = shrink;
    let compiled = precast_compiler::compile(&wasm, &options, &Silent);
    (wasm.len(), compiled.expect("the module is valid").artifact)
}

fn plan(artifact: &[u8]) -> Plan {
    let mut options = PlanOptions::default();
    options.stack = Some(STACK);
    Plan::new(artifact, &options).expect("it is an artifact for this machine")
}

/// Goes all the way in a pool of the planned size and tells how much of it is taken after each
/// stage.
fn taken(artifact: &'static [u8], pool: usize) -> Vec<(Stage, usize)> {
    let mut region = vec![MaybeUninit::<u128>::uninit(); pool / 16];
    let start = NonNull::from(&mut *region).cast();
    // SAFETY: the region is this function's, and outlives what is made of it.
    let allocator = unsafe { Allocator::pool_at(start, pool) }.expect("the plan is enough");
    let taken = || pool - allocator.pool_usage().map_or(0, |usage| usage.free);
    let runtime = Runtime::with_allocator(allocator.clone(), RuntimeOptions::default());
    let runtime = runtime.expect("the plan is enough");
    let mut stages = vec![(Stage::Runtime, taken())];
    let module = runtime.load_named_by_user(Source::borrowed(artifact));
    let module = module.expect("the plan is enough");
    stages.push((Stage::Loaded, taken()));
    let imports = Imports::for_module(&module).expect("the plan is enough");
    let instance = module.instantiate(&imports, InstanceOptions::default());
    let instance = instance.expect("the plan is enough");
    stages.push((Stage::Instantiated, taken()));
    let mut environment = instance
        .execution_environment(Stack::Bytes(STACK))
        .expect("the plan is enough");
    stages.push((Stage::Environment, taken()));
    let add = instance
        .func::<(i32, i32), i32>("add")
        .expect("it is exported");
    assert_eq!(add.call(&mut environment, (2, 3)).expect("it adds"), 5);
    assert_eq!(
        stages.last().map(|(_, bytes)| *bytes),
        Some(taken()),
        "a call takes nothing"
    );
    stages
}

/// The bytes of all categories that a pool serves, after a stage of the plan.
fn planned(plan: &Plan, stage: Stage) -> usize {
    let served = Category::ALL
        .iter()
        .filter(|category| **category != Category::Code);
    served
        .map(|category| plan.usage(stage, *category).current)
        .sum()
}

fn print(name: &str, plan: &Plan, stages: &[(Stage, usize)], pool: usize) {
    println!(
        "{name}\n{:<24} {:>10} {:>22}",
        "after", "planned", "taken of the pool"
    );
    for (stage, bytes) in stages {
        println!(
            "{:<24} {:>10} {bytes:>22}",
            stage.name(),
            planned(plan, *stage)
        );
    }
    println!("{:<24} {:>10} {pool:>22}\n", "pool", "");
}

#[test]
fn a_module_that_adds_stays_below_the_marks() {
    let (size, artifact) = compile(ADDER, false);
    assert_eq!(size, 71);
    let plan = plan(&artifact);
    let pool = plan.pool_bytes().expect("there is such a pool");
    let stages = taken(artifact.leak(), pool);
    print("a module of 71 bytes", &plan, &stages, pool);
    // What loading, instantiating and an environment add to the runtime, headers of blocks included.
    let runtime = stages[0].1;
    let marks = [
        (Stage::Loaded, 880),
        (Stage::Instantiated, 1520),
        (Stage::Environment, 10_144),
    ];
    for ((stage, bytes), (marked, mark)) in stages[1..].iter().zip(marks) {
        assert_eq!(*stage, marked);
        let added = bytes - runtime;
        assert!(
            added < mark,
            "{}: {added} bytes, and the mark is {mark}",
            stage.name()
        );
    }
}

#[test]
fn a_program_of_2_kb_takes_less_than_16_kb_in_all() {
    let (_, artifact) = compile(SHRINKABLE, true);
    let plan = plan(&artifact);
    let pool = plan.pool_bytes().expect("there is such a pool");
    let stages = taken(artifact.leak(), pool);
    print(
        "a program of 2 KB, cut to its heap base",
        &plan,
        &stages,
        pool,
    );
    assert!(pool < 16 << 10);
    assert_eq!(
        plan.usage(Stage::Environment, Category::LinearMemory)
            .current,
        2048
    );
    assert_eq!(
        plan.usage(Stage::Environment, Category::CallStack).current,
        STACK
    );
}
