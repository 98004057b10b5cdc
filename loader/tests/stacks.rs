//! Call stacks of their own: calls, traps, backtraces, host functions and their panics, nesting,
//! overflow; on regions of the host's, on allocated ones with and without a guard page.

#![cfg(all(
    unix,
    not(target_vendor = "apple"),
    any(
        target_arch = "aarch64",
        target_arch = "riscv64",
        target_arch = "s390x",
        target_arch = "x86_64"
    )
))]

#[path = "support/code/mod.rs"]
mod code;
mod support;

use std::mem::MaybeUninit;
use std::panic::{AssertUnwindSafe, catch_unwind};

use precast_format::tunables::StackChecks;
use precast_loader::limits::LIBCALL_STACK_MARGIN;
use precast_loader::{
    CallError, Caller, Category, ExecutionEnvironment, HostError, Imports, Instance,
    InstanceOptions, Runtime, RuntimeOptions, Stack, StackError, StaticPool, Trap, TrapCode,
};
use support::{instantiate, runtime, runtime_with};

/// Room for what the hand-written code does, its stack reserve of 16 KiB included.
const SIZE: usize = 32 << 10;

/// What stands before and behind a region of the host's.
const CANARY: u8 = 0x5c;

/// A region of the host's between canaries, at an address that fits nothing.
struct Host {
    bytes: Vec<MaybeUninit<u8>>,
    size: usize,
}

impl Host {
    fn new(size: usize) -> Host {
        Host {
            bytes: vec![MaybeUninit::new(CANARY); size + 8192],
            size,
        }
    }

    fn region(&mut self) -> &mut [MaybeUninit<u8>] {
        &mut self.bytes[4097..][..self.size]
    }

    /// How many bytes of the region were never written.
    fn untouched(&self) -> usize {
        let region = &self.bytes[4097..][..self.size];
        // SAFETY: all bytes were written once.
        let byte = |byte: &&MaybeUninit<u8>| unsafe { byte.assume_init() } == CANARY;
        region.iter().take_while(byte).count()
    }
}

impl Drop for Host {
    fn drop(&mut self) {
        let (before, rest) = self.bytes.split_at(4097);
        for byte in before.iter().chain(&rest[self.size..]) {
            // SAFETY: all bytes were written when the vector was made.
            assert_eq!(unsafe { byte.assume_init() }, CANARY, "the region was left");
        }
    }
}

/// Where a host function runs: the address of a local.
fn position() -> usize {
    let local = 0u8;
    std::hint::black_box(&raw const local).addr()
}

/// An instance whose import does what the second argument says.
fn instance_in(runtime: &Runtime, stack_checks: StackChecks) -> Instance {
    let mut imports = Imports::new(runtime);
    let f = |caller: &mut Caller<'_>, a: i32, b: i32| -> Result<i32, HostError> {
        match b {
            0 => Ok(a + 1),
            1 => Err(HostError::Exit(a)),
            2 => panic!("the host has a bug"),
            3 => {
                let fault = caller.instance().func::<(), ()>("fault")?;
                fault.call(caller, ())?;
                Ok(0)
            }
            4 => {
                // More than any region of these tests has.
                let large = std::hint::black_box([1u8; 100 << 10]);
                Ok(a + i32::from(large[a as usize]))
            }
            5 => {
                // On another stack of its own.
                let host = caller.instance().func::<(i32, i32), i32>("host")?;
                let mut environment = caller.runtime().execution_environment(Stack::Bytes(SIZE))?;
                let below = if a == 0 { 0 } else { b };
                Ok(host.call(&mut environment, (a - 1, below))? + 1)
            }
            6 => {
                let deep = caller.instance().func::<(), ()>("deep")?;
                let Err(CallError::Trap(trap)) = deep.call(caller, ()) else {
                    panic!()
                };
                assert_eq!(trap.code(), TrapCode::StackOverflow);
                Ok(a)
            }
            // Down and down: host, code, host, code, ...
            _ => {
                let host = caller.instance().func::<(i32, i32), i32>("host")?;
                let below = if a == 0 { 0 } else { b };
                Ok(host.call(caller, (a - 1, below))? + 1)
            }
        }
    };
    imports.func("env", "f", f).expect("there is memory");
    let mut artifact = code::module();
    artifact.tunables.stack_checks = stack_checks;
    if stack_checks == StackChecks::Guard {
        artifact.tunables.stack_reserve = 0;
    }
    instantiate(&imports, &artifact).expect("the import is there")
}

fn host(
    instance: &Instance,
    environment: &mut ExecutionEnvironment<'_>,
    a: i32,
    b: i32,
) -> Result<i32, CallError> {
    let host = instance.func::<(i32, i32), i32>("host").expect("exported");
    host.call(environment, (a, b))
}

/// Calls a function without parameters, which has to trap.
fn trap(instance: &Instance, environment: &mut ExecutionEnvironment<'_>, name: &str) -> Trap {
    let function = instance.func::<(), ()>(name).expect("exported");
    match function.call(environment, ()) {
        Err(CallError::Trap(trap)) => trap,
        other => panic!("{name}: {other:?}"),
    }
}

fn names(trap: &Trap) -> Vec<&str> {
    let frames = trap.backtrace().frames().iter();
    frames
        .map(|it| it.function_name().expect("named"))
        .collect()
}

/// Everything that a call can do.
fn exercise(instance: &Instance, environment: &mut ExecutionEnvironment<'_>) {
    for _ in 0..3 {
        let add = instance.func::<(i32, i32), i32>("add").expect("exported");
        assert_eq!(add.call(environment, (40, 2)).expect("it adds"), 42);

        let fault = trap(instance, environment, "fault");
        assert_eq!(fault.code(), TrapCode::Unreachable);
        assert_eq!(names(&fault), ["fault"]);
        assert_eq!(fault.backtrace().frames()[0].wasm_offset(), Some(2007));
        let raise = trap(instance, environment, "raise");
        assert_eq!(raise.code(), TrapCode::IntegerDivideByZero);
        assert_eq!(names(&raise), ["raise"]);
        let deep = trap(instance, environment, "deep");
        assert_eq!(deep.code(), TrapCode::StackOverflow);
        assert!(names(&deep).len() > 5 && names(&deep).iter().all(|it| *it == "deep"));

        assert_eq!(host(instance, environment, 4, 0).expect("it returns"), 5);
        let exit = host(instance, environment, 17, 1);
        assert!(matches!(exit, Err(CallError::Exit(17))));
        let call = AssertUnwindSafe(|| host(instance, environment, 0, 2));
        let panic = catch_unwind(call).expect_err("the panic arrives");
        assert_eq!(panic.downcast_ref::<&str>(), Some(&"the host has a bug"));
        let Err(CallError::Trap(below)) = host(instance, environment, 0, 3) else {
            panic!()
        };
        assert_eq!(names(&below), ["fault", "host"]);
        assert_eq!(host(instance, environment, 9, 4).expect("it returns"), 10);
        assert_eq!(host(instance, environment, 5, 5).expect("it returns"), 6);
        assert_eq!(host(instance, environment, 5, 6).expect("it returns"), 5);
        assert_eq!(host(instance, environment, 8, 9).expect("it returns"), 9);
        let Err(CallError::Trap(endless)) = host(instance, environment, i32::MAX, 9) else {
            panic!()
        };
        assert_eq!(endless.code(), TrapCode::StackOverflow);
    }
}

#[test]
fn calls_run_on_a_region_of_the_host() {
    let instance = instance_in(&runtime(), StackChecks::Explicit);
    let mut memory = Host::new(SIZE);
    let mut environment = instance
        .execution_environment(Stack::Region(memory.region()))
        .expect("it is large enough");
    exercise(&instance, &mut environment);
}

#[test]
fn calls_run_on_a_region_of_the_runtime() {
    for guard_pages in [true, false] {
        let runtime = runtime_with(RuntimeOptions::default().guard_pages(guard_pages));
        let instance = instance_in(&runtime, StackChecks::Explicit);
        let before = runtime.usage(Category::CallStack);
        assert_eq!((before.current, before.blocks), (0, 0));
        for (size, least) in [(SIZE, SIZE), (0, 1 << 20), (50_001, 50_001)] {
            let mut environment = instance
                .execution_environment(Stack::Bytes(size))
                .expect("there is memory");
            let usage = runtime.usage(Category::CallStack);
            assert_eq!(usage.blocks, 1);
            if guard_pages {
                assert!(usage.current > least && usage.current < least + 3 * 4096);
            } else {
                assert_eq!(usage.current, least);
            }
            exercise(&instance, &mut environment);
            drop(environment);
            let after = runtime.usage(Category::CallStack);
            assert_eq!((after.current, after.blocks), (0, 0));
        }
    }
}

#[test]
fn a_guard_page_ends_a_region() {
    let instance = instance_in(&runtime(), StackChecks::Guard);
    for size in [8 << 10, SIZE, 0] {
        let mut environment = instance
            .execution_environment(Stack::Bytes(size))
            .expect("there is memory");
        for _ in 0..3 {
            let trap = trap(&instance, &mut environment, "endless");
            assert_eq!(trap.code(), TrapCode::StackOverflow);
            assert!(names(&trap).len() > 5 && names(&trap).iter().all(|it| *it == "endless"));
            let four = host(&instance, &mut environment, 4, 0).expect("it returns");
            assert_eq!(four, 5);
            let nested = host(&instance, &mut environment, 1, 9).expect("it returns");
            assert_eq!(nested, 2);
        }
    }
}

#[test]
fn a_region_without_a_guard_page_is_refused_to_who_relies_on_it() {
    let instance = instance_in(&runtime(), StackChecks::Guard);
    let mut memory = Host::new(SIZE);
    let mut environment = instance
        .execution_environment(Stack::Region(memory.region()))
        .expect("it is large enough");
    let error = host(&instance, &mut environment, 1, 0).expect_err("there is no guard page");
    assert!(matches!(error, CallError::Stack(StackError::NoGuard)));
    assert!(error.to_string().contains("guard page"), "{error}");
    drop(environment);
    assert_eq!(memory.untouched(), SIZE);
}

#[test]
fn small_regions_are_errors() {
    let instance = instance_in(&runtime(), StackChecks::Explicit);
    for size in [0, 1, 15, 16, LIBCALL_STACK_MARGIN - 1] {
        let mut memory = Host::new(size);
        let error = instance
            .execution_environment(Stack::Region(memory.region()))
            .expect_err("it is too small");
        let StackError::TooSmall { needed } = error else {
            panic!("{error}")
        };
        let mut memory = Host::new(needed);
        let enough = instance.execution_environment(Stack::Region(memory.region()));
        drop(enough.expect("that is what it said"));
    }
    let mut memory = Host::new(16 << 10);
    let mut environment = instance
        .execution_environment(Stack::Region(memory.region()))
        .expect("some module may do with it");
    let error = host(&instance, &mut environment, 1, 0).expect_err("this one does not");
    let CallError::Stack(StackError::TooSmall { needed }) = error else {
        panic!("{error}")
    };
    drop(environment);
    assert_eq!(memory.untouched(), 16 << 10);
    for offset in 0..17 {
        let mut memory = Host::new(needed + offset);
        let region = &mut memory.region()[offset..];
        let mut environment = instance
            .execution_environment(Stack::Region(region))
            .expect("it is large enough");
        assert_eq!(
            host(&instance, &mut environment, 1, 0).expect("it returns"),
            2
        );
    }
}

#[test]
fn nothing_is_touched_in_advance() {
    let instance = instance_in(&runtime(), StackChecks::Explicit);
    let mut memory = Host::new(1 << 20);
    let mut environment = instance
        .execution_environment(Stack::Region(memory.region()))
        .expect("it is large enough");
    assert_eq!(
        host(&instance, &mut environment, 1, 0).expect("it returns"),
        2
    );
    assert_eq!(
        host(&instance, &mut environment, 1, 4).expect("it returns"),
        2
    );
    drop(environment);
    assert!((1 << 20) - memory.untouched() < 1024);
}

#[test]
fn the_high_water_mark_is_measured_where_asked_for() {
    let instance = instance_in(&runtime(), StackChecks::Explicit);
    let mut memory = Host::new(SIZE);
    for stack in [Stack::Region(memory.region()), Stack::Bytes(SIZE)] {
        let mut environment = instance.execution_environment(stack).expect("large enough");
        assert_eq!(environment.stack_high_water(), None);
        environment.measure_stack();
        assert_eq!(environment.stack_high_water(), Some(0));
        assert_eq!(
            host(&instance, &mut environment, 1, 0).expect("it returns"),
            2
        );
        let one = environment.stack_high_water().expect("it is measured");
        assert!(one > 100 && one < 1024, "{one}");
        assert_eq!(
            host(&instance, &mut environment, 3, 9).expect("it returns"),
            4
        );
        let four = environment.stack_high_water().expect("it is measured");
        assert!(four > 4 * one / 2, "{four}");
        assert_eq!(
            host(&instance, &mut environment, 1, 0).expect("it returns"),
            2
        );
        assert_eq!(environment.stack_high_water(), Some(four));
        trap(&instance, &mut environment, "deep");
        assert!(environment.stack_high_water().expect("measured") > SIZE / 4);
        environment.measure_stack();
        assert_eq!(environment.stack_high_water(), Some(0));
    }
    let mut environment = instance
        .execution_environment(Stack::Caller)
        .expect("it needs no memory");
    environment.measure_stack();
    assert_eq!(environment.stack_high_water(), None);
}

#[test]
fn host_functions_run_on_the_stack_of_the_thread() {
    let runtime = runtime();
    let mut imports = Imports::new(&runtime);
    let distance = |_: &mut Caller<'_>, a: i32, _: i32| (position() as i32).wrapping_sub(a);
    imports.func("env", "f", distance).expect("there is memory");
    let instance = instantiate(&imports, &code::module()).expect("the import is there");
    let mut environment = instance
        .execution_environment(Stack::Bytes(SIZE))
        .expect("there is memory");
    let here = position() as i32;
    let distance = host(&instance, &mut environment, here, 0).expect("it returns");
    assert!(distance.unsigned_abs() < 32 << 10, "{distance}");
}

#[test]
fn threads_have_regions_of_their_own() {
    let runtime = runtime();
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                let instance = instance_in(&runtime, StackChecks::Explicit);
                let mut environment = instance
                    .execution_environment(Stack::Bytes(SIZE))
                    .expect("there is memory");
                for _ in 0..20 {
                    exercise(&instance, &mut environment);
                }
                // An environment may move to another thread.
                std::thread::scope(|scope| {
                    scope.spawn(|| exercise(&instance, &mut environment));
                });
            });
        }
    });
    assert_eq!(runtime.usage(Category::CallStack).current, 0);
}

#[test]
fn a_pool_holds_the_region() {
    static POOL: StaticPool<{ 256 << 10 }> = StaticPool::new();
    let pool = POOL.take().expect("nobody has taken it");
    let runtime = Runtime::with_pool(pool, RuntimeOptions::default()).expect("it is large enough");
    let instance = instance_in(&runtime, StackChecks::Explicit);
    let before = runtime.pool_usage().expect("there is a pool");
    {
        let mut environment = instance
            .execution_environment(Stack::Bytes(SIZE))
            .expect("there is room");
        assert_eq!(runtime.usage(Category::CallStack).current, SIZE);
        let add = instance.func::<(i32, i32), i32>("add").expect("exported");
        assert_eq!(add.call(&mut environment, (1, 2)).expect("it adds"), 3);
        assert_eq!(
            host(&instance, &mut environment, 8, 9).expect("it returns"),
            9
        );
        assert_eq!(
            trap(&instance, &mut environment, "deep").code(),
            TrapCode::StackOverflow
        );
        let error = instance.execution_environment(Stack::Bytes(1 << 20));
        let error = error.expect_err("there is no room");
        assert!(matches!(error, StackError::OutOfMemory(error)
            if error.category() == Category::CallStack));
    }
    assert_eq!(runtime.usage(Category::CallStack).current, 0);
    let after = runtime.pool_usage().expect("there is a pool");
    assert_eq!(before.free, after.free);
}

#[test]
fn a_start_function_runs_where_it_is_told() {
    let runtime = runtime();
    let mut imports = Imports::new(&runtime);
    imports
        .func("env", "f", |_: &mut Caller<'_>, a: i32, _: i32| a)
        .expect("there is memory");
    let mut artifact = code::module();
    artifact.start_function = Some(5);
    let module = support::load(&runtime, &artifact).expect("the device accepts it");
    let mut environment = runtime
        .execution_environment(Stack::Bytes(SIZE))
        .expect("there is memory");
    environment.measure_stack();
    let error = module
        .instantiate_in(&mut environment, &imports, InstanceOptions::default())
        .expect_err("it never returns");
    assert!(error.to_string().contains("stack"), "{error}");
    assert!(environment.stack_high_water().expect("measured") > SIZE / 4);
}
