//! Ten thousand lives in one pool: modules of different shapes are loaded, instantiated, run, grown
//! and dropped in random order. The pool does not wear out, and nothing of one life shows in the
//! next: each instance leaves poison in all that it has, and looks for that of others first.

#![cfg(all(target_arch = "x86_64", unix))]

#[path = "../../loader/tests/support/code/mod.rs"]
mod code;
#[path = "../../loader/tests/support/mod.rs"]
mod support;

use std::mem::MaybeUninit;

use precast_compiler::{Options, Silent, Target, compile};
use precast_format::tunables::BoundsChecks;
use precast_loader::{
    Allocator, CallError, Caller, Category, Imports, Instance, InstanceOptions, Memory, Runtime,
    RuntimeOptions, Source, Stack, TrapCode, Value,
};
use support::{memory_type, rich};

/// How many instances are alive at a time.
const SLOTS: usize = 3;

/// How often a memory grows at most.
const GROWTHS: usize = 2;

/// Where the random numbers begin.
const SEED: u64 = 0x2545_f491_4f6c_dd1d;

/// What every instance leaves behind.
const POISON: u8 = 0xa5;

/// A small memory with data, a table with elements, and a global.
const SMALL: &str = r#"(module
  (memory (export "memory") 1000 3000 (pagesize 1))
  (table (export "table") 10 40 funcref)
  (global (export "global") (mut i64) (i64.const 7))
  (data (i32.const 500) "data")
  (elem (i32.const 2) func $self)
  (func $self (export "self") (param i32) (result i32) (local.get 0))
  (func (export "grow") (param i32) (result i32) (memory.grow (local.get 0)))
  (func (export "grow_table") (param i32) (result i32)
    (table.grow (ref.null func) (local.get 0))))"#;

/// Two memories, passive segments, a start function, and calls of the host.
const LARGE: &str = r#"(module
  (import "env" "f" (func $f (param i32 i32) (result i32)))
  (memory $memory (export "memory") 4000 9000 (pagesize 1))
  (memory $other (export "other") 100 (pagesize 1))
  (table (export "table") 4 40 funcref)
  (global (export "global") (mut i64) (i64.const 7))
  (data $data "data")
  (elem $items func $many $start)
  (start $start)
  (func $start
    (memory.init $memory $data (i32.const 500) (i32.const 0) (i32.const 4))
    (table.init $items (i32.const 2) (i32.const 0) (i32.const 1)))
  (func $many (export "many")
    (param i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32) (result i32)
    (call $f (local.get 17) (local.get 0)))
  (func (export "self") (param i32) (result i32) (call $f (local.get 0) (i32.const 0)))
  (func (export "grow") (param i32) (result i32) (memory.grow $memory (local.get 0)))
  (func (export "grow_table") (param i32) (result i32)
    (table.grow (ref.null func) (local.get 0)))
  (func (export "trap") (unreachable)))"#;

/// A memory of a whole page, so that it can be guarded.
const PAGE: &str = r#"(module
  (memory (export "memory") 1 3)
  (table (export "table") 4 40 funcref)
  (global (export "global") (mut i64) (i64.const 7))
  (data (i32.const 500) "data")
  (elem (i32.const 2) func $self)
  (func $self (export "self") (param i32) (result i32) (local.get 0))
  (func (export "grow") (param i32) (result i32) (memory.grow (local.get 0)))
  (func (export "grow_table") (param i32) (result i32)
    (table.grow (ref.null func) (local.get 0))))"#;

/// What an artifact is, which says what can be done with it.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Shape {
    /// Compiled. By how much its memory is grown at a time.
    Compiled(u64),
    /// Made by hand, with code.
    Code,
    /// Made by hand, with some of everything and no code that can run.
    Rich,
}

struct Artifact {
    shape: Shape,
    bytes: Vec<u8>,
}

fn compiled(text: &str, bounds_checks: BoundsChecks, growth: u64) -> Artifact {
    let wasm = wat::parse_str(text).expect("the module is well formed");
    let mut options = Options::new(Target::host().expect("tests run where code can run"));
    options.bounds_checks = bounds_checks;
    Artifact {
        shape: Shape::Compiled(growth),
        bytes: compile(&wasm, &options, &Silent)
            .expect("it compiles")
            .artifact,
    }
}

/// Artifacts for any device.
fn explicit() -> Vec<Artifact> {
    vec![
        compiled(SMALL, BoundsChecks::Explicit, 700),
        compiled(LARGE, BoundsChecks::Explicit, 2000),
        Artifact {
            shape: Shape::Code,
            bytes: code::module().write().expect("it is well formed"),
        },
        Artifact {
            shape: Shape::Rich,
            bytes: rich().write().expect("it is well formed"),
        },
    ]
}

/// Artifacts with guarded memories.
fn guarded() -> Vec<Artifact> {
    vec![
        compiled(PAGE, BoundsChecks::Guard, 1),
        compiled(SMALL, BoundsChecks::Guard, 700),
        compiled(LARGE, BoundsChecks::Guard, 2000),
    ]
}

/// A sequence of numbers that is the same each time.
struct Random(u64);

impl Random {
    /// A number below the limit.
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        ((self.0 >> 11) % limit as u64) as usize
    }
}

/// Something that lives, and what it was made of.
struct Life {
    instance: Instance,
    shape: Shape,
    /// A memory of the host's that it imports.
    memory: Option<Memory>,
}

impl Life {
    /// Loads and instantiates; everything has its first value.
    fn new(runtime: &Runtime, artifact: &Artifact) -> Life {
        let module = runtime.load_named_by_user(Source::copied(&artifact.bytes));
        let module = module.expect("there is room");
        let mut imports = Imports::new(runtime);
        let memory = match artifact.shape {
            Shape::Rich => {
                let memory = Memory::new(runtime, memory_type(1, Some(3))).expect("there is room");
                imports
                    .memory("env", "memory", &memory)
                    .expect("there is room");
                let host = |_: &mut Caller<'_>, _: i32, _: f64| 0u128;
                imports.func("env", "func", host).expect("there is room");
                Some(memory)
            }
            _ => {
                let host = |_: &mut Caller<'_>, a: i32, _: i32| a;
                imports.func("env", "f", host).expect("there is room");
                None
            }
        };
        let instance = module.instantiate(&imports, InstanceOptions::default());
        let life = Life {
            instance: instance.expect("there is room"),
            shape: artifact.shape,
            memory,
        };
        life.expect_no_poison();
        life
    }

    /// Everything but data and elements is zero.
    fn expect_no_poison(&self) {
        if let Some(memory) = &self.memory {
            expect_zeros(memory, 0);
        }
        match self.shape {
            Shape::Compiled(_) => {
                let memory = self.instance.memory("memory").expect("it is exported");
                let mut data = [0; 504];
                memory.read(0, &mut data).expect("it is inside");
                assert!(data[..500].iter().all(|byte| *byte == 0));
                assert_eq!(data[500..], *b"data");
                expect_zeros(&memory, 504);
                if let Some(other) = self.instance.memory("other") {
                    expect_zeros(&other, 0);
                }
                let global = self.instance.global("global").expect("it is exported");
                assert!(matches!(global.get(), Ok(Value::I64(7))));
                let table = self.instance.table("table").expect("it is exported");
                for index in 0..table.size().expect("idle") {
                    let element = table.get(index).expect("idle").expect("it is inside");
                    assert_eq!(matches!(element, Value::FuncRef(None)), index != 2);
                }
            }
            Shape::Rich => {
                let memory = self.instance.memory("memory").expect("it is exported");
                expect_zeros(&memory, 5006);
            }
            Shape::Code => {}
        }
    }

    /// Calls what can be called, and grows what can grow.
    fn run(&self, growths: usize) {
        let mut environment = self.instance.execution_environment(Stack::Caller).unwrap();
        let Shape::Compiled(by) = self.shape else {
            if self.shape == Shape::Code {
                let add = self
                    .instance
                    .func::<(i32, i32), i32>("add")
                    .expect("exported");
                assert_eq!(add.call(&mut environment, (40, 2)).expect("no trap"), 42);
            }
            return;
        };
        let own = self.instance.func::<(i32,), i32>("self").expect("exported");
        assert_eq!(own.call(&mut environment, (42,)).expect("no trap"), 42);
        if let Ok(many) = self.instance.untyped_func("many") {
            let params: [Value; 18] = std::array::from_fn(|index| Value::I32(index as i32));
            let mut results = [Value::I32(0)];
            many.call(&mut environment, &params, &mut results)
                .expect("no trap");
            assert!(matches!(results, [Value::I32(17)]));
            let trap = self.instance.func::<(), ()>("trap").expect("exported");
            match trap.call(&mut environment, ()) {
                Err(CallError::Trap(trap)) => assert_eq!(trap.code(), TrapCode::Unreachable),
                other => panic!("{other:?}"),
            }
        }
        let memory = self.instance.memory("memory").expect("it is exported");
        for growth in 0..growths {
            let before = memory.len().expect("idle") as u64;
            if growth == 0 {
                let grow = self.instance.func::<(i32,), i32>("grow").expect("exported");
                let pages = grow.call(&mut environment, (by as i32,)).expect("no trap");
                assert_ne!(pages, -1, "there is room");
            } else {
                assert!(memory.grow(by).expect("idle").is_some(), "there is room");
            }
            assert!(memory.len().expect("idle") as u64 > before);
            expect_zeros(&memory, before.max(504));
        }
        let grow = self
            .instance
            .func::<(i32,), i32>("grow_table")
            .expect("exported");
        let size = grow.call(&mut environment, (20,)).expect("no trap");
        assert!(size > 0, "there is room");
        let table = self.instance.table("table").expect("it is exported");
        let element = table.get(size as u64 + 19).expect("idle");
        assert!(matches!(element, Some(Value::FuncRef(None))));
    }

    /// Writes poison over everything.
    fn poison(&self) {
        let memories = ["memory", "other"].into_iter();
        let memories = memories.filter_map(|name| self.instance.memory(name));
        for memory in memories.chain(self.memory.clone()) {
            memory.borrow_mut().expect("idle").fill(POISON);
        }
        if let Some(global) = self.instance.global("global")
            && self.shape != Shape::Rich
        {
            let poison = Value::I64(i64::from_ne_bytes([POISON; 8]));
            global.set(poison).expect("it can be changed");
        }
        if let Some(table) = self.instance.table("table")
            && let Ok(function) = self.instance.untyped_func("self")
        {
            for index in 0..table.size().expect("idle") {
                let element = Value::FuncRef(Some(function.clone()));
                table.set(index, &element).expect("it is inside");
            }
        }
    }
}

/// Whether a memory is zero from there on.
fn expect_zeros(memory: &Memory, from: u64) {
    static ZEROS: [u8; 1 << 18] = [0; 1 << 18];
    let bytes = memory.borrow_mut().expect("idle");
    let rest = &bytes[from as usize..];
    assert!(rest == &ZEROS[..rest.len()], "bytes of another time");
}

/// Lets lives come and go; `look` is told after each.
///
/// The first ones are the largest combinations that there can be: all slots of one kind, fully
/// grown, while one of each kind comes and grows. What comes later needs no more.
fn live(runtime: &Runtime, artifacts: &[Artifact], cycles: usize, mut look: impl FnMut(usize)) {
    let mut random = Random(SEED);
    let mut slots: [Option<Life>; SLOTS] = [const { None }; SLOTS];
    let mut replace = |slot: usize, artifact: &Artifact, growths: usize| {
        slots[slot] = None;
        let life = Life::new(runtime, artifact);
        life.run(growths);
        life.poison();
        slots[slot] = Some(life);
    };
    for resident in artifacts {
        for guest in artifacts {
            (0..SLOTS).for_each(|slot| replace(slot, resident, GROWTHS));
            (0..SLOTS).for_each(|slot| replace(slot, guest, GROWTHS));
        }
    }
    for cycle in 0..cycles {
        let artifact = &artifacts[random.below(artifacts.len())];
        replace(random.below(SLOTS), artifact, random.below(GROWTHS + 1));
        look(cycle);
    }
}

/// What of each category is in use.
fn accounts(allocator: &Allocator) -> [(usize, usize); Category::COUNT] {
    std::array::from_fn(|index| {
        let usage = allocator.usage(Category::ALL[index]);
        (usage.current, usage.blocks)
    })
}

#[test]
fn ten_thousand_lives_do_not_wear_out_a_pool() {
    let pool = vec![MaybeUninit::<u8>::new(POISON); 2 << 20].leak();
    let allocator = Allocator::pool(pool).expect("there is room");
    let usage = || allocator.pool_usage().expect("it is a pool");
    let (before, account) = (usage(), accounts(&allocator));
    let runtime = Runtime::with_allocator(allocator.clone(), RuntimeOptions::default());
    let runtime = runtime.expect("there is room");
    let mut peak = 0;
    live(&runtime, &explicit(), 10_000, |cycle| {
        if cycle == 1000 {
            peak = usage().peak;
        }
    });
    assert_eq!(usage().peak, peak, "the high-water mark rose");
    drop(runtime);
    let after = usage();
    assert_eq!(
        (after.free, after.largest_free),
        (before.free, before.largest_free)
    );
    assert_eq!(accounts(&allocator), account);
}

/// As above, where there is no pool whose bytes could be counted.
fn lives_on_the_system(artifacts: &[Artifact], cycles: usize) {
    let allocator = Allocator::system().expect("there is memory");
    let account = accounts(&allocator);
    let runtime = Runtime::with_allocator(allocator.clone(), RuntimeOptions::default());
    let runtime = runtime.expect("there is memory");
    let peaks = || {
        Category::ALL
            .iter()
            .map(|category| allocator.usage(*category).peak)
    };
    let mut first: Vec<usize> = Vec::new();
    live(&runtime, artifacts, cycles, |cycle| {
        if cycle == cycles / 2 {
            first = peaks().collect();
        }
    });
    assert!(
        peaks().eq(first.iter().copied()),
        "the high-water mark rose"
    );
    drop(runtime);
    assert_eq!(accounts(&allocator), account);
}

#[test]
fn lives_do_not_see_each_other_on_the_system() {
    lives_on_the_system(&explicit(), 1500);
}

#[test]
fn lives_do_not_see_each_other_behind_guards() {
    lives_on_the_system(&guarded(), 1500);
}
