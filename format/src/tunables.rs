//! The choices that compiled code and loader must agree on, recorded in the header.

use crate::types::{MemoryType, WASM_PAGE_SIZE_LOG2};

/// An enumeration stored as one byte.
macro_rules! byte_enum {
    ($(#[$doc:meta])* $name:ident { $($(#[$variant_doc:meta])* $variant:ident = $number:literal, $text:literal;)* }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
        #[repr(u8)]
        pub enum $name {
            $($(#[$variant_doc])* $variant = $number,)*
        }

        impl $name {
            /// Every value.
            pub const ALL: &'static [$name] = &[$($name::$variant,)*];

            /// The value with this number.
            pub const fn from_u8(number: u8) -> Option<$name> {
                match number {
                    $($number => Some($name::$variant),)*
                    _ => None,
                }
            }

            /// The value's name on the command line.
            pub const fn name(self) -> &'static str {
                // Numbers follow each other.
                let index = self as usize - $name::ALL[0] as usize;
                crate::plain::line(concat!($($text, "\n",)*), index)
            }
        }

        // Numbers follow each other, so that they are places in tables.
        const _: () = {
            let mut index = 0;
            while index < $name::ALL.len() {
                assert!($name::ALL[index] as usize == index + $name::ALL[0] as usize);
                index += 1;
            }
        };
    };
}

pub(crate) use byte_enum;

byte_enum! {
    /// How accesses to linear memory stay inside it.
    BoundsChecks {
        /// Reserved address space around memories whose index is 32 bits wide; no code. Other
        /// memories are compared in code.
        Guard = 1, "guard";
        /// Compared in code; memories may move.
        Explicit = 2, "explicit";
        /// Not at all: for trusted code only.
        None = 3, "none";
    }
}

impl BoundsChecks {
    /// Whether a memory of this type has reserved address space around it: code relies on that,
    /// and the loader provides it.
    pub const fn guards(self, memory: &MemoryType) -> bool {
        matches!(self, BoundsChecks::Guard)
            && !memory.is_64
            && memory.page_size_log2 == WASM_PAGE_SIZE_LOG2
    }
}

byte_enum! {
    /// How overflow of the call stack is noticed.
    StackChecks {
        /// A compare against the limit in the context.
        Explicit = 1, "explicit";
        /// A guard page at the end of the stack.
        Guard = 2, "guard";
        /// Not at all: for trusted code only.
        None = 3, "none";
    }
}

byte_enum! {
    /// How traps are raised.
    TrapMode {
        /// By instructions that stop: hardware faults, caught by signal handlers; in bytecode, traps
        /// of the interpreter.
        Signals = 1, "signals";
        /// By compiled checks and calls; no signal handler.
        Explicit = 2, "explicit";
    }
}

byte_enum! {
    /// How text refers to the loader.
    RelocationModel {
        /// Addresses of libcalls are patched into a private copy of the text.
        Direct = 1, "direct";
        /// No relocation touches text; libcalls are reached through the context.
        Xip = 2, "xip";
    }
}

/// The header's record of what the code was compiled for.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
// As many bytes on 32-bit x86, whose 64-bit numbers are aligned to four, as everywhere else.
#[repr(align(8))]
pub struct Tunables {
    /// How memory accesses are checked.
    pub bounds_checks: BoundsChecks,
    /// How stack overflow is noticed.
    pub stack_checks: StackChecks,
    /// How traps are raised.
    pub trap_mode: TrapMode,
    /// How text refers to the loader.
    pub relocation_model: RelocationModel,
    /// Whether code counts the calls of each function and the time in it, by
    /// [`ProfileEnter`](crate::libcall::Libcall::ProfileEnter) and its counterpart.
    pub call_profile: bool,
    /// Whether code looks for [`Field::Interrupt`](crate::context::Field::Interrupt) at the start of
    /// each function and of each turn of a loop.
    pub interrupt_checks: bool,
    /// Address space that a guarded memory needs from its base, in bytes, without the guard.
    pub memory_reservation: u64,
    /// Inaccessible bytes after the reservation.
    pub memory_guard: u64,
    /// How far below the stack limit code goes without asking, in bytes: frames that are taken
    /// before they are checked, functions that call nothing, trampolines and adapters. Libcalls and
    /// the entry of host functions need room below that.
    pub stack_reserve: u32,
}
