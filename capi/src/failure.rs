//! Why a function of the library did not do what it should, before C is told.
#![forbid(unsafe_code)]

use core::fmt;

use precast_loader::{
    AddressError, AuxStackError, Backtrace, Busy, CallError, Exception, ExportError, HeapError,
    HostError, InstantiateError, LoadError, OutOfMemory, StackError,
};

use crate::status::precast_status::{self, *};

/// What went wrong.
pub enum Failure {
    /// The argument with this name is null.
    Null(&'static str),
    /// The argument with this name is no handle, or another's.
    Handle(&'static str),
    /// The object behind the argument is in use.
    InUse(&'static str),
    /// The argument with this name is no value for it, and why.
    Argument(&'static str, &'static str),
    /// The structure is of a newer header and says what we do not understand.
    UnknownOption(&'static str),
    /// The buffer with this name has no room for so many.
    Short(&'static str, usize),
    /// There is none of these.
    NotFound(&'static str),
    /// Something has another type.
    Mismatch(&'static str),
    /// Something does not grow.
    CannotGrow(&'static str),
    /// An object belongs to another runtime.
    OtherRuntime,
    /// The library was built without.
    Unsupported(&'static str),
    /// There is no memory.
    OutOfMemory(OutOfMemory),
    /// Somebody else is inside.
    Busy(Busy),
    /// An artifact was refused.
    Load(LoadError),
    /// There is no instance.
    Instantiate(InstantiateError),
    /// A call did not return, or a value was not taken.
    Call(CallError),
    /// There is no such export.
    Export(ExportError),
    /// There is nothing at the address.
    Address(AddressError),
    /// The program's heap refused.
    Heap(HeapError),
    /// There is no such stack.
    Stack(StackError),
    /// The auxiliary stack is not measured.
    AuxStack(AuxStackError),
    /// There is no WASI context.
    #[cfg(feature = "wasi")]
    Wasi(precast_wasi::BuildError),
    /// The system refused something of WASI's.
    #[cfg(feature = "wasi")]
    System(std::io::Error),
    /// There is no plan.
    #[cfg(feature = "plan")]
    Plan(precast_loader::plan::PlanError),
    /// C has been told already, and this is what the function returns.
    Reported(precast_status),
    /// The library panicked.
    #[cfg(feature = "std")]
    Panic,
}

impl Failure {
    /// The failure as a number.
    pub fn status(&self) -> precast_status {
        match self {
            Failure::Null(_) => PRECAST_NULL_ARGUMENT,
            Failure::Handle(_) => PRECAST_INVALID_HANDLE,
            Failure::Argument(..) => PRECAST_INVALID_ARGUMENT,
            Failure::UnknownOption(_) => PRECAST_UNKNOWN_OPTION,
            Failure::Short(..) => PRECAST_BUFFER_TOO_SMALL,
            Failure::NotFound(_) => PRECAST_NOT_FOUND,
            Failure::Mismatch(_) => PRECAST_TYPE_MISMATCH,
            Failure::CannotGrow(_) => PRECAST_CANNOT_GROW,
            Failure::OtherRuntime => PRECAST_OTHER_RUNTIME,
            Failure::Unsupported(_) => PRECAST_UNSUPPORTED,
            Failure::OutOfMemory(_) => PRECAST_OUT_OF_MEMORY,
            Failure::InUse(_) | Failure::Busy(_) => PRECAST_BUSY,
            Failure::Load(error) => load_status(error),
            Failure::Instantiate(error) => instantiate_status(error),
            Failure::Call(error) => call_status(error),
            Failure::Export(ExportError::Missing) => PRECAST_NOT_FOUND,
            Failure::Export(_) => PRECAST_TYPE_MISMATCH,
            Failure::Address(AddressError::NoMemory) => PRECAST_NOT_FOUND,
            Failure::Address(AddressError::Busy(_)) => PRECAST_BUSY,
            Failure::Address(_) => PRECAST_OUT_OF_BOUNDS,
            Failure::Heap(error) => heap_status(error),
            Failure::Stack(error) => stack_status(error),
            Failure::AuxStack(AuxStackError::Busy(_)) => PRECAST_BUSY,
            Failure::AuxStack(_) => PRECAST_UNSUPPORTED,
            #[cfg(feature = "wasi")]
            Failure::Wasi(precast_wasi::BuildError::OutOfMemory(_)) => PRECAST_OUT_OF_MEMORY,
            #[cfg(feature = "wasi")]
            Failure::Wasi(_) => PRECAST_INVALID_ARGUMENT,
            #[cfg(feature = "wasi")]
            Failure::System(_) => PRECAST_SYSTEM_ERROR,
            #[cfg(feature = "plan")]
            Failure::Plan(error) => plan_status(error),
            Failure::Reported(status) => *status,
            #[cfg(feature = "std")]
            Failure::Panic => PRECAST_PANIC,
        }
    }

    /// The call that failed, if that is what happened.
    pub fn call(&self) -> Option<&CallError> {
        match self {
            Failure::Call(error)
            | Failure::Heap(HeapError::Call(error))
            | Failure::Instantiate(InstantiateError::Start(error)) => Some(error),
            _ => None,
        }
    }

    /// The trap's number, or zero.
    pub fn trap_code(&self) -> u32 {
        match (self, self.call()) {
            (Failure::Instantiate(InstantiateError::Trap(trap)), _)
            | (_, Some(CallError::Trap(trap))) => trap.code() as u32,
            _ => 0,
        }
    }

    /// The active functions, if code stopped.
    pub fn backtrace(&self) -> Option<&Backtrace> {
        match (self, self.call()) {
            (Failure::Instantiate(InstantiateError::Trap(trap)), _)
            | (_, Some(CallError::Trap(trap) | CallError::Host(HostError::Nested(trap)))) => {
                Some(trap.backtrace())
            }
            (_, Some(CallError::Exception(exception))) => Some(exception.backtrace()),
            _ => None,
        }
    }

    /// The exception that left a call.
    pub fn exception(&self) -> Option<&Exception> {
        match self.call() {
            Some(CallError::Exception(thrown)) => Some(thrown.exception()),
            _ => None,
        }
    }

    /// The code with which a program ended itself.
    pub fn exit_code(&self) -> Option<i32> {
        match self.call() {
            Some(CallError::Exit(code)) => Some(*code),
            _ => None,
        }
    }

    /// The system's number, or zero.
    pub fn os_error(&self) -> i32 {
        match self {
            Failure::Load(
                LoadError::Code { os_error }
                | LoadError::File { os_error }
                | LoadError::SignalHandlers { os_error },
            ) => *os_error,
            #[cfg(feature = "wasi")]
            Failure::System(error) => error.raw_os_error().unwrap_or(0),
            _ => 0,
        }
    }
}

fn load_status(error: &LoadError) -> precast_status {
    match error {
        LoadError::Malformed(_)
        | LoadError::Relocation { .. }
        | LoadError::Adapter { .. }
        | LoadError::StaticModule(_) => PRECAST_MALFORMED,
        LoadError::Untrusted(_) => PRECAST_UNTRUSTED,
        LoadError::OutOfMemory(_) => PRECAST_OUT_OF_MEMORY,
        LoadError::Code { .. } | LoadError::File { .. } | LoadError::SignalHandlers { .. } => {
            PRECAST_SYSTEM_ERROR
        }
        _ => PRECAST_INCOMPATIBLE,
    }
}

fn instantiate_status(error: &InstantiateError) -> precast_status {
    match error {
        InstantiateError::Link(_) | InstantiateError::NoAdapter(_) => PRECAST_LINK_ERROR,
        InstantiateError::Trap(_) => PRECAST_TRAP,
        InstantiateError::Start(error) => call_status(error),
        InstantiateError::Stack(error) => stack_status(error),
        InstantiateError::Busy(_) => PRECAST_BUSY,
        InstantiateError::AppHeap(_) => PRECAST_NO_HEAP,
        InstantiateError::OutOfMemory(_) => PRECAST_OUT_OF_MEMORY,
        InstantiateError::OtherRuntime => PRECAST_OTHER_RUNTIME,
        _ => PRECAST_UNSUPPORTED,
    }
}

fn call_status(error: &CallError) -> precast_status {
    match error {
        CallError::Trap(_) => PRECAST_TRAP,
        CallError::Exit(_) => PRECAST_EXIT,
        CallError::Host(_) => PRECAST_HOST_ERROR,
        CallError::Exception(_) => PRECAST_EXCEPTION,
        CallError::Busy(_) => PRECAST_BUSY,
        CallError::OutOfMemory(_) => PRECAST_OUT_OF_MEMORY,
        CallError::Mismatch { .. }
        | CallError::GlobalMismatch { .. }
        | CallError::TableMismatch { .. }
        | CallError::TagMismatch { .. } => PRECAST_TYPE_MISMATCH,
        CallError::OutOfBounds => PRECAST_OUT_OF_BOUNDS,
        CallError::OtherRuntime => PRECAST_OTHER_RUNTIME,
        CallError::Stack(error) => stack_status(error),
        _ => PRECAST_UNSUPPORTED,
    }
}

fn heap_status(error: &HeapError) -> precast_status {
    match error {
        HeapError::NoHeap => PRECAST_NO_HEAP,
        HeapError::OutOfMemory { .. } => PRECAST_OUT_OF_MEMORY,
        HeapError::NotAnAllocation { .. } => PRECAST_INVALID_ARGUMENT,
        HeapError::Call(error) => call_status(error),
        _ => PRECAST_OUT_OF_BOUNDS,
    }
}

fn stack_status(error: &StackError) -> precast_status {
    match error {
        StackError::OutOfMemory(_) => PRECAST_OUT_OF_MEMORY,
        _ => PRECAST_STACK_ERROR,
    }
}

#[cfg(feature = "plan")]
fn plan_status(error: &precast_loader::plan::PlanError) -> precast_status {
    use precast_loader::plan::PlanError;
    match error {
        PlanError::Malformed(_) => PRECAST_MALFORMED,
        PlanError::AppHeap(_) => PRECAST_NO_HEAP,
        _ => PRECAST_INCOMPATIBLE,
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Failure::Null(name) => write!(f, "`{name}` is null"),
            Failure::Handle(name) => {
                write!(f, "`{name}` is no handle of the right kind, or was freed")
            }
            Failure::InUse(name) => write!(f, "`{name}` is in use"),
            Failure::Argument(name, why) => write!(f, "`{name}` {why}"),
            Failure::UnknownOption(name) => write!(
                f,
                "`{name}` is of a newer header than this library and sets what it does not know"
            ),
            Failure::Short(name, needed) => write!(f, "`{name}` has no room for {needed}"),
            Failure::NotFound(what) => write!(f, "there is no such {what}"),
            Failure::Mismatch(what) => f.write_str(what),
            Failure::CannotGrow(what) => write!(f, "limits or memory do not let the {what} grow"),
            Failure::OtherRuntime => f.write_str("an object belongs to another runtime"),
            Failure::Unsupported(what) => f.write_str(what),
            Failure::OutOfMemory(error) => error.fmt(f),
            Failure::Busy(error) => error.fmt(f),
            Failure::Load(error) => error.fmt(f),
            Failure::Instantiate(error) => error.fmt(f),
            Failure::Call(error) => error.fmt(f),
            Failure::Export(error) => error.fmt(f),
            Failure::Address(error) => error.fmt(f),
            Failure::Heap(error) => error.fmt(f),
            Failure::Stack(error) => error.fmt(f),
            Failure::AuxStack(error) => error.fmt(f),
            #[cfg(feature = "wasi")]
            Failure::Wasi(error) => error.fmt(f),
            #[cfg(feature = "wasi")]
            Failure::System(error) => error.fmt(f),
            #[cfg(feature = "plan")]
            Failure::Plan(error) => error.fmt(f),
            Failure::Reported(_) => f.write_str("see above"),
            #[cfg(feature = "std")]
            Failure::Panic => f.write_str("the library panicked, which is a mistake in it"),
        }
    }
}

macro_rules! convert {
    ($($(#[$attribute:meta])* $name:ident($error:ty),)*) => {
        $(
            $(#[$attribute])*
            impl From<$error> for Failure {
                fn from(error: $error) -> Failure {
                    Failure::$name(error)
                }
            }
        )*
    };
}

convert! {
    OutOfMemory(OutOfMemory),
    Busy(Busy),
    Load(LoadError),
    Instantiate(InstantiateError),
    Call(CallError),
    Export(ExportError),
    Address(AddressError),
    Heap(HeapError),
    Stack(StackError),
    AuxStack(AuxStackError),
    #[cfg(feature = "wasi")]
    Wasi(precast_wasi::BuildError),
    #[cfg(feature = "wasi")]
    System(std::io::Error),
    #[cfg(feature = "plan")]
    Plan(precast_loader::plan::PlanError),
}
