//! Whatever the bytes are, loading ends with a module or with an error.
//!
//! Nothing of what gets through is executed: the artifacts have no start function, and nobody
//! calls an export.

mod support;

use precast_format::tunables::{BoundsChecks, TrapMode};
use precast_format::write::ArtifactBuilder;
use precast_loader::{Imports, InstanceOptions, Runtime, RuntimeOptions};
use support::{BOUNDS_CHECKS, load_bytes, memory_type, rich, runtime_with};

/// Loads, and instantiates what can be, on a device with and without guard pages and signals. True
/// if it went all the way on one of them.
fn attempt(bytes: &[u8]) -> bool {
    let bare = RuntimeOptions::default().signals(false).guard_pages(false);
    [bare, RuntimeOptions::default()]
        .map(|options| attempt_on(&runtime_with(options), bytes))
        .contains(&true)
}

/// Loads, and instantiates what can be. True if it went all the way.
fn attempt_on(runtime: &Runtime, bytes: &[u8]) -> bool {
    let Ok(module) = load_bytes(runtime, bytes) else {
        return false;
    };
    let usage = module.artifact_usage();
    assert_eq!(usage.owned + usage.released, bytes.len());
    let mut imports = Imports::new(runtime);
    let host = |_: &mut precast_loader::Caller<'_>, _: i32, _: f64| 0u128;
    imports.func("env", "func", host).expect("there is memory");
    let memory = precast_loader::Memory::new(runtime, memory_type(1, Some(3)));
    imports
        .memory("env", "memory", &memory.expect("there is memory"))
        .expect("there is memory");
    if let Ok(instance) = module.instantiate(&imports, InstanceOptions::default()) {
        for (name, item) in instance.exports() {
            assert!(!format!("{name} {item:?}").is_empty());
        }
        return true;
    }
    false
}

/// The same with each way of keeping to its memories.
fn artifacts() -> impl Iterator<Item = ArtifactBuilder> {
    BOUNDS_CHECKS.iter().map(|checks| {
        let mut artifact = rich();
        artifact.tunables.bounds_checks = *checks;
        if *checks == BoundsChecks::Guard {
            artifact.tunables.trap_mode = TrapMode::Signals;
        }
        artifact
    })
}

#[test]
fn the_artifacts_themselves_work() {
    for artifact in artifacts() {
        assert!(attempt(
            &artifact.write().expect("the artifact is well formed")
        ));
    }
}

#[test]
fn every_prefix_is_refused() {
    let bytes = rich().write().expect("the artifact is well formed");
    let lengths = (0..bytes.len()).filter(|length| *length < 2048 || length % 37 == 0);
    for length in lengths {
        assert!(!attempt(&bytes[..length]), "{length} bytes were accepted");
    }
}

#[test]
fn every_byte_may_be_wrong() {
    let good = rich().write().expect("the artifact is well formed");
    let mut bytes = good.clone();
    for place in 0..bytes.len() {
        // Behind the first page are code, image and padding, which are long.
        if place > 4096 && place % 61 != 0 {
            continue;
        }
        for value in [0x00, 0x7f, 0xff, bytes[place] ^ 0x11] {
            bytes[place] = value;
            attempt(&bytes);
        }
        bytes[place] = good[place];
    }
}

#[test]
fn noise_is_refused() {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut next = move || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state
    };
    let good: Vec<Vec<u8>> = artifacts()
        .map(|it| it.write().expect("the artifact is well formed"))
        .collect();
    for round in 0..4_000 {
        let mut bytes = good[round % good.len()].clone();
        for _ in 0..1 + next() % 6 {
            let place = next() as usize % bytes.len().min(4096);
            let word = next().to_le_bytes();
            let width = 1 << (next() % 4);
            for (byte, value) in bytes[place..].iter_mut().zip(&word[..width]) {
                *byte = *value;
            }
        }
        attempt(&bytes);
    }
}
