//! A device without a system: whoever links says where the artifact lies in flash and where the register
//! is that sends a byte and the one that shows the result. A real one has more to do before `run`; `examples/firmware` shows it.

use core::alloc::{GlobalAlloc, Layout};
use core::fmt::{self, Write};

unsafe extern "C" {
    /// The artifact's first byte.
    static artifact_start: u8;
    /// Is at the address that is the artifact's size.
    static artifact_size: u8;
    /// The register that sends a byte.
    static mut output_register: u8;
    /// The register that shows the result.
    static mut result_register: i32;
}

/// The register that sends a byte.
pub struct Output;

impl Output {
    /// Writes bytes out.
    pub fn send(&mut self, bytes: &[u8]) -> fmt::Result {
        for byte in bytes {
            // SAFETY: the linker's address is that of a register.
            unsafe { (&raw mut output_register).write_volatile(*byte) };
        }
        Ok(())
    }
}

impl Write for Output {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.send(text.as_bytes())
    }
}

/// What the linker says is there.
pub fn artifact() -> Option<&'static [u8]> {
    // SAFETY: so many bytes of flash are there, and never change.
    Some(unsafe {
        core::slice::from_raw_parts(&raw const artifact_start, (&raw const artifact_size).addr())
    })
}

#[unsafe(no_mangle)]
extern "C" fn _start() -> ! {
    let result = crate::run(&mut Output).unwrap_or(-1);
    // SAFETY: the linker's address is that of a register.
    unsafe { (&raw mut result_register).write_volatile(result) };
    loop {
        core::hint::spin_loop();
    }
}

/// The interpreter's crate names the library `alloc`, which wants an allocator. Nobody asks it.
struct Nobody;

// SAFETY: no block is given.
unsafe impl GlobalAlloc for Nobody {
    unsafe fn alloc(&self, _: Layout) -> *mut u8 {
        core::ptr::null_mut()
    }

    unsafe fn dealloc(&self, _: *mut u8, _: Layout) {}
}

#[global_allocator]
static NOBODY: Nobody = Nobody;
