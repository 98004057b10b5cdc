//! References: counted pointers to the objects of a store.
//!
//! ```text
//!   C's pointers --> | kind | references | store | host info | what it is |
//!                       ^ the store finds it again by its identity
//! ```
//!
//! A copy of a reference is the same pointer, counted once more, so that `same` compares pointers. The
//! store knows which object stands for which function, global and so on, for as long as the object is
//! there: until C has deleted all references, or until the store is deleted where a program may hold the
//! object, or C may find it again and expects its host info.
//!
//! Counts go from and to zero with the store's lock only, which orders that with finding an object.

use core::ffi::c_void;
use core::ptr::{self, NonNull};
use core::sync::atomic::{AtomicUsize, Ordering};
use std::boxed::Box;
use std::sync::{Arc, Mutex, PoisonError};

use precast_loader::{Extern, Instance};

use super::blocks::Block;
use super::function::Callback;
use super::module::Loaded;
use super::store::wasm_store_t;
use super::trap::Cause;
use super::vector::Owned;
use crate::boundary::C;

/// Any reference. The types of all kinds of references are this one.
#[repr(C)]
pub struct wasm_ref_t {
    kind: u32,
    /// How many are C's, or stand for one of C's.
    pub(super) references: AtomicUsize,
    /// By what the store finds it; zero if it does not look for it.
    pub(super) identity: usize,
    store: NonNull<wasm_store_t>,
    info: Mutex<Info>,
    referent: Referent,
}

// SAFETY: it begins with the number, which `new` writes.
unsafe impl Block for wasm_ref_t {
    const KIND: u32 = 0x5743_0004;
}

// SAFETY: what changes is atomic or behind locks; C promises that its pointers and functions may be used
// by the threads on which it uses the store.
unsafe impl Send for wasm_ref_t {}
// SAFETY: as above.
unsafe impl Sync for wasm_ref_t {}

/// What a reference is to.
pub enum Referent {
    /// What can be imported and exported, and C's function if it is one that C made.
    Item(Extern, Option<Arc<Callback>>),
    /// An instance.
    Instance(Instance),
    /// A module.
    Module(Loaded),
    /// Why code stopped.
    Trap(Cause),
    /// What C says it is.
    Foreign,
}

/// What C wants to find at an object.
struct Info {
    pointer: *mut c_void,
    finalizer: Option<unsafe extern "C" fn(*mut c_void)>,
}

impl Info {
    const NONE: Info = Info {
        pointer: ptr::null_mut(),
        finalizer: None,
    };
}

impl Drop for Info {
    fn drop(&mut self) {
        if let Some(finalizer) = self.finalizer {
            // SAFETY: C gave the function for this pointer, and it is called once.
            unsafe { finalizer(self.pointer) };
        }
    }
}

impl wasm_ref_t {
    /// An object with one reference, which the store counts.
    pub(super) fn new(
        store: NonNull<wasm_store_t>,
        identity: usize,
        referent: Referent,
    ) -> wasm_ref_t {
        wasm_ref_t {
            kind: wasm_ref_t::KIND,
            references: AtomicUsize::new(1),
            identity,
            store,
            info: Mutex::new(Info::NONE),
            referent,
        }
    }

    /// The store.
    pub fn store(&self) -> &wasm_store_t {
        // SAFETY: the store is there as long as any of its objects is.
        unsafe { self.store.as_ref() }
    }

    /// What it is a reference to.
    pub fn referent(&self) -> &Referent {
        &self.referent
    }

    /// Counts another reference.
    pub fn another(&self) -> Reference {
        self.references.fetch_add(1, Ordering::Relaxed);
        Reference(NonNull::from(self))
    }

    /// What can be imported and exported.
    pub fn item(&self) -> Option<&Extern> {
        match &self.referent {
            Referent::Item(item, _) => Some(item),
            _ => None,
        }
    }

    fn set_info(&self, info: Info) -> Option<()> {
        if self.item().is_some() {
            // C finds it again for as long as an instance has it, and wants to see its info then.
            self.store().keep(self)?;
        }
        let old = {
            let mut place = self.info.lock().unwrap_or_else(PoisonError::into_inner);
            core::mem::replace(&mut *place, info)
        };
        // The finalizer may look at the object.
        drop(old);
        Some(())
    }

    fn info(&self) -> *mut c_void {
        let place = self.info.lock().unwrap_or_else(PoisonError::into_inner);
        place.pointer
    }
}

/// One counted reference.
pub struct Reference(NonNull<wasm_ref_t>);

// SAFETY: the object is `Send` and `Sync`, and counts with an atomic.
unsafe impl Send for Reference {}
// SAFETY: as above.
unsafe impl Sync for Reference {}

impl Reference {
    /// What was counted already.
    pub(super) fn counted(object: NonNull<wasm_ref_t>) -> Reference {
        Reference(object)
    }

    /// The object.
    pub fn get(&self) -> &wasm_ref_t {
        // SAFETY: the object is there as long as a reference is counted.
        unsafe { self.0.as_ref() }
    }

    /// The pointer for C, which owns it from now on.
    pub fn into_raw(self) -> *mut wasm_ref_t {
        let pointer = self.0.as_ptr();
        core::mem::forget(self);
        pointer
    }
}

impl Clone for Reference {
    fn clone(&self) -> Reference {
        self.get().another()
    }
}

impl Drop for Reference {
    fn drop(&mut self) {
        let store = self.get().store;
        // SAFETY: the object is there, and so is its store.
        let is_gone = match unsafe { store.as_ref() }.uncount(self.get()) {
            Some(is_gone) => is_gone,
            None => return,
        };
        if is_gone {
            // SAFETY: `adopt` made it as a box, and neither C nor the store has it any more.
            drop(unsafe { Box::from_raw(self.0.as_ptr()) });
        }
        wasm_store_t::release(store);
    }
}

impl Owned for wasm_ref_t {
    fn duplicate(&self, _: C) -> Option<*mut wasm_ref_t> {
        Some(self.another().into_raw())
    }

    fn delete(c: C, pointer: *mut wasm_ref_t) {
        drop(c.own_reference(pointer));
    }

    fn look<'a>(c: C, pointer: *const wasm_ref_t) -> Option<&'a wasm_ref_t> {
        c.look(pointer)
    }
}

impl C {
    /// A reference that C gives away.
    pub fn own_reference(self, pointer: *mut wasm_ref_t) -> Option<Reference> {
        let object = self.look(pointer.cast_const())?;
        Some(Reference(NonNull::from(object)))
    }

    /// The same reference under another name, if it is one of these.
    pub fn cast(
        self,
        pointer: *mut wasm_ref_t,
        is_one: impl FnOnce(&Referent) -> bool,
    ) -> *mut wasm_ref_t {
        self.pointer(|| {
            let object = self.look(pointer.cast_const())?;
            is_one(&object.referent).then_some(pointer)
        })
    }

    /// Deletes a reference.
    pub fn delete_reference(self, pointer: *mut wasm_ref_t) {
        self.quietly(|| drop(self.own_reference(pointer)));
    }

    /// Another reference to the same object.
    pub fn copy_reference(self, pointer: *const wasm_ref_t) -> *mut wasm_ref_t {
        self.pointer(|| Some(self.look(pointer)?.another().into_raw()))
    }

    /// Whether two references are to one object.
    pub fn is_same_reference(self, first: *const wasm_ref_t, second: *const wasm_ref_t) -> bool {
        self.answer(false, || {
            self.look(first)?;
            Some(ptr::eq(first, second))
        })
    }

    /// The host info of an object.
    pub fn host_info(self, pointer: *const wasm_ref_t) -> *mut c_void {
        self.pointer(|| Some(self.look(pointer)?.info()))
    }

    /// Changes the host info of an object.
    pub fn set_host_info(
        self,
        object: *mut wasm_ref_t,
        pointer: *mut c_void,
        finalizer: Option<unsafe extern "C" fn(*mut c_void)>,
    ) {
        self.quietly(|| {
            if let Some(object) = self.look(object.cast_const()) {
                let _ = object.set_info(Info { pointer, finalizer });
            }
        });
    }
}

/// The functions that each kind of references has.
macro_rules! reference_functions {
    (
        $what:literal, $name:ident,
        $delete:ident, $copy:ident, $same:ident, $info:ident, $set_info:ident, $set_finalized_info:ident
    ) => {
        #[doc = concat!("A reference to ", $what, ".")]
        pub type $name = wasm_ref_t;

        #[doc = concat!("Deletes a reference to ", $what, "; null is none.")]
        #[unsafe(no_mangle)]
        pub unsafe extern "C" fn $delete(reference: *mut $name) {
            // SAFETY: C promises what this asks for.
            unsafe { C::promises() }.delete_reference(reference);
        }

        reference_functions!(@shared $what, $name, $copy, $same, $info, $set_info, $set_finalized_info);
    };
    (
        @shared $what:literal, $name:ident,
        $copy:ident, $same:ident, $info:ident, $set_info:ident, $set_finalized_info:ident
    ) => {
        #[doc = concat!("Gives another reference to the same: ", $what, ".")]
        #[unsafe(no_mangle)]
        pub unsafe extern "C" fn $copy(reference: *const $name) -> *mut $name {
            // SAFETY: C promises what this asks for.
            unsafe { C::promises() }.copy_reference(reference)
        }

        #[doc = concat!("Whether two references are to the same: ", $what, ".")]
        #[unsafe(no_mangle)]
        pub unsafe extern "C" fn $same(first: *const $name, second: *const $name) -> bool {
            // SAFETY: C promises what this asks for.
            unsafe { C::promises() }.is_same_reference(first, second)
        }

        #[doc = concat!("The host info of ", $what, ".")]
        #[unsafe(no_mangle)]
        pub unsafe extern "C" fn $info(reference: *const $name) -> *mut c_void {
            // SAFETY: C promises what this asks for.
            unsafe { C::promises() }.host_info(reference)
        }

        #[doc = concat!("Changes the host info of ", $what, ".")]
        #[unsafe(no_mangle)]
        pub unsafe extern "C" fn $set_info(reference: *mut $name, info: *mut c_void) {
            // SAFETY: C promises what this asks for.
            unsafe { C::promises() }.set_host_info(reference, info, None);
        }

        #[doc = concat!("Changes the host info of ", $what, ", and who is told when it is not needed.")]
        #[unsafe(no_mangle)]
        pub unsafe extern "C" fn $set_finalized_info(
            reference: *mut $name,
            info: *mut c_void,
            finalizer: Option<unsafe extern "C" fn(*mut c_void)>,
        ) {
            // SAFETY: C promises what this asks for.
            unsafe { C::promises() }.set_host_info(reference, info, finalizer);
        }
    };
}

/// The ways between the names of a reference.
macro_rules! reference_casts {
    ($what:literal, $pattern:pat, $name:ident, $as_ref:ident, $from_ref:ident, $as_const:ident, $from_const:ident) => {
        #[doc = concat!("Any reference, of ", $what, ".")]
        #[unsafe(no_mangle)]
        pub unsafe extern "C" fn $as_ref(reference: *mut $name) -> *mut wasm_ref_t {
            // SAFETY: C promises what this asks for.
            unsafe { C::promises() }.cast(reference, |object| matches!(object, $pattern))
        }

        #[doc = concat!("Any reference as one to ", $what, ", or null.")]
        #[unsafe(no_mangle)]
        pub unsafe extern "C" fn $from_ref(reference: *mut wasm_ref_t) -> *mut $name {
            // SAFETY: C promises what this asks for.
            unsafe { C::promises() }.cast(reference, |object| matches!(object, $pattern))
        }

        #[doc = concat!("Any reference, of ", $what, ".")]
        #[unsafe(no_mangle)]
        pub unsafe extern "C" fn $as_const(reference: *const $name) -> *const wasm_ref_t {
            // SAFETY: C promises what this asks for.
            unsafe { C::promises() }.cast(reference.cast_mut(), |object| matches!(object, $pattern))
        }

        #[doc = concat!("Any reference as one to ", $what, ", or null.")]
        #[unsafe(no_mangle)]
        pub unsafe extern "C" fn $from_const(reference: *const wasm_ref_t) -> *const $name {
            // SAFETY: C promises what this asks for.
            unsafe { C::promises() }.cast(reference.cast_mut(), |object| matches!(object, $pattern))
        }
    };
}
