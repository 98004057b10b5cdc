//! Helpers for tables. References are pointer-sized numbers; what they mean is the table's
//! business.
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

const OUT_OF_BOUNDS: TrapCode = TrapCode::TableOutOfBounds;

/// `table.grow`: the previous size in elements, or all ones.
///
/// Growth may call the host's allocator. So it is done on the thread's own stack.
pub(super) unsafe extern "C" fn table_grow(
    context: NonNull<u8>,
    table: u32,
    delta: u64,
    initial: usize,
) -> u64 {
    let growth = Growth {
        context,
        table,
        delta,
        initial,
        result: Cell::new(FAILED),
    };
    let arguments = [ptr::from_ref(&growth).cast(), ptr::null(), ptr::null()];
    // SAFETY: compiled code of the running instance called this, and `grow` takes the value.
    unsafe { on_thread_stack(context, arguments, grow) };
    growth.result.get()
}

/// What `table.grow` asks for, and its result.
struct Growth {
    context: NonNull<u8>,
    table: u32,
    delta: u64,
    initial: usize,
    result: Cell<u64>,
}

/// The part of `table.grow` that runs on the thread's own stack.
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
    let table = instance.table(growth.table);
    let previous = table.and_then(|table| table.grow(growth.delta, growth.initial));
    growth.result.set(previous.unwrap_or(FAILED));
    0
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
