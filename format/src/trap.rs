//! Trap codes: the one list from which the compiler's constants, the loader's errors and the
//! tables of `FORMAT.md` are made.
//!
//! A trap code is one byte in the trap table and the argument of the `raise` libcall. The numbers
//! are part of the artifact format and never change meaning.

use core::fmt;

use crate::plain::line;

macro_rules! trap_codes {
    ($($(#[$doc:meta])* $name:ident = $number:literal, $message:literal;)*) => {
        /// Why compiled code stopped. The messages are the ones of the specification's tests.
        #[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
        #[repr(u8)]
        #[non_exhaustive]
        pub enum TrapCode {
            $($(#[$doc])* $name = $number,)*
        }

        impl TrapCode {
            /// Every trap code, in the order of its number.
            pub const ALL: &'static [TrapCode] = &[$(TrapCode::$name,)*];

            /// The trap code with this number, or `None` where no code has it.
            pub const fn from_u8(number: u8) -> Option<TrapCode> {
                match number {
                    $($number => Some(TrapCode::$name),)*
                    _ => None,
                }
            }

            /// The name of the variant, as `FORMAT.md` lists it.
            pub const fn name(self) -> &'static str {
                line(concat!($(stringify!($name), "\n",)*), self as usize - 1)
            }

            /// What happened, as a phrase without a full stop.
            pub const fn message(self) -> &'static str {
                line(concat!($($message, "\n",)*), self as usize - 1)
            }
        }
    };
}

trap_codes! {
    /// An `unreachable` instruction was executed.
    Unreachable = 1, "unreachable";
    /// A load, store or bulk memory instruction left its linear memory.
    MemoryOutOfBounds = 2, "out of bounds memory access";
    /// A table instruction left its table.
    TableOutOfBounds = 3, "out of bounds table access";
    /// `call_indirect` with an index that the table does not have.
    UndefinedElement = 4, "undefined element";
    /// `call_indirect` to a null entry.
    UninitializedElement = 5, "uninitialized element";
    /// `call_indirect` to a function of another type.
    IndirectCallTypeMismatch = 6, "indirect call type mismatch";
    /// An integer division whose result does not fit.
    IntegerOverflow = 7, "integer overflow";
    /// An integer division or remainder by zero.
    IntegerDivideByZero = 8, "integer divide by zero";
    /// A float-to-integer conversion of a NaN.
    InvalidConversionToInteger = 9, "invalid conversion to integer";
    /// The call stack of the execution environment is used up.
    StackOverflow = 10, "call stack exhausted";
    /// An atomic access that is not naturally aligned.
    UnalignedAtomic = 11, "unaligned atomic";
    /// A null reference where the instruction needs an object.
    NullReference = 12, "null reference";
    /// `memory.atomic.wait` on a memory that is not shared.
    ExpectedSharedMemory = 13, "expected shared memory";
    /// The host asked the program to stop.
    Interrupted = 14, "interrupted";
    /// The auxiliary stack in linear memory is used up.
    AuxStackOverflow = 15, "auxiliary stack overflow";
    /// The auxiliary stack pointer rose above the stack's base.
    AuxStackUnderflow = 16, "auxiliary stack underflow";
    /// There was no memory for an object that the code needed.
    OutOfMemory = 17, "out of memory";
    /// A call of a null reference.
    NullFunctionReference = 18, "null function reference";
}

// Numbers follow each other, so that they are places in tables.
const _: () = {
    let mut index = 0;
    while index < TrapCode::ALL.len() {
        assert!(TrapCode::ALL[index] as usize == index + 1);
        index += 1;
    }
};

impl fmt::Display for TrapCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.message())
    }
}
