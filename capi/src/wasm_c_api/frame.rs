//! Frames: which functions were active when code stopped.

use core::ptr;

use precast_loader::Frame;

use super::blocks::{Block, give};
use super::reference::{Reference, wasm_ref_t};
use super::store::wasm_store_t;
use super::types::block_functions;
use super::vector::Owned;
use crate::boundary::C;

/// An active function.
#[repr(C)]
pub struct wasm_frame_t {
    kind: u32,
    place: Place,
}

// SAFETY: it begins with the number, which `give` writes.
unsafe impl Block for wasm_frame_t {
    const KIND: u32 = 0x5743_0014;
}

/// Where code was.
#[derive(Clone)]
pub struct Place {
    /// The instance, if C has it.
    instance: Option<Reference>,
    function: u32,
    /// From where the function's body begins.
    in_function: usize,
    /// From where the module begins.
    in_module: usize,
}

impl Place {
    /// What a frame of the loader's says.
    pub fn new(store: &wasm_store_t, frame: &Frame) -> Place {
        let instance = frame.instance_identity();
        let body = frame.body_offset().unwrap_or(0);
        let offset = frame.wasm_offset().unwrap_or(body);
        Place {
            instance: instance.and_then(|identity| store.find(identity)),
            function: frame.function_index(),
            in_function: offset.saturating_sub(body) as usize,
            in_module: offset as usize,
        }
    }

    /// A frame, which C will own.
    pub fn give(self) -> Option<*mut wasm_frame_t> {
        give(wasm_frame_t {
            kind: wasm_frame_t::KIND,
            place: self,
        })
    }
}

impl Owned for wasm_frame_t {
    fn duplicate(&self, _: C) -> Option<*mut wasm_frame_t> {
        self.place.clone().give()
    }

    fn delete(c: C, pointer: *mut wasm_frame_t) {
        drop(c.take(pointer));
    }

    fn look<'a>(c: C, pointer: *const wasm_frame_t) -> Option<&'a wasm_frame_t> {
        c.look(pointer)
    }
}

block_functions!("a frame", wasm_frame_t, wasm_frame_delete, wasm_frame_copy);

/// The instance, lent; null if it is not known or C has no reference to it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wasm_frame_instance(frame: *const wasm_frame_t) -> *mut wasm_ref_t {
    // SAFETY: C promises what this asks for.
    let c = unsafe { C::promises() };
    c.pointer(|| {
        let instance = c.look(frame)?.place.instance.as_ref()?;
        Some(ptr::from_ref(instance.get()).cast_mut())
    })
}

/// The function's index, imports first.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wasm_frame_func_index(frame: *const wasm_frame_t) -> u32 {
    // SAFETY: C promises what this asks for.
    let c = unsafe { C::promises() };
    c.answer(0, || Some(c.look(frame)?.place.function))
}

/// Bytes from where the function's body begins.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wasm_frame_func_offset(frame: *const wasm_frame_t) -> usize {
    // SAFETY: C promises what this asks for.
    let c = unsafe { C::promises() };
    c.answer(0, || Some(c.look(frame)?.place.in_function))
}

/// Bytes from where the WebAssembly module begins.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wasm_frame_module_offset(frame: *const wasm_frame_t) -> usize {
    // SAFETY: C promises what this asks for.
    let c = unsafe { C::promises() };
    c.answer(0, || Some(c.look(frame)?.place.in_module))
}
