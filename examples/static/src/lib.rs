//! A small surface of C over a linked module: enough for a program that calls functions of one
//! argument.
//!
//! Whatever the module needs comes out of the pool that the caller brings.

use precast_loader::{
    Allocator, CallError, Caller, Imports, InstanceOptions, Module, Runtime, RuntimeOptions, Stack,
    StaticModule,
};
use std::ffi::{CStr, c_char, c_void};
use std::fmt::{self, Write};
use std::ptr::NonNull;

/// The stack of calls into the module, from the pool. Functions of the host run on it, too.
const STACK: usize = 16 << 10;

/// What the module calls as `host.note`.
type NoteFunction = unsafe extern "C" fn(i32);

/// A buffer of the caller's; what does not fit is left out.
struct Buffer<'a> {
    bytes: &'a mut [u8],
    used: usize,
}

impl Write for Buffer<'_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        // The last byte ends the string.
        let room = self.bytes.len().saturating_sub(self.used + 1);
        let text = &text.as_bytes()[..text.len().min(room)];
        self.bytes[self.used..self.used + text.len()].copy_from_slice(text);
        self.used += text.len();
        Ok(())
    }
}

/// Instantiates a linked module in a pool and calls an export of it with one argument.
///
/// Gives 0 and stores the result; or gives 1 for a trap and 2 for any other error, and stores a message.
///
/// # Safety
///
/// `module` is the symbol of an object file. The pool is for this call alone until it is over, and so is
/// `message`. `name` is a string of C, `note` a function that takes a number and does not unwind.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn static_module_call(
    module: &'static StaticModule,
    pool: *mut c_void,
    pool_size: usize,
    note: NoteFunction,
    name: *const c_char,
    argument: i32,
    result: &mut i32,
    message: *mut c_char,
    message_size: usize,
) -> i32 {
    // SAFETY: the caller's promise.
    let bytes = unsafe { std::slice::from_raw_parts_mut(message.cast::<u8>(), message_size) };
    bytes.fill(0);
    let mut buffer = Buffer { bytes, used: 0 };
    // SAFETY: the caller's promise.
    let name = unsafe { CStr::from_ptr(name) };
    let Some(pool) = NonNull::new(pool) else {
        return 2;
    };
    // SAFETY: the pool is ours until this function returns, and all that is made from it is gone then.
    let allocator = unsafe { Allocator::pool_at(pool.cast(), pool_size) };
    let called = allocator
        .map_err(|error| (2, write!(buffer, "{error}")))
        .and_then(|allocator| {
            call(module, allocator, note, name, argument).map_err(|error| {
                let trapped = matches!(error, Failure::Call(CallError::Trap(_)));
                (if trapped { 1 } else { 2 }, write!(buffer, "{error}"))
            })
        });
    match called {
        Ok(value) => {
            *result = value;
            0
        }
        Err((code, _)) => code,
    }
}

/// Why there is no result. Messages are written without memory.
enum Failure {
    Call(CallError),
    Load(precast_loader::LoadError),
    Memory(precast_loader::OutOfMemory),
    Other(&'static str),
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Failure::Call(error) => error.fmt(f),
            Failure::Load(error) => error.fmt(f),
            Failure::Memory(error) => error.fmt(f),
            Failure::Other(message) => f.write_str(message),
        }
    }
}

fn call(
    module: &'static StaticModule,
    allocator: Allocator,
    note: NoteFunction,
    name: &CStr,
    argument: i32,
) -> Result<i32, Failure> {
    let options = RuntimeOptions::default();
    let runtime = Runtime::with_allocator(allocator, options).map_err(Failure::Memory)?;
    let module = Module::from_static(&runtime, module).map_err(Failure::Load)?;
    // The bounds of the caller's stack would have to be asked of the system.
    let mut environment = runtime
        .execution_environment(Stack::Bytes(STACK))
        .map_err(|_| Failure::Other("there is no stack"))?;
    let mut imports = Imports::for_module(&module).map_err(Failure::Memory)?;
    let note = move |_: &mut Caller<'_>, value: i32| {
        // SAFETY: whoever called from C has promised that it is such a function.
        unsafe { note(value) }
    };
    imports
        .func("host", "note", note)
        .map_err(|_| Failure::Other("the import cannot be defined"))?;
    let instance = module
        .instantiate_in(&mut environment, &imports, InstanceOptions::default())
        .map_err(|_| Failure::Other("the module cannot be instantiated"))?;
    let name = name.to_str();
    let name = name.map_err(|_| Failure::Other("the name is not UTF-8"))?;
    let function = instance
        .func::<(i32,), i32>(name)
        .map_err(|_| Failure::Other("there is no such export"))?;
    function
        .call(&mut environment, (argument,))
        .map_err(Failure::Call)
}
