//! Linear memories.

use std::boxed::Box;

use precast_loader::{Extern, ExternType, Memory, MemoryType, WASM_PAGE_SIZE_LOG2};

use super::reference::wasm_ref_t;
use super::store::wasm_store_t;
use super::types::{wasm_externtype_t, wasm_memorytype_t};
use crate::boundary::C;

impl C {
    /// The memory behind a reference, with its object.
    fn memory<'a>(self, memory: *const wasm_ref_t) -> Option<(&'a wasm_ref_t, &'a Memory)> {
        let object = self.look(memory)?;
        match object.item() {
            Some(Extern::Memory(memory)) => Some((object, memory)),
            _ => None,
        }
    }
}

/// Makes a memory of zeros.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wasm_memory_new(
    store: *mut wasm_store_t,
    memorytype: *const wasm_memorytype_t,
) -> *mut wasm_ref_t {
    // SAFETY: C promises what this asks for.
    let c = unsafe { C::promises() };
    c.pointer(|| {
        let store = c.look(store.cast_const())?;
        let Some(limits) = c.look(memorytype).and_then(|ty| ty.memory_limits()) else {
            return store.fail("the type is not one of a memory");
        };
        let memory_type = MemoryType {
            limits,
            is_64: false,
            shared: false,
            page_size_log2: WASM_PAGE_SIZE_LOG2,
        };
        if !limits.is_valid(memory_type.reachable_pages()) {
            return store.fail("there are no memories with such limits");
        }
        match Memory::new(store.runtime(), memory_type) {
            Ok(memory) => Some(store.item(Extern::Memory(memory))?.into_raw()),
            Err(error) => store.fail(error),
        }
    })
}

/// The memory's type, which C deletes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wasm_memory_type(memory: *const wasm_ref_t) -> *mut wasm_memorytype_t {
    // SAFETY: C promises what this asks for.
    let c = unsafe { C::promises() };
    c.pointer(|| {
        let ty = ExternType::Memory(c.memory(memory)?.1.memory_type());
        wasm_externtype_t::describe(c, &ty).map(Box::into_raw)
    })
}

/// Where the first byte is; null if there is none.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wasm_memory_data(memory: *mut wasm_ref_t) -> *mut u8 {
    // SAFETY: C promises what this asks for.
    let c = unsafe { C::promises() };
    c.pointer(|| {
        let memory = c.memory(memory.cast_const())?.1;
        let length = memory.len().ok().filter(|length| *length != 0)?;
        Some(memory.native_address(0, length as u64).ok()?.as_ptr())
    })
}

/// How many bytes there are.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wasm_memory_data_size(memory: *const wasm_ref_t) -> usize {
    // SAFETY: C promises what this asks for.
    let c = unsafe { C::promises() };
    c.answer(0, || c.memory(memory)?.1.len().ok())
}

/// How many pages there are.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wasm_memory_size(memory: *const wasm_ref_t) -> u32 {
    // SAFETY: C promises what this asks for.
    let c = unsafe { C::promises() };
    c.answer(0, || {
        let pages = c.memory(memory)?.1.size().ok()?;
        Some(u32::try_from(pages).unwrap_or(u32::MAX))
    })
}

/// Appends pages; false if limits or memory do not allow it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wasm_memory_grow(memory: *mut wasm_ref_t, delta: u32) -> bool {
    // SAFETY: C promises what this asks for.
    let c = unsafe { C::promises() };
    c.answer(false, || {
        let (object, memory) = c.memory(memory.cast_const())?;
        match memory.grow(u64::from(delta)) {
            Ok(Some(_)) => Some(true),
            Ok(None) => object
                .store()
                .fail("limits or memory do not let the memory grow"),
            Err(busy) => object.store().fail(busy),
        }
    })
}
