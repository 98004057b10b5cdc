//! The auxiliary stack: the stack that compilers of C keep in linear memory.
//!
//! ```text
//!   below the data     | stack <- | data | heap ->         limit is zero
//!   after the data     | data | stack <- | heap ->         limit is the end of the data
//! ```
//!
//! It grows downwards, and its pointer is a global. The compiler says which one, what told it so,
//! and between which values the pointer has to stay.

use crate::tunables::byte_enum;

byte_enum! {
    /// What told the compiler which global is the stack pointer.
    AuxStackEvidence {
        /// It is exported as `__stack_pointer`.
        Export = 1, "exported as __stack_pointer";
        /// It has this name in the name section.
        Name = 2, "named __stack_pointer";
        /// It is imported under this name: the program is linked when it runs.
        Import = 3, "imported as __stack_pointer";
        /// The first mutable global of the memory's index type; its initial value is where a
        /// linker puts the base of the stack, and functions take frames from it.
        InitialValue = 4, "initial value";
    }
}

byte_enum! {
    /// What told the compiler where the stack is.
    AuxStackBounds {
        /// Nothing: the limit is not known, and the base is no more than the initial value.
        Unknown = 0, "unknown";
        /// It is below the data, because `__data_end` is above the initial value.
        BelowDataEnd = 1, "below the data, by __data_end";
        /// It is below the data, because all segments are above the initial value.
        BelowSegments = 2, "below the data, by the data segments";
        /// It is between `__data_end` and the initial value, below `__heap_base`.
        AboveDataEnd = 3, "after the data, by __data_end";
    }
}

/// The stack in linear memory. It grows downwards.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct AuxStack {
    /// The global that is the stack pointer, imports first.
    pub global: u32,
    /// What told the compiler so.
    pub evidence: AuxStackEvidence,
    /// What told the compiler where the stack is.
    pub bounds: AuxStackBounds,
    /// Whether compiled code checks each new value of the pointer.
    pub checked: bool,
    /// The lowest valid value; zero where it is not known.
    pub limit: u64,
    /// The highest valid value: the initial one; zero where that is not known.
    pub base: u64,
}

impl AuxStack {
    /// How many bytes the stack has, where that is known.
    pub fn size(&self) -> Option<u64> {
        match self.bounds {
            AuxStackBounds::Unknown => None,
            _ => self.base.checked_sub(self.limit),
        }
    }
}
