//! A loader refuses what it cannot honour, and names what is required and what there is.
//!
//! The loader's own tests do this with artifacts made by hand; here the compiler makes them.
#![forbid(unsafe_code)]

use precast_compiler::{Options, Silent, Target};
use precast_format::layout::header;
use precast_format::target::CpuFeatures;
use precast_format::tunables::{BoundsChecks, TrapMode};
use precast_loader::{LoadError, Runtime, RuntimeOptions, Source, Trust, Untrusted};

/// A memory with an access, and an instruction that needs `popcnt`.
const MODULE: &str = r#"(module
  (memory (export "memory") 1)
  (func (export "f") (param i32) (result i32) (i32.popcnt (i32.load (local.get 0)))))"#;

fn wasm() -> Vec<u8> {
    let buffer = wast::parser::ParseBuffer::new(MODULE).unwrap();
    wast::parser::parse::<wast::Wat<'_>>(&buffer)
        .unwrap()
        .encode()
        .unwrap()
}

fn compile(change: impl FnOnce(&mut Options)) -> Vec<u8> {
    let mut options = Options::new(Target::host().unwrap());
    change(&mut options);
    precast_compiler::compile(&wasm(), &options, &Silent)
        .unwrap()
        .artifact
}

/// Loads bytes as the command does, on a device with these options.
fn load(artifact: &[u8], options: RuntimeOptions) -> Result<(), LoadError> {
    let runtime = Runtime::system_with(options).unwrap();
    runtime
        .load_named_by_user(Source::copied(artifact))
        .map(|_| ())
}

/// The reason for a refusal, for people.
fn reason(artifact: &[u8], options: RuntimeOptions) -> String {
    load(artifact, options).unwrap_err().to_string()
}

#[test]
fn what_the_device_offers_is_enough() {
    assert_eq!(load(&compile(|_| {}), RuntimeOptions::default()), Ok(()));
}

#[test]
fn guard_pages() {
    let without = || RuntimeOptions::default().guard_pages(false);
    let guarded = compile(|options| options.bounds_checks = BoundsChecks::Guard);
    let reason = reason(&guarded, without());
    assert!(
        reason.contains("guard pages") && reason.contains("--bounds-checks explicit"),
        "{reason}"
    );
    let explicit = compile(|options| options.bounds_checks = BoundsChecks::Explicit);
    assert_eq!(load(&explicit, without()), Ok(()));
}

#[test]
fn signals() {
    let without = || RuntimeOptions::default().guard_pages(false).signals(false);
    let signals = compile(|options| options.bounds_checks = BoundsChecks::Explicit);
    assert_eq!(load(&signals, without()), Err(LoadError::Signals));
    let explicit = compile(|options| {
        options.bounds_checks = BoundsChecks::Explicit;
        options.trap_mode = TrapMode::Explicit;
    });
    assert_eq!(load(&explicit, without()), Ok(()));
}

#[test]
fn cpu_features() {
    let bare = || RuntimeOptions::default().cpu_features(CpuFeatures(0));
    let reason = reason(&compile(|_| {}), bare());
    assert!(
        reason.contains("popcnt") && !reason.contains("sse3"),
        "{reason}"
    );
    let portable = compile(|options| options.target.set_cpu("x86-64").unwrap());
    assert_eq!(load(&portable, bare()), Ok(()));
}

#[test]
fn another_target() {
    let other =
        compile(|options| options.target = Target::new("aarch64-unknown-linux-gnu").unwrap());
    let reason = reason(&other, RuntimeOptions::default());
    assert!(
        reason.contains("aarch64") && reason.contains("x86_64"),
        "{reason}"
    );
}

/// Replaces the lowest byte of a field of the header by another one.
fn with_changed(mut artifact: Vec<u8>, offset: usize) -> Vec<u8> {
    artifact[offset] = artifact[offset].wrapping_add(1);
    artifact
}

#[test]
fn another_abi_hash() {
    let changed = with_changed(compile(|_| {}), header::ABI_HASH.offset());
    assert!(matches!(
        load(&changed, RuntimeOptions::default()),
        Err(LoadError::AbiHash { .. })
    ));
}

#[test]
fn another_version() {
    let changed = with_changed(compile(|_| {}), header::MAJOR.offset());
    let error = load(&changed, RuntimeOptions::default()).unwrap_err();
    assert!(matches!(error, LoadError::FormatVersion { .. }), "{error}");
}

#[test]
fn unsigned_artifacts() {
    let runtime = Runtime::system().unwrap();
    let artifact = compile(|_| {});
    let error = runtime
        .load(Source::copied(&artifact), Trust::Keys(&[[1; 32]]))
        .unwrap_err();
    assert_eq!(error, LoadError::Untrusted(Untrusted::Unsigned));
}
