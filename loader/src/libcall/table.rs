//! Helpers for tables. References are pointer-sized numbers; what they mean is the table's
//! business.
//!
//! # Safety
//!
//! All functions are called by compiled code with the context pointer of the running instance.

use core::ptr::NonNull;

use precast_format::trap::TrapCode;

use super::{growth, status};
use crate::instance::InstanceData;

const OUT_OF_BOUNDS: TrapCode = TrapCode::TableOutOfBounds;

/// `table.grow`: the previous size in elements, or all ones.
pub(super) unsafe extern "C" fn table_grow(
    context: NonNull<u8>,
    table: u32,
    delta: u64,
    initial: usize,
) -> u64 {
    let grow = |instance: &InstanceData| instance.table(table)?.grow(delta, initial);
    // SAFETY: compiled code of the running instance called this.
    unsafe { growth::grow(context, grow) }
}

/// `table.fill`: a trap code, or zero.
pub(super) unsafe extern "C" fn table_fill(
    context: NonNull<u8>,
    table: u32,
    to: u64,
    value: usize,
    length: u64,
) -> u32 {
    // SAFETY: the context is the running instance's.
    let instance = unsafe { InstanceData::from_context(context) };
    let table = instance.table(table).ok_or(OUT_OF_BOUNDS);
    status(table.and_then(|table| table.fill(to, value, length)))
}

/// `table.copy`: a trap code, or zero.
pub(super) unsafe extern "C" fn table_copy(
    context: NonNull<u8>,
    to_table: u32,
    from_table: u32,
    to: u64,
    from: u64,
    length: u64,
) -> u32 {
    // SAFETY: the context is the running instance's.
    let instance = unsafe { InstanceData::from_context(context) };
    status(
        match (instance.table(to_table), instance.table(from_table)) {
            (Some(target), Some(source)) => target.copy(to, source, from, length),
            _ => Err(OUT_OF_BOUNDS),
        },
    )
}

/// `table.init`: a trap code, or zero.
pub(super) unsafe extern "C" fn table_init(
    context: NonNull<u8>,
    table: u32,
    segment: u32,
    to: u64,
    from: u32,
    length: u32,
) -> u32 {
    // SAFETY: the context is the running instance's.
    let instance = unsafe { InstanceData::from_context(context) };
    status(instance.table_init(table, segment, to, from, length))
}

/// `elem.drop`.
pub(super) unsafe extern "C" fn elem_drop(context: NonNull<u8>, segment: u32) {
    // SAFETY: the context is the running instance's.
    unsafe { InstanceData::from_context(context) }.drop_element(segment);
}
