//! Modules: artifacts in, descriptions and the same bytes out.

use core::fmt::Display;
use std::boxed::Box;
use std::sync::Arc;
use std::vec::Vec;

use precast_loader::{ExternType, LoadError, Module, Runtime, Source, Trust};

use super::blocks::{Block, give};
use super::item_types::{wasm_exporttype_t, wasm_importtype_t};
use super::reference::{Reference, Referent, wasm_ref_t};
use super::store::wasm_store_t;
use super::types::{unknown_type, wasm_externtype_t};
use super::vector::{Elements, Vector};
use crate::boundary::C;

/// What every WebAssembly module begins with.
const WASM_MAGIC: &[u8] = b"\0asm";

/// A module, and what it was loaded from: that cannot be told from what is in memory, because machine
/// code is relocated and what only loading needs is left behind.
#[derive(Clone)]
pub struct Loaded {
    /// The module.
    pub module: Module,
    bytes: Arc<Vec<u8>>,
}

/// A module on its way to another store.
#[repr(C)]
pub struct wasm_shared_module_t {
    kind: u32,
    loaded: Loaded,
}

// SAFETY: it begins with the number, which `wasm_module_share` writes.
unsafe impl Block for wasm_shared_module_t {
    const KIND: u32 = 0x5743_0005;
}

impl wasm_store_t {
    /// Loads an artifact.
    fn load(&self, bytes: &[u8]) -> Option<Module> {
        if bytes.starts_with(WASM_MAGIC) {
            return self.fail(
                "these are the bytes of WebAssembly, which this library does not compile; pass what \
                 `precast compile` makes of them",
            );
        }
        let source = Source::copied(bytes);
        let loaded: Result<Module, LoadError> = match self.keys() {
            Some(keys) => self.runtime().load(source, Trust::Keys(keys)),
            // SAFETY: C promises what the text of `wasm_module_new` says.
            None => unsafe { self.runtime().load_unverified(source) },
        };
        let module = match loaded {
            Ok(module) => module,
            Err(error) => return self.fail(error),
        };
        let imports = module.imports().map(|(_, name, ty)| (name, ty));
        let exports = module.exports();
        for (name, ty) in imports.chain(exports) {
            if let Some(unknown) = unknown_type(&ty) {
                return self.fail(Unknown(name, &unknown));
            }
        }
        Some(module)
    }

    /// Loads an artifact, and keeps its bytes.
    fn module(&self, c: C, binary: *const Vector<u8>) -> Option<Reference> {
        let bytes = c.vector(binary);
        let module = self.load(bytes)?;
        let mut kept = Vec::new();
        if kept.try_reserve_exact(bytes.len()).is_err() {
            return self.fail("there is no memory to keep the artifact's bytes");
        }
        kept.extend_from_slice(bytes);
        let bytes = Arc::new(kept);
        self.adopt(0, Referent::Module(Loaded { module, bytes }))
    }
}

/// What has values that the standard has no number for, and which ones.
struct Unknown<'a, T>(&'a str, T);

impl<T: Display> Display for Unknown<'_, T> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        let Unknown(name, ty) = self;
        write!(
            f,
            "the module imports or exports {name:?}, which has values of type {ty}: wasm.h has none; use \
             precast.h for this module"
        )
    }
}

impl C {
    /// The module behind a reference.
    pub fn module<'a>(self, module: *const wasm_ref_t) -> Option<&'a Loaded> {
        match self.look(module)?.referent() {
            Referent::Module(loaded) => Some(loaded),
            _ => None,
        }
    }
}

/// Loads an artifact; null if that fails.
///
/// Without keys nobody is asked who made it: it is machine code that can do anything the process can.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wasm_module_new(
    store: *mut wasm_store_t,
    binary: *const Vector<u8>,
) -> *mut wasm_ref_t {
    // SAFETY: C promises what this asks for.
    let c = unsafe { C::promises() };
    c.pointer(|| {
        let store = c.look(store.cast_const())?;
        Some(store.module(c, binary)?.into_raw())
    })
}

/// Whether an artifact can be loaded.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wasm_module_validate(
    store: *mut wasm_store_t,
    binary: *const Vector<u8>,
) -> bool {
    // SAFETY: C promises what this asks for.
    let c = unsafe { C::promises() };
    c.answer(false, || {
        let store = c.look(store.cast_const())?;
        Some(store.load(c.vector(binary)).is_some())
    })
}

/// Stores what the module imports.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wasm_module_imports(
    module: *const wasm_ref_t,
    out: *mut Vector<*mut wasm_importtype_t>,
) {
    // SAFETY: C promises what this asks for.
    let c = unsafe { C::promises() };
    c.quietly(|| {
        let imports = c.module(module).and_then(|loaded| {
            let mut imports = loaded.module.imports();
            Elements::from_fn(c, loaded.module.imports().count(), |_| {
                let (from, name, ty) = imports.next()?;
                let names = (text(c, from)?, text(c, name)?);
                wasm_importtype_t::new(names.0, names.1, describe(c, &ty)?)
            })
        });
        c.store_vector(out, imports);
    });
}

/// Stores what the module exports.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wasm_module_exports(
    module: *const wasm_ref_t,
    out: *mut Vector<*mut wasm_exporttype_t>,
) {
    // SAFETY: C promises what this asks for.
    let c = unsafe { C::promises() };
    c.quietly(|| {
        let exports = c.module(module).and_then(|loaded| {
            let mut exports = loaded.module.exports();
            Elements::from_fn(c, loaded.module.exports().count(), |_| {
                let (name, ty) = exports.next()?;
                wasm_exporttype_t::new(text(c, name)?, describe(c, &ty)?)
            })
        });
        c.store_vector(out, exports);
    });
}

fn text(c: C, text: &str) -> Option<Elements<u8>> {
    Elements::of(c, text.as_bytes())
}

fn describe(c: C, ty: &ExternType) -> Option<Box<wasm_externtype_t>> {
    wasm_externtype_t::describe(c, ty)
}

/// Stores the bytes that the module was loaded from.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wasm_module_serialize(module: *const wasm_ref_t, out: *mut Vector<u8>) {
    // SAFETY: C promises what this asks for.
    let c = unsafe { C::promises() };
    c.quietly(|| {
        let bytes = c.module(module).map(|loaded| loaded.bytes.as_slice());
        c.store_vector(out, bytes.and_then(|bytes| Elements::of(c, bytes)));
    });
}

/// Loads an artifact, as [`wasm_module_new`] does.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wasm_module_deserialize(
    store: *mut wasm_store_t,
    binary: *const Vector<u8>,
) -> *mut wasm_ref_t {
    // SAFETY: C promises what this asks for, which is the same.
    unsafe { wasm_module_new(store, binary) }
}

/// Makes a module that can go to another store, which C deletes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wasm_module_share(module: *const wasm_ref_t) -> *mut wasm_shared_module_t {
    // SAFETY: C promises what this asks for.
    let c = unsafe { C::promises() };
    c.pointer(|| {
        give(wasm_shared_module_t {
            kind: wasm_shared_module_t::KIND,
            loaded: c.module(module)?.clone(),
        })
    })
}

/// The module in another store of the same engine.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wasm_module_obtain(
    store: *mut wasm_store_t,
    shared: *const wasm_shared_module_t,
) -> *mut wasm_ref_t {
    // SAFETY: C promises what this asks for.
    let c = unsafe { C::promises() };
    c.pointer(|| {
        let store = c.look(store.cast_const())?;
        let loaded = c.look(shared)?.loaded.clone();
        let runtime: &Runtime = loaded.module.runtime();
        if !runtime.is_same(store.runtime()) {
            return store.fail("the module belongs to another engine");
        }
        Some(store.adopt(0, Referent::Module(loaded))?.into_raw())
    })
}

/// Deletes a shared module; null is none.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wasm_shared_module_delete(shared: *mut wasm_shared_module_t) {
    // SAFETY: C promises what this asks for.
    let c = unsafe { C::promises() };
    c.quietly(|| drop(c.take(shared)));
}
