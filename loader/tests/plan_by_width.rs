//! Plans for both pointer widths: each is what the loader asks for where it runs, and for a device
//! with 32-bit pointers it is the same on every machine.
//!
//! The first test compares this machine's plans with what happens on this machine. The second compares
//! plans for 32 bits with numbers, which are the same wherever it runs; where pointers have 32 bits, it
//! compares what happens with them, too. So what a build machine says of a device is what the device
//! takes.
//!
//! `PRECAST_ARTIFACTS` names a folder with more artifacts for the last test: those that
//! `precast wast --artifacts-out` writes, for instance.
#![cfg(all(feature = "plan", feature = "command"))]

#[path = "../../tests/src/plan_host.rs"]
#[expect(dead_code, reason = "it is for other tests, too")]
mod plan_host;
mod support;

use std::mem::MaybeUninit;
use std::ptr::NonNull;

use plan_host::{Failure, Recorder, live};
use precast_format::Artifact;
use precast_format::target::{Endianness, HostAbi, Isa};
use precast_format::types::ImportType;
use precast_format::write::{ArtifactBuilder, DataMode, ElementMode, FuncType, Target};
use precast_loader::plan::{AllocationMode, Plan, PlanError, PlanOptions, Stage};
use precast_loader::{
    Allocator, Category, GlobalType, Runtime, RuntimeOptions, ValueType, WASM_PAGE_SIZE_LOG2,
};
use support::{builder, import, memory_type, rich, table_type};

/// Larger pools are not tried.
const MOST: usize = 256 << 20;

/// Artifacts that together have all that a plan depends on.
fn artifacts() -> Vec<(&'static str, ArtifactBuilder)> {
    let mut imports = builder();
    imports.imports = vec![
        import("memory", ImportType::Memory(memory_type(1, Some(3)))),
        import("table", ImportType::Table(table_type(5, Some(9)))),
        import(
            "global",
            ImportType::Global(GlobalType {
                value: ValueType::I64,
                mutable: true,
            }),
        ),
    ];
    let mut shared = memory_type(1, Some(2));
    shared.shared = true;
    let mut threads = builder();
    threads.imports = vec![import("shared", ImportType::Memory(shared))];
    threads.memories = vec![shared, memory_type(1, None)];
    let mut segments = rich();
    for segment in &mut segments.elements {
        segment.mode = ElementMode::Passive;
    }
    for segment in &mut segments.data {
        segment.mode = DataMode::Passive;
    }
    let mut counted = rich();
    counted.tunables.call_profile = true;
    let mut types = builder();
    let func = |params: Vec<ValueType>, following, canonical| FuncType {
        params,
        following,
        canonical,
        ..FuncType::default()
    };
    types.types = vec![
        func(vec![ValueType::V128; 9], 0, 0),
        func(vec![ValueType::I32], 2, 1),
        func(vec![ValueType::I64, ValueType::EXTERNREF], 1, 2),
        func(Vec::new(), 0, 3),
    ];
    let mut odd = builder();
    let mut bytes = memory_type(100, Some(200));
    bytes.page_size_log2 = 0;
    let mut long = memory_type(1, None);
    long.is_64 = true;
    odd.memories = vec![bytes, long];
    vec![
        ("empty", builder()),
        ("rich", rich()),
        ("imports", imports),
        ("threads", threads),
        ("segments", segments),
        ("counted", counted),
        ("types", types),
        ("odd", odd),
    ]
}

/// What a device does on which nothing is called.
fn options() -> PlanOptions<'static> {
    let mut options = PlanOptions::default();
    options.provided_stack = true;
    options
}

/// Holds an artifact for this machine to its plan; the size of its pool.
fn check(artifact: &'static [u8]) -> Result<Option<usize>, String> {
    let mut system = options();
    system.mode = AllocationMode::System;
    let plan = Plan::new(artifact, &system).map_err(|error| error.to_string())?;
    let recorder: &'static Recorder = Box::leak(Box::default());
    let runtime = recorder.runtime(RuntimeOptions::default());
    let runtime = runtime.map_err(|error| error.to_string())?;
    let life = live(&runtime, artifact).map_err(|failure| format!("{failure:?}"))?;
    let more = recorder.compare(&plan)?;
    if more > 0 {
        return Err(format!("{more} more requests than planned"));
    }
    for category in Category::ALL {
        let found = runtime.usage(*category);
        let planned = plan.usage(Stage::Environment, *category);
        if (found.current, found.blocks) != (planned.current, planned.blocks) {
            return Err(format!("{category}: {found:?}, planned {planned:?}"));
        }
    }
    drop(life);
    let plan = match Plan::new(artifact, &options()) {
        Ok(plan) => plan,
        Err(PlanError::GuardPages) => return Ok(None),
        Err(error) => return Err(error.to_string()),
    };
    let bytes = plan.pool_bytes().ok_or("no pool is large enough")?;
    if bytes <= MOST {
        check_pool(artifact, bytes)?;
    }
    Ok(Some(bytes))
}

/// Bytes that are aligned as the pool aligns blocks. Large numbers are not, on some machines.
#[derive(Clone, Copy)]
#[repr(align(16))]
struct Granule {
    _bytes: [u8; 16],
}

/// Tries a pool of just the planned size, and one that is a granule smaller.
fn check_pool(artifact: &'static [u8], bytes: usize) -> Result<(), String> {
    let mut region = vec![MaybeUninit::<Granule>::uninit(); bytes / 16];
    let start = NonNull::from(&mut *region).cast::<u8>();
    let lives = |bytes: usize| {
        // SAFETY: the region is this function's, and the runtime is gone when it is used again.
        let allocator = unsafe { Allocator::pool_at(start, bytes) }?;
        let runtime = Runtime::with_allocator(allocator, RuntimeOptions::default())?;
        live(&runtime, artifact).map(drop)
    };
    lives(bytes).map_err(|failure| format!("with {bytes} bytes: {failure:?}"))?;
    match lives(bytes - 16) {
        Err(Failure::OutOfMemory(_)) => Ok(()),
        Err(Failure::Other(text)) => Err(format!("with {} bytes: {text}", bytes - 16)),
        Ok(()) => Err(format!("{} bytes are enough, too", bytes - 16)),
    }
}

#[test]
fn this_machine_takes_what_is_planned() {
    for (name, artifact) in artifacts() {
        // Which is planned for devices that count calls.
        if artifact.tunables.call_profile && !cfg!(feature = "call-profile") {
            continue;
        }
        let artifact = artifact.write().expect("it is well formed").leak();
        if let Err(message) = check(artifact) {
            panic!("{name}: {message}");
        }
    }
}

/// What a pool of each artifact has to have where pointers have 32 bits, in bytes.
const POOLS: [(&str, usize); 8] = [
    ("empty", 1440),
    ("rich", 133_680),
    ("imports", 67_984),
    ("threads", 330_080),
    ("segments", 133_712),
    ("counted", 133_808),
    ("types", 1904),
    ("odd", 67_616),
];

/// What every build machine makes for a device with 32-bit pointers.
fn narrow() -> Target {
    Target {
        isa: Isa::Pulley32,
        endianness: Endianness::Little,
        host_abi: HostAbi::SystemV,
        page_size_log2: 12,
    }
}

#[test]
fn plans_for_32_bits_are_the_same_everywhere() {
    let pools = artifacts().into_iter().map(|(name, mut artifact)| {
        artifact.target = narrow();
        // This is smaller where pointers are.
        artifact.tunables.memory_reservation = 256 << 20;
        let bytes = artifact.write().expect("it is well formed").leak();
        let plan = Plan::new(bytes, &options()).expect("there is a plan");
        let planned = plan.pool_bytes().expect("there is such a pool");
        if support::ISA == Isa::Pulley32 {
            let found = check(bytes).unwrap_or_else(|message| panic!("{name}: {message}"));
            assert_eq!(found, Some(planned), "{name}");
        }
        (name, planned)
    });
    assert_eq!(pools.collect::<Vec<_>>(), POOLS);
}

#[test]
fn what_no_device_with_32_bits_has_is_refused() {
    let plan = |pages, options: &PlanOptions<'_>| {
        let mut artifact = builder();
        artifact.target.isa = Isa::Pulley32;
        artifact.target.endianness = Endianness::Little;
        artifact.memories.push(memory_type(pages, None));
        let bytes = artifact.write().expect("it is well formed");
        Plan::new(&bytes, options).map(|plan| plan.pool_bytes())
    };
    let mut system = options();
    system.mode = AllocationMode::System;
    // Half of the addresses are the most that one block can have.
    let half = 1 << (31 - WASM_PAGE_SIZE_LOG2);
    for pages in [half, half + 1, 2 * half] {
        for options in [&options(), &system] {
            let error = plan(pages, options).expect_err("no block is so large");
            assert_eq!(error, PlanError::TooLarge(Category::LinearMemory));
        }
    }
    assert!(plan(half - 1, &system).is_ok());
    let bytes = plan(half / 2, &options()).expect("there is a plan");
    assert!(bytes.is_some_and(|bytes| bytes > 1 << 30));
}

#[test]
fn artifacts_of_a_folder_take_what_is_planned() {
    let Some(folder) = std::env::var_os("PRECAST_ARTIFACTS") else {
        return;
    };
    let (mut exact, mut other, mut failures) = (0, 0, Vec::new());
    let mut sizes: Option<(usize, usize)> = None;
    for entry in std::fs::read_dir(folder).expect("the folder is there") {
        let path = entry.expect("it can be read").path();
        let Ok(bytes) = std::fs::read(&path) else {
            continue;
        };
        let bytes: &'static [u8] = bytes.leak();
        // Modules that start to run take what their functions take; others cannot live here at all.
        let fits = Artifact::parse(bytes).is_ok_and(|artifact| {
            artifact.header().isa == support::ISA && artifact.start_function().is_none()
        });
        let system = Runtime::system().expect("there is memory");
        if !fits || live(&system, bytes).is_err() {
            other += 1;
            continue;
        }
        match check(bytes) {
            Ok(pool) => {
                exact += 1;
                if let Some(pool) = pool {
                    let (least, most) = sizes.unwrap_or((pool, pool));
                    sizes = Some((least.min(pool), most.max(pool)));
                }
            }
            Err(message) => failures.push(format!("{}: {message}", path.display())),
        }
    }
    println!("{exact} exact, {other} others, pools of {sizes:?} bytes");
    let count = failures.len();
    failures.truncate(20);
    assert!(failures.is_empty(), "{count}:\n{}", failures.join("\n"));
}
