//! Handles: what C holds instead of our values.
//!
//! ```text
//!   C's pointer --> | kind | uses | locked | value |   one block in the runtime's memory
//! ```
//!
//! The kind tells a module from an instance, and a handle from one that was freed while somebody
//! still works with it. The uses are one for C, until it frees the handle, and one for each function
//! at work: so a host function may free what the call around it uses. A value that must not be
//! shared is locked for the time of its use; nobody waits for a lock.

use core::cell::UnsafeCell;
use core::ops::{Deref, DerefMut};
use core::ptr::NonNull;
use core::sync::atomic::{AtomicBool, AtomicU32, AtomicUsize, Ordering};

use precast_loader::alloc::{Allocator, Box};
use precast_loader::{Category, OutOfMemory};

use super::C;
use crate::failure::Failure;

/// The kind of a handle that C has freed.
const FREED: u32 = 0;

/// A type of C's that stands for a value of ours. There are only pointers to it.
pub trait Object: Sized + 'static {
    /// The value.
    type Value: 'static;

    /// What tells its handles from others. No other type has it, and it is not zero.
    const KIND: u32;
}

/// The block.
#[repr(C)]
struct Handle<T> {
    kind: AtomicU32,
    locked: AtomicBool,
    uses: AtomicUsize,
    value: UnsafeCell<T>,
}

/// Makes a handle, which C frees.
pub fn create<O: Object>(
    allocator: &Allocator,
    category: Category,
    value: O::Value,
) -> Result<*mut O, OutOfMemory> {
    let handle = Handle {
        kind: AtomicU32::new(O::KIND),
        locked: AtomicBool::new(false),
        uses: AtomicUsize::new(1),
        value: UnsafeCell::new(value),
    };
    let handle = Box::new(allocator, category, handle)?;
    Ok(Box::into_raw(handle).as_ptr().cast())
}

/// The layout of a handle's block.
#[cfg(feature = "plan")]
pub const fn layout<O: Object>() -> core::alloc::Layout {
    Box::<Handle<O::Value>>::layout()
}

/// Makes a handle for the time of a call, which C does not free, and gives the value back after it.
pub fn with_local<O: Object, R>(value: O::Value, run: impl FnOnce(*mut O) -> R) -> (R, O::Value) {
    let handle = Handle {
        kind: AtomicU32::new(O::KIND),
        locked: AtomicBool::new(false),
        uses: AtomicUsize::new(1),
        value: UnsafeCell::new(value),
    };
    let result = run((&raw const handle).cast_mut().cast());
    // Whoever still has the pointer finds that, for as long as nothing else is in its place.
    handle.kind.store(FREED, Ordering::Release);
    (result, handle.value.into_inner())
}

/// One use of a handle.
struct Counted<T>(NonNull<Handle<T>>);

impl<T> Counted<T> {
    fn handle(&self) -> &Handle<T> {
        // SAFETY: the block lives as long as a use is counted.
        unsafe { self.0.as_ref() }
    }
}

impl<T> Drop for Counted<T> {
    fn drop(&mut self) {
        if self.handle().uses.fetch_sub(1, Ordering::AcqRel) == 1 {
            // SAFETY: `create` made the block as a box, and this was the last use.
            drop(unsafe { Box::from_raw(self.0) });
        }
    }
}

/// A value that others may use at the same time.
pub struct Use<O: Object>(Counted<O::Value>);

impl<O: Object> Deref for Use<O> {
    type Target = O::Value;

    fn deref(&self) -> &O::Value {
        // SAFETY: the use is counted, and whoever locks has seen that there is none.
        unsafe { &*self.0.handle().value.get() }
    }
}

/// A value that nobody else uses.
pub struct Lock<O: Object>(Counted<O::Value>);

impl<O: Object> Deref for Lock<O> {
    type Target = O::Value;

    fn deref(&self) -> &O::Value {
        // SAFETY: the handle is locked, so nobody changes the value.
        unsafe { &*self.0.handle().value.get() }
    }
}

impl<O: Object> DerefMut for Lock<O> {
    fn deref_mut(&mut self) -> &mut O::Value {
        // SAFETY: the handle is locked, so nobody else uses the value.
        unsafe { &mut *self.0.handle().value.get() }
    }
}

impl<O: Object> Drop for Lock<O> {
    fn drop(&mut self) {
        self.0.handle().locked.store(false, Ordering::SeqCst);
    }
}

impl C {
    /// The block behind a pointer of C's, if it is one of this kind.
    fn find<'a, O: Object>(
        self,
        pointer: *const O,
        name: &'static str,
    ) -> Result<&'a Handle<O::Value>, Failure> {
        let handle = pointer.cast::<Handle<O::Value>>();
        if handle.is_null() {
            return Err(Failure::Null(name));
        }
        if !handle.is_aligned() {
            return Err(Failure::Handle(name));
        }
        // The kind comes first in every handle, whatever is behind it.
        // SAFETY: C passes handles that it has not freed, or null.
        let kind = unsafe { &*handle.cast::<AtomicU32>() };
        if kind.load(Ordering::Acquire) != O::KIND {
            return Err(Failure::Handle(name));
        }
        // SAFETY: the kind says that `create` made it for this type.
        Ok(unsafe { &*handle })
    }

    fn count<O: Object>(
        self,
        pointer: *const O,
        name: &'static str,
    ) -> Result<Counted<O::Value>, Failure> {
        let handle = self.find(pointer, name)?;
        handle.uses.fetch_add(1, Ordering::SeqCst);
        let block = NonNull::new(pointer.cast_mut().cast());
        block.map(Counted).ok_or(Failure::Null(name))
    }

    /// A handle's value, which others may use at the same time.
    pub fn get<O: Object<Value: Sync>>(
        self,
        pointer: *const O,
        name: &'static str,
    ) -> Result<Use<O>, Failure> {
        let counted = self.count(pointer, name)?;
        if counted.handle().locked.load(Ordering::SeqCst) {
            return Err(Failure::InUse(name));
        }
        Ok(Use(counted))
    }

    /// A handle's value for this function alone.
    pub fn lock<O: Object<Value: Send>>(
        self,
        pointer: *const O,
        name: &'static str,
    ) -> Result<Lock<O>, Failure> {
        let counted = self.count(pointer, name)?;
        if counted.handle().locked.swap(true, Ordering::SeqCst) {
            return Err(Failure::InUse(name));
        }
        let lock = Lock(counted);
        // C's own use, and this one.
        if lock.0.handle().uses.load(Ordering::SeqCst) > 2 {
            return Err(Failure::InUse(name));
        }
        Ok(lock)
    }

    /// Ends C's use of a handle. Null is no handle; what is something else stays as it is.
    pub fn free<O: Object>(self, pointer: *mut O) {
        let Ok(handle) = self.find(pointer.cast_const(), "handle") else {
            return;
        };
        handle.kind.store(FREED, Ordering::Release);
        if let Some(block) = NonNull::new(pointer.cast()) {
            drop(Counted::<O::Value>(block));
        }
    }
}
