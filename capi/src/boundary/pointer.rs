//! C's memory: arrays, texts, structures that C reads and writes.
//!
//! Each method looks at what can be seen of a pointer: that it is not null and aligned, and that a
//! number of elements is one that there can be. That the memory behind it is C's is the promise that
//! a [`C`] stands for.

use core::ffi::{CStr, c_char, c_void};
use core::mem::MaybeUninit;
use core::ptr::NonNull;
use core::slice;

use precast_loader::StaticModule;

use super::C;
use crate::failure::Failure;

/// Types of which any bytes are a value, and that begin with their size if they are structures with
/// a `size`.
///
/// # Safety
///
/// Every pattern of bits is a value of the type.
pub unsafe trait Plain: Copy + 'static {}

macro_rules! plain {
    ($($(#[$attribute:meta])* $name:ty,)*) => {
        $(
            $(#[$attribute])*
            // SAFETY: a number, an address, or a structure or union of such.
            unsafe impl Plain for $name {}
        )*
    };
}

plain! {
    u8,
    u32,
    u64,
    usize,
    [u8; 32],
    *const core::ffi::c_char,
    crate::value::precast_value,
    crate::error::precast_error,
    crate::error::precast_frame,
    crate::text::precast_text,
    crate::types::precast_item,
    crate::types::precast_signature,
    crate::api::runtime::precast_runtime_options,
    crate::api::platform::precast_platform,
    crate::api::runtime::precast_allocator,
    crate::api::runtime::precast_code_memory,
    crate::api::instance::precast_growth_observer,
    crate::api::instance::precast_instance_options,
    crate::api::memory::precast_memory_options,
    crate::api::table::precast_table_options,
    crate::api::usage::precast_usage,
    crate::api::usage::precast_pool_usage,
    crate::api::usage::precast_memory_figures,
    crate::api::usage::precast_table_figures,
    crate::api::usage::precast_heap_usage,
    crate::api::usage::precast_aux_stack_usage,
    crate::api::usage::precast_function_calls,
    crate::api::module::precast_artifact_usage,
    crate::api::module::precast_stack_depth,
    #[cfg(feature = "plan")]
    crate::api::plan::precast_plan_options,
    #[cfg(feature = "plan")]
    crate::api::plan::precast_plan,
    #[cfg(feature = "wasm-c-api")]
    crate::wasm_c_api::types::wasm_limits_t,
    #[cfg(feature = "wasm-c-api")]
    crate::wasm_c_api::value::wasm_val_t,
}

/// A place of C's for a result.
#[derive(Clone, Copy)]
pub struct Out<T>(NonNull<T>);

impl<T> Out<T> {
    /// Stores the result.
    pub fn set(self, value: T) {
        // SAFETY: `C::out` saw that the place is aligned, and C promises that it is there. What is
        // in it is not looked at.
        unsafe { self.0.write(value) };
    }
}

impl C {
    /// A place for a result.
    pub fn out<T>(self, pointer: *mut T, name: &'static str) -> Result<Out<T>, Failure> {
        let place = NonNull::new(pointer).ok_or(Failure::Null(name))?;
        if !pointer.is_aligned() {
            return Err(Failure::Argument(name, "is not aligned"));
        }
        Ok(Out(place))
    }

    /// Looks at what can be seen of an array.
    fn check_array<T>(
        self,
        pointer: *const T,
        count: usize,
        name: &'static str,
    ) -> Result<(), Failure> {
        if pointer.is_null() {
            return Err(Failure::Null(name));
        }
        if !pointer.is_aligned() {
            return Err(Failure::Argument(name, "is not aligned"));
        }
        let bytes = count.checked_mul(size_of::<T>());
        match bytes.and_then(|bytes| pointer.addr().checked_add(bytes)) {
            Some(_) if count <= isize::MAX as usize / size_of::<T>().max(1) => Ok(()),
            _ => Err(Failure::Argument(name, "is longer than memory can be")),
        }
    }

    /// An array that C lends. Null is an array of nothing.
    pub fn array<'a, T: Plain>(
        self,
        pointer: *const T,
        count: usize,
        name: &'static str,
    ) -> Result<&'a [T], Failure> {
        if count == 0 {
            return Ok(&[]);
        }
        self.check_array(pointer, count, name)?;
        // SAFETY: C lends so many elements; any bytes are elements.
        Ok(unsafe { slice::from_raw_parts(pointer, count) })
    }

    /// An array that C wants filled. Null is an array of nothing.
    pub fn array_mut<'a, T: Plain>(
        self,
        pointer: *mut T,
        count: usize,
        name: &'static str,
    ) -> Result<&'a mut [T], Failure> {
        if count == 0 {
            return Ok(&mut []);
        }
        self.check_array(pointer, count, name)?;
        // SAFETY: C lends so many elements to be changed; any bytes are elements.
        Ok(unsafe { slice::from_raw_parts_mut(pointer, count) })
    }

    /// Memory that C gives away until everything made from it is freed.
    #[expect(clippy::mut_from_ref, reason = "the memory is behind the pointer")]
    pub fn region(
        self,
        pointer: *mut c_void,
        bytes: usize,
        name: &'static str,
    ) -> Result<&'static mut [MaybeUninit<u8>], Failure> {
        let start = pointer.cast::<MaybeUninit<u8>>();
        self.check_array(start, bytes, name)?;
        // SAFETY: C promises so many bytes, and that nobody else uses them until then.
        Ok(unsafe { slice::from_raw_parts_mut(start, bytes) })
    }

    /// Memory that C promises to leave as it is until everything made from it is freed.
    pub fn lasting(
        self,
        pointer: *const c_void,
        bytes: usize,
        name: &'static str,
    ) -> Result<&'static [u8], Failure> {
        let start = pointer.cast::<u8>();
        self.check_array(start, bytes, name)?;
        // SAFETY: C promises so many bytes, and that nobody changes them until then.
        Ok(unsafe { slice::from_raw_parts(start, bytes) })
    }

    /// A module that a linker has put into the program.
    pub fn linked(
        self,
        pointer: *const c_void,
        name: &'static str,
    ) -> Result<&'static StaticModule, Failure> {
        let module = pointer.cast::<StaticModule>();
        self.check_array(module, 1, name)?;
        // SAFETY: C passes the address of a symbol that an object file of the compiler defines.
        Ok(unsafe { &*module })
    }

    /// The bytes of a text that ends with a zero.
    pub fn c_str<'a>(
        self,
        pointer: *const c_char,
        name: &'static str,
    ) -> Result<&'a CStr, Failure> {
        if pointer.is_null() {
            return Err(Failure::Null(name));
        }
        // SAFETY: C passes a text that ends with a zero.
        Ok(unsafe { CStr::from_ptr(pointer) })
    }

    /// A text that ends with a zero.
    pub fn text<'a>(self, pointer: *const c_char, name: &'static str) -> Result<&'a str, Failure> {
        let text = self.c_str(pointer, name)?.to_str();
        text.map_err(|_| Failure::Argument(name, "is not UTF-8"))
    }

    /// A structure of C's that begins with its size, which may be of an older or newer header. Null
    /// is a structure of zeros.
    ///
    /// A shorter structure has zeros behind its end. A longer one must have zeros there.
    pub fn options<T: Plain>(self, pointer: *const T, name: &'static str) -> Result<T, Failure> {
        let mut options = MaybeUninit::<T>::zeroed();
        if pointer.is_null() {
            // SAFETY: zeros are a value, as any bytes are.
            return Ok(unsafe { options.assume_init() });
        }
        let size = self.size_of(pointer, name)?;
        let known = size.min(size_of::<T>());
        let bytes = self.array(pointer.cast::<u8>(), size, name)?;
        if bytes
            .get(known..)
            .unwrap_or_default()
            .iter()
            .any(|byte| *byte != 0)
        {
            return Err(Failure::UnknownOption(name));
        }
        // SAFETY: both have so many bytes, and are different memory.
        unsafe {
            core::ptr::copy_nonoverlapping(bytes.as_ptr(), options.as_mut_ptr().cast::<u8>(), known)
        };
        // SAFETY: any bytes are a value, and all of them are set.
        Ok(unsafe { options.assume_init() })
    }

    /// Fills a structure of C's that begins with its size. The size stays; a shorter structure gets
    /// its part, a longer one zeros behind what we know.
    pub fn fill<T: Plain>(
        self,
        pointer: *mut T,
        value: &T,
        name: &'static str,
    ) -> Result<(), Failure> {
        let size = self.size_of(pointer, name)?;
        let bytes = self.array_mut(pointer.cast::<u8>(), size, name)?;
        let (known, unknown) = bytes.split_at_mut(size.min(size_of::<T>()));
        unknown.fill(0);
        let head = size_of::<usize>();
        let Some(behind) = known.get_mut(head..) else {
            return Ok(());
        };
        let from = core::ptr::from_ref(value).cast::<u8>().wrapping_add(head);
        // SAFETY: both have so many bytes behind the size, and are different memory. Gaps between
        // fields are copied as whatever they are.
        unsafe { core::ptr::copy_nonoverlapping(from, behind.as_mut_ptr(), behind.len()) };
        Ok(())
    }

    /// The size that a structure of C's begins with.
    fn size_of<T: Plain>(self, pointer: *const T, name: &'static str) -> Result<usize, Failure> {
        self.check_array(pointer, 1, name)?;
        // SAFETY: C promises a structure, which begins with its size.
        let size = unsafe { pointer.cast::<usize>().read() };
        // Whoever forgot the size has a zero there, or whatever was on the stack.
        if size < size_of::<usize>() || size > MOST_BYTES {
            return Err(Failure::Argument(name, "does not begin with its size"));
        }
        Ok(size)
    }
}

/// No structure will ever have more bytes.
const MOST_BYTES: usize = 4096;
