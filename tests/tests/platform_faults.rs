//! The system may refuse any call: whatever was under way then ends with an error, or goes on in
//! another way. Nothing crashes, no mapping is left, and the next attempt succeeds.
//!
//! The test puts its own functions in front of the C library's, as the test of mappings does. They
//! count the calls of a journey from the artifact to the last drop; then the journey runs with its
//! first call refused, then with the second, and so on.
//!
//! ```text
//!   thread of a journey: armed -> runtime, load, instantiate, call, trap, grow, drop -> disarmed
//!   this thread:         mappings before ............................................ and after
//! ```

#![cfg(all(target_os = "linux", target_arch = "x86_64"))]

#[path = "platform_faults/calls.rs"]
mod calls;
#[path = "platform_faults/maps.rs"]
mod maps;

use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

use calls::{Call, Fault, Seen};
use precast_compiler::{Options, Silent, Target, compile};
use precast_format::tunables::{BoundsChecks, RelocationModel, StackChecks, TrapMode};
use precast_loader::{
    Allocator, CallError, Caller, Category, Imports, InstanceOptions, Runtime, RuntimeOptions,
    Source, Stack, TrapCode,
};

/// Memories large enough to be mappings, contents that are mapped, and recursion without end.
const MODULE: &str = r#"(module
  (import "host" "twice" (func $twice (param i32) (result i32)))
  (memory (export "memory") 3)
  (data (i32.const 4096) "mapped")
  (data (i32.const 70000) "mapped too")
  (table (export "table") 30000 90000 funcref)
  (func (export "grow") (param i32) (result i32)
    (memory.grow (call $twice (local.get 0))))
  (func (export "grow_table") (param i32) (result i32)
    (table.grow (ref.null func) (local.get 0)))
  (func (export "load") (param i32) (result i32) (i32.load8_u (local.get 0)))
  (func $deep (export "deep") (param i32) (result i32)
    (i32.add (local.get 0) (call $deep (i32.add (local.get 0) (i32.const 1))))))"#;

/// The stack of a journey's thread: endless recursion fills it.
const THREAD_STACK: usize = 256 << 10;

/// An artifact, in memory and as a file, and what is expected of it.
struct Subject {
    name: &'static str,
    artifact: Vec<u8>,
    path: std::path::PathBuf,
}

impl Subject {
    fn new(name: &'static str, change: impl FnOnce(&mut Options)) -> Subject {
        let wasm = wat::parse_str(MODULE).expect("the module is well formed");
        let mut options = Options::new(Target::host().expect("tests run where code can run"));
        options.trap_mode = TrapMode::Signals;
        change(&mut options);
        let artifact = compile(&wasm, &options, &Silent)
            .expect("it compiles")
            .artifact;
        let path = Path::new(env!("CARGO_TARGET_TMPDIR"));
        let now = SystemTime::now().duration_since(UNIX_EPOCH);
        let now = now.map_or(0, |now| now.as_nanos());
        let path = path.join(format!("platform-faults-{name}-{now}.precast"));
        std::fs::write(&path, &artifact).expect("there is room for a small file");
        Subject {
            name,
            artifact,
            path,
        }
    }
}

impl Drop for Subject {
    fn drop(&mut self) {
        // A file that stays in the build's folder does no harm.
        let _ = std::fs::remove_file(&self.path);
    }
}

/// Why a journey ended early; says nothing, since making a text would ask for memory.
#[derive(Debug)]
struct Failed;

fn failed(_: impl std::fmt::Debug) -> Failed {
    Failed
}

/// The whole life of a program.
fn journey(allocator: &Allocator, source: Source<'_>) -> Result<(), Failed> {
    let runtime = Runtime::with_allocator(allocator.clone(), RuntimeOptions::default());
    let runtime = runtime.map_err(failed)?;
    let module = runtime.load_named_by_user(source).map_err(failed)?;
    let mut imports = Imports::new(&runtime);
    let twice = |_: &mut Caller<'_>, value: i32| 2 * value;
    imports.func("host", "twice", twice).map_err(failed)?;
    let instance = module.instantiate(&imports, InstanceOptions::default());
    let instance = instance.map_err(failed)?;
    let environment = instance.execution_environment(Stack::CallerBytes(usize::MAX));
    let mut environment = environment.map_err(failed)?;
    let load = instance.func::<(i32,), i32>("load").map_err(failed)?;
    for (address, expected) in [(4095, 0), (4096, b'm'), (70000, b'm'), (196607, 0)] {
        let byte = load.call(&mut environment, (address,)).map_err(failed)?;
        assert_eq!(byte, i32::from(expected));
    }
    let trap = load.call(&mut environment, (196608,));
    expect_trap(trap, TrapCode::MemoryOutOfBounds)?;
    for (name, by, before) in [("grow", 1, 3), ("grow_table", 60000, 30000)] {
        let grow = instance.func::<(i32,), i32>(name).map_err(failed)?;
        let result = grow.call(&mut environment, (by,)).map_err(failed)?;
        assert!(result == before || result == -1);
        if result == -1 {
            return Err(Failed);
        }
    }
    let byte = load
        .call(&mut environment, (5 * 65536 - 1,))
        .map_err(failed)?;
    assert_eq!(byte, 0);
    let memory = instance.memory("memory").ok_or(Failed)?;
    assert!(matches!(memory.grow(1), Ok(Some(5) | None)));
    let byte = load.call(&mut environment, (4096,)).map_err(failed)?;
    assert_eq!(byte, i32::from(b'm'));
    let deep = instance.func::<(i32,), i32>("deep").map_err(failed)?;
    expect_trap(deep.call(&mut environment, (0,)), TrapCode::StackOverflow)
}

fn expect_trap(result: Result<i32, CallError>, code: TrapCode) -> Result<(), Failed> {
    match result {
        Err(CallError::Trap(trap)) => {
            assert_eq!(trap.code(), code);
            Ok(())
        }
        Err(_) => Err(Failed),
        Ok(_) => panic!("there was no trap"),
    }
}

/// How often the C library's heap may grow between two equal journeys.
const HEAP_GROWTHS: usize = 2;

/// Makes a journey on a thread of its own, with a fault, and compares what is left with what was
/// there. Whether it succeeded, and which calls it made.
fn travel(subject: &Subject, from_file: bool, fault: Fault) -> (Result<(), Failed>, Seen) {
    let mut growths = 0;
    loop {
        let (outcome, different) = travel_once(subject, from_file, fault);
        let place = (subject.name, from_file, fault);
        // What a journey leaves behind, each leaves behind; the C library's heap grows now and then.
        if different.is_empty() {
            return outcome;
        }
        growths += 1;
        assert!(
            growths <= HEAP_GROWTHS,
            "{place:?}, {:?}: {different:?}",
            outcome.0
        );
    }
}

/// The journey and what is different afterwards.
fn travel_once(
    subject: &Subject,
    from_file: bool,
    fault: Fault,
) -> ((Result<(), Failed>, Seen), Vec<maps::Range>) {
    let before = maps::read();
    let outcome = std::thread::scope(|scope| {
        let thread = std::thread::Builder::new().stack_size(THREAD_STACK);
        let run = || {
            // The standard library's alternate stack would be good enough.
            calls::without_signal_stack();
            let allocator = Allocator::system().expect("there is memory");
            let used = |category: &Category| {
                let usage = allocator.usage(*category);
                (usage.current, usage.blocks)
            };
            let accounts: [_; Category::COUNT] = std::array::from_fn(|i| used(&Category::ALL[i]));
            let source = match from_file {
                true => Source::file(&subject.path),
                false => Source::copied(&subject.artifact),
            };
            calls::arm(fault);
            let result = journey(&allocator, source);
            let seen = calls::disarm();
            for (category, account) in Category::ALL.iter().zip(accounts) {
                assert_eq!(used(category), account, "{category}");
            }
            (result, seen)
        };
        let thread = thread
            .spawn_scoped(scope, run)
            .expect("there is memory for a thread");
        thread.join().expect("no journey panics")
    });
    calls::unmap_what_was_kept();
    let after = maps::read();
    (outcome, maps::difference(&before, &after))
}

/// Makes the journey with every call refused, in both ways; how many of them failed.
fn refuse_each(subject: &Subject, from_file: bool, seen: &mut Seen) -> usize {
    let (result, calls) = travel(subject, from_file, Fault::Nothing);
    result.expect("nothing is refused");
    let handlers = calls::handlers();
    let mut failures = 0;
    for way in [Fault::Only, Fault::From] {
        for number in 0.. {
            let (result, made) = travel(subject, from_file, way(number));
            failures += usize::from(result.is_err());
            let (next, _) = travel(subject, from_file, Fault::Nothing);
            let place = (subject.name, from_file, way(number));
            assert!(next.is_ok(), "{place:?}: the next attempt");
            assert_eq!(calls::handlers(), handlers, "{place:?}: signal handlers");
            if made.refused() == 0 {
                assert!(number > 10 && result.is_ok());
                break;
            }
        }
    }
    println!(
        "{}, {}: {calls:?}, {failures} failed",
        subject.name, from_file
    );
    seen.add(&calls);
    failures
}

#[test]
fn every_call_may_be_refused() {
    calls::one_heap();
    let subjects = [
        Subject::new("guard-direct", |options| {
            options.bounds_checks = BoundsChecks::Guard;
            options.relocation_model = RelocationModel::Direct;
            options.stack_checks = StackChecks::Guard;
        }),
        Subject::new("guard-xip", |options| {
            options.bounds_checks = BoundsChecks::Guard;
            options.relocation_model = RelocationModel::Xip;
            options.stack_checks = StackChecks::Explicit;
        }),
        Subject::new("explicit-direct", |options| {
            options.bounds_checks = BoundsChecks::Explicit;
            options.relocation_model = RelocationModel::Direct;
            options.stack_checks = StackChecks::Guard;
        }),
    ];
    // The C library keeps the stack of a thread that is gone for the next one.
    std::thread::scope(|scope| {
        let thread = std::thread::Builder::new().stack_size(THREAD_STACK);
        let thread = thread
            .spawn_scoped(scope, || {})
            .expect("there is memory for a thread");
        thread.join().expect("it does nothing");
    });
    // The first journey of the process makes the key under which threads keep their stacks.
    let mut seen = Seen::default();
    let (result, calls) = travel(&subjects[0], false, Fault::Kind(Call::KeyCreate));
    assert!(result.is_err() && calls.refused() == 1);
    let (result, calls) = travel(&subjects[0], false, Fault::Nothing);
    assert!(result.is_ok());
    seen.add(&calls);
    for subject in &subjects {
        for from_file in [false, true] {
            let failures = refuse_each(subject, from_file, &mut seen);
            assert!(failures > 10, "{}: {failures}", subject.name);
        }
    }
    for call in Call::ALL {
        assert!(seen.count(*call) > 0, "{call:?} never happened");
    }
}
