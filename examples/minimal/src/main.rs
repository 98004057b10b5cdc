//! The smallest program that does what an embedder does: it loads an artifact, calls it, and says what
//! came of it.
//!
//! It has no standard library, no allocator but its pool, and of the C library it uses what the system
//! has no other door for. `cargo xtask sizes` links it for each target and set of facilities and counts
//! the bytes.
//!
//! ```text
//! minimal < sum.precast
//! ```
#![no_std]
#![no_main]

use core::ffi::{c_char, c_int, c_void};
use core::fmt::{self, Write};
use core::panic::PanicInfo;

use precast_loader::{
    CallError, Imports, InstanceOptions, Runtime, RuntimeOptions, Source, Stack, StaticPool,
};

/// All memory that the loader and the module have.
static POOL: StaticPool<{ 96 << 10 }> = StaticPool::new();

/// Where the artifact is read to.
static ARTIFACT: StaticPool<{ 16 << 10 }> = StaticPool::new();

/// Bytes of the stack that compiled code runs on, out of the pool.
const STACK: usize = 8 << 10;

unsafe extern "C" {
    fn read(descriptor: c_int, bytes: *mut c_void, size: usize) -> isize;
    fn write(descriptor: c_int, bytes: *const c_void, size: usize) -> isize;
}

/// Standard output.
struct Output;

impl Write for Output {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        // SAFETY: the bytes are there.
        let written = unsafe { write(1, text.as_ptr().cast(), text.len()) };
        if written == text.len().cast_signed() {
            Ok(())
        } else {
            Err(fmt::Error)
        }
    }
}

/// What does not fit is cut off, and refused by the loader.
fn artifact() -> Option<&'static [u8]> {
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

/// Loads what standard input holds and calls its export `run`.
fn run(output: &mut Output) -> Result<i32, ()> {
    // There is nobody to tell that the output is closed.
    let refuse = |output: &mut Output, error: &dyn fmt::Display| {
        let _ = writeln!(output, "{error}");
    };
    let pool = POOL.take().ok_or(())?;
    let runtime = Runtime::with_pool(pool, RuntimeOptions::default())
        .map_err(|error| refuse(output, &error))?;
    let artifact = Source::borrowed(artifact().ok_or(())?);
    // SAFETY: whoever starts the program vouches for the artifact.
    let module = unsafe { runtime.load_unverified(artifact) };
    let module = module.map_err(|error| refuse(output, &error))?;
    let mut environment = runtime
        .execution_environment(Stack::Bytes(STACK))
        .map_err(|error| refuse(output, &error))?;
    let imports = Imports::for_module(&module).map_err(|error| refuse(output, &error))?;
    let instance = module
        .instantiate_in(&mut environment, &imports, InstanceOptions::default())
        .map_err(|error| refuse(output, &error))?;
    let function = instance
        .func::<(i32,), i32>("run")
        .map_err(|error| refuse(output, &error))?;
    match function.call(&mut environment, (7,)) {
        Ok(result) => Ok(result),
        Err(CallError::Trap(trap)) => Err(refuse(output, &trap)),
        Err(error) => Err(refuse(output, &error)),
    }
}

#[unsafe(no_mangle)]
extern "C" fn main(_: c_int, _: *const *const c_char) -> c_int {
    let mut output = Output;
    match run(&mut output) {
        Ok(result) => {
            let _ = writeln!(output, "{result}");
            0
        }
        Err(()) => 1,
    }
}

/// Nothing calls this, as the size command checks.
#[panic_handler]
fn panicked(_: &PanicInfo<'_>) -> ! {
    loop {
        core::hint::spin_loop();
    }
}
