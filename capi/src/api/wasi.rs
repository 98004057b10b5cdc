//! Programs of WASI preview 1: what they are given, and running them.
//!
//! What C says is kept as it was said, on the heap of the process, until a context is made of it; the
//! context lives in the memory of a runtime.

use core::ffi::{c_char, c_void};
use std::fs::File;
use std::io::{self, Write};
use std::path::PathBuf;
use std::string::String;
use std::vec::Vec;

use ::precast_wasi::{Input, Output, OwnedFd, Rights, WasiContext, WasiContextBuilder};
use precast_loader::alloc::Allocator;
use precast_loader::{CallError, Category, ExecutionEnvironment, Stack};

use super::env::precast_env;
use super::imports::precast_imports;
use super::instance::precast_instance;
use super::module::precast_module;
use super::runtime::precast_runtime;
use crate::boundary::C;
use crate::boundary::handle::{Object, create};
use crate::error::precast_error;
use crate::failure::Failure;
use crate::status::precast_status;

/// What a program of WASI will be given. Nothing but what is said here: no arguments, no environment,
/// no directories, and streams that lead nowhere.
///
/// The functions for WASI are in libraries that were built with the feature `wasi`, as by default.
pub struct precast_wasi_config {
    _private: [u8; 0],
}

/// What a program of WASI can reach, for any number of instances.
pub struct precast_wasi {
    _private: [u8; 0],
}

impl Object for precast_wasi_config {
    type Value = Config;
    const KIND: u32 = 0x5043_000c;
}

impl Object for precast_wasi {
    type Value = WasiContext;
    const KIND: u32 = 0x5043_000d;
}

/// Takes what the program writes: the number of bytes that were taken, which may be fewer, or a
/// negative number if writing failed. It can be called from any thread that runs the program.
pub type precast_wasi_write =
    Option<unsafe extern "C" fn(user: *mut c_void, bytes: *const c_void, length: usize) -> isize>;

/// One of the three standard streams.
#[repr(u32)]
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum precast_wasi_stream {
    /// Standard input.
    PRECAST_WASI_STDIN = 0,
    /// Standard output.
    PRECAST_WASI_STDOUT = 1,
    /// Standard error.
    PRECAST_WASI_STDERR = 2,
}

/// A stream as C passes it: any number.
pub type wasi_stream = u32;

/// What C said so far.
#[derive(Default)]
pub struct Config {
    args: Vec<Vec<u8>>,
    env: Vec<(Vec<u8>, Vec<u8>)>,
    directories: Vec<Directory>,
    inherit_env: bool,
    streams: [Stream; 3],
}

/// A directory that the program starts with.
struct Directory {
    host: PathBuf,
    guest: String,
    rights: Option<Rights>,
}

/// Where a standard stream leads.
#[derive(Clone, Default)]
enum Stream {
    #[default]
    Nowhere,
    Inherit,
    File(PathBuf),
    Bytes(Vec<u8>),
    Function(Writer),
}

/// A function of C's that takes what is written.
#[derive(Clone)]
struct Writer {
    function: unsafe extern "C" fn(*mut c_void, *const c_void, usize) -> isize,
    user: *mut c_void,
}

// SAFETY: C promises that the function can be called from any thread.
unsafe impl Send for Writer {}
// SAFETY: as above.
unsafe impl Sync for Writer {}

impl Write for Writer {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        // SAFETY: C gave the function for this pointer; so many bytes are there.
        let taken = unsafe { (self.function)(self.user, bytes.as_ptr().cast(), bytes.len()) };
        match usize::try_from(taken) {
            Ok(taken) => Ok(taken.min(bytes.len())),
            Err(_) => Err(io::ErrorKind::Other.into()),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Stream {
    fn input(&self) -> io::Result<Input> {
        Ok(match self {
            Stream::Nowhere | Stream::Function(_) => Input::Null,
            Stream::Inherit => Input::Inherit,
            Stream::File(path) => Input::File(OwnedFd::from(File::open(path)?)),
            Stream::Bytes(bytes) => Input::Bytes(bytes.clone()),
        })
    }

    fn output(&self) -> io::Result<Output> {
        Ok(match self {
            Stream::Nowhere | Stream::Bytes(_) => Output::Null,
            Stream::Inherit => Output::Inherit,
            Stream::File(path) => Output::File(OwnedFd::from(File::create(path)?)),
            Stream::Function(writer) => Output::Writer(std::boxed::Box::new(writer.clone())),
        })
    }
}

impl Config {
    /// The context's parts, opened.
    fn builder(&self) -> io::Result<WasiContextBuilder> {
        let mut builder = WasiContext::builder().args(self.args.iter().cloned());
        if self.inherit_env {
            builder = builder.inherit_env();
        }
        for (name, value) in &self.env {
            builder = builder.env(name.clone(), value);
        }
        for Directory {
            host,
            guest,
            rights,
        } in &self.directories
        {
            builder = match rights {
                None => builder.preopen_dir(host, guest.clone())?,
                Some(rights) => {
                    builder.preopen_dir_with_rights(host, guest.clone(), *rights, *rights)?
                }
            };
        }
        let [input, output, error] = &self.streams;
        builder = builder.stdin(input.input()?);
        Ok(builder.stdout(output.output()?).stderr(error.output()?))
    }

    fn stream(&mut self, stream: wasi_stream) -> Result<&mut Stream, Failure> {
        let place = self.streams.get_mut(stream as usize);
        place.ok_or(Failure::Argument("stream", "is no standard stream"))
    }
}

/// A path, in UTF-8.
fn path(c: C, path: *const c_char, name: &'static str) -> Result<PathBuf, Failure> {
    Ok(PathBuf::from(c.text(path, name)?))
}

/// Makes a configuration. The handle is stored in `config`, and freed by `precast_wasi_config_free`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn precast_wasi_config_new(
    config: *mut *mut precast_wasi_config,
    error: *mut precast_error,
) -> precast_status {
    // SAFETY: C promises what this asks for.
    let c = unsafe { C::promises() };
    c.run(error, || {
        let out = c.out(config, "config")?;
        out.set(create(
            &Allocator::system()?,
            Category::Wasi,
            Config::default(),
        )?);
        Ok(())
    })
}

/// Frees a handle to a configuration; null is no handle. Contexts made of it stay.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn precast_wasi_config_free(config: *mut precast_wasi_config) {
    // SAFETY: C promises what this asks for.
    let c = unsafe { C::promises() };
    c.quietly(|| c.free(config));
}

/// Adds an argument, any bytes but zero. The first is, by custom, the program's name.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn precast_wasi_config_arg(
    config: *mut precast_wasi_config,
    arg: *const c_char,
    error: *mut precast_error,
) -> precast_status {
    // SAFETY: C promises what this asks for.
    let c = unsafe { C::promises() };
    c.run(error, || {
        let mut config = c.lock(config, "config")?;
        let arg = c.c_str(arg, "arg")?.to_bytes().to_vec();
        config.args.push(arg);
        Ok(())
    })
}

/// Adds an environment variable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn precast_wasi_config_env(
    config: *mut precast_wasi_config,
    name: *const c_char,
    value: *const c_char,
    error: *mut precast_error,
) -> precast_status {
    // SAFETY: C promises what this asks for.
    let c = unsafe { C::promises() };
    c.run(error, || {
        let mut config = c.lock(config, "config")?;
        let name = c.c_str(name, "name")?.to_bytes().to_vec();
        let value = c.c_str(value, "value")?.to_bytes().to_vec();
        config.env.push((name, value));
        Ok(())
    })
}

/// Adds the environment variables of this process.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn precast_wasi_config_inherit_env(
    config: *mut precast_wasi_config,
    error: *mut precast_error,
) -> precast_status {
    // SAFETY: C promises what this asks for.
    let c = unsafe { C::promises() };
    c.run(error, || {
        c.lock(config, "config")?.inherit_env = true;
        Ok(())
    })
}

/// Lets the program use a directory of the host under a name of its own, and what is in it;
/// `read_only` for reading alone. It is opened when a context is made.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn precast_wasi_config_preopen_dir(
    config: *mut precast_wasi_config,
    host_path: *const c_char,
    guest_path: *const c_char,
    read_only: bool,
    error: *mut precast_error,
) -> precast_status {
    // SAFETY: C promises what this asks for.
    let c = unsafe { C::promises() };
    c.run(error, || {
        let mut config = c.lock(config, "config")?;
        let directory = Directory {
            host: path(c, host_path, "host_path")?,
            guest: String::from(c.text(guest_path, "guest_path")?),
            rights: read_only.then_some(Rights::READ_ONLY),
        };
        config.directories.push(directory);
        Ok(())
    })
}

/// Lets the program use the three standard streams of this process.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn precast_wasi_config_inherit_stdio(
    config: *mut precast_wasi_config,
    error: *mut precast_error,
) -> precast_status {
    // SAFETY: C promises what this asks for.
    let c = unsafe { C::promises() };
    c.run(error, || {
        c.lock(config, "config")?.streams = [Stream::Inherit, Stream::Inherit, Stream::Inherit];
        Ok(())
    })
}

/// Has a standard stream, a `precast_wasi_stream`, lead to a file: standard input reads it, the others
/// make it anew. It is opened when a context is made.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn precast_wasi_config_stream_file(
    config: *mut precast_wasi_config,
    stream: wasi_stream,
    file: *const c_char,
    error: *mut precast_error,
) -> precast_status {
    // SAFETY: C promises what this asks for.
    let c = unsafe { C::promises() };
    c.run(error, || {
        let mut config = c.lock(config, "config")?;
        let file = path(c, file, "file")?;
        *config.stream(stream)? = Stream::File(file);
        Ok(())
    })
}

/// Has standard input be these bytes, which are copied.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn precast_wasi_config_stdin_bytes(
    config: *mut precast_wasi_config,
    bytes: *const c_void,
    length: usize,
    error: *mut precast_error,
) -> precast_status {
    // SAFETY: C promises what this asks for.
    let c = unsafe { C::promises() };
    c.run(error, || {
        let mut config = c.lock(config, "config")?;
        let bytes = c.array(bytes.cast::<u8>(), length, "bytes")?.to_vec();
        *config.stream(0)? = Stream::Bytes(bytes);
        Ok(())
    })
}

/// Has standard output or standard error, a `precast_wasi_stream`, go to a function. It and `user` are
/// there until every context that was made of the configuration is freed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn precast_wasi_config_stream_function(
    config: *mut precast_wasi_config,
    stream: wasi_stream,
    function: precast_wasi_write,
    user: *mut c_void,
    error: *mut precast_error,
) -> precast_status {
    // SAFETY: C promises what this asks for.
    let c = unsafe { C::promises() };
    c.run(error, || {
        let mut config = c.lock(config, "config")?;
        let function = function.ok_or(Failure::Null("function"))?;
        if stream == precast_wasi_stream::PRECAST_WASI_STDIN as wasi_stream {
            return Err(Failure::Argument("stream", "is standard input"));
        }
        *config.stream(stream)? = Stream::Function(Writer { function, user });
        Ok(())
    })
}

/// Makes a context in the memory of a runtime; the configuration can make more. Directories and files
/// are opened now. The handle is stored in `wasi`, and freed by `precast_wasi_free`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn precast_wasi_new(
    runtime: *const precast_runtime,
    config: *const precast_wasi_config,
    wasi: *mut *mut precast_wasi,
    error: *mut precast_error,
) -> precast_status {
    // SAFETY: C promises what this asks for.
    let c = unsafe { C::promises() };
    c.run(error, || {
        let runtime = c.get(runtime, "runtime")?;
        let config = c.get(config, "config")?;
        let out = c.out(wasi, "wasi")?;
        let context = config.builder()?.build(&runtime)?;
        out.set(create(runtime.allocator(), Category::Wasi, context)?);
        Ok(())
    })
}

/// Frees a handle to a context; null is no handle. Imports and instances that use it keep it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn precast_wasi_free(wasi: *mut precast_wasi) {
    // SAFETY: C promises what this asks for.
    let c = unsafe { C::promises() };
    c.quietly(|| c.free(wasi));
}

/// Defines the functions of WASI that a module imports, and no others.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn precast_wasi_define(
    wasi: *const precast_wasi,
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
        Ok(wasi.define_for(&mut imports, &module)?)
    })
}

/// Runs a program: calls `_start`, and stores the code with which it ended, zero if it returned. In
/// the environment, or on the calling thread's stack if that is null.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn precast_wasi_run(
    instance: *const precast_instance,
    env: *mut precast_env,
    exit_code: *mut i32,
    error: *mut precast_error,
) -> precast_status {
    // SAFETY: C promises what this asks for.
    let c = unsafe { C::promises() };
    c.run(error, || {
        let instance = c.get(instance, "instance")?;
        let out = c.out(exit_code, "exit_code")?;
        let start = instance.func::<(), ()>("_start")?;
        let ended = if env.is_null() {
            let runtime = instance.module().runtime();
            start.call(&mut ExecutionEnvironment::new(runtime, Stack::Caller)?, ())
        } else {
            start.call(&mut c.lock(env, "env")?.0, ())
        };
        match ended {
            Ok(()) => out.set(0),
            Err(CallError::Exit(code)) => out.set(code),
            Err(failure) => return Err(failure.into()),
        }
        Ok(())
    })
}
