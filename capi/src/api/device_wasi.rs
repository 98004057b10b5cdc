//! WASI for devices without an operating system: what the platform has, and nothing else.
//!
//! Programs reach what C installed with `precast_platform_install`: output, clocks, random numbers. They
//! get the strings that are said here. All other functions of WASI answer that they are not there.

use core::ffi::c_char;

use precast_loader::alloc::{Allocator, Shared, Vec};
use precast_loader::platform::Platform;
use precast_loader::{Category, OutOfMemory};
use precast_wasi_minimal::{Offer, Strings, define_for};

use super::imports::precast_imports;
use super::module::precast_module;
use super::platform::FromC;
use super::runtime::precast_runtime;
use crate::boundary::C;
use crate::boundary::handle::{Object, create};
use crate::error::precast_error;
use crate::failure::Failure;
use crate::status::precast_status;

/// What a program of WASI can reach on a device: output, clocks and random numbers of the platform, and
/// these strings; no files. For any number of instances.
///
/// The functions for it are in libraries that were built with the feature `wasi-minimal`, as by default.
/// A program's exit is `PRECAST_EXIT`.
pub struct precast_device_wasi {
    _private: [u8; 0],
}

impl Object for precast_device_wasi {
    type Value = Shared<Device>;
    const KIND: u32 = 0x5043_0010;
}

/// What C said.
pub struct Device {
    args: Vec<u8>,
    environment: Vec<u8>,
}

impl Offer for Device {
    fn platform(&self) -> &dyn Platform {
        &FromC
    }

    fn args(&self) -> Strings<'_> {
        Strings::Terminated(self.args.as_slice())
    }

    fn environment(&self) -> Strings<'_> {
        Strings::Terminated(self.environment.as_slice())
    }
}

/// Copies C's strings, with the zero behind each.
fn copy(
    c: C,
    allocator: &Allocator,
    strings: &[*const c_char],
    name: &'static str,
) -> Result<Vec<u8>, Failure> {
    let mut length = 0usize;
    for string in strings {
        length = length.saturating_add(c.c_str(*string, name)?.count_bytes() + 1);
    }
    let mut copy = Vec::new_in(allocator, Category::Wasi);
    copy.try_reserve_exact(length)?;
    for string in strings {
        copy.try_extend_from_slice(c.c_str(*string, name)?.to_bytes_with_nul())?;
    }
    Ok(copy)
}

/// Says what programs will reach. The strings are copied into the memory of the runtime: the arguments,
/// of which the first is, by custom, the program's name, and the variables of the environment, each
/// `NAME=value`. The handle is stored in `wasi`, and freed by `precast_device_wasi_free`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn precast_device_wasi_new(
    runtime: *const precast_runtime,
    args: *const *const c_char,
    arg_count: usize,
    environment: *const *const c_char,
    environment_count: usize,
    wasi: *mut *mut precast_device_wasi,
    error: *mut precast_error,
) -> precast_status {
    // SAFETY: C promises what this asks for.
    let c = unsafe { C::promises() };
    c.run(error, || {
        let runtime = c.get(runtime, "runtime")?;
        let args = c.array(args, arg_count, "args")?;
        let environment = c.array(environment, environment_count, "environment")?;
        let out = c.out(wasi, "wasi")?;
        let allocator = runtime.allocator();
        let device = Device {
            args: copy(c, allocator, args, "args")?,
            environment: copy(c, allocator, environment, "environment")?,
        };
        let device = Shared::new(allocator, Category::Wasi, device)?;
        out.set(create(allocator, Category::Wasi, device)?);
        Ok(())
    })
}

/// Frees a handle; null is no handle. Imports and instances that use it keep what it stands for.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn precast_device_wasi_free(wasi: *mut precast_device_wasi) {
    // SAFETY: C promises what this asks for.
    let c = unsafe { C::promises() };
    c.quietly(|| c.free(wasi));
}

/// Defines the functions of WASI that a module imports, and no others. Those that a device has not
/// answer `ENOSYS`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn precast_device_wasi_define(
    wasi: *const precast_device_wasi,
    imports: *mut precast_imports,
    module: *const precast_module,
    error: *mut precast_error,
) -> precast_status {
    // SAFETY: C promises what this asks for.
    let c = unsafe { C::promises() };
    c.run(error, || {
        let wasi = c.get(wasi, "wasi")?;
        let module = c.get(module, "module")?;
        let mut imports = c.lock(imports, "imports")?;
        let defined: Result<(), OutOfMemory> =
            define_for(&mut imports, &module, || Shared::clone(&wasi));
        Ok(defined?)
    })
}
