//! The functions as imports: one list gives each its name and its WebAssembly parameters.
//!
//! A function's parameters here are its signature in the module; results are the error number, or
//! nothing for the one that does not return.

use std::alloc::Layout;

use precast_loader::alloc::PortableLayout;
use precast_loader::{Caller, HostError, Imports, Module, OutOfMemory, PointerWidth};

use crate::context::WasiContext;
use crate::errno::Errno;
use crate::memory::GuestMemory;
use crate::process::{Exit, Raised};
use crate::types::Abi;

/// The module name of preview 1.
pub const PREVIEW1: &str = "wasi_snapshot_preview1";

/// The module name of preview 0.
pub const PREVIEW0: &str = "wasi_unstable";

/// What the guest gets: zero, or the error's number.
fn result(result: Result<(), Errno>) -> u32 {
    result.map_or_else(|error| u32::from(error.number()), |()| 0)
}

/// What the host gets: the end of the program, which is no trap.
fn end(Exit(code): Exit) -> HostError {
    HostError::Exit(code.cast_signed())
}

/// Passes on a function that captures a handle to the context and nothing else: what the functions
/// take of the runtime's memory is then known without looking at each.
fn captured<F>(function: F) -> F {
    const { assert!(size_of::<F>() == WasiContext::CAPTURE.size()) };
    const { assert!(align_of::<F>() == WasiContext::CAPTURE.align()) };
    function
}

/// Calls a function with the caller's memory: lent where nobody else can use it, else copied from
/// and to. The result is what the guest gets.
fn with_memory(
    caller: &mut Caller<'_>,
    call: impl FnOnce(&mut GuestMemory<'_>) -> Result<(), Errno>,
) -> Result<u32, HostError> {
    let error = match caller.memory_mut() {
        Ok(mut bytes) => return Ok(result(call(&mut GuestMemory::new(&mut bytes)))),
        Err(error) => error,
    };
    match caller.main_memory() {
        Some(memory) if memory.memory_type().shared => {
            Ok(result(call(&mut GuestMemory::shared(&memory))))
        }
        _ => Err(error),
    }
}

macro_rules! functions {
    ($($kind:ident $name:ident($($parameter:ident: $type:ty),*);)*) => {
        /// The names of all functions.
        const NAMES: &[&str] = &[$(stringify!($name)),*];

        /// Defines one function. False if there is none of this name.
        fn define(
            context: &WasiContext,
            imports: &mut Imports,
            abi: Abi,
            name: &str,
        ) -> Result<bool, OutOfMemory> {
            let module = match abi {
                Abi::Preview0 => PREVIEW0,
                Abi::Preview1 => PREVIEW1,
            };
            let context = context.clone();
            match name {
                $(stringify!($name) => {
                    functions!(@define $kind $name context imports module abi ($($parameter: $type),*));
                })*
                _ => return Ok(false),
            }
            Ok(true)
        }
    };

    // A function that uses the caller's memory.
    (@define memory $name:ident $context:ident $imports:ident $module:ident $abi:ident
        ($($parameter:ident: $type:ty),*)) => {
        $imports.func($module, stringify!($name), captured(move |caller: &mut Caller<'_>, $($parameter: $type),*| {
            with_memory(caller, |memory| $context.$name(memory, $($parameter),*))
        }))?
    };
    // A function whose records or numbers depend on the snapshot: one for each, so that there is
    // nothing to capture but the context.
    (@define layout $name:ident $context:ident $imports:ident $module:ident $abi:ident $parameters:tt) => {
        match $abi {
            Abi::Preview0 => {
                functions!(@snapshot Preview0 $name $context $imports $module $parameters)
            }
            Abi::Preview1 => {
                functions!(@snapshot Preview1 $name $context $imports $module $parameters)
            }
        }
    };
    (@snapshot $abi:ident $name:ident $context:ident $imports:ident $module:ident
        ($($parameter:ident: $type:ty),*)) => {
        $imports.func($module, stringify!($name), captured(move |caller: &mut Caller<'_>, $($parameter: $type),*| {
            with_memory(caller, |memory| $context.$name(memory, Abi::$abi, $($parameter),*))
        }))?
    };
    // A function of numbers only.
    (@define plain $name:ident $context:ident $imports:ident $module:ident $abi:ident
        ($($parameter:ident: $type:ty),*)) => {
        $imports.func($module, stringify!($name), captured(move |_: &mut Caller<'_>, $($parameter: $type),*| {
            result($context.$name($($parameter),*))
        }))?
    };
    // The one that does not return.
    (@define exit $name:ident $context:ident $imports:ident $module:ident $abi:ident
        ($parameter:ident: $type:ty)) => {
        $imports.func($module, stringify!($name), captured(move |_: &mut Caller<'_>, $parameter: $type| {
            Err::<(), HostError>(end($context.$name($parameter)))
        }))?
    };
    // The one that may not return.
    (@define raise $name:ident $context:ident $imports:ident $module:ident $abi:ident
        ($parameter:ident: $type:ty)) => {
        $imports.func($module, stringify!($name), captured(move |_: &mut Caller<'_>, $parameter: $type| {
            match $context.$name($parameter) {
                Ok(Raised::Ends(exit)) => Err(end(exit)),
                Ok(Raised::Ignored) => Ok(0),
                Err(error) => Ok::<u32, HostError>(u32::from(error.number())),
            }
        }))?
    };
}

functions! {
    memory args_get(argv: u32, argv_buf: u32);
    memory args_sizes_get(argc: u32, argv_buf_size: u32);
    memory environ_get(environ: u32, environ_buf: u32);
    memory environ_sizes_get(environc: u32, environ_buf_size: u32);
    memory clock_res_get(clock: u32, resolution: u32);
    memory clock_time_get(clock: u32, precision: u64, time: u32);
    plain fd_advise(fd: u32, offset: u64, length: u64, advice: u32);
    plain fd_allocate(fd: u32, offset: u64, length: u64);
    plain fd_close(fd: u32);
    plain fd_datasync(fd: u32);
    memory fd_fdstat_get(fd: u32, stat: u32);
    plain fd_fdstat_set_flags(fd: u32, flags: u32);
    plain fd_fdstat_set_rights(fd: u32, rights: u64, inheriting: u64);
    layout fd_filestat_get(fd: u32, stat: u32);
    plain fd_filestat_set_size(fd: u32, size: u64);
    plain fd_filestat_set_times(fd: u32, accessed: u64, modified: u64, flags: u32);
    memory fd_pread(fd: u32, iovs: u32, iovs_len: u32, offset: u64, nread: u32);
    memory fd_prestat_get(fd: u32, prestat: u32);
    memory fd_prestat_dir_name(fd: u32, path: u32, path_len: u32);
    memory fd_pwrite(fd: u32, iovs: u32, iovs_len: u32, offset: u64, nwritten: u32);
    memory fd_read(fd: u32, iovs: u32, iovs_len: u32, nread: u32);
    memory fd_readdir(fd: u32, buffer: u32, length: u32, cookie: u64, used: u32);
    plain fd_renumber(from: u32, to: u32);
    layout fd_seek(fd: u32, delta: i64, whence: u32, position: u32);
    plain fd_sync(fd: u32);
    memory fd_tell(fd: u32, position: u32);
    memory fd_write(fd: u32, iovs: u32, iovs_len: u32, nwritten: u32);
    memory path_create_directory(fd: u32, path: u32, path_len: u32);
    layout path_filestat_get(fd: u32, flags: u32, path: u32, path_len: u32, stat: u32);
    memory path_filestat_set_times(fd: u32, flags: u32, path: u32, path_len: u32, accessed: u64,
        modified: u64, times: u32);
    memory path_link(old_fd: u32, old_flags: u32, old_path: u32, old_path_len: u32, new_fd: u32,
        new_path: u32, new_path_len: u32);
    memory path_open(fd: u32, lookup_flags: u32, path: u32, path_len: u32, oflags: u32, rights: u64,
        inheriting: u64, flags: u32, opened_fd: u32);
    memory path_readlink(fd: u32, path: u32, path_len: u32, buffer: u32, length: u32, used: u32);
    memory path_remove_directory(fd: u32, path: u32, path_len: u32);
    memory path_rename(old_fd: u32, old_path: u32, old_path_len: u32, new_fd: u32, new_path: u32,
        new_path_len: u32);
    memory path_symlink(old_path: u32, old_path_len: u32, fd: u32, new_path: u32,
        new_path_len: u32);
    memory path_unlink_file(fd: u32, path: u32, path_len: u32);
    layout poll_oneoff(subscriptions: u32, events: u32, count: u32, happened: u32);
    exit proc_exit(code: u32);
    raise proc_raise(signal: u32);
    plain sched_yield();
    memory random_get(buffer: u32, length: u32);
    memory sock_accept(fd: u32, flags: u32, connected: u32);
    memory sock_recv(fd: u32, iovs: u32, iovs_len: u32, flags: u32, received: u32,
        received_flags: u32);
    memory sock_send(fd: u32, iovs: u32, iovs_len: u32, flags: u32, sent: u32);
    plain sock_shutdown(fd: u32, how: u32);
}

const _: () = assert!(NAMES.len() == 46);

/// A handle to the context.
const CAPTURE: PortableLayout = PortableLayout::new(Layout::new::<WasiContext>(), 4, 4);

impl WasiContext {
    /// What each function captures that is defined as an import: a handle to the context.
    pub const CAPTURE: Layout = CAPTURE.here();

    /// As [`WasiContext::CAPTURE`], on a machine with pointers of this width; `None` where that is
    /// not known.
    #[must_use]
    pub const fn capture_on(width: PointerWidth) -> Option<Layout> {
        CAPTURE.on(width)
    }

    /// Defines every function under both module names, for modules that are not known yet.
    ///
    /// # Errors
    ///
    /// If the imports' memory is used up.
    pub fn define_all(&self, imports: &mut Imports) -> Result<(), OutOfMemory> {
        for abi in [Abi::Preview1, Abi::Preview0] {
            for name in NAMES {
                define(self, imports, abi, name)?;
            }
        }
        Ok(())
    }

    /// Defines the function that is imported under these names. False if WASI has none.
    ///
    /// # Errors
    ///
    /// If the imports' memory is used up.
    pub fn define_named(
        &self,
        imports: &mut Imports,
        module: &str,
        name: &str,
    ) -> Result<bool, OutOfMemory> {
        let abi = match module {
            PREVIEW1 => Abi::Preview1,
            PREVIEW0 => Abi::Preview0,
            _ => return Ok(false),
        };
        define(self, imports, abi, name)
    }

    /// Defines the functions that a module imports, and no others. That a name is not WASI's shows
    /// when the module is instantiated.
    ///
    /// # Errors
    ///
    /// If the imports' memory is used up.
    pub fn define_for(&self, imports: &mut Imports, module: &Module) -> Result<(), OutOfMemory> {
        for (from, name, _) in module.imports() {
            self.define_named(imports, from, name)?;
        }
        Ok(())
    }
}
