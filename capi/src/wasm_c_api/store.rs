//! Stores: which object stands for what, and what programs may hold.
//!
//! A store is there as long as C has it or a reference to one of its objects. What programs hold as an
//! `externref` is the address of an object. Nobody tells when a program is done with it, so such objects
//! are kept until the store goes; and then no code can run that knows the address, because whatever could
//! be called is an object of the store.

use core::fmt::{self, Write};
use core::ptr::NonNull;
use core::sync::atomic::{AtomicUsize, Ordering};
use std::boxed::Box;
use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::vec::Vec;

use precast_loader::{Extern, Instance, Runtime};

use super::blocks::{Block, try_box};
use super::engine::wasm_engine_t;
use super::function::Callback;
use super::reference::{Reference, Referent, wasm_ref_t};
use crate::boundary::C;

/// A store.
#[repr(C)]
pub struct wasm_store_t {
    kind: u32,
    /// One for C, and one for each object that has references.
    uses: AtomicUsize,
    runtime: Runtime,
    keys: Option<Arc<Vec<[u8; 32]>>>,
    objects: Mutex<Objects>,
    /// Why the last function failed.
    failure: Mutex<Text>,
    /// The trap that a function of C's has returned, on its way through a program.
    passing: Mutex<Option<Reference>>,
}

// SAFETY: it begins with the number, which `wasm_store_new` writes.
unsafe impl Block for wasm_store_t {
    const KIND: u32 = 0x5743_0003;
}

/// The objects that the store may have to find.
#[derive(Default)]
struct Objects {
    by_identity: HashMap<usize, NonNull<wasm_ref_t>>,
    /// Those that are there until the store goes.
    kept: HashSet<NonNull<wasm_ref_t>>,
}

/// A text that is cut where it is too long, and takes no memory from anywhere.
struct Text {
    bytes: [u8; 512],
    length: usize,
}

impl Write for Text {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let room = self.bytes.get_mut(self.length..).unwrap_or_default();
        let fits = text.floor_char_boundary(room.len());
        if let (Some(place), Some(text)) = (room.get_mut(..fits), text.as_bytes().get(..fits)) {
            place.copy_from_slice(text);
            self.length += fits;
        }
        Ok(())
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // Nothing panics with a lock of ours.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl wasm_store_t {
    /// Where everything comes from.
    pub fn runtime(&self) -> &Runtime {
        &self.runtime
    }

    /// Who may have signed artifacts; none asks nobody.
    pub fn keys(&self) -> Option<&[[u8; 32]]> {
        self.keys.as_ref().map(|keys| keys.as_slice())
    }

    /// Notes why a function fails; gives nothing, which is what it then returns.
    pub fn fail<T>(&self, why: impl fmt::Display) -> Option<T> {
        let mut text = locked(&self.failure);
        text.length = 0;
        let _ = write!(text, "{why}");
        None
    }

    /// Shows why the last function failed.
    pub fn last_failure<R>(&self, show: impl FnOnce(&[u8]) -> R) -> R {
        let text = locked(&self.failure);
        show(text.bytes.get(..text.length).unwrap_or_default())
    }

    /// Whether an object is of this store.
    pub fn has(&self, object: &wasm_ref_t) -> bool {
        core::ptr::eq(self, object.store())
    }

    /// Takes an object in; finds it by its identity later, unless that is zero.
    pub fn adopt(&self, identity: usize, referent: Referent) -> Option<Reference> {
        if identity != 0 {
            // First: what goes for want of memory must not go with the lock, which finalizers may want.
            locked(&self.objects).by_identity.try_reserve(1).ok()?;
        }
        let object = try_box(wasm_ref_t::new(NonNull::from(self), identity, referent))?;
        let object = NonNull::from(Box::leak(object));
        if identity != 0 {
            locked(&self.objects).by_identity.insert(identity, object);
        }
        self.uses.fetch_add(1, Ordering::Relaxed);
        Some(Reference::counted(object))
    }

    /// The reference to what can be imported and exported.
    pub fn item(&self, item: Extern) -> Option<Reference> {
        let identity = item.identity();
        match self.find(identity) {
            Some(found) => Some(found),
            None => self.adopt(identity, Referent::Item(item, None)),
        }
    }

    /// The reference to a function that C made.
    pub fn callback(&self, item: Extern, callback: Arc<Callback>) -> Option<Reference> {
        self.adopt(item.identity(), Referent::Item(item, Some(callback)))
    }

    /// The reference to a new instance.
    pub fn instance(&self, instance: Instance) -> Option<Reference> {
        self.adopt(instance.identity(), Referent::Instance(instance))
    }

    /// The object with this identity.
    pub fn find(&self, identity: usize) -> Option<Reference> {
        let objects = locked(&self.objects);
        let object = *objects.by_identity.get(&identity)?;
        Some(self.count(object, &objects))
    }

    /// The object that a program holds as this `externref`.
    pub fn kept(&self, number: usize) -> Option<Reference> {
        let objects = locked(&self.objects);
        let object = NonNull::new(core::ptr::with_exposed_provenance_mut(number))?;
        let object = *objects.kept.get(&object)?;
        Some(self.count(object, &objects))
    }

    /// Counts a reference to an object of the store.
    fn count(&self, object: NonNull<wasm_ref_t>, _: &Objects) -> Reference {
        // SAFETY: what the store finds is there; it goes with the store's lock only.
        let references = unsafe { &object.as_ref().references };
        if references.fetch_add(1, Ordering::Relaxed) == 0 {
            self.uses.fetch_add(1, Ordering::Relaxed);
        }
        Reference::counted(object)
    }

    /// Takes a reference off the count: none if there are others, else whether the object is gone, and
    /// the caller frees it. Then the caller also releases the store.
    pub(super) fn uncount(&self, object: &wasm_ref_t) -> Option<bool> {
        let mut objects = locked(&self.objects);
        if object.references.fetch_sub(1, Ordering::AcqRel) != 1 {
            return None;
        }
        let pointer = NonNull::from(object);
        if objects.kept.contains(&pointer) {
            return Some(false);
        }
        if objects.by_identity.get(&object.identity) == Some(&pointer) {
            objects.by_identity.remove(&object.identity);
        }
        Some(true)
    }

    /// Keeps an object until the store goes; gives the number that programs know it by.
    pub fn keep(&self, object: &wasm_ref_t) -> Option<usize> {
        let mut objects = locked(&self.objects);
        objects.kept.try_reserve(1).ok()?;
        let pointer = NonNull::from(object);
        objects.kept.insert(pointer);
        Some(pointer.as_ptr().expose_provenance())
    }

    /// Notes a trap for whoever called the program that called C.
    pub fn pass(&self, trap: Reference) {
        let before = locked(&self.passing).replace(trap);
        drop(before);
    }

    /// The trap that was noted.
    pub fn passing(&self) -> Option<Reference> {
        locked(&self.passing).take()
    }

    /// Ends a use. The last one frees the store.
    pub(super) fn release(store: NonNull<wasm_store_t>) {
        // SAFETY: the use was counted until now.
        if unsafe { &store.as_ref().uses }.fetch_sub(1, Ordering::AcqRel) != 1 {
            return;
        }
        let kept = {
            // SAFETY: nobody else frees the store. Objects that are freed below still find it.
            let store = unsafe { store.as_ref() };
            core::mem::take(&mut locked(&store.objects).kept)
        };
        for object in kept {
            // SAFETY: `adopt` made it as a box; C has no reference to it, and the store has no other.
            drop(unsafe { Box::from_raw(object.as_ptr()) });
        }
        // SAFETY: `wasm_store_new` made it as a box, and nobody has it any more.
        drop(unsafe { Box::from_raw(store.as_ptr()) });
    }
}

/// Makes a store of an engine, which C deletes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wasm_store_new(engine: *mut wasm_engine_t) -> *mut wasm_store_t {
    // SAFETY: C promises what this asks for.
    let c = unsafe { C::promises() };
    c.pointer(|| {
        let engine = c.look(engine.cast_const())?;
        super::blocks::give(wasm_store_t {
            kind: wasm_store_t::KIND,
            uses: AtomicUsize::new(1),
            runtime: engine.runtime.clone(),
            keys: engine.keys.clone(),
            objects: Mutex::default(),
            failure: Mutex::new(Text {
                bytes: [0; 512],
                length: 0,
            }),
            passing: Mutex::new(None),
        })
    })
}

/// Deletes a store; null is none. It goes when the last reference to one of its objects does.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wasm_store_delete(store: *mut wasm_store_t) {
    // SAFETY: C promises what this asks for.
    let c = unsafe { C::promises() };
    c.quietly(|| {
        if let Some(store) = c.look(store.cast_const()) {
            wasm_store_t::release(NonNull::from(store));
        }
    });
}
