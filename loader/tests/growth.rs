//! Growth of memories: who is told why it failed, wishes that are cut, memories that never move.

mod support;

use core::mem::MaybeUninit;
use std::sync::Mutex;

use precast_format::write::ArtifactBuilder;
use precast_loader::{
    Category, ExternKind, GrowthFailure, GrowthObserver, Imports, Instance, InstanceOptions,
    Runtime, RuntimeOptions,
};

use support::{builder, export, load, memory_type, runtime};

/// A module that exports a memory.
fn exporter(min: u64, max: Option<u64>) -> ArtifactBuilder {
    let mut artifact = builder();
    artifact.memories.push(memory_type(min, max));
    artifact.exports = vec![export("memory", ExternKind::Memory, 0)];
    artifact
}

fn instantiate(
    runtime: &Runtime,
    artifact: &ArtifactBuilder,
    options: InstanceOptions,
) -> Instance {
    load(runtime, artifact)
        .expect("the device accepts it")
        .instantiate(&Imports::new(runtime), options)
        .expect("it imports nothing")
}

/// What observers were told, with the number that each was made with.
static TOLD: Mutex<Vec<(usize, GrowthFailure)>> = Mutex::new(Vec::new());

fn told(user: usize) -> Vec<GrowthFailure> {
    let mut all = TOLD.lock().expect("no test panics within");
    let (mine, others) = all.iter().partition(|(number, _)| *number == user);
    *all = others;
    let mine: Vec<(usize, GrowthFailure)> = mine;
    mine.into_iter().map(|(_, failure)| failure).collect()
}

fn observed(user: usize) -> InstanceOptions {
    let notify = |user, failure| TOLD.lock().expect("no test panics").push((user, failure));
    InstanceOptions::default().growth_observer(GrowthObserver::new(user, notify))
}

#[test]
fn the_host_learns_that_a_limit_was_reached() {
    let limited = |pages, limit| {
        let failure = GrowthFailure::LimitReached {
            memory: 0,
            pages,
            limit,
        };
        vec![failure]
    };
    let instance = instantiate(&runtime(), &exporter(1, Some(3)), observed(1));
    let memory = instance.memory("memory").expect("exported");
    assert_eq!(memory.grow(1), Ok(Some(1)));
    assert_eq!(told(1), []);
    assert_eq!(memory.grow(2), Ok(None));
    assert_eq!(told(1), limited(4, 3));
    assert_eq!(memory.grow(u64::MAX), Ok(None));
    assert_eq!(told(1), limited(u64::MAX, 3));
    // The host's limit counts, and what indices reach where there is none.
    let options = observed(2).max_memory_pages(2);
    let instance = instantiate(&runtime(), &exporter(1, Some(3)), options);
    let memory = instance.memory("memory").expect("exported");
    assert_eq!(memory.grow(2), Ok(None));
    assert_eq!(told(2), limited(3, 2));
    let instance = instantiate(&runtime(), &exporter(1, None), observed(3));
    let memory = instance.memory("memory").expect("exported");
    assert_eq!(memory.grow(65536), Ok(None));
    assert_eq!(told(3), limited(65537, 65536));
}

#[test]
fn the_host_learns_that_there_is_no_memory() {
    let pool = vec![MaybeUninit::<u8>::uninit(); 200 << 10].leak();
    let runtime = Runtime::with_pool(pool, RuntimeOptions::default()).expect("there is room");
    let instance = instantiate(&runtime, &exporter(1, None), observed(4));
    let memory = instance.memory("memory").expect("exported");
    assert_eq!(memory.grow(9), Ok(None));
    let told = told(4);
    let [
        GrowthFailure::OutOfMemory {
            memory: 0,
            pages: 10,
            error,
            ..
        },
    ] = told[..]
    else {
        panic!("{told:?}");
    };
    assert_eq!(error.category(), Category::LinearMemory);
    assert_eq!(error.bytes(), 10 << 16);
    assert_eq!(memory.grow(1), Ok(Some(1)));
}

#[test]
fn wishes_outside_of_the_types_limits_are_clamped_and_reported() {
    for (wish, max, clamped) in [
        (0, Some(5), Some(2)),
        (1, Some(5), Some(2)),
        (2, Some(5), None),
        (5, Some(5), None),
        (6, Some(5), Some(5)),
        (65536, None, None),
        (u64::MAX, None, Some(65536)),
    ] {
        let options = InstanceOptions::default().max_memory_pages(wish);
        let instance = instantiate(&runtime(), &exporter(2, max), options);
        let mut found = instance.clamped_limits();
        match (found.next(), clamped) {
            (None, None) => {}
            (Some(limit), Some(applied)) => {
                assert_eq!(
                    (limit.memory, limit.requested, limit.applied),
                    (0, wish, applied)
                );
            }
            other => panic!("{wish}: {other:?}"),
        }
        assert!(found.next().is_none());
    }
    let instance = instantiate(
        &runtime(),
        &exporter(2, Some(5)),
        InstanceOptions::default(),
    );
    assert_eq!(instance.clamped_limits().count(), 0);
}

#[test]
fn a_fixed_memory_is_allocated_at_once_and_never_moves() {
    const PAGE: usize = 65536;
    let runtime = runtime();
    let options = InstanceOptions::default().fixed_memory(true);
    let instance = instantiate(&runtime, &exporter(1, Some(40)), options);
    assert_eq!(runtime.usage(Category::LinearMemory).current, 40 * PAGE);
    let memory = instance.memory("memory").expect("exported");
    let base = memory.borrow_mut().expect("idle").as_ptr();
    for pages in 1..40 {
        assert_eq!(memory.len(), Ok(pages * PAGE));
        assert_eq!(memory.grow(1), Ok(Some(pages as u64)));
        let bytes = memory.borrow_mut().expect("idle");
        assert_eq!(bytes.as_ptr(), base);
        assert!(bytes[pages * PAGE..].iter().all(|byte| *byte == 0));
    }
    assert_eq!(memory.grow(1), Ok(None));
    assert_eq!(runtime.usage(Category::LinearMemory).current, 40 * PAGE);
    // The host's limit bounds what is allocated; without any limit there is not enough.
    let options = options.max_memory_pages(3);
    let other = instantiate(&runtime, &exporter(1, None), options);
    assert_eq!(runtime.usage(Category::LinearMemory).current, 43 * PAGE);
    drop((other, memory, instance));
    assert_eq!(runtime.usage(Category::LinearMemory).current, 0);
}

#[test]
fn a_fixed_memory_that_does_not_fit_is_refused() {
    let pool = vec![MaybeUninit::<u8>::uninit(); 200 << 10].leak();
    let runtime = Runtime::with_pool(pool, RuntimeOptions::default()).expect("there is room");
    let module = load(&runtime, &exporter(1, Some(5))).expect("the device accepts it");
    let imports = Imports::new(&runtime);
    let free = runtime.pool_usage().expect("there is a pool").free;
    let fixed = InstanceOptions::default().fixed_memory(true);
    assert!(module.instantiate(&imports, fixed).is_err());
    assert_eq!(runtime.pool_usage().expect("there is a pool").free, free);
    assert!(
        module
            .instantiate(&imports, InstanceOptions::default())
            .is_ok()
    );
}
