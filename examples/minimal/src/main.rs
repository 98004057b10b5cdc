//! The smallest program that does what an embedder does: it loads an artifact, calls it, and says what
//! came of it.
//!
//! It has no standard library and no memory but its pool. `cargo xtask sizes` links it for each target and
//! set of facilities and counts the bytes. Where there is a system, it also runs:
//!
//! ```text
//! minimal < sum.precast
//! ```
#![no_std]
#![no_main]

#[cfg_attr(unix, path = "door/system.rs")]
#[cfg_attr(not(unix), path = "door/device.rs")]
mod door;
#[cfg(feature = "wasi")]
mod wasi;

use core::fmt::{self, Write};
use core::panic::PanicInfo;

#[cfg(not(feature = "wasi"))]
use precast_loader::Imports;
use precast_loader::{
    InstanceOptions, LoadError, Module, Runtime, RuntimeOptions, Source, Stack, StaticPool,
};

use door::Output;
#[cfg(feature = "wasi")]
use wasi::imports;

/// All memory that the loader and the module have.
static POOL: StaticPool<{ 96 << 10 }> = StaticPool::new();

/// Bytes of the stack that compiled code runs on, out of the pool.
const STACK: usize = 8 << 10;

/// Writes why there is no result.
fn refuse(output: &mut Output, error: &dyn fmt::Display) {
    // There is nobody to tell that the output is closed.
    let _ = writeln!(output, "{error}");
}

/// Calls the artifact's export `run`; its result, if there is one.
fn run(output: &mut Output) -> Option<i32> {
    let runtime = Runtime::with_pool(POOL.take()?, RuntimeOptions::default())
        .map_err(|error| refuse(output, &error))
        .ok()?;
    let module = load(&runtime, Source::borrowed(door::artifact()?))
        .map_err(|error| refuse(output, &error))
        .ok()?;
    let mut environment = runtime
        .execution_environment(Stack::Bytes(STACK))
        .map_err(|error| refuse(output, &error))
        .ok()?;
    let imports = imports(&module)
        .map_err(|error| refuse(output, &error))
        .ok()?;
    let instance = module
        .instantiate_in(&mut environment, &imports, InstanceOptions::default())
        .map_err(|error| refuse(output, &error))
        .ok()?;
    let function = instance
        .func::<(i32,), i32>("run")
        .map_err(|error| refuse(output, &error))
        .ok()?;
    // A trap's text has the backtrace.
    let called = function.call(&mut environment, (7,));
    called.map_err(|error| refuse(output, &error)).ok()
}

/// Nothing is there to be imported.
#[cfg(not(feature = "wasi"))]
fn imports(module: &Module) -> Result<Imports, precast_loader::OutOfMemory> {
    Imports::for_module(module)
}

/// Loads what the holder of the key has signed.
#[cfg(feature = "signatures")]
fn load(runtime: &Runtime, source: Source<'static>) -> Result<Module, LoadError> {
    runtime.load(source, precast_loader::Trust::Keys(&[[0; 32]]))
}

/// Loads what whoever starts the program vouches for.
#[cfg(not(feature = "signatures"))]
fn load(runtime: &Runtime, source: Source<'static>) -> Result<Module, LoadError> {
    // SAFETY: see above.
    unsafe { runtime.load_unverified(source) }
}

/// Nothing calls this, as the command checks that counts the bytes.
#[panic_handler]
fn panicked(_: &PanicInfo<'_>) -> ! {
    loop {
        core::hint::spin_loop();
    }
}
