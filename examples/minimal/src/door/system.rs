//! A system: the artifact is standard input, the result is the exit status, and what went wrong goes to
//! standard output.

use core::ffi::{c_char, c_int, c_void};
use core::fmt::{self, Write};

use precast_loader::StaticPool;

/// Where the artifact is read to.
static ARTIFACT: StaticPool<{ 16 << 10 }> = StaticPool::new();

unsafe extern "C" {
    fn read(descriptor: c_int, bytes: *mut c_void, size: usize) -> isize;
    fn write(descriptor: c_int, bytes: *const c_void, size: usize) -> isize;
}

/// Standard output.
pub struct Output;

impl Output {
    /// Writes bytes out.
    pub fn send(&mut self, bytes: &[u8]) -> fmt::Result {
        // SAFETY: the bytes are there.
        let written = unsafe { write(1, bytes.as_ptr().cast(), bytes.len()) };
        if written == bytes.len().cast_signed() {
            Ok(())
        } else {
            Err(fmt::Error)
        }
    }
}

impl Write for Output {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.send(text.as_bytes())
    }
}

/// All of standard input. What does not fit is cut off, and refused by the loader.
pub fn artifact() -> Option<&'static [u8]> {
    let buffer = ARTIFACT.take()?;
    let mut size = 0;
    while let Some(rest) = buffer.get_mut(size..) {
        // SAFETY: the buffer is ours and as long as it says.
        let read = unsafe { read(0, rest.as_mut_ptr().cast(), rest.len()) };
        match usize::try_from(read) {
            Ok(0) => break,
            Ok(more) => size += more,
            Err(_) => return None,
        }
    }
    let bytes = buffer.get(..size)?;
    // SAFETY: so many bytes were read, and nobody writes them from here on.
    Some(unsafe { bytes.assume_init_ref() })
}

#[unsafe(no_mangle)]
extern "C" fn main(_: c_int, _: *const *const c_char) -> c_int {
    crate::run(&mut Output).unwrap_or(-1)
}
