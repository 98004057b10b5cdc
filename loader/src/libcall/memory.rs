//! Helpers for linear memory.
//!
//! # Safety
//!
//! All functions are called by compiled code with the context pointer of the running instance.

use core::ptr::NonNull;

use precast_format::trap::TrapCode;

use super::{growth, status};
use crate::instance::InstanceData;

const OUT_OF_BOUNDS: TrapCode = TrapCode::MemoryOutOfBounds;

/// `memory.grow`: the previous size in pages, or all ones.
pub(super) unsafe extern "C" fn memory_grow(context: NonNull<u8>, memory: u32, delta: u64) -> u64 {
    // SAFETY: compiled code of the running instance called this.
    unsafe { growth::grow(context, |instance| instance.memory(memory)?.grow(delta)) }
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
