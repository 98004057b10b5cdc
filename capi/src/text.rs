//! Texts that come out of the library, with their length: those of programs may hold zeros.
#![forbid(unsafe_code)]

use core::ffi::c_char;
use core::ptr;

/// A text in UTF-8 that belongs to the library. It does not end with a zero, and may have zeros and
/// any other character inside: look before you print it to a terminal.
///
/// What it is a name of says how long it is there. Without a text, `data` is null and `length` zero.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct precast_text {
    /// The first byte, or null.
    pub data: *const c_char,
    /// How many bytes there are.
    pub length: usize,
}

impl precast_text {
    /// No text.
    pub const NONE: precast_text = precast_text {
        data: ptr::null(),
        length: 0,
    };

    /// A text that outlives what C does with it, or none.
    pub(crate) const fn new(text: Option<&str>) -> precast_text {
        match text {
            Some(text) => precast_text {
                data: text.as_ptr().cast(),
                length: text.len(),
            },
            None => precast_text::NONE,
        }
    }
}
