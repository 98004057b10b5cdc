//! What is imported and exported: functions, globals, tables, memories and tags under one name.

use std::boxed::Box;

use precast_loader::Extern;

use super::reference::{Referent, wasm_ref_t};
use super::types::wasm_externtype_t;
use crate::boundary::C;

/// What it is: the standard's number.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wasm_extern_kind(item: *const wasm_ref_t) -> u8 {
    // SAFETY: C promises what this asks for.
    let c = unsafe { C::promises() };
    c.answer(0, || {
        Some(match c.look(item)?.item()? {
            Extern::Func(_) => 0,
            Extern::Global(_) => 1,
            Extern::Table(_) => 2,
            Extern::Memory(_) => 3,
            Extern::Tag(_) => 4,
        })
    })
}

/// The type, with the size that it has now; C deletes it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wasm_extern_type(item: *const wasm_ref_t) -> *mut wasm_externtype_t {
    // SAFETY: C promises what this asks for.
    let c = unsafe { C::promises() };
    c.pointer(|| {
        let ty = c.look(item)?.item()?.current_type().ok()?;
        wasm_externtype_t::describe(c, &ty).map(Box::into_raw)
    })
}

/// The ways between the names of what is imported and exported.
macro_rules! item_casts {
    ($what:literal, $pattern:pat, $as_item:ident, $from_item:ident, $as_const:ident, $from_const:ident) => {
        #[doc = concat!("What is imported and exported, of ", $what, ".")]
        #[unsafe(no_mangle)]
        pub unsafe extern "C" fn $as_item(reference: *mut wasm_ref_t) -> *mut wasm_ref_t {
            // SAFETY: C promises what this asks for.
            unsafe { C::promises() }.cast(reference, |object| matches!(object, $pattern))
        }

        #[doc = concat!("What is imported and exported as ", $what, ", or null.")]
        #[unsafe(no_mangle)]
        pub unsafe extern "C" fn $from_item(item: *mut wasm_ref_t) -> *mut wasm_ref_t {
            // SAFETY: C promises what this asks for.
            unsafe { C::promises() }.cast(item, |object| matches!(object, $pattern))
        }

        #[doc = concat!("What is imported and exported, of ", $what, ".")]
        #[unsafe(no_mangle)]
        pub unsafe extern "C" fn $as_const(reference: *const wasm_ref_t) -> *const wasm_ref_t {
            // SAFETY: C promises what this asks for.
            unsafe { C::promises() }.cast(reference.cast_mut(), |object| matches!(object, $pattern))
        }

        #[doc = concat!("What is imported and exported as ", $what, ", or null.")]
        #[unsafe(no_mangle)]
        pub unsafe extern "C" fn $from_const(item: *const wasm_ref_t) -> *const wasm_ref_t {
            // SAFETY: C promises what this asks for.
            unsafe { C::promises() }.cast(item.cast_mut(), |object| matches!(object, $pattern))
        }
    };
}

item_casts!(
    "a function",
    Referent::Item(Extern::Func(_), _),
    wasm_func_as_extern,
    wasm_extern_as_func,
    wasm_func_as_extern_const,
    wasm_extern_as_func_const
);

item_casts!(
    "a global",
    Referent::Item(Extern::Global(_), _),
    wasm_global_as_extern,
    wasm_extern_as_global,
    wasm_global_as_extern_const,
    wasm_extern_as_global_const
);

item_casts!(
    "a table",
    Referent::Item(Extern::Table(_), _),
    wasm_table_as_extern,
    wasm_extern_as_table,
    wasm_table_as_extern_const,
    wasm_extern_as_table_const
);

item_casts!(
    "a memory",
    Referent::Item(Extern::Memory(_), _),
    wasm_memory_as_extern,
    wasm_extern_as_memory,
    wasm_memory_as_extern_const,
    wasm_extern_as_memory_const
);
