//! Tables.

use precast_loader::{Category, Limits, Runtime, Table, TableType};

use super::global::one;
use super::runtime::precast_runtime;
use crate::boundary::C;
use crate::boundary::handle::{Object, create};
use crate::error::precast_error;
use crate::failure::Failure;
use crate::status::precast_status;
use crate::value::{lend, precast_value, type_of};

/// A table: exported by an instance, or made by the host to be imported. It keeps its instance alive.
pub struct precast_table {
    _private: [u8; 0],
}

impl Object for precast_table {
    type Value = TableOf;
    const KIND: u32 = 0x5043_000b;
}

/// A table, and where handles to its elements come from.
pub struct TableOf {
    /// The table.
    pub table: Table,
    /// Its runtime.
    pub runtime: Runtime,
}

/// The type of a table that the host makes. Its elements are of the kind of the initial value.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct precast_table_options {
    /// Size of this structure in bytes.
    pub size: usize,
    /// How many elements there are at first.
    pub minimum: u64,
    /// The most elements that there may be; `UINT64_MAX` without a maximum.
    pub maximum: u64,
    /// Not zero: indices have 64 bits.
    pub is_64: u32,
    /// Zero.
    pub reserved: u32,
}

/// Makes a handle.
pub fn handle(runtime: &Runtime, table: Table) -> Result<*mut precast_table, Failure> {
    let runtime = runtime.clone();
    let allocator = runtime.allocator().clone();
    let table = TableOf { table, runtime };
    Ok(create(&allocator, Category::Instance, table)?)
}

/// Makes a table whose elements all are `value`, a reference or a null one. The handle is stored in
/// `table`, and freed by `precast_table_free`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn precast_table_new(
    runtime: *const precast_runtime,
    options: *const precast_table_options,
    value: *const precast_value,
    table: *mut *mut precast_table,
    error: *mut precast_error,
) -> precast_status {
    // SAFETY: C promises what this asks for.
    let c = unsafe { C::promises() };
    c.run(error, || {
        let runtime = c.get(runtime, "runtime")?;
        let out = c.out(table, "table")?;
        if options.is_null() {
            return Err(Failure::Null("options"));
        }
        let given = c.options(options, "options")?;
        let value = one(c, value)?;
        let table_type = TableType {
            element: type_of(value.kind, "value")?,
            limits: Limits {
                min: given.minimum,
                max: (given.maximum != u64::MAX).then_some(given.maximum),
            },
            is_64: given.is_64 != 0,
        };
        if !table_type.element.is_reference() {
            return Err(Failure::Mismatch("the elements of tables are references"));
        }
        let most = if table_type.is_64 {
            u64::MAX
        } else {
            u64::from(u32::MAX)
        };
        if !table_type.limits.is_valid(most) {
            return Err(Failure::Argument("options", "has limits that no table has"));
        }
        let made = Table::new(&runtime, table_type, c.value(value, "value")?)?;
        out.set(handle(&runtime, made)?);
        Ok(())
    })
}

/// Frees a handle to a table; null is no handle.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn precast_table_free(table: *mut precast_table) {
    // SAFETY: C promises what this asks for.
    let c = unsafe { C::promises() };
    c.quietly(|| c.free(table));
}

/// Stores how many elements there are.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn precast_table_size(
    table: *const precast_table,
    elements: *mut u64,
    error: *mut precast_error,
) -> precast_status {
    // SAFETY: C promises what this asks for.
    let c = unsafe { C::promises() };
    c.run(error, || {
        let table = c.get(table, "table")?;
        c.out(elements, "elements")?.set(table.table.size()?);
        Ok(())
    })
}

/// Stores an element. A reference to a function is a handle that the caller frees.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn precast_table_get(
    table: *const precast_table,
    index: u64,
    value: *mut precast_value,
    error: *mut precast_error,
) -> precast_status {
    // SAFETY: C promises what this asks for.
    let c = unsafe { C::promises() };
    c.run(error, || {
        let table = c.get(table, "table")?;
        let out = c.out(value, "value")?;
        let element = table.table.get(index)?;
        let element = element.ok_or(precast_loader::CallError::OutOfBounds)?;
        out.set(lend(&element, &table.runtime)?);
        Ok(())
    })
}

/// Changes an element.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn precast_table_set(
    table: *const precast_table,
    index: u64,
    value: *const precast_value,
    error: *mut precast_error,
) -> precast_status {
    // SAFETY: C promises what this asks for.
    let c = unsafe { C::promises() };
    c.run(error, || {
        let table = c.get(table, "table")?;
        let value = c.value(one(c, value)?, "value")?;
        Ok(table.table.set(index, &value)?)
    })
}

/// Appends elements that are `value`, and stores the previous number in `previous`, which may be
/// null. `PRECAST_CANNOT_GROW` where limits or memory do not allow it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn precast_table_grow(
    table: *const precast_table,
    delta: u64,
    value: *const precast_value,
    previous: *mut u64,
    error: *mut precast_error,
) -> precast_status {
    // SAFETY: C promises what this asks for.
    let c = unsafe { C::promises() };
    c.run(error, || {
        let table = c.get(table, "table")?;
        let value = c.value(one(c, value)?, "value")?;
        let out = match previous.is_null() {
            true => None,
            false => Some(c.out(previous, "previous")?),
        };
        let grown = table.table.grow(delta, &value)?;
        let size = grown.ok_or(Failure::CannotGrow("table"))?;
        if let Some(out) = out {
            out.set(size);
        }
        Ok(())
    })
}
