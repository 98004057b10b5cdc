//! A runtime in a region of the host's: everything is from there, everything goes back there, and
//! when there is nothing left it says so.

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
#[path = "support/journey.rs"]
mod journey;
mod support;

use std::mem::MaybeUninit;
use std::ptr::NonNull;

use precast_format::tunables::BoundsChecks;
use precast_loader::{
    Allocator, Caller, Category, Imports, InstanceOptions, LoadError, Memory, OutOfMemory,
    PoolUsage, Runtime, RuntimeOptions, Stack, StaticPool, alloc,
};
use support::{builder, load, load_bytes, memory_type};

/// A region that is given away for good.
fn region(bytes: usize) -> &'static mut [MaybeUninit<u8>] {
    Box::leak(vec![MaybeUninit::uninit(); bytes].into_boxed_slice())
}

fn allocator(bytes: usize) -> Allocator {
    Allocator::pool(region(bytes)).expect("there is room for the allocator itself")
}

fn runtime(allocator: &Allocator) -> Runtime {
    Runtime::with_allocator(allocator.clone(), RuntimeOptions::default())
        .expect("there is room for a runtime")
}

fn usage(allocator: &Allocator) -> PoolUsage {
    allocator.pool_usage().expect("it is a pool")
}

#[test]
fn everything_goes_back_to_the_pool() {
    let allocator = allocator(1 << 20);
    let before = usage(&allocator);
    let overhead = allocator.usage(Category::Runtime);
    let artifacts = journey::artifacts();
    let runtime = runtime(&allocator);
    journey::call(&runtime, &artifacts).expect("there is room");
    journey::fill(&runtime, &artifacts, true).expect("there is room");
    let pages = allocator.usage(Category::LinearMemory);
    assert!(pages.peak >= 4 * 65536, "the memories are in the pool");
    assert!(usage(&allocator).peak > pages.peak);
    drop(runtime);
    let after = usage(&allocator);
    assert_eq!(after.free, before.free);
    assert_eq!(after.largest_free, before.largest_free);
    for category in Category::ALL {
        let used = allocator.usage(*category);
        let kept = match category {
            Category::Runtime => (overhead.current, overhead.blocks),
            _ => (0, 0),
        };
        assert_eq!((used.current, used.blocks), kept, "{category}");
    }
}

#[test]
fn a_static_region_and_a_borrowed_one_will_do() {
    static POOL: StaticPool<400_000> = StaticPool::new();
    let artifacts = journey::artifacts();
    let region = POOL.take().expect("nobody else took it");
    let start = NonNull::from(&mut *region).cast::<u8>();
    for _ in 0..2 {
        // SAFETY: the region is the test's, and the allocator is gone when the next one is made.
        let allocator = unsafe { Allocator::pool_at(start, 400_000) };
        let runtime = runtime(&allocator.expect("there is room"));
        journey::fill(&runtime, &artifacts, false).expect("there is room");
    }
    let runtime = Runtime::with_pool(region, RuntimeOptions::default()).expect("there is room");
    journey::call(&runtime, &artifacts).expect("there is room");
    let usage = runtime.pool_usage().expect("it is a pool");
    assert!(usage.capacity <= 400_000 && usage.peak <= usage.capacity);
}

#[test]
fn a_pool_may_be_too_small_for_a_runtime() {
    for bytes in (0..2000).step_by(16) {
        let _: Result<Runtime, OutOfMemory> =
            Runtime::with_pool(region(bytes), RuntimeOptions::default());
    }
}

/// Leaves more and more room in a pool, until a journey succeeds. Each one that fails takes nothing.
fn with_any_room(step: usize, journey: impl Fn(&Runtime) -> Result<(), journey::Message>) -> usize {
    let allocator = allocator(1 << 20);
    let runtime = runtime(&allocator);
    let before = usage(&allocator);
    let mut room = 0;
    loop {
        let mut hoard = alloc::Vec::<u8>::new_in(&allocator, Category::Wasi);
        hoard
            .try_reserve_exact(before.largest_free - room)
            .expect("it is free");
        let hoarding = usage(&allocator).free;
        let result = journey(&runtime);
        assert_eq!(usage(&allocator).free, hoarding, "with room for {room}");
        drop(hoard);
        assert_eq!(usage(&allocator).free, before.free);
        match result {
            Ok(()) => return room,
            Err(message) => assert!(message.text().contains("no memory"), "{message:?}"),
        }
        // The runtime is as good as before.
        if room % (32 * step) == 0 {
            journey(&runtime).expect("there is room again");
        }
        room += step;
    }
}

#[test]
fn a_full_pool_is_an_error_of_calls() {
    let artifacts = journey::artifacts();
    let room = with_any_room(16, |runtime| journey::call(runtime, &artifacts));
    assert!(room > 1000);
}

#[test]
fn a_full_pool_is_an_error_of_instances_and_growth() {
    let artifacts = journey::artifacts();
    let room = with_any_room(112, |runtime| journey::fill(runtime, &artifacts, true));
    assert!(room > 4 * 65536);
}

#[test]
fn guard_pages_are_not_from_a_pool() {
    let allocator = allocator(1 << 20);
    let mut artifact = builder();
    artifact.tunables.bounds_checks = BoundsChecks::Guard;
    artifact.memories.push(memory_type(1, None));
    let error = load(&runtime(&allocator), &artifact).expect_err("it is refused");
    assert!(matches!(error, LoadError::GuardPages { .. }));
    assert!(error.to_string().contains("--bounds-checks explicit"));
    let options = RuntimeOptions::default().platform_mappings(true);
    let runtime = Runtime::with_allocator(allocator.clone(), options).expect("there is room");
    let module = load(&runtime, &artifact).expect("the platform has address space");
    let free = usage(&allocator).free;
    let instance = module.instantiate(&Imports::new(&runtime), InstanceOptions::default());
    instance.expect("the platform has memory");
    assert!(free - usage(&allocator).free < 65536);
}

#[test]
fn a_thousand_random_cycles_do_not_raise_the_high_water_mark() {
    let allocator = allocator(4 << 20);
    let runtime = runtime(&allocator);
    let artifacts = journey::artifacts();
    let mut state = 0x2545_f491_4f6c_dd1d_u64;
    let mut random = |limit: u64| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 11) % limit
    };
    let (mut free, mut peak) = (0, 0);
    for cycle in 0..1200 {
        let mut modules = Vec::new();
        let mut instances = Vec::new();
        // The first cycle has the most that any has.
        let count = if cycle == 0 { 3 } else { random(3) + 1 };
        for _ in 0..count {
            let is_rich = cycle == 0 || random(2) == 0;
            let bytes = if is_rich {
                &artifacts.rich
            } else {
                &artifacts.code
            };
            modules.push((load_bytes(&runtime, bytes).expect("there is room"), is_rich));
        }
        let count = if cycle == 0 { 6 } else { random(7) };
        for _ in 0..count {
            let (module, is_rich) = &modules[random(modules.len() as u64) as usize];
            let mut imports = Imports::new(&runtime);
            if *is_rich {
                let memory = Memory::new(&runtime, memory_type(1, Some(3)));
                imports
                    .memory("env", "memory", &memory.expect("there is room"))
                    .expect("there is room");
                let host = |_: &mut Caller<'_>, _: i32, _: f64| 0u128;
                imports.func("env", "func", host).expect("there is room");
            } else {
                let host = |_: &mut Caller<'_>, a: i32, _: i32| a;
                imports.func("env", "f", host).expect("there is room");
            }
            let instance = module.instantiate(&imports, InstanceOptions::default());
            instances.push((instance.expect("there is room"), *is_rich));
        }
        while !instances.is_empty() || !modules.is_empty() {
            let index = random((instances.len() + modules.len()) as u64) as usize;
            if index >= instances.len() {
                modules.swap_remove(index - instances.len());
                continue;
            }
            let (instance, is_rich) = instances.swap_remove(index);
            if is_rich {
                let memory = instance.memory("memory").expect("it is exported");
                let mut byte = [0];
                memory.read(9999, &mut byte).expect("it is inside");
                assert_eq!(byte, [0], "a byte of another instance");
                memory.write(9999, &[0xa5; 5000]).expect("it is inside");
            } else {
                let mut environment = instance
                    .execution_environment(Stack::Caller)
                    .expect("it needs no memory");
                let add = instance.func::<(i32, i32), i32>("add").expect("exported");
                let sum = add.call(&mut environment, (cycle, 1)).expect("no trap");
                assert_eq!(sum, cycle + 1);
            }
        }
        let usage = usage(&allocator);
        if cycle < 200 {
            (free, peak) = (usage.free, usage.peak);
        }
        assert_eq!((usage.free, usage.peak), (free, peak), "in cycle {cycle}");
    }
}
