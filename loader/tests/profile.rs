//! What a runtime and an instance say about their memory, while they live and when they are gone.

mod support;

use std::mem::MaybeUninit;

use precast_format::tunables::BoundsChecks;
use precast_format::write::{ArtifactBuilder, Table};
use precast_loader::{
    Busy, Category, ExternKind, Imports, Instance, InstanceOptions, Lifetime, Memory, Runtime,
    RuntimeOptions,
};

use support::{BOUNDS_CHECKS, builder, export, import, load, memory_type, runtime, table_type};

const PAGE: usize = 65536;

/// A module that defines and exports a memory, and defines a table.
fn artifact(checks: BoundsChecks) -> ArtifactBuilder {
    let mut artifact = builder();
    artifact.tunables.bounds_checks = checks;
    artifact.memories.push(memory_type(2, Some(9)));
    artifact.tables.push(Table {
        ty: table_type(3, None),
        init: None,
    });
    artifact.exports = vec![
        export("memory", ExternKind::Memory, 0),
        export("table", ExternKind::Table, 0),
    ];
    artifact
}

fn instantiate(runtime: &Runtime, artifact: &ArtifactBuilder, imports: &Imports) -> Instance {
    load(runtime, artifact)
        .expect("the device accepts it")
        .instantiate(imports, InstanceOptions::default().max_memory_pages(7))
        .expect("everything is there")
}

#[test]
fn categories_add_up_to_lifetimes() {
    let runtime = runtime();
    let artifact = artifact(BoundsChecks::Explicit);
    let instance = instantiate(&runtime, &artifact, &Imports::new(&runtime));
    let during = runtime.memory_profile();
    let mut seen = 0;
    for lifetime in Lifetime::ALL {
        let (mut current, mut blocks) = (0, 0);
        for (category, usage) in during.categories(*lifetime) {
            assert_eq!(usage, runtime.usage(category), "{category}");
            assert!(usage.peak >= usage.current, "{category}");
            current += usage.current;
            blocks += usage.blocks;
            seen += 1;
        }
        let sum = during.lifetime(*lifetime);
        assert_eq!((sum.current, sum.blocks), (current, blocks));
    }
    assert_eq!(seen, Category::COUNT);
    assert_eq!(during.pool(), None);
    assert_eq!(during.usage(Category::LinearMemory).current, 2 * PAGE);
    assert!(during.lifetime(Lifetime::Instance).current > 2 * PAGE);
    drop(instance);
    let after = runtime.memory_profile();
    assert_eq!(after.lifetime(Lifetime::Instance).current, 0);
    assert_eq!(after.usage(Category::LinearMemory).peak, 2 * PAGE);
}

/// The same body for every kind of storage.
fn memories_and_tables(runtime: &Runtime, checks: BoundsChecks) {
    let instance = instantiate(runtime, &artifact(checks), &Imports::new(runtime));
    let memory = instance.memory("memory").expect("exported");
    assert_eq!(memory.grow(3), Ok(Some(2)));
    memory.write(4 * PAGE as u64, &[1]).expect("in bounds");
    let profile = instance.memory_profile().expect("nobody else is inside");
    let memories: Vec<_> = profile.memories().collect();
    let [figures] = memories.as_slice() else {
        panic!("one memory, not {memories:?}");
    };
    assert_eq!((figures.index, figures.imported), (0, false));
    assert_eq!(figures.declared_min, 2 * PAGE as u64);
    assert_eq!(figures.declared_max, Some(7 * PAGE as u64));
    assert_eq!((figures.length, figures.committed), (5 * PAGE, 5 * PAGE));
    // An emulator of another byte order hands out its host's file as it is, by which any page may be there
    // or not.
    let swapped = cfg!(target_endian = "big");
    if swapped {
        println!("skipped: what is resident is not known in this emulator");
    }
    if let Some(resident) = figures.resident.filter(|_| !swapped) {
        assert!((1..=5 * PAGE).contains(&resident), "{resident}");
        if checks == BoundsChecks::Guard {
            assert!(
                resident < PAGE,
                "one byte was touched, {resident} are there"
            );
        }
    }
    let tables: Vec<_> = profile.tables().collect();
    let [figures] = tables.as_slice() else {
        panic!("one table, not {tables:?}");
    };
    assert_eq!((figures.index, figures.imported), (0, false));
    assert_eq!((figures.elements, figures.max_elements), (3, None));
    assert_eq!(figures.bytes, 3 * size_of::<usize>());
}

#[test]
fn memories_say_what_is_declared_committed_and_resident() {
    for &checks in BOUNDS_CHECKS {
        memories_and_tables(&runtime(), checks);
    }
    let pool = vec![MaybeUninit::uninit(); 2 << 20].leak();
    let runtime = Runtime::with_pool(pool, RuntimeOptions::default()).expect("there is room");
    memories_and_tables(&runtime, BoundsChecks::Explicit);
    assert_eq!(runtime.memory_profile().pool(), runtime.pool_usage());
}

#[test]
fn imported_memories_are_told_apart() {
    let runtime = runtime();
    let mut artifact = artifact(BoundsChecks::Explicit);
    let ty = memory_type(1, Some(4));
    artifact.imports = vec![import(
        "memory",
        precast_format::types::ImportType::Memory(ty),
    )];
    let mut imports = Imports::new(&runtime);
    let memory = Memory::new(&runtime, ty).expect("there is memory");
    imports
        .memory("env", "memory", &memory)
        .expect("there is memory");
    let instance = instantiate(&runtime, &artifact, &imports);
    let profile = instance.memory_profile().expect("nobody else is inside");
    let sizes: Vec<_> = profile
        .memories()
        .map(|memory| (memory.index, memory.imported, memory.length))
        .collect();
    assert_eq!(sizes, [(0, true, PAGE), (1, false, 2 * PAGE)]);
    // The same thread may go on; another one waits.
    assert_eq!(memory.grow(1), Ok(Some(1)));
    let other = instance.clone();
    let busy = std::thread::spawn(move || other.memory_profile().err()).join();
    assert_eq!(busy.expect("no panic"), Some(Busy));
}
