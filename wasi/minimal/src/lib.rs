//! WASI preview 1 for devices without an operating system: what a [`Platform`] has, and nothing else.
//!
//! | functions | what they do |
//! |---|---|
//! | `args_*`, `environ_*` | the strings that the firmware names |
//! | `fd_write` | standard output and standard error: [`Platform::write`] |
//! | `fd_read` | standard input is at its end |
//! | `fd_close`, `fd_fdstat_get`, `fd_seek` | the three streams are terminals |
//! | `fd_prestat_get` | there is no directory, which is how a C library finds out |
//! | `clock_res_get`, `clock_time_get` | [`Platform::monotonic_time`], [`Platform::wall_clock_time`] |
//! | `random_get` | [`Platform::random`] |
//! | `sched_yield` | [`Platform::yield_now`] |
//! | `proc_exit` | ends the call with [`CallError::Exit`](precast_loader::CallError::Exit) |
//! | every other one, and what the platform has not | answers `ENOSYS` |
//!
//! A bad pointer is answered with `EFAULT`; nothing here traps. The crate needs neither the standard
//! library nor an allocator: each function that a module imports takes a pointer in the runtime's memory
//! and the name that it is imported by.
//!
//! ```no_run
//! use precast_loader::platform::Platform;
//! use precast_loader::{Imports, Module, OutOfMemory, Runtime};
//! use precast_wasi_minimal::MinimalWasi;
//!
//! struct Board;
//! // SAFETY: one thread uses the loader.
//! unsafe impl Platform for Board {}
//!
//! static WASI: MinimalWasi = MinimalWasi::new(&Board).args(&["app", "--verbose"]);
//!
//! fn imports(runtime: &Runtime, module: &Module) -> Result<Imports, OutOfMemory> {
//!     let mut imports = Imports::new(runtime);
//!     WASI.define_for(&mut imports, module)?;
//!     Ok(imports)
//! }
//! ```

#![no_std]
#![forbid(unsafe_code)]

mod errno;
mod functions;
mod guest;
mod offer;

use core::fmt;
use core::ops::Deref;

use precast_loader::platform::Platform;
use precast_loader::{ExternType, FuncType, HostError, Imports, Module, OutOfMemory, Value};

use errno::Errno;
use functions::Function;
pub use offer::{Offer, Strings};

/// The names under which modules import the functions: preview 1, and the snapshot before it, whose
/// functions are the same as far as they are here.
const MODULES: [&str; 2] = ["wasi_snapshot_preview1", "wasi_unstable"];

/// What guests can reach. It does not change, so that a static will do.
#[derive(Clone, Copy)]
pub struct MinimalWasi {
    platform: &'static dyn Platform,
    args: &'static [&'static str],
    environment: &'static [&'static str],
}

impl MinimalWasi {
    /// Streams, clocks and random numbers of the platform; no arguments, and no environment.
    #[must_use]
    pub const fn new(platform: &'static dyn Platform) -> MinimalWasi {
        MinimalWasi {
            platform,
            args: &[],
            environment: &[],
        }
    }

    /// With these arguments, the first being the program's name. Zero bytes in them end them early for
    /// programs in C.
    #[must_use]
    pub const fn args(mut self, args: &'static [&'static str]) -> MinimalWasi {
        self.args = args;
        self
    }

    /// With these variables of the environment, each `NAME=value`.
    #[must_use]
    pub const fn environment(mut self, variables: &'static [&'static str]) -> MinimalWasi {
        self.environment = variables;
        self
    }

    /// Defines the functions of WASI that a module imports, as [`define_for`] does.
    ///
    /// # Errors
    ///
    /// If the imports' memory is used up.
    pub fn define_for(
        &'static self,
        imports: &mut Imports,
        module: &Module,
    ) -> Result<(), OutOfMemory> {
        define_for(imports, module, || self)
    }
}

impl Offer for MinimalWasi {
    fn platform(&self) -> &dyn Platform {
        self.platform
    }

    fn args(&self) -> Strings<'_> {
        Strings::List(self.args)
    }

    fn environment(&self) -> Strings<'_> {
        Strings::List(self.environment)
    }
}

/// Defines the functions of WASI that a module imports. Those that are not known here are defined as
/// well, by the type that the module expects, and answer `ENOSYS`. Each keeps a handle of its own to
/// what guests are offered.
///
/// # Errors
///
/// If the imports' memory is used up.
pub fn define_for<H>(
    imports: &mut Imports,
    module: &Module,
    handle: impl Fn() -> H,
) -> Result<(), OutOfMemory>
where
    H: Deref<Target: Offer + Sized> + Send + Sync + 'static,
{
    for (from, name, expected) in module.imports() {
        if let ExternType::Function(func_type) = expected
            && MODULES.contains(&from)
        {
            define(imports, (from, name), func_type, handle())?;
        }
    }
    Ok(())
}

fn define<H>(
    imports: &mut Imports,
    (from, name): (&str, &str),
    func_type: FuncType,
    handle: H,
) -> Result<(), OutOfMemory>
where
    H: Deref<Target: Offer + Sized> + Send + Sync + 'static,
{
    let function = Function::named(name);
    imports.func_untyped(from, name, func_type, move |caller, params, results| {
        let outcome = match function {
            Some(function) => function.call(&*handle, caller, params)?,
            None => Err(Errno::NOSYS),
        };
        answer(outcome, results)
    })
}

/// Writes what the guest gets: zero, or the error's number. A function of another type than WASI's has
/// no such result.
fn answer(outcome: Result<(), Errno>, results: &mut [Value]) -> Result<(), HostError> {
    let number = outcome.map_or_else(Errno::number, |()| 0);
    match results {
        [] => {}
        [Value::I32(result)] => *result = i32::from(number),
        _ => return Err(HostError::Message("a function of WASI has another type")),
    }
    Ok(())
}

impl fmt::Debug for MinimalWasi {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MinimalWasi")
            .field("args", &self.args)
            .field("environment", &self.environment)
            .finish_non_exhaustive()
    }
}
