//! Helpers for linear memory.
//!
//! # Safety
//!
//! All functions are called by compiled code with the context pointer of the running instance.

use core::cell::Cell;
use core::ptr::{self, NonNull};

use precast_format::trap::TrapCode;

use super::{FAILED, status};
use crate::call::entry::{has_host_stack, on_thread_stack};
use crate::instance::InstanceData;

const OUT_OF_BOUNDS: TrapCode = TrapCode::MemoryOutOfBounds;

/// `memory.grow`: the previous size in pages, or all ones.
///
/// Growth may call the host: its allocator, and who observes growth. So it is done on the thread's
/// own stack.
pub(super) unsafe extern "C" fn memory_grow(context: NonNull<u8>, memory: u32, delta: u64) -> u64 {
    let growth = Growth {
        context,
        memory,
        delta,
        result: Cell::new(FAILED),
    };
    let arguments = [ptr::from_ref(&growth).cast(), ptr::null(), ptr::null()];
    // SAFETY: compiled code of the running instance called this, and `grow` takes the value.
    unsafe { on_thread_stack(context, arguments, grow) };
    growth.result.get()
}

/// What `memory.grow` asks for, and its result.
struct Growth {
    context: NonNull<u8>,
    memory: u32,
    delta: u64,
    result: Cell<u64>,
}

/// The part of `memory.grow` that runs on the thread's own stack.
///
/// # Safety
///
/// The first argument points to a [`Growth`] of the running instance.
unsafe extern "C" fn grow(growth: *const (), _: *const (), _: *const ()) -> usize {
    // SAFETY: the caller's promise.
    let growth = unsafe { &*growth.cast::<Growth>() };
    // Code that relies on a guard page can come closer to the end of the thread's stack.
    // SAFETY: the context is the running instance's.
    if !unsafe { has_host_stack(growth.context) } {
        return 0;
    }
    // SAFETY: the context is the running instance's.
    let instance = unsafe { InstanceData::from_context(growth.context) };
    let memory = instance.memory(growth.memory);
    let previous = memory.and_then(|memory| memory.grow(growth.delta));
    growth.result.set(previous.unwrap_or(FAILED));
    0
}

/// `memory.copy`: a trap code, or zero.
pub(super) unsafe extern "C" fn memory_copy(
    context: NonNull<u8>,
    to_memory: u32,
    from_memory: u32,
    to: u64,
    from: u64,
    length: u64,
) -> u32 {
    // SAFETY: the context is the running instance's.
    let instance = unsafe { InstanceData::from_context(context) };
    status(
        match (instance.memory(to_memory), instance.memory(from_memory)) {
            (Some(target), Some(source)) => target.copy(to, source, from, length),
            _ => Err(OUT_OF_BOUNDS),
        },
    )
}

/// `memory.fill`: a trap code, or zero.
pub(super) unsafe extern "C" fn memory_fill(
    context: NonNull<u8>,
    memory: u32,
    to: u64,
    value: u32,
    length: u64,
) -> u32 {
    // SAFETY: the context is the running instance's.
    let instance = unsafe { InstanceData::from_context(context) };
    let memory = instance.memory(memory).ok_or(OUT_OF_BOUNDS);
    status(memory.and_then(|memory| memory.fill(to, value as u8, length)))
}

/// `memory.init`: a trap code, or zero.
pub(super) unsafe extern "C" fn memory_init(
    context: NonNull<u8>,
    memory: u32,
    segment: u32,
    to: u64,
    from: u32,
    length: u32,
) -> u32 {
    // SAFETY: the context is the running instance's.
    let instance = unsafe { InstanceData::from_context(context) };
    status(instance.memory_init(memory, segment, to, from, length))
}

/// `data.drop`.
pub(super) unsafe extern "C" fn data_drop(context: NonNull<u8>, segment: u32) {
    // SAFETY: the context is the running instance's.
    unsafe { InstanceData::from_context(context) }.drop_data(segment);
}
