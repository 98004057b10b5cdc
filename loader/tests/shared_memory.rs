//! Shared memories without code: who keeps them, who may use them at the same time, what they cost.
//!
//! The tests with threads are also what a build with a race detector runs.

mod support;

use std::sync::Barrier;
use std::thread;

use precast_format::tunables::BoundsChecks;
use precast_format::types::{ConstOp, ImportType};
use precast_format::write::{ArtifactBuilder, DataMode, DataSegment, ImagePart};
use precast_loader::{
    BorrowError, CallError, Category, ExternKind, Imports, Instance, InstanceOptions,
    InstantiateError, LinkError, Memory, MemoryType, Runtime, RuntimeOptions, TrapCode,
};

use support::{builder, export, import, load, memory_type, runtime, runtime_with};

const WASM_PAGE: usize = 65536;
const THREADS: usize = 4;

fn shared_type(min: u64, max: u64) -> MemoryType {
    MemoryType {
        shared: true,
        ..memory_type(min, Some(max))
    }
}

/// With and without guard pages.
fn runtimes() -> [Runtime; 2] {
    [false, true].map(|guard| runtime_with(RuntimeOptions::default().guard_pages(guard)))
}

fn data(mode: DataMode, bytes: &[u8]) -> DataSegment {
    DataSegment {
        mode,
        in_image: false,
        bytes: bytes.to_vec(),
    }
}

fn active(offset: i32) -> DataMode {
    DataMode::Active {
        memory: 0,
        offset: vec![ConstOp::I32Const(offset)],
    }
}

/// A module that defines and exports a shared memory with contents.
fn exporter() -> ArtifactBuilder {
    let mut artifact = builder();
    artifact.memories.push(shared_type(1, 4));
    artifact.exports = vec![export("memory", ExternKind::Memory, 0)];
    artifact.image = vec![ImagePart {
        memory: 0,
        address: 0,
        bytes: vec![3; 4096],
    }];
    artifact.data = vec![data(active(5000), b"hello\0")];
    artifact
}

/// A module that imports one, and exports it again.
fn importer() -> ArtifactBuilder {
    let mut artifact = builder();
    artifact.imports = vec![import("memory", ImportType::Memory(shared_type(1, 4)))];
    artifact.exports = vec![export("again", ExternKind::Memory, 0)];
    artifact.data = vec![data(active(6000), b"world")];
    artifact
}

fn instantiate(imports: &Imports, artifact: &ArtifactBuilder) -> Instance {
    load(imports.runtime(), artifact)
        .expect("the device accepts it")
        .instantiate(imports, InstanceOptions::default())
        .expect("its imports are there")
}

fn importing(memory: &Memory, runtime: &Runtime) -> Imports {
    let mut imports = Imports::new(runtime);
    imports.memory("env", "memory", memory).expect("memory");
    imports
}

fn bytes(memory: &Memory, offset: u64, length: usize) -> Vec<u8> {
    let mut bytes = vec![0; length];
    memory.read(offset, &mut bytes).expect("in bounds");
    bytes
}

/// Runs a body on several threads that begin together; their results.
fn on_threads<T: Send>(body: impl Fn(usize) -> T + Sync) -> Vec<T> {
    let start = Barrier::new(THREADS);
    thread::scope(|scope| {
        let threads: Vec<_> = (0..THREADS)
            .map(|number| {
                let (start, body) = (&start, &body);
                scope.spawn(move || {
                    start.wait();
                    body(number)
                })
            })
            .collect();
        let ends = threads.into_iter().map(|thread| thread.join());
        ends.map(|end| end.expect("no thread panics")).collect()
    })
}

fn linear_memory(runtime: &Runtime) -> (usize, usize) {
    let usage = runtime.usage(Category::LinearMemory);
    (usage.current, usage.blocks)
}

#[test]
fn it_outlives_the_instance_that_defines_it() {
    for runtime in runtimes() {
        let defining = instantiate(&Imports::new(&runtime), &exporter());
        let memory = defining.memory("memory").expect("exported");
        assert!(memory.memory_type().shared);
        drop(defining);
        assert_eq!(bytes(&memory, 4095, 2), [3, 0]);
        assert_eq!(memory.string_length(5000), Ok(5));
        assert!(memory.string_length(WASM_PAGE as u64).is_err());
        let other = instantiate(&importing(&memory, &runtime), &importer());
        let again = other.memory("again").expect("exported");
        drop(memory);
        assert_eq!(bytes(&again, 5000, 5), b"hello");
        assert_eq!(bytes(&again, 6000, 5), b"world");
        assert!(linear_memory(&runtime).0 >= WASM_PAGE);
        drop((other, again));
        assert_eq!(linear_memory(&runtime), (0, 0));
        assert_eq!(runtime.usage(Category::Instance).current, 0);
        assert_eq!(runtime.usage(Category::Context).current, 0);
    }
}

#[test]
#[cfg_attr(target_pointer_width = "32", ignore = "bytecode has no guard pages")]
fn code_behind_guard_pages_can_define_and_import_it() {
    let runtime = runtime();
    let guarded = |mut artifact: ArtifactBuilder| {
        artifact.tunables.bounds_checks = BoundsChecks::Guard;
        artifact
    };
    let defining = instantiate(&Imports::new(&runtime), &guarded(exporter()));
    let memory = defining.memory("memory").expect("exported");
    let imports = importing(&memory, &runtime);
    let other = instantiate(&imports, &guarded(importer()));
    assert_eq!(memory.grow(3), Ok(Some(1)));
    let again = other.memory("again").expect("exported");
    assert_eq!(again.size(), Ok(4));
    assert_eq!(again.grow(1), Ok(None));
    assert_eq!(bytes(&again, 4 * WASM_PAGE as u64 - 1, 1), [0]);
    // What was made for code that compares has no guard pages, where there need not be any.
    let unguarded = instantiate(&Imports::new(&runtime), &exporter());
    let memory = unguarded.memory("memory").expect("exported");
    let error = load(&runtime, &guarded(importer()))
        .expect("the device accepts it")
        .instantiate(&importing(&memory, &runtime), InstanceOptions::default());
    assert!(matches!(
        error,
        Err(InstantiateError::Link(LinkError::Unguarded { .. }))
    ));
}

#[test]
fn nobody_has_it_as_a_slice() {
    let memory = Memory::new(&runtime(), shared_type(1, 1)).expect("there is memory");
    let error = memory.borrow_mut().expect_err("it is shared");
    assert_eq!(error, BorrowError::Shared);
    assert!(error.to_string().contains("`read` and `write`"), "{error}");
}

#[test]
fn ranges_are_checked() {
    for runtime in runtimes() {
        let memory = Memory::new(&runtime, shared_type(1, 2)).expect("there is memory");
        let end = WASM_PAGE as u64;
        for (offset, length) in [(end, 1), (end - 1, 2), (u64::MAX, 1), (u64::MAX, 0)] {
            let mut bytes = vec![7; length];
            assert!(matches!(
                memory.write(offset, &bytes),
                Err(CallError::OutOfBounds)
            ));
            assert!(matches!(
                memory.read(offset, &mut bytes),
                Err(CallError::OutOfBounds)
            ));
        }
        assert!(memory.write(end, &[]).is_ok());
        assert_eq!(memory.grow(1), Ok(Some(1)));
        assert!(memory.write(end - 1, &[1, 2]).is_ok());
        assert_eq!(bytes(&memory, end - 2, 4), [0, 1, 2, 0]);
    }
}

#[test]
fn types_must_agree_and_so_must_runtimes() {
    let (runtime, other) = (runtime(), runtime());
    let module = load(&runtime, &importer()).expect("the device accepts it");
    let refuse = |memory: &Memory| {
        let imports = importing(memory, &runtime);
        let instance = module.instantiate(&imports, InstanceOptions::default());
        instance.map(drop).expect_err("it does not fit")
    };
    let plain = Memory::new(&runtime, memory_type(1, Some(4))).expect("there is memory");
    let large = Memory::new(&runtime, shared_type(1, 5)).expect("there is memory");
    for memory in [plain, large] {
        assert!(matches!(
            refuse(&memory),
            InstantiateError::Link(LinkError::Mismatch { .. })
        ));
    }
    let foreign = Memory::new(&other, shared_type(1, 4)).expect("there is memory");
    assert!(matches!(refuse(&foreign), InstantiateError::OtherRuntime));
}

#[test]
fn segments_that_do_not_fit_are_refused() {
    let mut artifact = exporter();
    artifact.data.push(data(active(65_534), b"long"));
    let module = load(&runtime(), &artifact).expect("the device accepts it");
    let error = module.instantiate(&Imports::new(module.runtime()), InstanceOptions::default());
    let Err(InstantiateError::Trap(trap)) = error else {
        panic!("the segment does not fit");
    };
    assert_eq!(trap.code(), TrapCode::MemoryOutOfBounds);
}

#[test]
fn threads_use_it_while_its_instance_is_busy() {
    for runtime in runtimes() {
        let defining = instantiate(&Imports::new(&runtime), &exporter());
        let memory = defining.memory("memory").expect("exported");
        let module = load(&runtime, &importer()).expect("the device accepts it");
        // Whoever looks at the profile is inside of the instance.
        let inside = defining.memory_profile().expect("idle");
        assert_eq!(inside.memories().count(), 1);
        let sizes = on_threads(|number| {
            let imports = importing(&memory, &runtime);
            let options = InstanceOptions::default();
            let instance = module.instantiate(&imports, options).expect("it fits");
            let again = instance.memory("again").expect("exported");
            again.write(8 * number as u64, &[9; 8]).expect("in bounds");
            again.size()
        });
        drop(inside);
        assert_eq!(sizes, [Ok(1); THREADS]);
        assert_eq!(bytes(&memory, 0, 8 * THREADS), [9; 8 * THREADS]);
    }
}

#[test]
fn of_threads_that_grow_each_gets_pages_of_its_own() {
    const EACH: u64 = 16;
    for runtime in runtimes() {
        let total = 1 + EACH * THREADS as u64;
        let memory = Memory::new(&runtime, shared_type(1, total)).expect("there is memory");
        let pages = on_threads(|number| {
            let mut mine = Vec::new();
            for _ in 0..EACH {
                let page = memory
                    .grow(1)
                    .expect("nobody enters")
                    .expect("there is room");
                let start = page * WASM_PAGE as u64;
                assert_eq!(bytes(&memory, start, WASM_PAGE), [0; WASM_PAGE]);
                let last = start + WASM_PAGE as u64 - 1;
                memory
                    .write(last, &[number as u8 + 1])
                    .expect("it is there");
                mine.push((page, number as u8 + 1));
            }
            mine
        });
        let mut pages = pages.concat();
        pages.sort_unstable();
        let numbers: Vec<u64> = pages.iter().map(|(page, _)| *page).collect();
        assert_eq!(numbers, Vec::from_iter(1..total));
        for (page, number) in pages {
            assert_eq!(
                bytes(&memory, (page + 1) * WASM_PAGE as u64 - 1, 1),
                [number]
            );
        }
        assert_eq!(memory.grow(1), Ok(None));
    }
}

#[test]
fn threads_write_and_read_the_same_bytes() {
    for runtime in runtimes() {
        let memory = Memory::new(&runtime, shared_type(1, 1)).expect("there is memory");
        on_threads(|number| {
            for round in 0..200u64 {
                // Not aligned, and over the same words as the others.
                memory
                    .write(round % 13, &[number as u8 + 1; 300])
                    .expect("in bounds");
                let seen = bytes(&memory, round % 7, 301);
                assert!(seen.iter().all(|byte| *byte as usize <= THREADS));
            }
        });
    }
}

#[test]
fn instances_come_and_go_on_several_threads() {
    for runtime in runtimes() {
        let memory = Memory::new(&runtime, shared_type(1, 4)).expect("there is memory");
        let module = load(&runtime, &importer()).expect("the device accepts it");
        let before = runtime.usage(Category::Instance).current;
        on_threads(|_| {
            let imports = importing(&memory, &runtime);
            for _ in 0..50 {
                let options = InstanceOptions::default();
                let instance = module.instantiate(&imports, options).expect("it fits");
                assert_eq!(bytes(&memory, 6000, 5), b"world");
                drop(instance);
            }
        });
        assert_eq!(runtime.usage(Category::Instance).current, before);
        drop((memory, module));
        assert_eq!(linear_memory(&runtime), (0, 0));
        assert_eq!(runtime.usage(Category::Instance).current, 0);
    }
}

#[test]
fn a_pool_is_asked_for_all_that_it_may_ever_have() {
    let region = vec![core::mem::MaybeUninit::<u8>::uninit(); 4 << 20].leak();
    let runtime = Runtime::with_pool(region, RuntimeOptions::default()).expect("there is room");
    let memory = Memory::new(&runtime, shared_type(1, 8)).expect("there is room");
    assert_eq!(linear_memory(&runtime), (8 * WASM_PAGE, 1));
    assert_eq!(memory.len(), Ok(WASM_PAGE));
    assert_eq!(memory.grow(7), Ok(Some(1)));
    assert_eq!(linear_memory(&runtime), (8 * WASM_PAGE, 1));
    assert!(Memory::new(&runtime, shared_type(1, 4096)).is_err());
    drop(memory);
    assert_eq!(linear_memory(&runtime), (0, 0));
}
