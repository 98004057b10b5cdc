//! Linear memories: reading, writing, addresses.

use core::ffi::c_void;

use precast_loader::{Category, Limits, Memory, MemoryType, Runtime, WASM_PAGE_SIZE_LOG2};

use super::runtime::precast_runtime;
use crate::boundary::C;
use crate::boundary::handle::{Object, create};
use crate::error::precast_error;
use crate::failure::Failure;
use crate::status::precast_status;

/// A linear memory: exported by an instance, or made by the host to be imported. It keeps its
/// instance alive.
pub struct precast_memory {
    _private: [u8; 0],
}

impl Object for precast_memory {
    type Value = Memory;
    const KIND: u32 = 0x5043_0006;
}

/// The type of a memory that the host makes.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct precast_memory_options {
    /// Size of this structure in bytes.
    pub size: usize,
    /// How many pages of 65,536 bytes there are at first.
    pub minimum: u64,
    /// The most pages that there may be; `UINT64_MAX` without a maximum.
    pub maximum: u64,
    /// Not zero: addresses have 64 bits.
    pub is_64: u32,
    /// Not zero: threads share the memory, which then has a maximum.
    pub is_shared: u32,
}

/// Makes a handle.
pub fn handle(runtime: &Runtime, memory: Memory) -> Result<*mut precast_memory, Failure> {
    Ok(create(runtime.allocator(), Category::Instance, memory)?)
}

/// Makes a memory of zeros. The handle is stored in `memory`, and freed by `precast_memory_free`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn precast_memory_new(
    runtime: *const precast_runtime,
    options: *const precast_memory_options,
    memory: *mut *mut precast_memory,
    error: *mut precast_error,
) -> precast_status {
    // SAFETY: C promises what this asks for.
    let c = unsafe { C::promises() };
    c.run(error, || {
        let runtime = c.get(runtime, "runtime")?;
        let out = c.out(memory, "memory")?;
        if options.is_null() {
            return Err(Failure::Null("options"));
        }
        let given = c.options(options, "options")?;
        let memory_type = MemoryType {
            limits: Limits {
                min: given.minimum,
                max: (given.maximum != u64::MAX).then_some(given.maximum),
            },
            is_64: given.is_64 != 0,
            shared: given.is_shared != 0,
            page_size_log2: WASM_PAGE_SIZE_LOG2,
        };
        if !memory_type.limits.is_valid(memory_type.reachable_pages()) {
            return Err(Failure::Argument(
                "options",
                "has limits that no memory has",
            ));
        }
        if memory_type.shared && memory_type.limits.max.is_none() {
            return Err(Failure::Argument(
                "options",
                "has no maximum for a shared memory",
            ));
        }
        out.set(handle(&runtime, Memory::new(&runtime, memory_type)?)?);
        Ok(())
    })
}

/// Frees a handle to a memory; null is no handle.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn precast_memory_free(memory: *mut precast_memory) {
    // SAFETY: C promises what this asks for.
    let c = unsafe { C::promises() };
    c.quietly(|| c.free(memory));
}

/// Stores the size in pages and in bytes; either may be null.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn precast_memory_size(
    memory: *const precast_memory,
    pages: *mut u64,
    bytes: *mut usize,
    error: *mut precast_error,
) -> precast_status {
    // SAFETY: C promises what this asks for.
    let c = unsafe { C::promises() };
    c.run(error, || {
        let memory = c.get(memory, "memory")?;
        if !pages.is_null() {
            c.out(pages, "pages")?.set(memory.size()?);
        }
        if !bytes.is_null() {
            c.out(bytes, "bytes")?.set(memory.len()?);
        }
        Ok(())
    })
}

/// Appends pages, and stores the previous number of pages in `previous`, which may be null.
/// `PRECAST_CANNOT_GROW` where limits or memory do not allow it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn precast_memory_grow(
    memory: *const precast_memory,
    delta: u64,
    previous: *mut u64,
    error: *mut precast_error,
) -> precast_status {
    // SAFETY: C promises what this asks for.
    let c = unsafe { C::promises() };
    c.run(error, || {
        let memory = c.get(memory, "memory")?;
        let out = match previous.is_null() {
            true => None,
            false => Some(c.out(previous, "previous")?),
        };
        let pages = memory.grow(delta)?.ok_or(Failure::CannotGrow("memory"))?;
        if let Some(out) = out {
            out.set(pages);
        }
        Ok(())
    })
}

/// Copies bytes out of the memory, all or none of them.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn precast_memory_read(
    memory: *const precast_memory,
    address: u64,
    bytes: *mut c_void,
    length: usize,
    error: *mut precast_error,
) -> precast_status {
    // SAFETY: C promises what this asks for.
    let c = unsafe { C::promises() };
    c.run(error, || {
        let memory = c.get(memory, "memory")?;
        let bytes = c.array_mut(bytes.cast::<u8>(), length, "bytes")?;
        Ok(memory.read(address, bytes)?)
    })
}

/// Copies bytes into the memory, all or none of them.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn precast_memory_write(
    memory: *const precast_memory,
    address: u64,
    bytes: *const c_void,
    length: usize,
    error: *mut precast_error,
) -> precast_status {
    // SAFETY: C promises what this asks for.
    let c = unsafe { C::promises() };
    c.run(error, || {
        let memory = c.get(memory, "memory")?;
        let bytes = c.array(bytes.cast::<u8>(), length, "bytes")?;
        Ok(memory.write(address, bytes)?)
    })
}

/// Looks whether a range is in the memory: `PRECAST_OUT_OF_BOUNDS` if not.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn precast_memory_check(
    memory: *const precast_memory,
    address: u64,
    length: u64,
    error: *mut precast_error,
) -> precast_status {
    // SAFETY: C promises what this asks for.
    let c = unsafe { C::promises() };
    c.run(error, || {
        Ok(c.get(memory, "memory")?.check_range(address, length)?)
    })
}

/// Stores where a range of the memory is on the host.
///
/// The pointer is good for the range until the memory grows, which may move it unless it has guard
/// pages or is fixed, and for as long as the memory is there. Code of the program and other threads
/// must not use the range at the same time.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn precast_memory_pointer(
    memory: *const precast_memory,
    address: u64,
    length: u64,
    pointer: *mut *mut c_void,
    error: *mut precast_error,
) -> precast_status {
    // SAFETY: C promises what this asks for.
    let c = unsafe { C::promises() };
    c.run(error, || {
        let memory = c.get(memory, "memory")?;
        let out = c.out(pointer, "pointer")?;
        out.set(memory.native_address(address, length)?.as_ptr().cast());
        Ok(())
    })
}

/// Stores the program's address of a byte of the memory, given by where it is on the host; the
/// pointer is not used. `PRECAST_NOT_FOUND` for pointers to anything else.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn precast_memory_address(
    memory: *const precast_memory,
    pointer: *const c_void,
    address: *mut u64,
    error: *mut precast_error,
) -> precast_status {
    // SAFETY: C promises what this asks for.
    let c = unsafe { C::promises() };
    c.run(error, || {
        let memory = c.get(memory, "memory")?;
        let out = c.out(address, "address")?;
        let found = memory.address_of(pointer.cast())?;
        out.set(found.ok_or(Failure::NotFound("byte in the memory"))?);
        Ok(())
    })
}

/// Stores how many bytes the text at an address has before the zero that ends it;
/// `PRECAST_OUT_OF_BOUNDS` if it does not end in the memory.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn precast_memory_text_length(
    memory: *const precast_memory,
    address: u64,
    length: *mut u64,
    error: *mut precast_error,
) -> precast_status {
    // SAFETY: C promises what this asks for.
    let c = unsafe { C::promises() };
    c.run(error, || {
        let memory = c.get(memory, "memory")?;
        let out = c.out(length, "length")?;
        out.set(memory.string_length(address)?);
        Ok(())
    })
}
