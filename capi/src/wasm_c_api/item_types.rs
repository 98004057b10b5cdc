//! What modules import and export: names and a type.

use core::ptr;
use std::boxed::Box;

use super::blocks::{Block, try_box};
use super::types::{block_functions, wasm_externtype_t};
use super::vector::{Elements, Owned, Vector};
use crate::boundary::C;

/// An import: two names and a type.
#[repr(C)]
pub struct wasm_importtype_t {
    kind: u32,
    module: Elements<u8>,
    name: Elements<u8>,
    ty: Box<wasm_externtype_t>,
}

// SAFETY: it begins with the number, which `new` writes.
unsafe impl Block for wasm_importtype_t {
    const KIND: u32 = 0x5743_0012;
}

impl wasm_importtype_t {
    /// Makes one of its parts.
    pub fn new(
        module: Elements<u8>,
        name: Elements<u8>,
        ty: Box<wasm_externtype_t>,
    ) -> Option<*mut wasm_importtype_t> {
        let block = try_box(wasm_importtype_t {
            kind: wasm_importtype_t::KIND,
            module,
            name,
            ty,
        });
        block.map(Box::into_raw)
    }
}

impl Owned for wasm_importtype_t {
    fn duplicate(&self, c: C) -> Option<*mut wasm_importtype_t> {
        let ty = c.take(self.ty.duplicate(c)?)?;
        wasm_importtype_t::new(self.module.duplicate()?, self.name.duplicate()?, ty)
    }

    fn delete(c: C, pointer: *mut wasm_importtype_t) {
        drop(c.take(pointer));
    }

    fn look<'a>(c: C, pointer: *const wasm_importtype_t) -> Option<&'a wasm_importtype_t> {
        c.look(pointer)
    }
}

/// An export: a name and a type.
#[repr(C)]
pub struct wasm_exporttype_t {
    kind: u32,
    name: Elements<u8>,
    ty: Box<wasm_externtype_t>,
}

// SAFETY: it begins with the number, which `new` writes.
unsafe impl Block for wasm_exporttype_t {
    const KIND: u32 = 0x5743_0013;
}

impl wasm_exporttype_t {
    /// Makes one of its parts.
    pub fn new(name: Elements<u8>, ty: Box<wasm_externtype_t>) -> Option<*mut wasm_exporttype_t> {
        let block = try_box(wasm_exporttype_t {
            kind: wasm_exporttype_t::KIND,
            name,
            ty,
        });
        block.map(Box::into_raw)
    }
}

impl Owned for wasm_exporttype_t {
    fn duplicate(&self, c: C) -> Option<*mut wasm_exporttype_t> {
        let ty = c.take(self.ty.duplicate(c)?)?;
        wasm_exporttype_t::new(self.name.duplicate()?, ty)
    }

    fn delete(c: C, pointer: *mut wasm_exporttype_t) {
        drop(c.take(pointer));
    }

    fn look<'a>(c: C, pointer: *const wasm_exporttype_t) -> Option<&'a wasm_exporttype_t> {
        c.look(pointer)
    }
}

block_functions!(
    "what a module imports",
    wasm_importtype_t,
    wasm_importtype_delete,
    wasm_importtype_copy
);
block_functions!(
    "what a module exports",
    wasm_exporttype_t,
    wasm_exporttype_delete,
    wasm_exporttype_copy
);

/// Makes an import's description of its parts, which are taken.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wasm_importtype_new(
    module: *mut Vector<u8>,
    name: *mut Vector<u8>,
    externtype: *mut wasm_externtype_t,
) -> *mut wasm_importtype_t {
    // SAFETY: C promises what this asks for.
    let c = unsafe { C::promises() };
    c.pointer(|| {
        let (module, name) = (c.take_vector(module), c.take_vector(name));
        wasm_importtype_t::new(module, name, c.take(externtype)?)
    })
}

/// The module name.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wasm_importtype_module(
    importtype: *const wasm_importtype_t,
) -> *const Vector<u8> {
    // SAFETY: C promises what this asks for.
    let c = unsafe { C::promises() };
    c.pointer(|| Some(ptr::from_ref(c.look(importtype)?.module.vector()).cast_mut()))
}

/// The name.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wasm_importtype_name(
    importtype: *const wasm_importtype_t,
) -> *const Vector<u8> {
    // SAFETY: C promises what this asks for.
    let c = unsafe { C::promises() };
    c.pointer(|| Some(ptr::from_ref(c.look(importtype)?.name.vector()).cast_mut()))
}

/// The type.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wasm_importtype_type(
    importtype: *const wasm_importtype_t,
) -> *const wasm_externtype_t {
    // SAFETY: C promises what this asks for.
    let c = unsafe { C::promises() };
    c.pointer(|| Some(ptr::from_ref(&*c.look(importtype)?.ty).cast_mut()))
}

/// Makes an export's description of its parts, which are taken.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wasm_exporttype_new(
    name: *mut Vector<u8>,
    externtype: *mut wasm_externtype_t,
) -> *mut wasm_exporttype_t {
    // SAFETY: C promises what this asks for.
    let c = unsafe { C::promises() };
    c.pointer(|| {
        let name = c.take_vector(name);
        wasm_exporttype_t::new(name, c.take(externtype)?)
    })
}

/// The name.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wasm_exporttype_name(
    exporttype: *const wasm_exporttype_t,
) -> *const Vector<u8> {
    // SAFETY: C promises what this asks for.
    let c = unsafe { C::promises() };
    c.pointer(|| Some(ptr::from_ref(c.look(exporttype)?.name.vector()).cast_mut()))
}

/// The type.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wasm_exporttype_type(
    exporttype: *const wasm_exporttype_t,
) -> *const wasm_externtype_t {
    // SAFETY: C promises what this asks for.
    let c = unsafe { C::promises() };
    c.pointer(|| Some(ptr::from_ref(&*c.look(exporttype)?.ty).cast_mut()))
}
