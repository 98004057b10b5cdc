//! Each facility of the loader is there, or an artifact that needs it is refused by its name; what the
//! host asks for without it is an error, too.
//!
//! `cargo xtask features` runs this with none of them and with all.

mod support;

use std::ffi::c_void;
use std::fmt::Display;
use std::ptr::null_mut;

use precast_format::features::{WasmFeature, WasmFeatures};
use precast_format::libcall::{Libcall, LibcallSet};
use precast_format::tunables::{BoundsChecks, StackChecks, TrapMode};
use precast_format::types::ImportType;
use precast_format::write::{ArtifactBuilder, FuncType, Table, Tag};
use precast_loader::{
    CallError, Caller, CustomAllocator, ExternKind, Func, Imports, InstanceOptions,
    InstantiateError, LoadError, Memory, MemoryType, Runtime, RuntimeOptions, Value, ValueType,
};
use support::{
    builder, export, import, load, load_bytes, memory_type, runtime, runtime_with, table_type,
};

/// Holds that the artifact is accepted with the feature, and refused by its name without.
fn needs(feature: &'static str, is_built_in: bool, artifact: &ArtifactBuilder) {
    match (is_built_in, load(&runtime(), artifact)) {
        (true, loaded) => drop(loaded.expect("the facility is there")),
        (false, loaded) => {
            let error = loaded.expect_err("the facility is not there");
            assert_eq!(error, LoadError::Facility { feature });
            says(&error, feature);
        }
    }
}

/// Holds that an error's sentence has the feature's name, if errors have sentences.
fn says(error: &dyn Display, feature: &str) {
    let text = error.to_string();
    let has_name = text.contains(&format!("`{feature}`"));
    assert_eq!(has_name, cfg!(feature = "messages"), "{text}");
}

fn with_wasm_feature(feature: WasmFeature) -> ArtifactBuilder {
    let mut artifact = builder();
    artifact.wasm_features = WasmFeatures::default().with(feature);
    artifact
}

fn with_libcall(libcall: Libcall) -> ArtifactBuilder {
    let mut artifact = builder();
    artifact.libcalls = LibcallSet::default().with(libcall);
    artifact
}

/// A memory for threads.
fn shared() -> MemoryType {
    MemoryType {
        shared: true,
        ..memory_type(1, Some(2))
    }
}

#[test]
fn what_needs_nothing_is_accepted_by_every_loader() {
    load(&runtime(), &builder()).expect("nothing is asked for");
    load(&runtime(), &with_wasm_feature(WasmFeature::BulkMemory)).expect("that is always there");
    // Adapters of every module have it, for exceptions of others that come through them.
    load(&runtime(), &with_libcall(Libcall::Rethrow)).expect("nothing throws");
}

#[test]
fn vectors() {
    let is_built_in = cfg!(feature = "simd");
    needs("simd", is_built_in, &with_wasm_feature(WasmFeature::Simd));
}

#[test]
fn exceptions() {
    let is_built_in = cfg!(feature = "exceptions");
    for feature in [WasmFeature::Exceptions, WasmFeature::LegacyExceptions] {
        needs("exceptions", is_built_in, &with_wasm_feature(feature));
    }
    for libcall in [Libcall::ExceptionNew, Libcall::Throw] {
        needs("exceptions", is_built_in, &with_libcall(libcall));
    }
    // Whatever the header says.
    let mut artifact = builder();
    artifact.types = vec![FuncType::default()];
    artifact.tags = vec![Tag { type_index: 0 }];
    needs("exceptions", is_built_in, &artifact);
}

#[test]
fn types_that_refer_to_types() {
    let is_built_in = cfg!(feature = "typed-references");
    let mut artifact = builder();
    artifact.types = vec![FuncType::default(), FuncType::default()];
    artifact.types[1].canonical = 1;
    artifact.types[1].params = vec![ValueType::function(0, true).expect("a small number")];
    needs("typed-references", is_built_in, &artifact);
}

#[test]
fn threads() {
    let is_built_in = cfg!(feature = "threads");
    for libcall in [
        Libcall::MemoryAtomicWait32,
        Libcall::MemoryAtomicWait64,
        Libcall::MemoryAtomicNotify,
    ] {
        needs("threads", is_built_in, &with_libcall(libcall));
    }
    let mut artifact = builder();
    artifact.memories = vec![shared()];
    needs("threads", is_built_in, &artifact);
    let mut artifact = builder();
    artifact.imports = vec![import("memory", ImportType::Memory(shared()))];
    needs("threads", is_built_in, &artifact);
    assert_eq!(Memory::new(&runtime(), shared()).is_ok(), is_built_in);
}

#[test]
fn guard_pages_and_signals() {
    let options = RuntimeOptions::default();
    let runtime = runtime_with(options.guard_pages(true).signals(true));
    assert_eq!(runtime.device().guard_pages, cfg!(feature = "guard-pages"));
    assert_eq!(runtime.device().signals, cfg!(feature = "signals"));
    let mut artifact = builder();
    artifact.tunables.trap_mode = TrapMode::Signals;
    if !cfg!(feature = "signals") {
        let error = load(&runtime, &artifact).expect_err("nobody catches faults");
        assert_eq!(error, LoadError::Signals);
    }
    artifact.tunables.trap_mode = TrapMode::Explicit;
    artifact.tunables.bounds_checks = BoundsChecks::Guard;
    artifact.memories = vec![memory_type(1, None)];
    if !cfg!(feature = "guard-pages") {
        let error = load(&runtime, &artifact).expect_err("there are no guard pages");
        assert!(matches!(error, LoadError::GuardPages { .. }), "{error}");
    }
    artifact.tunables.bounds_checks = BoundsChecks::Explicit;
    artifact.tunables.stack_checks = StackChecks::Guard;
    if !(cfg!(feature = "guard-pages") && cfg!(feature = "signals")) {
        assert!(
            load(&runtime, &artifact).is_err(),
            "nobody guards the stack"
        );
    }
}

#[test]
fn rounding() {
    for libcall in [Libcall::CeilF32, Libcall::NearestF64] {
        let is_built_in = cfg!(feature = "rounding");
        needs("rounding", is_built_in, &with_libcall(libcall));
    }
}

#[test]
fn linking() {
    let is_built_in = cfg!(feature = "linking");
    let mut artifact = builder();
    artifact.imports = vec![import("memory", ImportType::Memory(memory_type(1, None)))];
    needs("linking", is_built_in, &artifact);
    let made = Memory::new(&runtime(), memory_type(1, None));
    match (is_built_in, made) {
        (true, made) => drop(made.expect("the facility is there")),
        (false, Err(error @ CallError::NotBuiltIn)) => says(&error, "linking"),
        (false, other) => panic!("{other:?}"),
    }
}

#[test]
fn references_to_host_functions() {
    let mut artifact = builder();
    // An adapter that nobody runs.
    artifact.text = vec![0; 16];
    artifact.types = vec![FuncType {
        host_adapter: Some(0),
        ..FuncType::default()
    }];
    artifact.tables = vec![Table {
        ty: table_type(1, None),
        init: None,
    }];
    artifact.exports = vec![export("table", ExternKind::Table, 0)];
    let runtime = runtime();
    let module = load(&runtime, &artifact).expect("no reference is there yet");
    let instance = module.instantiate(&Imports::new(&runtime), InstanceOptions::default());
    let table = instance.expect("it imports nothing").table("table");
    let func = Func::new(&runtime, |_: &mut Caller<'_>| ()).expect("there is memory");
    let set = table
        .expect("it is exported")
        .set(0, &Value::FuncRef(Some(func)));
    match (cfg!(feature = "host-references"), set) {
        (true, set) => set.expect("the facility is there"),
        (false, Err(CallError::HostFunctionReference)) => {}
        (false, other) => panic!("{other:?}"),
    }
}

#[test]
fn sources_of_memory() {
    let made = Runtime::system();
    assert_eq!(made.is_ok(), cfg!(feature = "system-heap"));
    // SAFETY: there is never memory, which the functions may say.
    let functions = unsafe { CustomAllocator::new(null_mut(), nothing, nothing_more, nowhere) };
    let made = Runtime::custom(functions, RuntimeOptions::default());
    assert!(made.is_err(), "the host has no memory");
    let mut options = RuntimeOptions::default();
    options = options.linear_memory(functions);
    let made = Runtime::with_allocator(runtime().allocator().clone(), options);
    assert_eq!(made.is_ok(), cfg!(feature = "custom-allocators"));
}

unsafe extern "C" fn nothing(_: *mut c_void, _: u32, _: usize, _: usize) -> *mut c_void {
    null_mut()
}

unsafe extern "C" fn nothing_more(
    _: *mut c_void,
    _: u32,
    _: *mut c_void,
    _: usize,
    _: usize,
    _: usize,
) -> *mut c_void {
    null_mut()
}

unsafe extern "C" fn nowhere(_: *mut c_void, _: u32, _: *mut c_void, _: usize, _: usize) {}

#[test]
fn messages() {
    let error = load_bytes(&runtime(), &[0; 4096]).expect_err("it is no artifact");
    let sentence = "the artifact is malformed: not a Precast artifact (file offset 0x0)";
    let text = match cfg!(feature = "messages") {
        true => sentence,
        false => "ErrorKind::NotAnArtifact 0x0",
    };
    assert_eq!(error.to_string(), text);
}

#[test]
fn files() {
    let path = c"/nowhere/at/all.precast";
    // SAFETY: there is no such file.
    let loaded = unsafe { runtime().load_unverified(precast_loader::Source::named(path)) };
    let error = loaded.expect_err("there is no such file");
    match cfg!(feature = "files") {
        true => assert!(matches!(error, LoadError::File { .. }), "{error}"),
        false => assert_eq!(error, LoadError::Facility { feature: "files" }),
    }
}

#[test]
fn heaps_of_programs() {
    let mut artifact = builder();
    artifact.memories = vec![memory_type(1, None)];
    let runtime = runtime();
    let module = load(&runtime, &artifact).expect("the module needs nothing");
    let imports = Imports::new(&runtime);
    let without = InstanceOptions::default();
    module
        .instantiate(&imports, without)
        .expect("no heap is asked for");
    let made = module.instantiate(&imports, InstanceOptions::default().heap_size(4096));
    match (cfg!(feature = "app-heap"), made) {
        (true, made) => drop(made.expect("the facility is there")),
        (false, Err(error @ InstantiateError::AppHeap(_))) => {
            says(&error, "app-heap");
        }
        (false, other) => panic!("{other:?}"),
    }
}
