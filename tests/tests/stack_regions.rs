//! Compiled code on stack regions: every kind of call at every depth until the region is used up.
//! Each case ends with its result or a stack-overflow trap; nothing outside of the region changes,
//! and the instance serves the next call.

use std::mem::MaybeUninit;

use precast_compiler::{Options, Silent, compile};
use precast_format::Artifact;
use precast_format::tunables::{StackChecks, TrapMode};
use precast_loader::limits::LIBCALL_STACK_MARGIN;
use precast_loader::{
    CallError, Caller, Category, Exception, ExecutionEnvironment, Extern, HostError, Imports,
    Instance, InstanceOptions, Module, Runtime, RuntimeOptions, Source, Stack, StackError,
    StaticPool, TrapCode, TypedFunc, Value,
};
use precast_tests::configuration::{self, LargestFrames};

/// What the operations at the bottom of the recursion are, by index, and what ends them.
const OPERATIONS: [(&str, Option<TrapCode>); 21] = [
    ("leaf", None),
    ("host", None),
    ("memory_grow", None),
    ("memory_fill", None),
    ("memory_copy", None),
    ("memory_init", None),
    ("table_grow", None),
    ("table_fill", None),
    ("table_copy", None),
    ("divide", Some(TrapCode::IntegerDivideByZero)),
    ("unreachable", Some(TrapCode::Unreachable)),
    ("out_of_bounds", Some(TrapCode::MemoryOutOfBounds)),
    ("large_frame", None),
    ("nested", None),
    ("other", None),
    ("tail", None),
    ("caught", None),
    ("kept", None),
    ("thrown", None),
    ("thrown_by_other", None),
    ("thrown_by_host", None),
];

/// A module whose `at` calls itself `depth` times and then does an operation. It imports another
/// instance's functions, and exports what that calls back.
fn text() -> String {
    let many: String = (0..40).map(|_| " i64").collect();
    let gets: String = (0..40)
        .map(|index| format!("(i64.add (local.get {index})"))
        .collect();
    let arguments: String = (0..40)
        .map(|index| format!("(i64.const {index})"))
        .collect();
    let locals: String = (0..400)
        .map(|index| format!("(local.set {index} (i64.load (i32.const {})))", index * 8))
        .collect();
    let sums: String = (0..400)
        .map(|index| format!("(i64.add (local.get {index})"))
        .collect();
    let locals_declared: String = (0..400).map(|_| " i64").collect();
    let closing = |count| ")".repeat(count);
    let elements: String = OPERATIONS
        .iter()
        .map(|(name, _)| format!(" ${name}"))
        .collect();
    format!(
        r#"(module
  (type $operation (func (result i32)))
  (import "host" "f" (func $f (param i32 i64 f64) (result i32)))
  (import "host" "again" (func $again (result i32)))
  (import "other" "sum" (func $sum (param i32 i64 f32 f64 i32) (result i32 i64 i32)))
  (import "host" "throw" (func $throw (param i32)))
  (import "other" "throw" (func $throw_other (param i32)))
  (import "other" "table" (table $others 2 funcref))
  (import "other" "tag" (tag $tag (param i32)))
  (memory (export "memory") 1 4)
  (table $operations 40 60 funcref)
  (table $grown 0 100 funcref)
  (data $data "passive")
  (elem (table $operations) (i32.const 0) func {elements})
  (elem declare func $leaf)

  (func $at (export "at") (param $depth i32) (param $operation i32) (result i32)
    (if (result i32) (local.get $depth)
      (then (i32.add (i32.const 1)
        (call $at (i32.sub (local.get $depth) (i32.const 1)) (local.get $operation))))
      (else (call_indirect $operations (type $operation) (local.get $operation)))))

  (func $leaf (result i32) (i32.load (i32.const 0)))
  (func $host (result i32) (call $f (i32.const 0) (i64.const 1) (f64.const 2)))
  (func $memory_grow (result i32)
    (drop (memory.grow (i32.const 0))) (drop (memory.grow (i32.const 1))) (i32.const 0))
  (func $memory_fill (result i32)
    (memory.fill (i32.const 5000) (i32.const 1) (i32.const 3000)) (i32.const 0))
  (func $memory_copy (result i32)
    (memory.copy (i32.const 5000) (i32.const 5001) (i32.const 3000)) (i32.const 0))
  (func $memory_init (result i32)
    (memory.init $data (i32.const 5000) (i32.const 0) (i32.const 7)) (i32.const 0))
  (func $table_grow (result i32)
    (drop (table.grow $grown (ref.func $leaf) (i32.const 1))) (i32.const 0))
  (func $table_fill (result i32)
    (table.fill $operations (i32.const 30) (ref.func $leaf) (i32.const 9)) (i32.const 0))
  (func $table_copy (result i32)
    (table.copy $operations $operations (i32.const 30) (i32.const 31) (i32.const 9))
    (i32.const 0))
  (func $divide (result i32) (i32.div_s (i32.const 1) (i32.load (i32.const 0))))
  (func $unreachable (result i32) unreachable)
  (func $out_of_bounds (result i32) (i32.load (i32.const -8)))
  (func $large_frame (result i32)
    (local{locals_declared})
    {locals}
    (drop (call $leaf))
    (i32.wrap_i64 {sums} (i64.const 0) {close_locals}))
  (func $nested (result i32) (call $again))
  (func $other (result i32)
    (call $sum (i32.const 1) (i64.const 2) (f32.const 3) (f64.const 4) (i32.const 5))
    drop drop drop
    (call_indirect $others (type $operation) (i32.const 0)))
  (func $throw_here (param i32) (throw $tag (local.get 0)))
  (func $caught (result i32)
    (block $h (result i32)
      (try_table (catch $tag $h) (call $throw_here (i32.const 0)))
      unreachable))
  (func $kept (result i32)
    (block $h (result i32 exnref)
      (try_table (catch_ref $tag $h) (call $throw_here (i32.const 0)))
      unreachable)
    drop)
  (func $thrown (result i32) (call $throw_here (i32.const 0)) (i32.const 0))
  (func $thrown_by_other (result i32)
    (block $h (result i32)
      (try_table (catch $tag $h) (call $throw_other (i32.const 0)))
      unreachable))
  (func $thrown_by_host (result i32)
    (block $h (result exnref)
      (try_table (catch_all_ref $h) (call $throw (i32.const 0)))
      unreachable)
    drop
    (i32.const 0))
  (func $many (param{many}) (result i32)
    (i32.wrap_i64 {gets} (i64.const -780) {close_gets}))
  (func $tail (result i32) (return_call $many {arguments})))"#,
        close_locals = closing(400),
        close_gets = closing(40),
    )
}

/// The other instance: its function takes more unchecked stack than the first module knows.
const OTHER: &str = r#"(module
  (type $operation (func (result i32)))
  (table (export "table") 2 funcref)
  (elem (i32.const 0) func $count $count)
  (global $left (mut i32) (i32.const 0))
  (tag $tag (export "tag") (param i32))
  (func (export "throw") (param i32) (throw $tag (local.get 0)))
  (func (export "sum") (param i32 i64 f32 f64 i32) (result i32 i64 i32)
    (drop (call $count))
    (local.get 0) (local.get 1) (local.get 4))
  (func $count (export "count") (result i32)
    (if (i32.lt_u (global.get $left) (i32.const 3))
      (then
        (global.set $left (i32.add (global.get $left) (i32.const 1)))
        (drop (call_indirect (type $operation) (i32.const 1)))))
    (global.set $left (i32.const 0))
    (i32.const 0)))"#;

/// All configurations, each with explicit stack checks, and with guard pages where it has signals.
fn configurations() -> impl Iterator<Item = (String, Options)> {
    configuration::with_bytecode().flat_map(|configuration| {
        let is_native = !configuration.options().target.isa().is_bytecode();
        [StackChecks::Explicit, StackChecks::Guard]
            .into_iter()
            .filter(move |checks| is_native || *checks == StackChecks::Explicit)
            .map(|checks| {
                let mut options = configuration.options();
                options.stack_checks = checks;
                (
                    format!("{}, {} stack", configuration.name, checks.name()),
                    options,
                )
            })
    })
}

fn load(runtime: &Runtime, wat: &str, options: &Options) -> Module {
    let wasm = wat::parse_str(wat).unwrap();
    let artifact = compile(&wasm, options, &Silent).unwrap().artifact;
    // Tests end soon enough.
    runtime
        .load_named_by_user(Source::borrowed(artifact.leak()))
        .unwrap()
}

fn instantiate(runtime: &Runtime, options: &Options) -> Instance {
    let mut imports = Imports::new(runtime);
    let again = |caller: &mut Caller<'_>| -> Result<i32, HostError> {
        let at = caller.instance().func::<(i32, i32), i32>("at")?;
        assert_eq!(at.call(caller, (3, 1))?, 3);
        match at.call(caller, (1_000_000, 0)) {
            Err(CallError::Trap(trap)) if trap.code() == TrapCode::StackOverflow => Ok(0),
            other => panic!("{other:?}"),
        }
    };
    imports.func("host", "again", again).unwrap();
    imports
        .func("host", "f", |_: &mut Caller<'_>, a: i32, b: i64, c: f64| {
            assert_eq!((a, b, c), (0, 1, 2.0));
            // Host functions may use what the thread has.
            i32::from(std::hint::black_box([0u8; 20_000])[77])
        })
        .unwrap();
    let other = load(runtime, OTHER, options);
    let other = other
        .instantiate(&imports, InstanceOptions::default())
        .unwrap();
    let tag = other.tag("tag").unwrap();
    imports
        .func("host", "throw", move |_: &mut Caller<'_>, number: i32| {
            let exception = Exception::new(&tag, &[Value::I32(number)])?;
            Err::<(), HostError>(exception.into())
        })
        .unwrap();
    for name in ["sum", "table", "throw", "tag"] {
        imports
            .define("other", name, other.export(name).unwrap())
            .unwrap();
    }
    let module = load(runtime, &text(), options);
    module
        .instantiate(&imports, InstanceOptions::default())
        .unwrap()
}

type At = TypedFunc<(i32, i32), i32>;

/// Does each operation at every depth until the stack is used up; how often that went well.
fn sweep(at: &At, environment: &mut ExecutionEnvironment<'_>, label: &str, step: i32) -> usize {
    let mut completed = 0;
    for (number, (name, trap)) in OPERATIONS.iter().enumerate() {
        let mut overflows = 0;
        for depth in (0..).step_by(step as usize) {
            let result = at.call(environment, (depth, number as i32));
            match (result, trap) {
                (Err(CallError::Trap(trap)), _) if trap.code() == TrapCode::StackOverflow => {
                    overflows += 1;
                }
                (Ok(sum), None) => {
                    assert_eq!(sum, depth, "{label}: {name} at {depth}");
                    completed += 1;
                }
                (Err(CallError::Exception(_)), None) if *name == "thrown" => completed += 1,
                (Err(CallError::Trap(trap)), Some(code)) if trap.code() == *code => {
                    let frames = trap.backtrace().frames();
                    assert!(
                        frames.len() as i32 == depth + 2 || trap.backtrace().is_truncated(),
                        "{label}: {name} at {depth}: {trap}"
                    );
                    completed += 1;
                }
                (other, _) => panic!("{label}: {name} at {depth}: {other:?}"),
            }
            // A few more, as far as code without a check may come.
            if overflows > 12 {
                break;
            }
        }
    }
    completed
}

/// A region of the host's between canaries.
fn with_region<T>(size: usize, run: impl FnOnce(&mut [MaybeUninit<u8>]) -> T) -> (T, usize) {
    const AROUND: usize = 4096;
    let mut bytes = vec![MaybeUninit::new(0xc5u8); size + 2 * AROUND];
    let result = run(&mut bytes[AROUND..][..size]);
    // SAFETY: all bytes were written when the vector was made.
    let is_canary = |byte: &MaybeUninit<u8>| unsafe { byte.assume_init() } == 0xc5;
    assert!(bytes[..AROUND].iter().all(is_canary), "below the region");
    assert!(
        bytes[AROUND + size..].iter().all(is_canary),
        "above the region"
    );
    let untouched = bytes[AROUND..][..size]
        .iter()
        .take_while(|byte| is_canary(byte));
    (result, untouched.count())
}

#[test]
fn explicit_checks_keep_code_in_a_region_of_any_size() {
    for (label, options) in configurations() {
        if options.stack_checks != StackChecks::Explicit {
            continue;
        }
        let runtime = Runtime::system().unwrap();
        let instance = instantiate(&runtime, &options);
        let at: At = instance.func("at").unwrap();
        let (error, untouched) = with_region(LIBCALL_STACK_MARGIN + 64, |region| {
            let mut environment = instance
                .execution_environment(Stack::Region(region))
                .unwrap();
            at.call(&mut environment, (0, 0)).unwrap_err()
        });
        let CallError::Stack(StackError::TooSmall { needed }) = error else {
            panic!("{label}: {error}")
        };
        assert_eq!(untouched, LIBCALL_STACK_MARGIN + 64);
        println!("{label}: a call begins with {needed} bytes");
        for size in (needed..needed + 1024).step_by(48).chain([needed + 9000]) {
            let (completed, _) = with_region(size, |region| {
                let mut environment = instance
                    .execution_environment(Stack::Region(region))
                    .unwrap();
                sweep(&at, &mut environment, &label, 1)
            });
            // The frames of the operations, which are largest on s390x.
            assert!(completed > 0 || size < needed + 800, "{label}: {size}");
        }
    }
}

#[test]
fn a_guard_page_keeps_code_in_a_region_that_the_runtime_allocates() {
    for (label, options) in configurations() {
        let runtime = Runtime::system().unwrap();
        let instance = instantiate(&runtime, &options);
        let at: At = instance.func("at").unwrap();
        for size in [16 << 10, 20 << 10] {
            let mut environment = instance.execution_environment(Stack::Bytes(size)).unwrap();
            assert!(sweep(&at, &mut environment, &label, 1) > 100);
        }
        let mut environment = instance.execution_environment(Stack::Bytes(0)).unwrap();
        assert!(sweep(&at, &mut environment, &label, 4999) > 20);
        drop(environment);
        assert_eq!(runtime.usage(Category::CallStack).current, 0);
    }
}

#[test]
fn a_second_thread_has_its_region_too() {
    for (label, options) in configurations() {
        let runtime = Runtime::system().unwrap();
        let instance = instantiate(&runtime, &options);
        let at: At = instance.func("at").unwrap();
        let mut environment = instance
            .execution_environment(Stack::Bytes(24 << 10))
            .unwrap();
        assert!(sweep(&at, &mut environment, &label, 7) > 20);
        std::thread::scope(|scope| {
            scope.spawn(|| assert!(sweep(&at, &mut environment, &label, 7) > 20));
        });
        assert!(sweep(&at, &mut environment, &label, 7) > 20);
    }
}

#[test]
fn a_region_in_a_pool_serves_explicit_checks_only() {
    static POOL: StaticPool<{ 1 << 20 }> = StaticPool::new();
    let runtime = Runtime::with_pool(POOL.take().unwrap(), RuntimeOptions::default()).unwrap();
    let mut options = configuration::EXPLICIT.options();
    let instance = instantiate(&runtime, &options);
    let at: At = instance.func("at").unwrap();
    let mut environment = instance
        .execution_environment(Stack::Bytes(16 << 10))
        .unwrap();
    assert_eq!(runtime.usage(Category::CallStack).current, 16 << 10);
    assert!(sweep(&at, &mut environment, "pool", 1) > 100);
    drop(environment);
    assert_eq!(runtime.usage(Category::CallStack).current, 0);

    // No guard page is asked for by bytecode: the compiler refuses that.
    if !configuration::HAS_NATIVE_CODE {
        return;
    }
    options.stack_checks = StackChecks::Guard;
    let wasm = wat::parse_str("(module (func (export \"f\")))").unwrap();
    let artifact = compile(&wasm, &options, &Silent).unwrap().artifact;
    let error = runtime.load_named_by_user(Source::borrowed(artifact.leak()));
    assert!(error.unwrap_err().to_string().contains("guard"));
}

/// An instance with a frame of thousands of bytes, and with a function of that many parameters.
fn callee_with_large_frames(parameters: usize) -> String {
    let locals = 400;
    let declared = " i64".repeat(locals);
    let loads: String = (0..locals)
        .map(|index| format!("(local.set {index} (i64.load (i32.const {})))", index * 8))
        .collect();
    let sums: String = (0..locals)
        .map(|index| format!("(i64.add (local.get {index})"))
        .collect();
    format!(
        r#"(module
            (memory 1)
            (func (export "big") (result i64) (local{declared}) {loads}
                {sums} (i64.const 0) {closing})
            (func (export "many") (param{many}) (result i64) (local.get {last})))"#,
        closing = ")".repeat(locals),
        many = " i64".repeat(parameters),
        last = parameters - 1,
    )
}

/// Small modules that call the functions of that instance.
fn callers_of_large_frames(parameters: usize) -> [String; 2] {
    [
        r#"(module
            (import "other" "big" (func $other (result i64)))
            (func $at (export "at") (param i32) (result i64)
                (if (result i64) (local.get 0)
                    (then (call $at (i32.sub (local.get 0) (i32.const 1))))
                    (else (call $other)))))"#
            .to_owned(),
        format!(
            r#"(module
                (import "other" "many" (func $other (param{many}) (result i64)))
                (func $at (export "at") (param i32) (result i64)
                    (if (result i64) (local.get 0)
                        (then (call $at (i32.sub (local.get 0) (i32.const 1))))
                        (else (call $other {constants})))))"#,
            many = " i64".repeat(parameters),
            constants = "(i64.const 1)".repeat(parameters),
        ),
    ]
}

/// A small module's limit is close to the end of the stack; the instance that it calls has frames
/// that are larger than that, and functions with as many parameters as there may be.
#[test]
fn instances_that_are_called_bring_their_own_reserve() {
    for (label, options) in configurations() {
        let runtime = Runtime::system().unwrap();
        let parameters = LargestFrames::new(&options).parameters;
        let callee = load(&runtime, &callee_with_large_frames(parameters), &options);
        for caller in &callers_of_large_frames(parameters) {
            let mut imports = Imports::new(&runtime);
            let other = callee.instantiate(&imports, InstanceOptions::default());
            let other = other.unwrap();
            for name in ["big", "many"] {
                let item = other.export(name).unwrap();
                imports.define("other", name, item).unwrap();
            }
            let instance = load(&runtime, caller, &options)
                .instantiate(&imports, InstanceOptions::default())
                .unwrap();
            let at = instance.func::<(i32,), i64>("at").unwrap();
            let check = |environment: &mut ExecutionEnvironment<'_>| {
                let mut depth = 0;
                loop {
                    match at.call(environment, (depth,)) {
                        Ok(sum) => assert!(sum < 2, "{label}"),
                        Err(CallError::Trap(trap)) => {
                            assert_eq!(trap.code(), TrapCode::StackOverflow, "{label}");
                            break depth;
                        }
                        other => panic!("{label}: {other:?}"),
                    }
                    depth += 1;
                }
            };
            // A thousand parameters and the frames that save registers are larger on s390x.
            let (least, enough) = match cfg!(target_arch = "s390x") {
                true => (38_000, 160 << 10),
                false => (30_000, 80 << 10),
            };
            if options.stack_checks == StackChecks::Guard {
                let mut environment = instance.execution_environment(Stack::Bytes(enough));
                assert!(check(environment.as_mut().unwrap()) > 0);
                continue;
            }
            let small = (!caller.contains("many")).then_some(least / 5);
            let sizes = (least..least + 1000).step_by(48);
            for size in sizes.chain(small).chain([enough]) {
                let (depth, untouched) = with_region(size, |region| {
                    let stack = Stack::Region(region);
                    let mut environment = instance.execution_environment(stack).unwrap();
                    check(&mut environment)
                });
                assert!(depth > 0 || size < enough, "{label}: {size}");
                // Only the call of `raise` goes below the floor.
                assert!(untouched > LIBCALL_STACK_MARGIN - 1024, "{label}: {size}");
            }
        }
    }
}

/// What the loader does on the stack of compiled code, against the room that it leaves for that.
#[test]
fn libcalls_keep_to_their_margin() {
    let mut most = (0, "");
    for (label, options) in configurations() {
        let runtime = Runtime::system().unwrap();
        let instance = instantiate(&runtime, &options);
        let at: At = instance.func("at").unwrap();
        let mut environment = instance
            .execution_environment(Stack::Bytes(64 << 10))
            .unwrap();
        let mut used = |operation: usize| {
            environment.measure_stack();
            let _ = at.call(&mut environment, (0, operation as i32));
            environment.stack_high_water().unwrap()
        };
        let leaf = used(0);
        for (number, (name, _)) in OPERATIONS.iter().enumerate() {
            // The others have large frames of their own.
            if number >= 12 && !matches!(*name, "caught" | "kept" | "thrown") {
                continue;
            }
            let more = used(number).saturating_sub(leaf);
            println!("{label}: {name}: {more} bytes");
            most = most.max((more, name));
        }
    }
    let (bytes, name) = most;
    println!("the most is {bytes} bytes, for {name}");
    assert!(bytes < LIBCALL_STACK_MARGIN * 3 / 4, "{name}: {bytes}");
}

/// The reserve is what the code needs, not a fixed number.
#[test]
fn a_small_module_needs_a_small_region() {
    let reserve = |wat: &str, options: &Options| {
        let wasm = wat::parse_str(wat).unwrap();
        let artifact = compile(&wasm, options, &Silent).unwrap().artifact;
        Artifact::parse(&artifact)
            .unwrap()
            .header()
            .tunables
            .stack_reserve
    };
    let add = r#"(module (func (export "add") (param i32 i32) (result i32)
        (i32.add (local.get 0) (local.get 1))))"#;
    // The entry saves all registers that calls keep: six on x86-64, twenty or more elsewhere; and on s390x
    // each function has a fixed area for its callees. The entry of aarch64 takes 176 bytes.
    let (most, most_of_entry) = match cfg!(target_arch = "x86_64") {
        true => (256, 128),
        false => (768, 512),
    };
    let options = configuration::EXPLICIT.options();
    let whole = reserve(add, &options);
    assert!(whole <= most, "{whole}");
    assert!(reserve(&text(), &options) < 8 << 10);
    let mut options_of_others = configuration::FAST.options();
    options_of_others.stack_checks = StackChecks::None;
    assert_eq!(reserve(add, &options_of_others), 0);
    if configuration::HAS_NATIVE_CODE {
        // The frame of the entry.
        options_of_others.stack_checks = StackChecks::Guard;
        let entry = reserve(add, &options_of_others);
        assert!(entry > 0 && entry <= most_of_entry, "{entry}");
    }

    let runtime = Runtime::system().unwrap();
    let instance = load(&runtime, add, &options)
        .instantiate(&Imports::new(&runtime), InstanceOptions::default())
        .unwrap();
    let add = instance.func::<(i32, i32), i32>("add").unwrap();
    let (_, untouched) = with_region(LIBCALL_STACK_MARGIN + 2 * most as usize, |region| {
        let mut environment = instance
            .execution_environment(Stack::Region(region))
            .unwrap();
        assert_eq!(add.call(&mut environment, (40, 2)).unwrap(), 42);
    });
    assert!(untouched > LIBCALL_STACK_MARGIN);
}

#[test]
fn a_start_function_runs_on_a_region() {
    let wat = r#"(module
        (import "host" "f" (func $f))
        (func $start (call $f))
        (start $start))"#;
    for (label, options) in configurations() {
        let runtime = Runtime::system().unwrap();
        let module = load(&runtime, wat, &options);
        let mut imports = Imports::new(&runtime);
        imports.func("host", "f", |_: &mut Caller<'_>| ()).unwrap();
        let mut environment = runtime
            .execution_environment(Stack::Bytes(8 << 10))
            .unwrap();
        environment.measure_stack();
        module
            .instantiate_in(&mut environment, &imports, InstanceOptions::default())
            .unwrap();
        let used = environment.stack_high_water().unwrap();
        assert!(used > 64 && used < 2048, "{label}: {used}");
    }
}

/// The trap mode without signals needs none on a region either.
#[test]
fn explicit_traps_need_no_signals() {
    let runtime = Runtime::system_with(RuntimeOptions::default().signals(false).guard_pages(false));
    let runtime = runtime.unwrap();
    let options = configuration::EXPLICIT.options();
    assert_eq!(options.trap_mode, TrapMode::Explicit);
    let instance = instantiate(&runtime, &options);
    let at: At = instance.func("at").unwrap();
    let (completed, _) = with_region(20 << 10, |region| {
        let mut environment = instance
            .execution_environment(Stack::Region(region))
            .unwrap();
        sweep(&at, &mut environment, "no signals", 1)
    });
    assert!(completed > 100);
    assert!(matches!(instance.export("at"), Some(Extern::Func(_))));
}
