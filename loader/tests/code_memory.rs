//! Code memory of the host's: asked for in order, never writable and executable at once, given back
//! whatever happens; and code that runs where it lies.

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

use std::ffi::c_void;
use std::sync::Mutex;

use precast_format::relocation::{RelocationKind, SymbolKind};
use precast_format::tunables::RelocationModel;
use precast_format::write::{ArtifactBuilder, Relocation};
use precast_loader::{
    CallError, Caller, Category, CodeMemory, Imports, InstanceOptions, LoadError, Module, Runtime,
    RuntimeOptions, Source, Stack, TrapCode,
};
use support::runtime_with;

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Event {
    Map,
    Protect,
    Flush,
    Unmap,
}
use Event::{Flush, Map, Protect, Unmap};

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum State {
    Writable,
    /// The system has refused, or was made to.
    Refused,
    Executable,
    Flushed,
}

struct Block {
    address: usize,
    size: usize,
    state: State,
}

/// A provider that knows the state of each of its blocks.
#[derive(Default)]
struct Provider {
    events: Vec<Event>,
    blocks: Vec<Block>,
    fail_map: bool,
    fail_protect: bool,
}

type Shared = Mutex<Provider>;

fn provider(user: *mut c_void) -> std::sync::MutexGuard<'static, Provider> {
    // SAFETY: `code_memory` passed a provider that is there for ever.
    let shared = unsafe { &*user.cast::<Shared>() };
    shared.lock().expect("no test panics within")
}

impl Provider {
    fn block(&mut self, address: *mut c_void, size: usize) -> &mut Block {
        let found = self
            .blocks
            .iter_mut()
            .find(|block| block.address == address.addr());
        let block = found.expect("it is a block of ours");
        assert_eq!(block.size, size);
        block
    }
}

unsafe extern "C" fn map(user: *mut c_void, size: usize, alignment: usize) -> *mut c_void {
    let mut provider = provider(user);
    provider.events.push(Map);
    assert!(alignment.is_power_of_two() && alignment >= 16 && size > 0);
    if provider.fail_map {
        return std::ptr::null_mut();
    }
    let protection = libc::PROT_READ | libc::PROT_WRITE;
    let flags = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS;
    // SAFETY: the system takes address space that nobody uses.
    let block = unsafe { libc::mmap(std::ptr::null_mut(), size, protection, flags, -1, 0) };
    assert!(block != libc::MAP_FAILED && block.addr().is_multiple_of(alignment));
    provider.blocks.push(Block {
        address: block.addr(),
        size,
        state: State::Writable,
    });
    block
}

unsafe extern "C" fn protect(user: *mut c_void, block: *mut c_void, size: usize) -> i32 {
    let mut provider = provider(user);
    provider.events.push(Protect);
    let fail = provider.fail_protect;
    let known = provider.block(block, size);
    assert_eq!(known.state, State::Writable);
    if fail {
        known.state = State::Refused;
        return libc::EACCES;
    }
    known.state = State::Executable;
    // SAFETY: the block is a mapping of ours, which nobody writes any more.
    unsafe { libc::mprotect(block, size, libc::PROT_READ | libc::PROT_EXEC) }
}

unsafe extern "C" fn flush(user: *mut c_void, block: *mut c_void, size: usize) {
    let mut provider = provider(user);
    provider.events.push(Flush);
    let known = provider.block(block, size);
    assert_eq!(known.state, State::Executable);
    known.state = State::Flushed;
}

unsafe extern "C" fn unmap(user: *mut c_void, block: *mut c_void, size: usize) {
    let mut provider = provider(user);
    provider.events.push(Unmap);
    let known = provider.block(block, size);
    assert_ne!(known.state, State::Executable, "it was not flushed");
    provider.blocks.retain(|it| it.address != block.addr());
    // SAFETY: the block is a mapping of ours, and its last user gives it back.
    assert_eq!(unsafe { libc::munmap(block, size) }, 0);
}

fn new_provider() -> &'static Shared {
    Box::leak(Box::default())
}

fn code_memory(provider: &'static Shared) -> CodeMemory {
    let user = (&raw const *provider).cast_mut().cast();
    // SAFETY: the functions above keep the promises, and the provider is there for ever.
    unsafe { CodeMemory::custom(user, map, protect, flush, unmap) }
}

fn runtime(memory: CodeMemory) -> Runtime {
    runtime_with(RuntimeOptions::default().code_memory(memory))
}

fn load(runtime: &Runtime, artifact: &ArtifactBuilder) -> Result<Module, LoadError> {
    let bytes = artifact.write().expect("it is well formed");
    // SAFETY: the code is that of the tests.
    unsafe { runtime.load_unverified(Source::copied(&bytes)) }
}

/// Calls what returns and what traps.
fn run(module: &Module) {
    let mut imports = Imports::new(module.runtime());
    let host = |_: &mut Caller<'_>, a: i32, b: i32| a * b;
    imports.func("env", "f", host).expect("there is memory");
    let instance = module
        .instantiate(&imports, InstanceOptions::default())
        .expect("all imports are there");
    let mut environment = instance
        .execution_environment(Stack::Caller)
        .expect("it needs no memory");
    for (name, result) in [("add", 8), ("host", 15)] {
        let function = instance.func::<(i32, i32), i32>(name).expect("it is there");
        let called = function.call(&mut environment, (3, 5));
        assert_eq!(called.expect("it returns"), result);
    }
    let fault = instance.func::<(), ()>("fault").expect("it is there");
    let Err(CallError::Trap(trap)) = fault.call(&mut environment, ()) else {
        panic!("there was no trap");
    };
    assert_eq!(trap.code(), TrapCode::Unreachable);
    let frame = &trap.backtrace().frames()[0];
    assert_eq!(frame.function_name(), Some("fault"));
}

/// A module whose text has a word that relocations can patch.
fn with_relocation(kind: RelocationKind) -> ArtifactBuilder {
    let mut artifact = code::module();
    artifact.tunables.relocation_model = RelocationModel::Direct;
    let offset = artifact.text.len().next_multiple_of(8);
    artifact.text.resize(offset + 8, 0);
    artifact.relocations = vec![Relocation {
        offset: offset as u32,
        kind,
        symbol_kind: SymbolKind::Libcall,
        symbol: precast_format::libcall::Libcall::Raise as u32,
        addend: 0,
    }];
    artifact
}

#[test]
fn a_provider_is_asked_in_order() {
    let shared = new_provider();
    let runtime = runtime(code_memory(shared));
    let artifact = code::module();
    let module = load(&runtime, &artifact).expect("the device accepts it");
    assert_eq!(shared.lock().unwrap().events, [Map, Protect, Flush]);
    let usage = runtime.usage(Category::Code);
    assert_eq!((usage.current, usage.blocks), (artifact.text.len(), 1));
    run(&module);
    drop(module);
    let provider = shared.lock().unwrap();
    assert_eq!(provider.events, [Map, Protect, Flush, Unmap]);
    assert!(provider.blocks.is_empty());
    let usage = runtime.usage(Category::Code);
    assert_eq!((usage.current, usage.blocks), (0, 0));
    assert_eq!(usage.peak, artifact.text.len());
}

#[test]
fn a_patched_text_comes_from_the_provider_too() {
    let shared = new_provider();
    let runtime = runtime(code_memory(shared));
    let module = load(&runtime, &with_relocation(RelocationKind::Abs8));
    run(&module.expect("the device accepts it"));
    let provider = shared.lock().unwrap();
    assert_eq!(provider.events, [Map, Protect, Flush, Unmap]);
}

#[test]
fn files_are_not_mapped_around_the_provider() {
    let path = std::env::temp_dir().join(format!("precast-provider-{}", std::process::id()));
    std::fs::write(&path, code::module().write().unwrap()).expect("the folder is writable");
    let shared = new_provider();
    let runtime = runtime(code_memory(shared));
    // SAFETY: the code is that of the tests, and nobody changes the file.
    let module = unsafe { runtime.load_unverified(path.as_path()) };
    run(&module.expect("the device accepts it"));
    std::fs::remove_file(&path).expect("the file is ours");
    let provider = shared.lock().unwrap();
    assert_eq!(provider.events, [Map, Protect, Flush, Unmap]);
}

/// What a failed load leaves behind: nothing. The next one succeeds.
fn fails(artifact: &ArtifactBuilder, change: impl Fn(&mut Provider)) -> (LoadError, Vec<Event>) {
    let shared = new_provider();
    let runtime = runtime(code_memory(shared));
    let before = Category::ALL.iter().map(|it| runtime.usage(*it).current);
    let before: Vec<_> = before.collect();
    change(&mut shared.lock().unwrap());
    let error = load(&runtime, artifact).map(drop);
    let error = error.expect_err("the provider fails");
    let after = Category::ALL.iter().map(|it| runtime.usage(*it).current);
    assert_eq!(after.collect::<Vec<_>>(), before);
    let failed = std::mem::take(&mut *shared.lock().unwrap());
    assert!(failed.blocks.is_empty());
    run(&load(&runtime, &code::module()).expect("the provider works again"));
    (error, failed.events)
}

#[test]
fn no_memory_is_a_failure_to_load() {
    let (error, events) = fails(&code::module(), |provider| provider.fail_map = true);
    assert_eq!(error, LoadError::Code { os_error: 0 });
    assert_eq!(events, [Map]);
}

#[test]
fn no_protection_is_a_failure_to_load() {
    let (error, events) = fails(&code::module(), |provider| provider.fail_protect = true);
    let os_error = libc::EACCES;
    assert_eq!(error, LoadError::Code { os_error });
    assert_eq!(events, [Map, Protect, Unmap]);
}

#[test]
fn what_cannot_be_patched_is_never_executable() {
    // The loader is not within the first 4 GiB.
    let artifact = with_relocation(RelocationKind::Abs4);
    let (error, events) = fails(&artifact, |_| {});
    let offset = artifact.relocations[0].offset;
    let kind = RelocationKind::Abs4;
    assert_eq!(error, LoadError::Relocation { offset, kind });
    assert!(error.to_string().contains("abs4"), "{error}");
    assert_eq!(events, [Map, Unmap]);
}

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

/// A file, mapped for reading and executing for ever.
fn executable_file(bytes: &[u8]) -> &'static [u8] {
    use std::os::fd::AsRawFd;
    let path = std::env::temp_dir().join(format!("precast-in-place-{}", std::process::id()));
    std::fs::write(&path, bytes).expect("the folder is writable");
    let file = std::fs::File::open(&path).expect("it is there");
    std::fs::remove_file(&path).expect("the file is ours");
    let (protection, flags) = (libc::PROT_READ | libc::PROT_EXEC, libc::MAP_PRIVATE);
    let (size, descriptor) = (bytes.len(), file.as_raw_fd());
    // SAFETY: the system takes address space that nobody uses.
    let block = unsafe { libc::mmap(std::ptr::null_mut(), size, protection, flags, descriptor, 0) };
    assert_ne!(block, libc::MAP_FAILED);
    // SAFETY: the mapping stays, and nobody can open the file to change it.
    unsafe { std::slice::from_raw_parts(block.cast(), size) }
}

/// A runtime that runs code where it lies, else in memory of the provider's.
fn in_place(provider: &'static Shared) -> Runtime {
    // SAFETY: each test that lends bytes to this runtime lends executable ones, or executes nothing.
    runtime(unsafe { code_memory(provider).in_place() })
}

#[test]
fn code_runs_where_it_lies() {
    let bytes = code::module().write().expect("it is well formed");
    for lent in [executable_file(&bytes), executable(&bytes, 16)] {
        let shared = new_provider();
        let runtime = in_place(shared);
        // SAFETY: the code is that of the tests.
        let module = unsafe { runtime.load_unverified(Source::borrowed(lent)) };
        let module = module.expect("the device accepts it");
        run(&module);
        assert_eq!(runtime.usage(Category::Code).peak, 0);
        assert_eq!(runtime.usage(Category::Artifact).peak, 0);
        assert!(shared.lock().unwrap().events.is_empty());
        let usage = module.artifact_usage();
        assert_eq!((usage.borrowed, usage.released), (bytes.len(), 0));
        assert_eq!(
            module.artifact().text().as_ptr_range().start.addr(),
            lent.as_ptr().addr() + module.artifact().text_file_offset() as usize
        );
    }
}

#[test]
fn what_cannot_run_where_it_lies_is_copied() {
    let plain = code::module().write().expect("it is well formed");
    let patched = with_relocation(RelocationKind::Abs8).write();
    let patched = patched.expect("it is well formed");
    // Relocations; no alignment.
    for lent in [executable(&patched, 0), executable(&plain, 8)] {
        let shared = new_provider();
        let runtime = in_place(shared);
        // SAFETY: the code is that of the tests.
        let module = unsafe { runtime.load_unverified(Source::borrowed(lent)) };
        run(&module.expect("the device accepts it"));
        assert_eq!(shared.lock().unwrap().events, [Map, Protect, Flush, Unmap]);
    }
    // Bytes that are not lent for ever.
    let shared = new_provider();
    run(&load(&in_place(shared), &code::module()).expect("the device accepts it"));
    assert_eq!(shared.lock().unwrap().events, [Map, Protect, Flush, Unmap]);
}

#[test]
fn lent_code_is_copied_unless_the_host_says_that_it_is_executable() {
    let bytes = code::module().write().expect("it is well formed").leak();
    let runtime = support::runtime();
    // SAFETY: the code is that of the tests.
    let module = unsafe { runtime.load_unverified(Source::borrowed(bytes)) };
    let module = module.expect("the device accepts it");
    run(&module);
    assert!(runtime.usage(Category::Code).current > 0);
    let usage = module.artifact_usage();
    assert_eq!(usage.borrowed + usage.released, bytes.len());
    assert!(usage.released > code::end() as usize);
}
