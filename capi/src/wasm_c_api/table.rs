//! Tables.

use std::boxed::Box;

use precast_loader::{Extern, ExternType, Table, TableType, Value, ValueType};

use super::reference::wasm_ref_t;
use super::store::wasm_store_t;
use super::types::{wasm_externtype_t, wasm_tabletype_t};
use super::value::Unfit;
use crate::boundary::C;

impl C {
    /// The table behind a reference, with its object.
    fn table<'a>(self, table: *const wasm_ref_t) -> Option<(&'a wasm_ref_t, &'a Table)> {
        let object = self.look(table)?;
        match object.item() {
            Some(Extern::Table(table)) => Some((object, table)),
            _ => None,
        }
    }
}

impl wasm_store_t {
    /// An element of a table.
    fn element(&self, c: C, reference: *const wasm_ref_t, ty: ValueType) -> Option<Value> {
        match self.lower_reference(c, reference, ty) {
            Ok(value) => Some(value),
            Err(Unfit::Kind) => self.fail("the element is not of the table's type"),
            Err(unfit) => self.fail(unfit.words()),
        }
    }
}

/// Makes a table whose elements are all the same.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wasm_table_new(
    store: *mut wasm_store_t,
    tabletype: *const wasm_tabletype_t,
    init: *mut wasm_ref_t,
) -> *mut wasm_ref_t {
    // SAFETY: C promises what this asks for.
    let c = unsafe { C::promises() };
    c.pointer(|| {
        let store = c.look(store.cast_const())?;
        let ty = c.look(tabletype).and_then(|ty| ty.table_type());
        let Some((element, limits)) = ty.filter(|(element, _)| element.is_reference()) else {
            return store.fail("the type is not one of a table of references");
        };
        if !limits.is_valid(u64::from(u32::MAX)) {
            return store.fail("there are no tables with such limits");
        }
        let table_type = TableType {
            element,
            limits,
            is_64: false,
        };
        let init = store.element(c, init.cast_const(), element)?;
        match Table::new(store.runtime(), table_type, init) {
            Ok(table) => Some(store.item(Extern::Table(table))?.into_raw()),
            Err(error) => store.fail(error),
        }
    })
}

/// The table's type, which C deletes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wasm_table_type(table: *const wasm_ref_t) -> *mut wasm_tabletype_t {
    // SAFETY: C promises what this asks for.
    let c = unsafe { C::promises() };
    c.pointer(|| {
        let ty = ExternType::Table(c.table(table)?.1.table_type());
        wasm_externtype_t::describe(c, &ty).map(Box::into_raw)
    })
}

/// An element, which C owns; null beyond the end, too.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wasm_table_get(table: *const wasm_ref_t, index: u32) -> *mut wasm_ref_t {
    // SAFETY: C promises what this asks for.
    let c = unsafe { C::promises() };
    c.pointer(|| {
        let (object, table) = c.table(table)?;
        let element = table.get(u64::from(index)).ok()??;
        object.store().raise(&element)?.into_reference()
    })
}

/// Changes an element; false if that cannot be.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wasm_table_set(
    table: *mut wasm_ref_t,
    index: u32,
    reference: *mut wasm_ref_t,
) -> bool {
    // SAFETY: C promises what this asks for.
    let c = unsafe { C::promises() };
    c.answer(false, || {
        let (object, table) = c.table(table.cast_const())?;
        let store = object.store();
        let element = table.table_type().element;
        let element = store.element(c, reference.cast_const(), element)?;
        match table.set(u64::from(index), &element) {
            Ok(()) => Some(true),
            Err(error) => store.fail(error),
        }
    })
}

/// How many elements there are.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wasm_table_size(table: *const wasm_ref_t) -> u32 {
    // SAFETY: C promises what this asks for.
    let c = unsafe { C::promises() };
    c.answer(0, || {
        let size = c.table(table)?.1.size().ok()?;
        Some(u32::try_from(size).unwrap_or(u32::MAX))
    })
}

/// Appends elements; false if limits or memory do not allow it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wasm_table_grow(
    table: *mut wasm_ref_t,
    delta: u32,
    init: *mut wasm_ref_t,
) -> bool {
    // SAFETY: C promises what this asks for.
    let c = unsafe { C::promises() };
    c.answer(false, || {
        let (object, table) = c.table(table.cast_const())?;
        let store = object.store();
        let element = store.element(c, init.cast_const(), table.table_type().element)?;
        match table.grow(u64::from(delta), &element) {
            Ok(Some(_)) => Some(true),
            Ok(None) => store.fail("limits or memory do not let the table grow"),
            Err(error) => store.fail(error),
        }
    })
}
