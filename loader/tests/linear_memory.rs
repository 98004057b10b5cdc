//! Linear memories from an allocator of their own: it gets their requests and no others, and the
//! runtime counts them.

mod support;

use core::mem::MaybeUninit;
use std::alloc::{Layout, alloc, alloc_zeroed, dealloc, realloc};
use std::ffi::c_void;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use precast_format::write::ArtifactBuilder;
use precast_loader::{
    Caller, Category, CustomAllocator, Imports, Instance, InstanceOptions, InstantiateError,
    Memory, OutOfMemory, Runtime, RuntimeOptions,
};
use support::{load, memory_type, rich};

const WASM_PAGE: usize = 65_536;

/// An allocator for some categories, which counts.
#[derive(Default)]
struct Counter {
    /// Whether it is the one for linear memories.
    linear: bool,
    refuses: AtomicBool,
    bytes: AtomicUsize,
    blocks: AtomicUsize,
    zeroed: AtomicUsize,
}

impl Counter {
    fn new(linear: bool) -> &'static Counter {
        Box::leak(Box::new(Counter {
            linear,
            ..Counter::default()
        }))
    }

    fn functions(&'static self) -> CustomAllocator {
        let user = (&raw const *self).cast_mut().cast();
        // SAFETY: the functions below keep the promises; the counter is there for ever.
        unsafe { CustomAllocator::new(user, allocate, reallocate, free) }
    }

    fn out(&self) -> (usize, usize) {
        let read = |it: &AtomicUsize| it.load(Ordering::Relaxed);
        (read(&self.bytes), read(&self.blocks))
    }

    fn check(&self, category: u32) {
        let linear = category == Category::LinearMemory as u32;
        assert_eq!(linear, self.linear, "category {category}");
    }
}

fn counter(user: *mut c_void) -> &'static Counter {
    // SAFETY: `functions` passed a counter.
    unsafe { &*user.cast::<Counter>() }
}

fn layout(size: usize, align: usize) -> Layout {
    Layout::from_size_align(size, align).expect("the loader asks for valid layouts")
}

fn request(user: *mut c_void, category: u32, size: usize) -> bool {
    let counter = counter(user);
    counter.check(category);
    if counter.refuses.load(Ordering::Relaxed) {
        return false;
    }
    counter.bytes.fetch_add(size, Ordering::Relaxed);
    counter.blocks.fetch_add(1, Ordering::Relaxed);
    true
}

unsafe extern "C" fn allocate(
    user: *mut c_void,
    category: u32,
    size: usize,
    align: usize,
) -> *mut c_void {
    if !request(user, category, size) {
        return std::ptr::null_mut();
    }
    // SAFETY: the loader never asks for nothing.
    let block = unsafe { alloc(layout(size, align)) };
    // What a block has in it is nobody's business.
    // SAFETY: the block is new and has so many bytes.
    unsafe { block.write_bytes(0xa5, size) };
    block.cast()
}

unsafe extern "C" fn allocate_zeroed(
    user: *mut c_void,
    category: u32,
    size: usize,
    align: usize,
) -> *mut c_void {
    if !request(user, category, size) {
        return std::ptr::null_mut();
    }
    counter(user).zeroed.fetch_add(1, Ordering::Relaxed);
    // SAFETY: the loader never asks for nothing.
    unsafe { alloc_zeroed(layout(size, align)) }.cast()
}

unsafe extern "C" fn reallocate(
    user: *mut c_void,
    category: u32,
    block: *mut c_void,
    old: usize,
    new: usize,
    align: usize,
) -> *mut c_void {
    let counter = counter(user);
    counter.check(category);
    if counter.refuses.load(Ordering::Relaxed) {
        return std::ptr::null_mut();
    }
    counter.bytes.fetch_add(new, Ordering::Relaxed);
    counter.bytes.fetch_sub(old, Ordering::Relaxed);
    // SAFETY: the block is from `allocate` with this layout.
    let block = unsafe { realloc(block.cast(), layout(old, align), new) };
    if let Some(added) = new.checked_sub(old) {
        let tail = block.wrapping_add(old);
        // SAFETY: so many bytes follow the old ones.
        unsafe { tail.write_bytes(0xa5, added) };
    }
    block.cast()
}

unsafe extern "C" fn free(
    user: *mut c_void,
    category: u32,
    block: *mut c_void,
    size: usize,
    align: usize,
) {
    let counter = counter(user);
    counter.check(category);
    counter.bytes.fetch_sub(size, Ordering::Relaxed);
    counter.blocks.fetch_sub(1, Ordering::Relaxed);
    // SAFETY: the block is from `allocate` with this layout.
    unsafe { dealloc(block.cast(), layout(size, align)) }
}

/// Memories of the host's have guard pages where they can.
fn options() -> RuntimeOptions {
    RuntimeOptions::default().guard_pages(false)
}

fn instantiate(
    runtime: &Runtime,
    artifact: &ArtifactBuilder,
) -> Result<Instance, InstantiateError> {
    let mut imports = Imports::new(runtime);
    let host = |_: &mut Caller<'_>, _: i32, _: f64| 0u128;
    imports.func("env", "func", host)?;
    let imported = Memory::new(runtime, memory_type(1, Some(3)))?;
    imports.memory("env", "memory", &imported)?;
    load(runtime, artifact)
        .expect("the device accepts it")
        .instantiate(&imports, InstanceOptions::default())
}

/// Whether the memory has nothing in it from an address on.
fn is_zero_from(memory: &Memory, address: usize) -> bool {
    let bytes = memory.borrow_mut().expect("nobody else has it");
    bytes[address..].iter().all(|byte| *byte == 0)
}

fn in_category(runtime: &Runtime) -> (usize, usize) {
    let usage = runtime.usage(Category::LinearMemory);
    (usage.current, usage.blocks)
}

#[test]
fn it_gets_the_linear_memories_and_nothing_else() {
    let (linear, others) = (Counter::new(true), Counter::new(false));
    let options = options().linear_memory(linear.functions());
    let runtime = Runtime::custom(others.functions(), options).expect("there is memory");
    let all = || -> usize {
        Category::ALL
            .iter()
            .map(|it| runtime.usage(*it).current)
            .sum()
    };
    assert_eq!(linear.out(), (0, 0));
    assert_eq!(others.out().0, all());
    let instance = instantiate(&runtime, &rich()).expect("there is memory");
    assert_eq!(linear.out(), (2 * WASM_PAGE, 2));
    assert_eq!(in_category(&runtime), linear.out());
    let memory = instance.memory("memory").expect("it is exported");
    assert!(is_zero_from(&memory, 5006));
    assert_eq!(memory.grow(1).expect("nobody else has it"), Some(1));
    assert!(is_zero_from(&memory, 5006));
    assert_eq!(linear.out(), (3 * WASM_PAGE, 2));
    assert_eq!(in_category(&runtime), linear.out());
    assert_eq!(
        others.out().0 + linear.out().0,
        all() - code_bytes(&runtime)
    );
    drop((memory, instance));
    assert_eq!(linear.out(), (0, 0));
    assert_eq!(in_category(&runtime), (0, 0));
    drop(runtime);
    assert_eq!(others.out(), (0, 0));
}

/// Code is in pages of the platform's.
fn code_bytes(runtime: &Runtime) -> usize {
    runtime.usage(Category::Code).current
}

#[test]
fn a_pool_need_not_hold_them() {
    const POOL: usize = 24 << 10;
    let region: &'static mut [MaybeUninit<u8>] = vec![MaybeUninit::uninit(); POOL].leak();
    let linear = Counter::new(true);
    let options = options().linear_memory(linear.functions());
    let runtime = Runtime::with_pool(region, options).expect("there is room");
    let free = || runtime.pool_usage().expect("it is a pool").free;
    // The first time registers function types.
    drop(instantiate(&runtime, &rich()).expect("there is room"));
    let before = free();
    let instance = instantiate(&runtime, &rich()).expect("there is room");
    assert_eq!(linear.out(), (2 * WASM_PAGE, 2));
    assert_eq!(in_category(&runtime), linear.out());
    drop(instance);
    assert_eq!(linear.out(), (0, 0));
    assert_eq!(free(), before);
}

#[test]
fn what_it_refuses_is_an_error() {
    let linear = Counter::new(true);
    let options = options().linear_memory(linear.functions());
    let runtime = Runtime::system_with(options).expect("there is memory");
    linear.refuses.store(true, Ordering::Relaxed);
    let expected = OutOfMemory::new(Category::LinearMemory, WASM_PAGE);
    let error = instantiate(&runtime, &rich()).map(drop);
    let error = error.expect_err("there is no linear memory");
    assert!(
        matches!(error, InstantiateError::OutOfMemory(error) if error == expected),
        "{error}"
    );
    linear.refuses.store(false, Ordering::Relaxed);
    let instance = instantiate(&runtime, &rich()).expect("there is memory");
    linear.refuses.store(true, Ordering::Relaxed);
    let memory = instance.memory("memory").expect("it is exported");
    assert_eq!(memory.grow(1).expect("nobody else has it"), None);
    assert_eq!(in_category(&runtime), (2 * WASM_PAGE, 2));
}

#[test]
fn zeros_can_come_from_a_function_of_their_own() {
    let linear = Counter::new(true);
    // SAFETY: the function gives zeros, and else does what `allocate` does.
    let functions = unsafe { linear.functions().zeroed(allocate_zeroed) };
    let options = options().linear_memory(functions);
    let runtime = Runtime::system_with(options).expect("there is memory");
    let instance = instantiate(&runtime, &rich()).expect("there is memory");
    assert_eq!(linear.zeroed.load(Ordering::Relaxed), 2);
    assert_eq!(linear.out(), (2 * WASM_PAGE, 2));
    let memory = instance.memory("memory").expect("it is exported");
    assert!(is_zero_from(&memory, 5006));
    assert_eq!(memory.grow(1).expect("nobody else has it"), Some(1));
    assert!(is_zero_from(&memory, 5006));
    drop((memory, instance));
    assert_eq!(linear.out(), (0, 0));
}
