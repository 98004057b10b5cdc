//! An artifact that this device cannot honour is refused, each time with the requirement that
//! failed and what the device offers.

mod support;

use precast_format::layout::header;
use precast_format::libcall::{Libcall, LibcallSet};
use precast_format::target::{CpuFeatures, Endianness, HostAbi, Isa};
use precast_format::tunables::{BoundsChecks, StackChecks, TrapMode};
use precast_format::write::ArtifactBuilder;
use precast_loader::{LoadError, Runtime, RuntimeOptions};
use support::{builder, load, load_bytes, memory_type, runtime, runtime_with};

/// What the loader says of an artifact, and that the sentence names what it has to.
fn refusal(runtime: &Runtime, builder: &ArtifactBuilder, words: &[&str]) -> LoadError {
    let error = load(runtime, builder).expect_err("the artifact has to be refused");
    let sentence = error.to_string();
    for word in words {
        assert!(
            sentence.contains(word),
            "`{word}` is missing in: {sentence}"
        );
    }
    error
}

#[test]
fn what_every_device_has_is_accepted() {
    load(&runtime(), &builder()).expect("nothing is asked for");
}

#[test]
fn another_instruction_set() {
    let mut artifact = builder();
    artifact.target.isa = if support::ISA == Isa::Aarch64 {
        Isa::X86_64
    } else {
        Isa::Aarch64
    };
    artifact.target.endianness = Endianness::Little;
    let words = [artifact.target.isa.name(), support::ISA.name(), "--target"];
    let error = refusal(&runtime(), &artifact, &words);
    assert!(matches!(error, LoadError::Isa { .. }));
}

#[test]
#[cfg(not(feature = "pulley"))]
fn bytecode_without_an_interpreter() {
    let mut artifact = builder();
    artifact.target.isa = Isa::Pulley64;
    let words = ["pulley64", "no interpreter", "feature `pulley`"];
    let error = refusal(&runtime(), &artifact, &words);
    assert!(matches!(error, LoadError::Interpreter { .. }));
}

#[test]
#[cfg(feature = "pulley")]
fn bytecode_that_relies_on_faults() {
    let (wide, narrow) = (Isa::Pulley64, Isa::Pulley32);
    let (own, other) = match size_of::<usize>() {
        8 => (wide, narrow),
        _ => (narrow, wide),
    };
    let mut artifact = builder();
    artifact.target.isa = own;
    load(&runtime(), &artifact).expect("nothing is asked for");
    artifact.target.isa = other;
    let error = refusal(&runtime(), &artifact, &["pulley32", "pulley64"]);
    assert!(matches!(error, LoadError::Isa { .. }));
    artifact.target.isa = own;
    artifact.tunables.stack_checks = StackChecks::Guard;
    for signals in [true, false] {
        let runtime = runtime_with(RuntimeOptions::default().signals(signals));
        let error = refusal(&runtime, &artifact, &["--stack-checks explicit"]);
        assert!(matches!(error, LoadError::StackGuard));
    }
    let mut artifact = builder();
    artifact.target.isa = own;
    artifact.target.endianness = match artifact.target.endianness {
        Endianness::Big => Endianness::Little,
        Endianness::Little => Endianness::Big,
    };
    let error = refusal(&runtime(), &artifact, &["byte order", "big", "little"]);
    assert!(matches!(error, LoadError::ByteOrder { .. }));
}

#[test]
#[cfg_attr(
    target_pointer_width = "32",
    ignore = "bytecode has one convention on all machines"
)]
fn another_calling_convention() {
    let mut artifact = builder();
    artifact.target.host_abi = if support::HOST_ABI == HostAbi::SystemV {
        HostAbi::WindowsFastcall
    } else {
        HostAbi::SystemV
    };
    let names = [artifact.target.host_abi, support::HOST_ABI].map(|abi| format!("{abi:?}"));
    let error = refusal(&runtime(), &artifact, &[&names[0], &names[1]]);
    assert!(matches!(error, LoadError::HostAbi { .. }));
}

#[test]
fn another_context_layout() {
    let mut artifact = builder();
    artifact.abi_hash ^= 1;
    let error = refusal(&runtime(), &artifact, &["hash", "same release"]);
    assert!(matches!(error, LoadError::AbiHash { .. }));
}

#[test]
fn another_format_version() {
    let runtime = runtime();
    let mut bytes = builder().write().expect("the artifact is well formed");
    header::MAJOR.put(&mut bytes, 77u16.to_le_bytes());
    let error = load_bytes(&runtime, &bytes).expect_err("the version is not ours");
    assert!(
        matches!(
            error,
            LoadError::FormatVersion {
                artifact: (77, _),
                ..
            }
        ),
        "{error:?}"
    );
    assert!(error.to_string().contains("77."), "{error}");
}

#[test]
fn counting_without_the_facility() {
    let mut artifact = builder();
    artifact.tunables.call_profile = true;
    if cfg!(feature = "call-profile") {
        load(&runtime(), &artifact).expect("the loader counts");
        return;
    }
    let error = refusal(&runtime(), &artifact, &["counts calls", "--call-profile"]);
    assert!(matches!(error, LoadError::CallProfile));
    // Code that calls what is not there is refused, whatever else the header says.
    artifact.tunables.call_profile = false;
    artifact.libcalls = LibcallSet::default().with(Libcall::ProfileLeave);
    let error = refusal(&runtime(), &artifact, &["counts calls"]);
    assert!(matches!(error, LoadError::CallProfile));
}

#[test]
#[cfg_attr(target_pointer_width = "32", ignore = "bytecode needs no features")]
fn a_missing_cpu_feature() {
    let mut artifact = builder();
    let names = support::ISA.features();
    let (last, others) = names.split_last().expect("there are some");
    let all = CpuFeatures((1 << names.len()) - 1);
    artifact.cpu_features = all;
    let device = CpuFeatures::default()
        .with(support::ISA, last)
        .expect("a known name");
    let runtime = runtime_with(RuntimeOptions::default().cpu_features(device));
    let words = [others, &["--cpu"]].concat();
    let error = refusal(&runtime, &artifact, &words);
    let LoadError::CpuFeatures { missing, .. } = error else {
        panic!("{error:?}")
    };
    assert_eq!(missing, all.missing_from(device));
    assert!(!error.to_string().contains(&format!(" {last}")), "{error}");
}

#[test]
#[cfg_attr(target_pointer_width = "32", ignore = "bytecode needs no features")]
fn features_that_the_device_has_are_no_matter() {
    let mut artifact = builder();
    artifact.cpu_features = CpuFeatures(0b11);
    let runtime = runtime_with(RuntimeOptions::default().cpu_features(CpuFeatures(0b111)));
    load(&runtime, &artifact).expect("the device has more than enough");
}

#[test]
fn guard_pages_that_the_device_does_not_have() {
    let mut artifact = builder();
    artifact.tunables.bounds_checks = BoundsChecks::Guard;
    artifact.memories.push(memory_type(1, None));
    let runtime = runtime_with(RuntimeOptions::default().guard_pages(false));
    let error = refusal(
        &runtime,
        &artifact,
        &["guard pages", "--bounds-checks explicit"],
    );
    let reservation = support::RESERVATION + (32 << 20);
    assert_eq!(error, LoadError::GuardPages { reservation });
    // Code compares accesses to a memory with another page size, whatever the strategy is.
    artifact.memories[0].page_size_log2 = 0;
    load(&runtime, &artifact).expect("the memory needs no guard pages");
    // Without a memory nothing relies on them.
    artifact.memories.clear();
    load(&runtime, &artifact).expect("there is no memory to guard");
}

#[test]
#[cfg_attr(target_pointer_width = "32", ignore = "bytecode has no guard pages")]
fn more_address_space_than_there_is() {
    let mut artifact = builder();
    artifact.tunables.bounds_checks = BoundsChecks::Guard;
    artifact.tunables.memory_reservation = 1 << 63;
    artifact.memories.push(memory_type(1, None));
    let error = refusal(&runtime(), &artifact, &["address space"]);
    assert!(matches!(error, LoadError::AddressSpace { .. }));
}

#[test]
#[cfg_attr(target_pointer_width = "32", ignore = "bytecode raises no signals")]
fn signals_that_the_device_does_not_have() {
    let mut artifact = builder();
    artifact.tunables.trap_mode = TrapMode::Signals;
    let runtime = runtime_with(RuntimeOptions::default().signals(false));
    let error = refusal(&runtime, &artifact, &["signals", "--traps explicit"]);
    assert_eq!(error, LoadError::Signals);
}

#[test]
#[cfg_attr(target_pointer_width = "32", ignore = "bytecode raises no signals")]
fn a_stack_guard_without_signals() {
    let mut artifact = builder();
    artifact.tunables.stack_checks = StackChecks::Guard;
    let runtime = runtime_with(RuntimeOptions::default().signals(false));
    let error = refusal(&runtime, &artifact, &["signals"]);
    assert_eq!(error, LoadError::Signals);
}
