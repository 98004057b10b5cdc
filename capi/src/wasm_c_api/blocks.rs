//! Blocks that C holds pointers to, and what is looked at before one is followed.
//!
//! Each block begins with a number that says what it is, so that null, a pointer to something else and a
//! type of another kind are refused. What was deleted is memory of somebody else: nothing can be told
//! of it.

use std::alloc::Layout;
use std::boxed::Box;

use crate::boundary::C;

/// A block of ours.
///
/// # Safety
///
/// The type is `repr(C)` and begins with a `u32`, which is [`Block::KIND`] in all of its values.
pub unsafe trait Block: 'static {
    /// What tells it from others; not zero.
    const KIND: u32;
}

/// Moves a value into a block of its own, if there is memory.
pub fn try_box<T>(value: T) -> Option<Box<T>> {
    let layout = Layout::new::<T>();
    assert!(layout.size() != 0, "blocks begin with a number");
    // SAFETY: the size is not zero.
    let block = unsafe { std::alloc::alloc(layout) }.cast::<T>();
    if block.is_null() {
        return None;
    }
    // SAFETY: the block has the layout and is nobody else's.
    unsafe { block.write(value) };
    // SAFETY: the global allocator gave the block for this layout, and it holds a value.
    Some(unsafe { Box::from_raw(block) })
}

/// Moves a value into a block that C will own.
pub fn give<T: Block>(value: T) -> Option<*mut T> {
    try_box(value).map(Box::into_raw)
}

impl C {
    /// The block behind a pointer, if it is one of this type.
    pub fn look<'a, T: Block>(self, pointer: *const T) -> Option<&'a T> {
        if pointer.is_null() || !pointer.is_aligned() {
            return None;
        }
        // SAFETY: C passes blocks that it has not deleted, and all of them begin with a number.
        let kind = unsafe { pointer.cast::<u32>().read() };
        if kind != T::KIND {
            return None;
        }
        // SAFETY: the number says that it is a block of this type.
        Some(unsafe { &*pointer })
    }

    /// The block that C gives away, if it is one of this type.
    pub fn take<T: Block>(self, pointer: *mut T) -> Option<Box<T>> {
        self.look(pointer.cast_const())?;
        // SAFETY: `give` made it, and C owned it.
        Some(unsafe { Box::from_raw(pointer) })
    }

    /// Changes a block that C has for itself; none if it is not of this type.
    pub fn change<T: Block, R>(
        self,
        pointer: *mut T,
        change: impl FnOnce(&mut T) -> R,
    ) -> Option<R> {
        self.look(pointer.cast_const())?;
        // SAFETY: the number said that it is a block of this type, and C promises that no other thread
        // uses it.
        Some(change(unsafe { &mut *pointer }))
    }

    /// Runs a function of the library; what it returns where there is no answer is given.
    pub fn answer<T>(self, otherwise: T, body: impl FnOnce() -> Option<T>) -> T {
        let mut answer = None;
        self.quietly(|| answer = body());
        answer.unwrap_or(otherwise)
    }

    /// Runs a function of the library whose answer is a pointer, or null.
    pub fn pointer<T>(self, body: impl FnOnce() -> Option<*mut T>) -> *mut T {
        self.answer(core::ptr::null_mut(), body)
    }

    /// Stores a result in a place of C's, if there is one.
    pub fn store<T>(self, place: *mut T, value: T) -> bool {
        match self.out(place, "out") {
            Ok(out) => {
                out.set(value);
                true
            }
            Err(_) => false,
        }
    }
}
