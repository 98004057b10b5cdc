//! Runtimes: where memory comes from, and what the device may be asked for.

use core::ffi::c_void;
use core::ptr::NonNull;

use precast_loader::{Allocator, Category, CodeMemory, CustomAllocator, Runtime, RuntimeOptions};

use super::platform::{precast_flush, precast_map, precast_protect, precast_unmap};
use crate::boundary::C;
use crate::boundary::handle::{Object, create};
use crate::error::precast_error;
use crate::failure::Failure;
use crate::status::precast_status;

/// What all modules and instances on a device share: where memory comes from, and what the device
/// offers.
///
/// It lives until the handle and everything made from it is freed, in any order.
pub struct precast_runtime {
    _private: [u8; 0],
}

impl Object for precast_runtime {
    type Value = Runtime;
    const KIND: u32 = 0x5043_0001;
}

/// A block of `size` bytes at a multiple of `alignment`, or null. `category` is a `precast_category`.
pub type precast_allocate = Option<
    unsafe extern "C" fn(
        user: *mut c_void,
        category: u32,
        size: usize,
        alignment: usize,
    ) -> *mut c_void,
>;

/// The block with another size, moved or not, with its contents up to the smaller size; or null, and
/// then the block is as it was.
pub type precast_reallocate = Option<
    unsafe extern "C" fn(
        user: *mut c_void,
        category: u32,
        block: *mut c_void,
        old_size: usize,
        new_size: usize,
        alignment: usize,
    ) -> *mut c_void,
>;

/// Takes a block back.
pub type precast_free = Option<
    unsafe extern "C" fn(
        user: *mut c_void,
        category: u32,
        block: *mut c_void,
        size: usize,
        alignment: usize,
    ),
>;

/// Functions that provide memory, each told what it is for. They can be called from any thread that
/// uses the runtime, and stay valid with `user` until everything made from it is freed.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct precast_allocator {
    /// Size of this structure in bytes.
    pub size: usize,
    /// Passed to each function.
    pub user: *mut c_void,
    /// Gives a block.
    pub allocate: precast_allocate,
    /// Changes the size of a block.
    pub reallocate: precast_reallocate,
    /// Takes a block back.
    pub free: precast_free,
    /// Gives a block of zeros, where there is a way that is cheaper than clearing one; or null.
    pub allocate_zeroed: precast_allocate,
}

/// Functions that provide memory for code. A block is mapped, written, protected, flushed, executed and
/// unmapped, in this order; no byte of it may be writable and executable at the same time. They can be
/// called from any thread that uses the runtime, and stay valid with `user` until everything made from it
/// is freed.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct precast_code_memory {
    /// Size of this structure in bytes.
    pub size: usize,
    /// Passed to each function.
    pub user: *mut c_void,
    /// Gives a block.
    pub map: precast_map,
    /// Makes it executable.
    pub protect: precast_protect,
    /// Lets instruction fetches see it.
    pub flush: precast_flush,
    /// Takes it back.
    pub unmap: precast_unmap,
}

/// What a runtime is told about the device where the default does not fit. Zeros are the default.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct precast_runtime_options {
    /// Size of this structure in bytes.
    pub size: usize,
    /// Functions for linear memories alone, for devices with memory of several kinds; or null.
    pub linear_memory: *const precast_allocator,
    /// Functions for code alone; or null.
    pub code_memory: *const precast_code_memory,
    /// Not zero: memories do not rely on reserved address space and page protection.
    pub no_guard_pages: u32,
    /// Not zero: no signal handlers are installed.
    pub no_signals: u32,
    /// Not zero: a runtime in a pool may have memories with guard pages all the same, whose bytes are
    /// then not the pool's.
    pub platform_mappings: u32,
    /// Not zero: code that no relocation touches runs where it lies, in artifacts that are loaded in
    /// place at an address that is a multiple of 16. Their bytes must then be executable and not
    /// writable, as flash is.
    pub code_in_place: u32,
}

/// Functions as the loader takes them.
fn custom(c: C, allocator: *const precast_allocator) -> Result<CustomAllocator, Failure> {
    if allocator.is_null() {
        return Err(Failure::Null("allocator"));
    }
    let given = c.options(allocator, "allocator")?;
    let allocate = given.allocate.ok_or(Failure::Null("allocate"))?;
    let reallocate = given.reallocate.ok_or(Failure::Null("reallocate"))?;
    let free = given.free.ok_or(Failure::Null("free"))?;
    // SAFETY: C promises what the structure's text says, which is what is asked for.
    let functions = unsafe { CustomAllocator::new(given.user, allocate, reallocate, free) };
    Ok(match given.allocate_zeroed {
        // SAFETY: as above.
        Some(allocate_zeroed) => unsafe { functions.zeroed(allocate_zeroed) },
        None => functions,
    })
}

/// Makes a runtime on an allocator.
fn make(
    c: C,
    allocator: impl FnOnce() -> Result<Allocator, Failure>,
    options: *const precast_runtime_options,
    runtime: *mut *mut precast_runtime,
) -> Result<(), Failure> {
    let out = c.out(runtime, "runtime")?;
    let given = c.options(options, "options")?;
    let mut options = RuntimeOptions::default();
    options.guard_pages &= given.no_guard_pages == 0;
    options.signals &= given.no_signals == 0;
    options.platform_mappings = given.platform_mappings != 0;
    if !given.linear_memory.is_null() {
        options.linear_memory = Some(custom(c, given.linear_memory)?);
    }
    if !given.code_memory.is_null() {
        let given = c.options(given.code_memory, "code_memory")?;
        let map = given.map.ok_or(Failure::Null("map"))?;
        let protect = given.protect.ok_or(Failure::Null("protect"))?;
        let flush = given.flush.ok_or(Failure::Null("flush"))?;
        let unmap = given.unmap.ok_or(Failure::Null("unmap"))?;
        // SAFETY: C promises what the structure's text says, which is what is asked for.
        options.code_memory = unsafe { CodeMemory::custom(given.user, map, protect, flush, unmap) };
    }
    if given.code_in_place != 0 {
        // SAFETY: C promises what the option's text says, which is what is asked for.
        options.code_memory = unsafe { options.code_memory.in_place() };
    }
    let runtime = Runtime::with_allocator(allocator()?, options)?;
    let allocator = runtime.allocator().clone();
    out.set(create(&allocator, Category::Runtime, runtime)?);
    Ok(())
}

/// Makes a runtime on the system's allocator.
///
/// `options` may be null. The handle is stored in `runtime`, and freed by `precast_runtime_free`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn precast_runtime_new(
    options: *const precast_runtime_options,
    runtime: *mut *mut precast_runtime,
    error: *mut precast_error,
) -> precast_status {
    // SAFETY: C promises what this asks for.
    let c = unsafe { C::promises() };
    c.run(error, || {
        make(c, || Ok(Allocator::system()?), options, runtime)
    })
}

/// Makes a runtime that takes all its memory from `pool_size` bytes at `pool`, linear memories
/// included, and none from anywhere else. `precast memory` says how many it takes.
///
/// The region is the runtime's until the handle and everything made from it is freed; then it is the
/// caller's again. `options` may be null.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn precast_runtime_new_pool(
    pool: *mut c_void,
    pool_size: usize,
    options: *const precast_runtime_options,
    runtime: *mut *mut precast_runtime,
    error: *mut precast_error,
) -> precast_status {
    // SAFETY: C promises what this asks for.
    let c = unsafe { C::promises() };
    c.run(error, || {
        let allocator = || {
            let region = c.region(pool, pool_size, "pool")?;
            let start = NonNull::from(&mut *region).cast();
            // SAFETY: C promises the region until everything is freed.
            Ok(unsafe { Allocator::pool_at(start, region.len()) }?)
        };
        make(c, allocator, options, runtime)
    })
}

/// Makes a runtime that takes all its memory from functions of the host. `options` may be null.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn precast_runtime_new_custom(
    allocator: *const precast_allocator,
    options: *const precast_runtime_options,
    runtime: *mut *mut precast_runtime,
    error: *mut precast_error,
) -> precast_status {
    // SAFETY: C promises what this asks for.
    let c = unsafe { C::promises() };
    c.run(error, || {
        let allocator = || Ok::<_, Failure>(Allocator::custom(custom(c, allocator)?)?);
        make(c, allocator, options, runtime)
    })
}

/// Frees a handle to a runtime; null is no handle.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn precast_runtime_free(runtime: *mut precast_runtime) {
    // SAFETY: C promises what this asks for.
    let c = unsafe { C::promises() };
    c.quietly(|| c.free(runtime));
}
