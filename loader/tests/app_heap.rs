//! The app heap and addresses of programs, without any code: what the host can do from outside, and
//! what it gets when there is not enough memory.

mod support;

use core::mem::MaybeUninit;

use precast_format::tunables::BoundsChecks;
use precast_format::write::ArtifactBuilder;
use precast_loader::{
    AddressError, CallContext, CallError, Category, ExternKind, HeapError, Imports, Instance,
    InstanceOptions, InstantiateError, MemoryType, Runtime, RuntimeOptions, Stack,
};

use support::{BOUNDS_CHECKS, builder, export, load, memory_type, runtime};

const PAGE: usize = 65536;

/// A module that exports a memory.
fn exporter(memory_type: MemoryType, checks: BoundsChecks) -> ArtifactBuilder {
    let mut artifact = builder();
    artifact.tunables.bounds_checks = checks;
    artifact.memories.push(memory_type);
    artifact.exports = vec![export("memory", ExternKind::Memory, 0)];
    artifact
}

fn instantiate(
    runtime: &Runtime,
    artifact: &ArtifactBuilder,
    heap_size: usize,
) -> Result<Instance, InstantiateError> {
    let options = InstanceOptions::default().heap_size(heap_size);
    let module = load(runtime, artifact).expect("the device accepts it");
    module.instantiate(&Imports::new(runtime), options)
}

/// Where calls have their stack.
fn environment(instance: &Instance) -> impl CallContext + use<> {
    let environment = instance.execution_environment(Stack::Caller);
    environment.expect("it needs no memory")
}

/// The same numbers every time.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) as usize % limit
    }
}

#[test]
fn random_blocks_keep_their_contents() {
    for &checks in BOUNDS_CHECKS {
        let runtime = runtime();
        let artifact = exporter(memory_type(1, None), checks);
        let instance = instantiate(&runtime, &artifact, 2 * PAGE).expect("there is memory");
        let mut env = environment(&instance);
        let memory = instance.memory("memory").expect("exported");
        let mut random = Random(0x9e37_79b9_7f4a_7c15);
        let mut blocks: Vec<(u64, Vec<u8>)> = Vec::new();
        for round in 0..20_000usize {
            if random.below(100) < 55 {
                let limit = if random.below(10) == 0 { 9000 } else { 300 };
                let bytes = vec![round as u8; random.below(limit)];
                match instance.module_dup_data(&mut env, &bytes) {
                    Ok(address) => blocks.push((address, bytes)),
                    Err(HeapError::OutOfMemory { requested }) => {
                        let usage = instance.app_heap().expect("idle").expect("there is one");
                        assert_eq!(requested, bytes.len() as u64);
                        assert!((usage.largest_free as u64) < requested.max(1));
                    }
                    Err(error) => panic!("{error}"),
                }
            } else if !blocks.is_empty() {
                let (address, bytes) = blocks.swap_remove(random.below(blocks.len()));
                let mut found = vec![0; bytes.len()];
                memory.read(address, &mut found).expect("inside");
                assert_eq!(found, bytes);
                instance.module_free(&mut env, address).expect("allocated");
            }
        }
        assert!(!blocks.is_empty());
        let used: usize = blocks
            .iter()
            .map(|block| block.1.len().div_ceil(16).max(1) * 16)
            .sum();
        let usage = instance.app_heap().expect("idle").expect("there is one");
        assert_eq!((usage.used, usage.blocks), (used, blocks.len()));
        assert!(usage.peak >= used && usage.peak <= usage.size);
    }
}

#[test]
fn a_pool_that_is_too_small_is_an_error() {
    let small = MemoryType {
        page_size_log2: 0,
        ..memory_type(100, None)
    };
    let artifact = exporter(small, BoundsChecks::Explicit);
    let mut refused = 0;
    for bytes in (0..1 << 16).step_by(16) {
        let pool = vec![MaybeUninit::<u8>::uninit(); bytes].leak();
        let Ok(runtime) = Runtime::with_pool(pool, RuntimeOptions::default()) else {
            continue;
        };
        let bytes = artifact.write().expect("the artifact is well formed");
        let Ok(module) = support::load_bytes(&runtime, &bytes) else {
            continue;
        };
        let imports = Imports::new(&runtime);
        let options = InstanceOptions::default();
        // The runtime keeps what the first instance made it make.
        if module.instantiate(&imports, options).is_err() {
            continue;
        }
        let free = runtime.pool_usage().expect("there is a pool").free;
        let result = module.instantiate(&imports, options.heap_size(2000));
        let Err(error) = result else {
            assert_eq!(runtime.usage(Category::LinearMemory).current, 112 + 2000);
            assert_eq!(runtime.usage(Category::AppHeap).current, 32);
            // Each granule more than without a heap was refused with an error.
            assert!(refused >= (2000 + 32) / 16, "{refused}");
            return;
        };
        assert!(matches!(error, InstantiateError::OutOfMemory(_)), "{error}");
        assert_eq!(runtime.pool_usage().expect("there is a pool").free, free);
        refused += 1;
    }
    panic!("no pool was large enough");
}

#[test]
fn addresses_are_checked_and_converted() {
    for &checks in BOUNDS_CHECKS {
        let runtime = runtime();
        let artifact = exporter(memory_type(1, None), checks);
        let instance = instantiate(&runtime, &artifact, PAGE).expect("there is memory");
        check_addresses(&instance);
    }
}

fn check_addresses(instance: &Instance) {
    let memory = instance.memory("memory").expect("exported");
    let end = 2 * PAGE as u64;
    for (address, length, fits) in [
        (0, 0, true),
        (0, end, true),
        (0, end + 1, false),
        (end - 1, 1, true),
        (end - 1, 2, false),
        (end, 0, true),
        (end, 1, false),
        (end + 1, 0, false),
        (u64::MAX, 0, false),
        (u64::MAX, 1, false),
        (1, u64::MAX, false),
        (u64::MAX, u64::MAX, false),
    ] {
        let expected = AddressError::OutOfRange { address, length };
        let expected = if fits { Ok(()) } else { Err(expected) };
        assert_eq!(memory.check_range(address, length), expected);
        let native = memory.native_address(address, length);
        assert_eq!(native.map(|_| ()), expected);
        let mut bytes = memory.borrow_mut().expect("idle");
        assert_eq!(bytes.range(address, length).map(|_| ()), expected);
        let part = bytes.range_mut(address, length).map(|part| part.len());
        assert_eq!(part, expected.map(|()| length as usize));
    }
    for address in [0, 1, 65535, 65536, end - 1] {
        let native = memory.native_address(address, 1).expect("inside");
        assert_eq!(memory.address_of(native.as_ptr()), Ok(Some(address)));
        let bytes = memory.borrow_mut().expect("idle");
        let byte = &bytes[address as usize];
        assert_eq!(bytes.address_of(byte), Some(address));
        assert_eq!(core::ptr::from_ref(byte).addr(), native.addr().get());
    }
    let behind = memory.native_address(end, 0).expect("empty");
    assert_eq!(memory.address_of(behind.as_ptr()), Ok(None));
    assert_eq!(memory.address_of(core::ptr::null()), Ok(None));
    // Strings end where the memory does.
    memory.write(1000, b"data").expect("inside");
    assert_eq!(memory.string_length(1000), Ok(4));
    let bytes = memory.borrow_mut().expect("idle");
    assert_eq!(bytes.string(1001), Ok(&b"ata"[..]));
    assert!(bytes.string(end).is_err());
    drop(bytes);
    assert_eq!(memory.string_length(end - 1), Ok(0));
    let open = |address| Err(AddressError::NotTerminated { address });
    assert_eq!(memory.string_length(end), open(end));
    assert!(memory.string_length(end + 1).is_err());
    assert!(memory.string_length(u64::MAX).is_err());
    memory.write(end - 2, b"xy").expect("inside");
    assert_eq!(memory.string_length(end - 2), open(end - 2));
    // While a slice is borrowed, nobody looks.
    let mut env = environment(instance);
    let borrowed = memory.borrow_mut().expect("idle");
    let busy = memory.check_range(0, 1);
    assert!(matches!(busy, Err(AddressError::Busy(_))));
    let busy = instance.module_malloc(&mut env, 1);
    assert!(matches!(busy, Err(HeapError::Call(CallError::Busy(_)))));
    drop(borrowed);
    // What grows is there.
    assert_eq!(memory.grow(1), Ok(Some(2)));
    assert_eq!(memory.check_range(end, PAGE as u64), Ok(()));
    assert_eq!(memory.string_length(end - 2), Ok(2));
}
