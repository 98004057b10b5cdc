//! Why a program did not run to its end. Messages are written to the console and need no memory.

use core::fmt;
use precast_loader::{
    CallError, ExportError, InstantiateError, LoadError, OutOfMemory, StackError,
};

macro_rules! failures {
    ($($(#[$doc:meta])* $name:ident($error:ty),)*) => {
        /// An error of the loader's, or of the firmware's own.
        pub enum Failure {
            $($(#[$doc])* $name($error),)*
            /// A pool can be taken once.
            PoolIsTaken,
            /// The program computed something else than it should.
            WrongResult,
        }

        $(impl From<$error> for Failure {
            fn from(error: $error) -> Failure {
                Failure::$name(error)
            }
        })*

        impl fmt::Display for Failure {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                match self {
                    $(Failure::$name(error) => error.fmt(f),)*
                    Failure::PoolIsTaken => f.write_str("the pool is taken"),
                    Failure::WrongResult => f.write_str("the result is wrong"),
                }
            }
        }
    };
}

failures! {
    /// The pool is full.
    Memory(OutOfMemory),
    /// The module does not fit this device.
    Load(LoadError),
    /// The module asks for something that it does not get.
    Instantiate(InstantiateError),
    /// There is no such function.
    Export(ExportError),
    /// There is no stack.
    Stack(StackError),
    /// A call did not return.
    Call(CallError),
}
