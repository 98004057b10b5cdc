//! Why the host did not get memory inside of the program's.
#![forbid(unsafe_code)]

use core::fmt;

use crate::call::error::CallError;
use crate::group::Busy;

/// Why memory of a program's heap was not allocated or freed.
#[must_use]
#[derive(Debug)]
#[non_exhaustive]
pub enum HeapError {
    /// The program has no heap. Instantiate it with
    /// [`InstanceOptions::heap_size`](crate::InstanceOptions::heap_size), or export `malloc` and
    /// `free` from the module.
    NoHeap,
    /// There is no hole of so many bytes, or the program's allocator says so. Free something, ask
    /// for a larger app heap, or raise the memory's maximum for the program's own.
    OutOfMemory {
        /// How many bytes were asked for.
        requested: u64,
    },
    /// No allocation begins at the address, or it was freed before. Free what was allocated, once.
    NotAnAllocation {
        /// The address.
        address: u64,
    },
    /// The program's allocator returned an address whose bytes are not in the memory. The program
    /// is broken; do not use it any further.
    BadAddress {
        /// The address.
        address: u64,
        /// How many bytes were asked for.
        requested: u64,
    },
    /// The program's allocator could not be called, or did not return.
    Call(CallError),
}

impl HeapError {
    /// What is wrong, without the numbers.
    #[cfg(not(feature = "std"))]
    pub(crate) fn text(&self) -> &'static str {
        match self {
            HeapError::NoHeap => "the program has no heap",
            HeapError::OutOfMemory { .. } => "the program's heap has no room",
            HeapError::NotAnAllocation { .. } => "no allocation begins at the address",
            HeapError::BadAddress { .. } => "the program's allocator returned a wrong address",
            HeapError::Call(_) => "the program's allocator did not return",
        }
    }
}

impl From<CallError> for HeapError {
    fn from(error: CallError) -> HeapError {
        HeapError::Call(error)
    }
}

impl From<Busy> for HeapError {
    fn from(busy: Busy) -> HeapError {
        HeapError::Call(CallError::Busy(busy))
    }
}

impl fmt::Display for HeapError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            HeapError::NoHeap => f.write_str(
                "the program has no heap: instantiate it with a heap size, or export malloc and \
                 free from the module",
            ),
            HeapError::OutOfMemory { requested } => {
                write!(f, "the program's heap has no room for {requested} bytes")
            }
            HeapError::NotAnAllocation { address } => {
                write!(f, "no allocation begins at address {address:#x}")
            }
            HeapError::BadAddress { address, requested } => write!(
                f,
                "the program's allocator returned address {address:#x} for {requested} bytes, \
                 which leave the memory"
            ),
            HeapError::Call(error) => error.fmt(f),
        }
    }
}

impl core::error::Error for HeapError {}
