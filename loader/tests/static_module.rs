//! Modules that are linked into the program: nothing is mapped, copied or relocated for them, faults
//! and backtraces find them, and whatever does not fit together is refused.

#![cfg(all(
    target_os = "linux",
    any(
        target_arch = "aarch64",
        target_arch = "riscv64",
        target_arch = "s390x",
        target_arch = "x86_64"
    )
))]

#[path = "support/code/mod.rs"]
mod code;
mod support;

use std::mem::MaybeUninit;

use precast_format::error::ErrorKind;
use precast_format::write::SplitArtifact;
use precast_loader::{
    CallError, Caller, Category, Imports, InstanceOptions, LoadError, Module, Runtime,
    RuntimeOptions, Stack, StaticModule, TrapCode,
};
use support::runtime;

/// Bytes that can be executed, for ever, at a distance from the start of a page.
fn executable(bytes: &[u8], distance: usize) -> &'static [u8] {
    let size = bytes.len() + distance;
    let protection = libc::PROT_READ | libc::PROT_WRITE;
    let flags = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS;
    // SAFETY: the system takes address space that nobody uses.
    let block = unsafe { libc::mmap(std::ptr::null_mut(), size, protection, flags, -1, 0) };
    assert_ne!(block, libc::MAP_FAILED);
    let start = block.cast::<u8>().wrapping_add(distance);
    // SAFETY: the mapping is new, writable and large enough.
    unsafe { start.copy_from_nonoverlapping(bytes.as_ptr(), bytes.len()) };
    let protection = libc::PROT_READ | libc::PROT_EXEC;
    // SAFETY: nobody writes the mapping any more.
    assert_eq!(unsafe { libc::mprotect(block, size, protection) }, 0);
    // SAFETY: the mapping stays, and nobody writes it.
    unsafe { std::slice::from_raw_parts(start, bytes.len()) }
}

/// What a linker would make of the parts, the text so far behind the start of a page.
fn linked(split: &SplitArtifact, distance: usize) -> &'static StaticModule {
    let metadata = split.metadata.clone().leak();
    let text = executable(&split.text, distance);
    // SAFETY: the text is executable, and the code is that of the tests.
    Box::leak(Box::new(unsafe { StaticModule::new(metadata, text) }))
}

fn split() -> SplitArtifact {
    code::module().into_split().expect("it is well formed")
}

fn run(module: &Module) {
    let mut imports = Imports::new(module.runtime());
    let host = |_: &mut Caller<'_>, a: i32, b: i32| a * b;
    imports.func("env", "f", host).expect("there is memory");
    let instance = module.instantiate(&imports, InstanceOptions::default());
    let instance = instance.expect("all imports are there");
    let environment = instance.execution_environment(Stack::Caller);
    let mut environment = environment.expect("it needs no memory");
    for (name, result) in [("add", 8), ("host", 15)] {
        let function = instance.func::<(i32, i32), i32>(name).expect("it is there");
        let called = function.call(&mut environment, (3, 5));
        assert_eq!(called.expect("it returns"), result);
    }
    for (name, code) in [
        ("fault", TrapCode::Unreachable),
        ("raise", TrapCode::IntegerDivideByZero),
    ] {
        let function = instance.func::<(), ()>(name).expect("it is there");
        let Err(CallError::Trap(trap)) = function.call(&mut environment, ()) else {
            panic!("there was no trap");
        };
        assert_eq!(trap.code(), code);
        let frame = &trap.backtrace().frames()[0];
        assert_eq!(frame.function_name(), Some(name));
    }
}

#[test]
fn the_module_runs_where_it_is_linked() {
    let split = split();
    for distance in [0, 16, 48] {
        let runtime = runtime();
        let module = Module::from_static(&runtime, linked(&split, distance));
        let module = module.expect("the device accepts it");
        run(&module);
        assert_eq!(runtime.usage(Category::Code).peak, 0);
        assert_eq!(runtime.usage(Category::Artifact).peak, 0);
        let usage = module.artifact_usage();
        assert_eq!((usage.borrowed, usage.released), (split.metadata.len(), 0));
        assert_eq!((usage.owned, usage.mapped), (0, 0));
    }
}

#[test]
fn the_pool_gives_all_memory() {
    let region = Box::leak(vec![MaybeUninit::uninit(); 32 << 10].into_boxed_slice());
    let runtime = Runtime::with_pool(region, RuntimeOptions::default()).expect("it is enough");
    let before = runtime.pool_usage().expect("it lives in a pool").free;
    let module = Module::from_static(&runtime, linked(&split(), 0)).expect("it is enough");
    run(&module);
    drop(module);
    let after = runtime.pool_usage().expect("it lives in a pool").free;
    assert_eq!(before, after);
}

#[test]
fn one_module_serves_several_runtimes() {
    let module = linked(&split(), 0);
    let modules = [runtime(), runtime()].map(|runtime| Module::from_static(&runtime, module));
    for module in modules {
        run(&module.expect("the device accepts it"));
    }
}

#[test]
fn parts_that_do_not_fit_are_refused() {
    let refused = |split: &SplitArtifact, distance| {
        let runtime = runtime();
        let module = Module::from_static(&runtime, linked(split, distance));
        let error = module.map(drop).expect_err("it is refused");
        assert!(!error.to_string().is_empty());
        error
    };
    let good = split();
    let kind = |split: &SplitArtifact| match refused(split, 0) {
        LoadError::Malformed(error) => error.kind(),
        error => panic!("another error: {error}"),
    };
    let mut shorter = good.clone();
    shorter.text.pop();
    assert_eq!(kind(&shorter), ErrorKind::SectionSize);
    let mut cut = good.clone();
    cut.metadata.pop();
    assert_eq!(kind(&cut), ErrorKind::Truncated);
    let whole = SplitArtifact {
        metadata: code::module().write().expect("it is well formed"),
        text: good.text.clone(),
    };
    assert_eq!(kind(&whole), ErrorKind::TextInFile);
    for distance in [1, 8] {
        let error = refused(&good, distance);
        assert!(matches!(error, LoadError::StaticModule(_)), "{error:?}");
    }
    // The metadata alone is no artifact to load.
    let runtime = runtime();
    let error = support::load_bytes(&runtime, &good.metadata).map(drop);
    match error {
        Err(LoadError::Malformed(error)) => assert_eq!(error.kind(), ErrorKind::TextElsewhere),
        other => panic!("not refused: {other:?}"),
    }
}
