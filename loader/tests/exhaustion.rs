//! Memory may run out at any point: loading and instantiating then end with an error, give back
//! what they took, and leave the runtime usable.

mod support;

use precast_loader::{
    Caller, CustomAllocator, Imports, InstanceOptions, Memory, Runtime, RuntimeOptions, Source,
    Table, Value,
};
use std::alloc::{Layout, alloc, dealloc, realloc};
use std::ffi::c_void;
use std::sync::atomic::{AtomicUsize, Ordering};
use support::{memory_type, rich, table_type};

/// An allocator that refuses from some point on, and counts.
#[derive(Default)]
struct Budget {
    /// Requests that are still granted.
    left: AtomicUsize,
    /// Bytes that are out.
    bytes: AtomicUsize,
}

impl Budget {
    fn take(&self) -> bool {
        let left = self.left.load(Ordering::Relaxed);
        self.left.store(left.saturating_sub(1), Ordering::Relaxed);
        left > 0
    }

    /// A runtime whose memory is all from here.
    fn runtime(&'static self) -> Result<Runtime, precast_loader::OutOfMemory> {
        let user = (&raw const *self).cast_mut().cast();
        // SAFETY: the functions below keep the promises; the budget is there for ever.
        let functions = unsafe { CustomAllocator::new(user, allocate, reallocate, free) };
        let options = RuntimeOptions::default().signals(false).guard_pages(false);
        Runtime::custom(functions, options)
    }
}

fn layout(size: usize, align: usize) -> Layout {
    Layout::from_size_align(size, align).expect("the loader asks for valid layouts")
}

fn budget(user: *mut c_void) -> &'static Budget {
    // SAFETY: `runtime` passed a budget.
    unsafe { &*user.cast::<Budget>() }
}

unsafe extern "C" fn allocate(user: *mut c_void, _: u32, size: usize, align: usize) -> *mut c_void {
    if !budget(user).take() {
        return std::ptr::null_mut();
    }
    budget(user).bytes.fetch_add(size, Ordering::Relaxed);
    // SAFETY: the loader never asks for nothing.
    unsafe { alloc(layout(size, align)) }.cast()
}

unsafe extern "C" fn reallocate(
    user: *mut c_void,
    _: u32,
    block: *mut c_void,
    old: usize,
    new: usize,
    align: usize,
) -> *mut c_void {
    if !budget(user).take() {
        return std::ptr::null_mut();
    }
    budget(user).bytes.fetch_add(new, Ordering::Relaxed);
    budget(user).bytes.fetch_sub(old, Ordering::Relaxed);
    // SAFETY: the block is from `allocate` with this layout.
    unsafe { realloc(block.cast(), layout(old, align), new) }.cast()
}

unsafe extern "C" fn free(
    user: *mut c_void,
    _: u32,
    block: *mut c_void,
    size: usize,
    align: usize,
) {
    budget(user).bytes.fetch_sub(size, Ordering::Relaxed);
    // SAFETY: the block is from `allocate` with this layout.
    unsafe { dealloc(block.cast(), layout(size, align)) }
}

/// Goes all the way. Whatever fails, fails for want of memory.
fn attempt(runtime: &Runtime, bytes: &[u8]) -> Result<(), String> {
    fn text(error: impl std::fmt::Display) -> String {
        error.to_string()
    }
    // SAFETY: nothing of the artifact is executed.
    let module = unsafe { runtime.load_unverified(Source::copied(bytes)) }.map_err(text)?;
    let mut imports = Imports::new(runtime);
    let host = |_: &mut Caller<'_>, _: i32, _: f64| 0u128;
    imports.func("env", "func", host).map_err(text)?;
    let memory = Memory::new(runtime, memory_type(1, Some(3))).map_err(text)?;
    imports.memory("env", "memory", &memory).map_err(text)?;
    let instance = module
        .instantiate(&imports, InstanceOptions::default())
        .map_err(text)?;
    // What one group offers joins another one.
    let table = Table::new(runtime, table_type(1, None), Value::FuncRef(None)).map_err(text)?;
    let func = instance.untyped_func("func").map_err(text)?;
    table.set(0, &Value::FuncRef(Some(func))).map_err(text)?;
    memory
        .grow(1)
        .map_err(text)?
        .ok_or("no memory for a page")?;
    Ok(())
}

#[test]
fn memory_may_run_out_at_any_point() {
    let bytes = rich().write().expect("the artifact is well formed");
    let mut failures = 0;
    loop {
        let budget: &'static Budget = Box::leak(Box::default());
        budget.left.store(1000, Ordering::Relaxed);
        let runtime = budget
            .runtime()
            .expect("the budget is large enough for a runtime");
        let before = budget.bytes.load(Ordering::Relaxed);
        budget.left.store(failures, Ordering::Relaxed);
        let result = attempt(&runtime, &bytes);
        let after = budget.bytes.load(Ordering::Relaxed);
        assert_eq!(
            before, after,
            "bytes are left after request {failures}: {result:?}"
        );
        if let Err(message) = &result {
            assert!(message.contains("no memory"), "{message}");
            // The runtime is as good as before.
            budget.left.store(1000, Ordering::Relaxed);
            attempt(&runtime, &bytes).expect("there is memory again");
        }
        drop(runtime);
        assert_eq!(
            budget.bytes.load(Ordering::Relaxed),
            0,
            "the runtime kept something"
        );
        if result.is_ok() {
            break;
        }
        failures += 1;
    }
    assert!(failures > 20, "only {failures} requests");
}

#[test]
fn a_runtime_needs_memory() {
    for granted in 0..2 {
        let budget: &'static Budget = Box::leak(Box::default());
        budget.left.store(granted, Ordering::Relaxed);
        assert!(budget.runtime().is_err());
        assert_eq!(budget.bytes.load(Ordering::Relaxed), 0);
    }
}
