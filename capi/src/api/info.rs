//! What needs no object: version, and words for numbers.

use core::ffi::c_char;

use precast_loader::{Category, TrapCode};

use crate::status::precast_status;

/// The version of the library, such as `0.1.0`, for as long as the program.
#[unsafe(no_mangle)]
pub extern "C" fn precast_version() -> *const c_char {
    concat!(env!("CARGO_PKG_VERSION"), "\0").as_ptr().cast()
}

/// A few words for a `precast_status`, for as long as the program.
#[unsafe(no_mangle)]
pub extern "C" fn precast_status_message(status: i32) -> *const c_char {
    precast_status::words(status).as_ptr()
}

/// A few words for a `precast_trap_code`, for as long as the program.
#[unsafe(no_mangle)]
pub extern "C" fn precast_trap_message(trap_code: u32) -> crate::text::precast_text {
    let code = u8::try_from(trap_code).ok().and_then(TrapCode::from_u8);
    crate::text::precast_text::new(Some(code.map_or("unknown trap", TrapCode::message)))
}

/// What a `precast_category` is called, for as long as the program; no text for a number that is none.
#[unsafe(no_mangle)]
pub extern "C" fn precast_category_name(category: u32) -> crate::text::precast_text {
    let category = Category::ALL.get(category as usize);
    crate::text::precast_text::new(category.map(|category| category.name()))
}
