//! What C is told about a failure, in memory that C provides.
//!
//! Nothing is allocated for it: a report must be possible when memory is what is missing. The text
//! goes into a buffer of the caller's, the functions that were active into an array of the caller's,
//! and what does not fit is left out and counted.
#![forbid(unsafe_code)]

use core::ffi::c_char;
use core::fmt::{self, Write};
use core::ptr;

use precast_loader::Frame;

use crate::api::exception::{self, precast_exception};
use crate::boundary::C;
use crate::failure::Failure;
use crate::status::precast_status;
use crate::text::precast_text;

/// Where a function stores what went wrong: every function that can fail takes a pointer to one, or
/// null if nobody asks.
///
/// Set `size` to the size of the structure and everything else to zero, then `message` and `frames`
/// to memory of yours where you want to have them. There is nothing to free but the exception, if it
/// is asked for. A function that succeeds leaves it as it is.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct precast_error {
    /// Size of this structure in bytes.
    pub size: usize,
    /// Where the text goes, or null. It ends with a zero, and is cut where it is too long.
    pub message: *mut c_char,
    /// How many bytes there are at `message`.
    pub message_capacity: usize,
    /// Stored: how many bytes the whole text has, without the zero at its end.
    pub message_length: usize,
    /// Where the active functions go, innermost first, or null.
    pub frames: *mut precast_frame,
    /// How many there is room for.
    pub frame_capacity: usize,
    /// Stored: how many functions were active and are known. If that is more than there is room for,
    /// the outermost were left out.
    pub frame_count: usize,
    /// Where a handle to the exception goes that left the call, or null; the handle is the caller's to
    /// free. Null is stored there if the failure is none, or if there is no memory for a handle.
    pub exception: *mut *mut precast_exception,
    /// Stored: one if more functions were active than the library notes, else zero.
    pub frames_are_missing: u32,
    /// Stored: what the function returned, a `precast_status`.
    pub status: i32,
    /// Stored: why code stopped if it trapped, a `precast_trap_code`; else zero.
    pub trap_code: u32,
    /// Stored: the code with which the program ended itself, if the status is `PRECAST_EXIT`.
    pub exit_code: i32,
    /// Stored: the operating system's number for what went wrong, or zero.
    pub os_error: i32,
    /// Zero.
    pub reserved: u32,
}

/// A function that was active when code stopped. Its texts are there for as long as a handle to its
/// module is, or to an instance of it.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct precast_frame {
    /// The module's name, where the artifact has it.
    pub module_name: precast_text,
    /// The function's name, where the artifact has it.
    pub function_name: precast_text,
    /// If the function had called the host through an import: the import's module name.
    pub import_module: precast_text,
    /// If the function had called the host through an import: the import's name.
    pub import_name: precast_text,
    /// The function's index in the module, imports first.
    pub function_index: u32,
    /// Where in the wasm file the instruction is; `UINT32_MAX` where that is not known.
    pub wasm_offset: u32,
    /// Where in the wasm file the function's body begins; `UINT32_MAX` where that is not known.
    pub body_offset: u32,
    /// One if the function had called the host, else zero.
    pub calls_host: u32,
}

impl precast_frame {
    fn new(frame: &Frame) -> precast_frame {
        let host_call = frame.host_call();
        let import = host_call.and_then(|call| call.import).unzip();
        precast_frame {
            module_name: precast_text::new(frame.module_name()),
            function_name: precast_text::new(frame.function_name()),
            import_module: precast_text::new(import.0),
            import_name: precast_text::new(import.1),
            function_index: frame.function_index(),
            wasm_offset: frame.wasm_offset().unwrap_or(u32::MAX),
            body_offset: frame.body_offset().unwrap_or(u32::MAX),
            calls_host: u32::from(host_call.is_some()),
        }
    }
}

/// Writes text to a buffer of bytes for as long as there is room, and counts the rest.
struct Writer<'a> {
    buffer: &'a mut [u8],
    used: usize,
    length: usize,
}

impl Write for Writer<'_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let is_cut = self.used < self.length;
        self.length = self.length.saturating_add(text.len());
        // The last byte is the zero's.
        let room = self
            .buffer
            .len()
            .saturating_sub(1)
            .saturating_sub(self.used);
        let fits = if is_cut {
            0
        } else {
            text.floor_char_boundary(room)
        };
        let end = self.used.saturating_add(fits);
        let (place, part) = (
            self.buffer.get_mut(self.used..end),
            text.as_bytes().get(..fits),
        );
        if let (Some(place), Some(part)) = (place, part) {
            place.copy_from_slice(part);
            self.used = end;
        }
        Ok(())
    }
}

/// Stores a failure in what C provides. What C got wrong about that is left out.
pub(crate) fn report(c: C, error: *mut precast_error, failure: &Failure) {
    if error.is_null() {
        return;
    }
    // The sizes of what it points to are in every version of the structure.
    let Ok(mut given) = c.options(error.cast_const(), "error") else {
        return;
    };
    let message = given.message.cast::<u8>();
    let buffer = match message.is_null() {
        true => Ok(&mut [][..]),
        false => c.array_mut(message, given.message_capacity, "message"),
    };
    let mut writer = Writer {
        buffer: buffer.unwrap_or_default(),
        used: 0,
        length: 0,
    };
    let _ = write!(writer, "{failure}");
    if let Some(end) = writer.buffer.get_mut(writer.used) {
        *end = 0;
    }
    given.message_length = writer.length;
    let backtrace = failure.backtrace();
    let frames = backtrace.map_or(&[][..], |backtrace| backtrace.frames());
    if !given.frames.is_null()
        && let Ok(places) = c.array_mut(given.frames, given.frame_capacity, "frames")
    {
        for (place, frame) in places.iter_mut().zip(frames) {
            *place = precast_frame::new(frame);
        }
    }
    if let Ok(place) = c.out(given.exception, "exception") {
        let handle = failure
            .exception()
            .map(|thrown| exception::handle(thrown.clone()));
        place.set(handle.and_then(Result::ok).unwrap_or(ptr::null_mut()));
    }
    given.frame_count = frames.len();
    given.frames_are_missing = u32::from(backtrace.is_some_and(|trace| trace.is_truncated()));
    given.status = failure.status() as i32;
    given.trap_code = failure.trap_code();
    given.exit_code = failure.exit_code().unwrap_or(0);
    given.os_error = failure.os_error();
    given.reserved = 0;
    let _ = c.fill(error, &given, "error");
}

impl Default for precast_error {
    /// Nothing to write to.
    fn default() -> precast_error {
        precast_error {
            size: size_of::<precast_error>(),
            message: ptr::null_mut(),
            message_capacity: 0,
            message_length: 0,
            frames: ptr::null_mut(),
            frame_capacity: 0,
            frame_count: 0,
            exception: ptr::null_mut(),
            frames_are_missing: 0,
            status: precast_status::PRECAST_OK as i32,
            trap_code: 0,
            exit_code: 0,
            os_error: 0,
            reserved: 0,
        }
    }
}
