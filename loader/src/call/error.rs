//! What a call can end with instead of results.
//!
//! [`HostError`] is what a host function returns; [`CallError`] is what the caller of compiled code
//! gets. A [`Trap`] carries the code and where it happened.
#![forbid(unsafe_code)]

use core::fmt;

use precast_format::brief::{self, MESSAGES};
use precast_format::plain::{Decimal, Signed};
use precast_format::trap::TrapCode;

use crate::alloc::{OutOfMemory, String};
use crate::call::backtrace::Backtrace;
use crate::exception::handle::Exception;
use crate::exception::uncaught::UncaughtException;
use crate::group::Busy;
use crate::instance::heap::HeapError;
#[cfg(not(feature = "std"))]
use crate::memory::address::AddressError;
use crate::types::{FuncType, GlobalType, TableType};

#[cfg(feature = "std")]
use std::boxed::Box;

/// Compiled code stopped. The instance stays usable.
#[derive(Debug)]
pub struct Trap {
    code: TrapCode,
    backtrace: Backtrace,
}

impl Trap {
    pub(crate) fn new(code: TrapCode, backtrace: Backtrace) -> Trap {
        Trap { code, backtrace }
    }

    /// Why it stopped.
    pub fn code(&self) -> TrapCode {
        self.code
    }

    /// The functions that were active, innermost first.
    pub fn backtrace(&self) -> &Backtrace {
        &self.backtrace
    }
}

impl fmt::Display for Trap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "wasm trap: {}", self.code)?;
        fmt::Display::fmt(&self.backtrace, f)
    }
}

impl core::error::Error for Trap {}

/// Why a call did not return.
#[must_use]
#[non_exhaustive]
#[derive(Debug)]
pub enum CallError {
    /// Compiled code trapped.
    Trap(Trap),
    /// A host function ended the program with this exit code.
    Exit(i32),
    /// A host function failed.
    Host(HostError),
    /// An exception left the function. The instances stay usable.
    Exception(UncaughtException),
    /// The instances are in use. Nothing was called.
    Busy(Busy),
    /// There is not enough memory to pass the values. Nothing was called.
    OutOfMemory(OutOfMemory),
    /// The values do not have the function's type. Nothing was called.
    Mismatch {
        /// The function's type.
        expected: FuncType,
    },
    /// The value does not have the global's type, or the global is immutable. Nothing was changed.
    GlobalMismatch {
        /// The global's type.
        expected: GlobalType,
    },
    /// The value does not have the table's element type. Nothing was changed.
    TableMismatch {
        /// The table's type.
        expected: TableType,
    },
    /// The values do not have the tag's types. Nothing was made.
    TagMismatch {
        /// The types, as the parameters of a function.
        expected: FuncType,
    },
    /// The range leaves the memory or the table. Nothing was changed.
    OutOfBounds,
    /// A value belongs to another runtime. Nothing was called.
    OtherRuntime,
    /// A function that the host made has no code by which these instances could call it. Import it
    /// into an instance and pass what that exports; or compile one of the modules with
    /// `--host-references`, and load it with the feature `host-references`. Nothing was called.
    HostFunctionReference,
    /// The artifact has no entry for functions of this type, because it exports none. Nothing was
    /// called.
    NotCallable,
    /// The environment's stack does not serve the module. Nothing was called.
    Stack(StackError),
    /// Nothing that the host makes can be imported, because this loader was built without the feature
    /// `linking`. Define it in the module, or build the loader with that.
    NotBuiltIn,
}

precast_format::brief!(CallError: Trap Exit Host Exception Busy OutOfMemory Mismatch GlobalMismatch TableMismatch TagMismatch OutOfBounds OtherRuntime HostFunctionReference NotCallable Stack NotBuiltIn);

/// Why a stack does not serve.
#[must_use]
#[non_exhaustive]
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum StackError {
    /// There is not enough memory for it.
    OutOfMemory(OutOfMemory),
    /// It is too small for any call. Provide at least as much, and what the functions need.
    TooSmall {
        /// Bytes with which a call can begin, wherever the region lies.
        needed: usize,
    },
    /// The module notices overflow by a guard page, and the stack has none. Use the thread's own
    /// stack or one that a runtime allocates which may map memory, or compile with explicit stack
    /// checks.
    NoGuard,
    /// Bytecode would come to calls of native code, or the other way round: they have no stack in
    /// common. Compile all modules that share functions, tables, memories or globals for the same
    /// target; host functions can call both.
    Mixed,
}

precast_format::brief!(StackError: OutOfMemory TooSmall NoGuard Mixed);

impl From<OutOfMemory> for StackError {
    fn from(error: OutOfMemory) -> StackError {
        StackError::OutOfMemory(error)
    }
}

impl fmt::Display for StackError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !MESSAGES {
            return brief::write(self, f);
        }
        match self {
            StackError::OutOfMemory(error) => write!(f, "cannot make the call stack: {error}"),
            StackError::TooSmall { needed } => {
                write!(
                    f,
                    "the call stack is too small; it needs at least {} bytes",
                    Decimal(*needed as u64)
                )
            }
            StackError::NoGuard => f.write_str(
                "the module relies on a guard page at the end of the call stack, which this stack \
                 does not have; use the thread's own stack or one that a runtime with guard pages \
                 allocates, or compile with explicit stack checks",
            ),
            StackError::Mixed => f.write_str(
                "native code and bytecode cannot call each other; compile both modules for the \
                 same target",
            ),
        }
    }
}

impl core::error::Error for StackError {}

impl fmt::Display for CallError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            CallError::Trap(trap) => trap.fmt(f),
            CallError::Host(error) => error.fmt(f),
            CallError::Exception(exception) => exception.fmt(f),
            _ if !MESSAGES => brief::write(self, f),
            CallError::Exit(code) => write!(
                f,
                "the program ended with exit code {}",
                Signed(i64::from(*code))
            ),
            CallError::Busy(error) => error.fmt(f),
            CallError::OutOfMemory(error) => write!(f, "cannot call the function: {error}"),
            CallError::Mismatch { expected } => {
                write!(f, "the values do not fit the function's type {expected}")
            }
            CallError::GlobalMismatch { expected } => {
                write!(
                    f,
                    "the value does not fit the global's type {}",
                    expected.value
                )?;
                if expected.mutable {
                    Ok(())
                } else {
                    f.write_str(", or the global is immutable")
                }
            }
            CallError::TableMismatch { expected } => {
                write!(
                    f,
                    "the value does not fit the table's element type {}",
                    expected.element
                )
            }
            CallError::TagMismatch { expected } => {
                write!(f, "the values do not fit the tag's types {expected}")
            }
            CallError::OutOfBounds => f.write_str("the range leaves the memory or the table"),
            CallError::OtherRuntime => f.write_str("a value belongs to another runtime"),
            CallError::HostFunctionReference => f.write_str(
                "a host function cannot be a reference by itself here; import it into an instance that \
                 exports it again, or compile the module with --host-references for a loader with the \
                 feature `host-references`",
            ),
            CallError::NotCallable => {
                f.write_str("the artifact has no entry for functions of this type")
            }
            CallError::Stack(error) => error.fmt(f),
            CallError::NotBuiltIn => f.write_str(
                "this loader links nothing but host functions; build it with the feature `linking`",
            ),
        }
    }
}

impl core::error::Error for CallError {}

impl From<Busy> for CallError {
    fn from(busy: Busy) -> CallError {
        CallError::Busy(busy)
    }
}

impl From<StackError> for CallError {
    fn from(error: StackError) -> CallError {
        match error {
            StackError::OutOfMemory(error) => CallError::OutOfMemory(error),
            error => CallError::Stack(error),
        }
    }
}

impl From<OutOfMemory> for CallError {
    fn from(error: OutOfMemory) -> CallError {
        CallError::OutOfMemory(error)
    }
}

/// Why a host function did not return.
///
/// With the feature `std`, every error type converts into it, so that `?` works in host functions;
/// a [`CallError`] from a call back into WebAssembly goes on as what it is, also out of a
/// [`HeapError`].
#[non_exhaustive]
#[derive(Debug)]
pub enum HostError {
    /// The call traps with this code.
    Trap(TrapCode),
    /// The program is over; the code travels to the caller as [`CallError::Exit`].
    Exit(i32),
    /// What went wrong, in words.
    Message(&'static str),
    /// What went wrong, in words that were made for it.
    Text(String),
    /// A call back into WebAssembly trapped.
    Nested(Trap),
    /// The function throws this exception: one that it made, or one that left a call back into
    /// WebAssembly. The code that called the function can catch it.
    Exception(UncaughtException),
    /// Any error of the host.
    #[cfg(feature = "std")]
    Other(Box<dyn core::error::Error + Send + Sync>),
}

impl HostError {
    /// What a failed call back into WebAssembly means to the function that made it.
    pub(crate) fn from_call(error: CallError) -> HostError {
        match error {
            CallError::Trap(trap) => HostError::Nested(trap),
            CallError::Exit(code) => HostError::Exit(code),
            CallError::Host(error) => error,
            CallError::Exception(exception) => HostError::Exception(exception),
            CallError::Busy(_) => HostError::Message("the instance is in use"),
            CallError::OutOfMemory(_) => HostError::Message("out of memory"),
            CallError::Mismatch { .. } => {
                HostError::Message("the values do not fit the function's type")
            }
            CallError::GlobalMismatch { .. } => {
                HostError::Message("the value does not fit the global's type")
            }
            CallError::TableMismatch { .. } => {
                HostError::Message("the value does not fit the table's element type")
            }
            CallError::TagMismatch { .. } => {
                HostError::Message("the values do not fit the tag's types")
            }
            CallError::OutOfBounds => {
                HostError::Message("the range leaves the memory or the table")
            }
            CallError::OtherRuntime => HostError::Message("a value belongs to another runtime"),
            CallError::HostFunctionReference => {
                HostError::Message("a host function cannot be a reference by itself")
            }
            CallError::NotCallable => {
                HostError::Message("the artifact has no entry for functions of this type")
            }
            CallError::Stack(_) => HostError::Message("the call stack does not serve the module"),
            CallError::NotBuiltIn => {
                HostError::Message("this loader links nothing but host functions")
            }
        }
    }
}

impl HostError {
    /// What a failed allocation inside of the program means to the function that wanted it.
    fn from_heap(error: HeapError) -> HostError {
        match error {
            HeapError::Call(error) => HostError::from_call(error),
            #[cfg(feature = "std")]
            error => HostError::Other(Box::new(error)),
            #[cfg(not(feature = "std"))]
            error => HostError::Message(error.text()),
        }
    }
}

impl fmt::Display for HostError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            HostError::Trap(code) => write!(f, "wasm trap: {code}"),
            HostError::Exit(code) => write!(
                f,
                "the program ended with exit code {}",
                Signed(i64::from(*code))
            ),
            HostError::Message(message) => f.write_str(message),
            HostError::Text(text) => f.write_str(text),
            HostError::Nested(trap) => trap.fmt(f),
            HostError::Exception(exception) => exception.fmt(f),
            #[cfg(feature = "std")]
            HostError::Other(error) => error.fmt(f),
        }
    }
}

#[cfg(feature = "std")]
impl<E: core::error::Error + Send + Sync + 'static> From<E> for HostError {
    fn from(error: E) -> HostError {
        let error: Box<dyn core::error::Error + Send + Sync> = Box::new(error);
        match error.downcast::<CallError>() {
            Ok(error) => HostError::from_call(*error),
            Err(error) => match error.downcast::<HeapError>() {
                Ok(error) => HostError::from_heap(*error),
                Err(error) => match error.downcast::<UncaughtException>() {
                    Ok(exception) => HostError::Exception(*exception),
                    Err(error) => HostError::Other(error),
                },
            },
        }
    }
}

impl From<Exception> for HostError {
    fn from(exception: Exception) -> HostError {
        HostError::Exception(exception.into())
    }
}

#[cfg(not(feature = "std"))]
impl From<UncaughtException> for HostError {
    fn from(exception: UncaughtException) -> HostError {
        HostError::Exception(exception)
    }
}

#[cfg(not(feature = "std"))]
impl From<CallError> for HostError {
    fn from(error: CallError) -> HostError {
        HostError::from_call(error)
    }
}

#[cfg(not(feature = "std"))]
impl From<Busy> for HostError {
    fn from(error: Busy) -> HostError {
        HostError::from_call(CallError::Busy(error))
    }
}

#[cfg(not(feature = "std"))]
impl From<OutOfMemory> for HostError {
    fn from(error: OutOfMemory) -> HostError {
        HostError::from_call(CallError::OutOfMemory(error))
    }
}

#[cfg(not(feature = "std"))]
impl From<HeapError> for HostError {
    fn from(error: HeapError) -> HostError {
        HostError::from_heap(error)
    }
}

#[cfg(not(feature = "std"))]
impl From<AddressError> for HostError {
    fn from(error: AddressError) -> HostError {
        HostError::Message(error.text())
    }
}
