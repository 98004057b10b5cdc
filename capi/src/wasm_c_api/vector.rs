//! Vectors: a size and an array, in a structure that C may look into.
//!
//! The arrays come from `malloc`. Whoever deletes a vector passes the structure by pointer, with whatever
//! size it has by then, so nothing of the array's own may depend on that.

use core::ffi::c_void;
use core::ptr;

use crate::boundary::C;

unsafe extern "C" {
    fn calloc(count: usize, size: usize) -> *mut c_void;
    fn free(block: *mut c_void);
}

/// A vector as C has it. Null is the array of a vector of nothing.
#[repr(C)]
pub struct Vector<T> {
    /// How many elements there are.
    pub size: usize,
    /// The elements.
    pub data: *mut T,
}

/// What can be in a vector.
///
/// # Safety
///
/// Zeros are a value of the type, and deleting that does nothing.
pub unsafe trait Element: Copy + 'static {
    /// Another element that is the same; none without memory.
    fn duplicate(self, c: C) -> Option<Self>;

    /// Deletes what the element owns.
    fn delete(self, c: C);
}

// SAFETY: any byte is a value, and owns nothing.
unsafe impl Element for u8 {
    fn duplicate(self, _: C) -> Option<u8> {
        Some(self)
    }

    fn delete(self, _: C) {}
}

/// A block that vectors own by pointers.
pub trait Owned: 'static {
    /// Another one that is the same; none without memory.
    fn duplicate(&self, c: C) -> Option<*mut Self>;

    /// Deletes one, or does nothing with null.
    fn delete(c: C, pointer: *mut Self);

    /// The block behind a pointer.
    fn look<'a>(c: C, pointer: *const Self) -> Option<&'a Self>;
}

// SAFETY: zeros are null, and nothing is deleted for it.
unsafe impl<T: Owned> Element for *mut T {
    fn duplicate(self, c: C) -> Option<*mut T> {
        match self.is_null() {
            true => Some(self),
            false => T::look(c, self)?.duplicate(c),
        }
    }

    fn delete(self, c: C) {
        T::delete(c, self);
    }
}

impl<T> Vector<T> {
    /// Of nothing.
    pub const EMPTY: Vector<T> = Vector {
        size: 0,
        data: ptr::null_mut(),
    };
}

/// The most elements that memory can hold.
const fn most<T>() -> usize {
    isize::MAX as usize / size_of::<T>()
}

/// A vector that the library owns, with its elements.
pub struct Elements<T: Element> {
    vector: Vector<T>,
    /// The elements are C's, or were.
    c: C,
}

impl<T: Element> Elements<T> {
    /// Of nothing.
    pub const fn empty(c: C) -> Elements<T> {
        let vector = Vector::EMPTY;
        Elements { vector, c }
    }

    /// Of so many zeros.
    pub fn zeroed(c: C, size: usize) -> Option<Elements<T>> {
        if size == 0 {
            return Some(Elements::empty(c));
        }
        if size > most::<T>() {
            return None;
        }
        // SAFETY: any two numbers may be passed.
        let data = unsafe { calloc(size, size_of::<T>()) }.cast::<T>();
        let vector = Vector { size, data };
        (!data.is_null()).then_some(Elements { vector, c })
    }

    /// Of these elements. None, and they are deleted, if there is no memory.
    pub fn of(c: C, elements: &[T]) -> Option<Elements<T>> {
        let Some(mut made) = Elements::zeroed(c, elements.len()) else {
            for element in elements {
                element.delete(c);
            }
            return None;
        };
        made.as_mut_slice().copy_from_slice(elements);
        Some(made)
    }

    /// What each of so many numbers gives; none if one of them gives nothing.
    pub fn from_fn(
        c: C,
        size: usize,
        mut element: impl FnMut(usize) -> Option<T>,
    ) -> Option<Elements<T>> {
        let mut made = Elements::zeroed(c, size)?;
        for (index, place) in made.as_mut_slice().iter_mut().enumerate() {
            *place = element(index)?;
        }
        Some(made)
    }

    /// A copy, with copies of the elements.
    pub fn duplicate(&self) -> Option<Elements<T>> {
        let elements = self.as_slice();
        Elements::from_fn(self.c, elements.len(), |index| {
            elements.get(index)?.duplicate(self.c)
        })
    }

    /// The elements.
    pub fn as_slice(&self) -> &[T] {
        self.c.elements(&self.vector)
    }

    /// The elements, to be changed.
    pub fn as_mut_slice(&mut self) -> &mut [T] {
        if self.vector.data.is_null() {
            return &mut [];
        }
        // SAFETY: there are so many elements, and nobody else has the vector.
        unsafe { core::slice::from_raw_parts_mut(self.vector.data, self.vector.size) }
    }

    /// The vector as C has it; the elements stay the library's.
    pub fn vector(&self) -> &Vector<T> {
        &self.vector
    }

    /// The vector as C has it; the elements are C's from now on.
    pub fn into_vector(mut self) -> Vector<T> {
        core::mem::replace(&mut self.vector, Vector::EMPTY)
    }
}

impl<T: Element> Drop for Elements<T> {
    fn drop(&mut self) {
        for element in self.as_slice() {
            element.delete(self.c);
        }
        // SAFETY: the array is null, or came from `calloc` or from C's copy of it.
        unsafe { free(self.vector.data.cast()) };
    }
}

impl C {
    /// The elements of a vector of C's.
    pub fn elements<T: Element>(self, vector: &Vector<T>) -> &[T] {
        if vector.data.is_null() || !vector.data.is_aligned() || vector.size > most::<T>() {
            return &[];
        }
        // SAFETY: C promises so many elements, of which zeros are one.
        unsafe { core::slice::from_raw_parts(vector.data, vector.size) }
    }

    /// The elements of a vector behind a pointer; none behind null.
    pub fn vector<'a, T: Element>(self, vector: *const Vector<T>) -> &'a [T] {
        if vector.is_null() || !vector.is_aligned() {
            return &[];
        }
        // SAFETY: C promises that there is a vector.
        self.elements(unsafe { &*vector })
    }

    /// Takes the vector behind a pointer, and leaves one of nothing; none behind null.
    pub fn take_vector<T: Element>(self, vector: *mut Vector<T>) -> Elements<T> {
        if vector.is_null() || !vector.is_aligned() {
            return Elements::empty(self);
        }
        // SAFETY: C promises that there is a vector, and gives it away.
        let vector = unsafe { vector.replace(Vector::EMPTY) };
        Elements { vector, c: self }
    }

    /// Stores a vector for C, of nothing if there is none.
    pub fn store_vector<T: Element>(self, out: *mut Vector<T>, elements: Option<Elements<T>>) {
        if let Ok(out) = self.out(out, "out") {
            out.set(elements.map_or(Vector::EMPTY, Elements::into_vector));
        }
    }

    /// Makes a vector of an array of C's, whose elements C gives away.
    pub fn vector_of<T: Element>(self, size: usize, data: *const T) -> Option<Elements<T>> {
        let data = data.cast_mut();
        Elements::of(self, self.elements(&Vector { size, data }))
    }
}

/// The functions that each type of vectors has.
macro_rules! vector_functions {
    ($element:ty, $vector:ident, $empty:ident, $zeros:ident, $new:ident, $copy:ident, $delete:ident) => {
        #[doc = concat!("The vectors of `", stringify!($element), "`.")]
        pub type $vector = Vector<$element>;

        /// Stores a vector of nothing.
        #[unsafe(no_mangle)]
        pub unsafe extern "C" fn $empty(out: *mut $vector) {
            // SAFETY: C promises what this asks for.
            let c = unsafe { C::promises() };
            c.quietly(|| c.store_vector(out, None));
        }

        /// Stores a vector of zeros.
        #[unsafe(no_mangle)]
        pub unsafe extern "C" fn $zeros(out: *mut $vector, size: usize) {
            // SAFETY: C promises what this asks for.
            let c = unsafe { C::promises() };
            c.quietly(|| c.store_vector(out, Elements::zeroed(c, size)));
        }

        /// Stores a vector of elements, which C gives away.
        #[unsafe(no_mangle)]
        pub unsafe extern "C" fn $new(out: *mut $vector, size: usize, data: *const $element) {
            // SAFETY: C promises what this asks for.
            let c = unsafe { C::promises() };
            c.quietly(|| c.store_vector(out, c.vector_of(size, data)));
        }

        /// Stores a copy, with copies of the elements.
        #[unsafe(no_mangle)]
        pub unsafe extern "C" fn $copy(out: *mut $vector, vector: *const $vector) {
            // SAFETY: C promises what this asks for.
            let c = unsafe { C::promises() };
            c.quietly(|| {
                let elements = c.vector(vector);
                let copy =
                    Elements::from_fn(c, elements.len(), |index| elements.get(index)?.duplicate(c));
                c.store_vector(out, copy);
            });
        }

        /// Deletes the elements and the array.
        #[unsafe(no_mangle)]
        pub unsafe extern "C" fn $delete(vector: *mut $vector) {
            // SAFETY: C promises what this asks for.
            let c = unsafe { C::promises() };
            c.quietly(|| drop(c.take_vector(vector)));
        }
    };
}
