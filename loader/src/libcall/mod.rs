//! Libcalls: the helpers that compiled code calls.
//!
//! The list with signatures is the format crate's; here is one function for each, and the table
//! that compiled code indexes. The functions are called with the C convention, on the stack of
//! compiled code, of which they use [`LIBCALL_STACK_MARGIN`](crate::limits::LIBCALL_STACK_MARGIN)
//! bytes at most; those that may call the host leave for the thread's own stack. None of them
//! unwinds, and none of them ends the activation except `raise`, `throw` and `rethrow`: what traps
//! returns a code, and compiled code raises it.
//!
//! The context pointer that they get is the one of the instance that runs, whose group this
//! thread has entered.

mod atomic;
mod aux_stack;
pub(crate) mod exception;
mod float;
mod growth;
mod memory;
#[cfg(feature = "call-profile")]
pub(crate) mod profile;
mod table;
mod trap;

use core::ptr;

use precast_format::libcall::{Libcall, LibcallSet};
use precast_format::trap::TrapCode;

use crate::facility::{CallProfiles, Exceptions, Rounding, Threads};

/// The addresses of all libcalls, in the order of [`Libcall`].
#[repr(transparent)]
pub struct LibcallTable([*const (); Libcall::COUNT]);

// SAFETY: the addresses are those of functions.
unsafe impl Sync for LibcallTable {}

static TABLE: LibcallTable = LibcallTable(addresses());

/// The table that compiled code reaches through its context.
pub fn table() -> &'static LibcallTable {
    &TABLE
}

impl LibcallTable {
    /// Address of the first entry.
    pub fn as_ptr(&self) -> *const *const () {
        self.0.as_ptr()
    }

    /// Address of one helper, for code that calls it directly.
    pub fn address(&self, libcall: Libcall) -> *const () {
        self.0.get(libcall as usize).copied().unwrap_or(ptr::null())
    }
}

const fn addresses() -> [*const (); Libcall::COUNT] {
    let mut addresses = [ptr::null(); Libcall::COUNT];
    let mut index = 0;
    while index < Libcall::COUNT {
        addresses[index] = address(Libcall::ALL[index]);
        index += 1;
    }
    addresses
}

/// The function behind each name; the compiler demands that none is missing.
const fn address(libcall: Libcall) -> *const () {
    match libcall {
        // Artifacts whose code calls them are refused.
        _ if !is_offered(libcall) => ptr::null(),
        Libcall::Raise => trap::RAISE as *const (),
        Libcall::MemoryGrow => memory::memory_grow as *const (),
        Libcall::MemoryCopy => memory::memory_copy as *const (),
        Libcall::MemoryFill => memory::memory_fill as *const (),
        Libcall::MemoryInit => memory::memory_init as *const (),
        Libcall::DataDrop => memory::data_drop as *const (),
        Libcall::TableGrow => table::table_grow as *const (),
        Libcall::TableFill => table::table_fill as *const (),
        Libcall::TableCopy => table::table_copy as *const (),
        Libcall::TableInit => table::table_init as *const (),
        Libcall::ElemDrop => table::elem_drop as *const (),
        Libcall::CeilF32 => float::ceil_f32 as *const (),
        Libcall::CeilF64 => float::ceil_f64 as *const (),
        Libcall::FloorF32 => float::floor_f32 as *const (),
        Libcall::FloorF64 => float::floor_f64 as *const (),
        Libcall::TruncF32 => float::trunc_f32 as *const (),
        Libcall::TruncF64 => float::trunc_f64 as *const (),
        Libcall::NearestF32 => float::nearest_f32 as *const (),
        Libcall::NearestF64 => float::nearest_f64 as *const (),
        Libcall::ExceptionNew => exception::EXCEPTION_NEW as *const (),
        Libcall::Throw => exception::THROW as *const (),
        Libcall::Rethrow => exception::RETHROW as *const (),
        #[cfg(feature = "call-profile")]
        Libcall::ProfileEnter => profile::profile_enter as *const (),
        #[cfg(feature = "call-profile")]
        Libcall::ProfileLeave => profile::profile_leave as *const (),
        #[cfg(not(feature = "call-profile"))]
        Libcall::ProfileEnter | Libcall::ProfileLeave => ptr::null(),
        Libcall::MemoryAtomicWait32 => atomic::memory_atomic_wait32 as *const (),
        Libcall::MemoryAtomicWait64 => atomic::memory_atomic_wait64 as *const (),
        Libcall::MemoryAtomicNotify => atomic::memory_atomic_notify as *const (),
        Libcall::AuxStackBounds => aux_stack::aux_stack_bounds as *const (),
    }
}

/// Whether this loader has the facility that a helper belongs to.
pub(crate) const fn is_offered(libcall: Libcall) -> bool {
    (Exceptions::IS_BUILT_IN || !of_exceptions().contains(libcall))
        && (Threads::IS_BUILT_IN || !of_threads().contains(libcall))
        && (Rounding::IS_BUILT_IN || !of_rounding().contains(libcall))
        && (CallProfiles::IS_BUILT_IN || !of_profile().contains(libcall))
}

/// The helpers for exceptions.
pub(crate) const fn of_exceptions() -> LibcallSet {
    LibcallSet(0)
        .with(Libcall::ExceptionNew)
        .with(Libcall::Throw)
        .with(Libcall::Rethrow)
}

/// The helpers for threads.
pub(crate) const fn of_threads() -> LibcallSet {
    LibcallSet(0)
        .with(Libcall::MemoryAtomicWait32)
        .with(Libcall::MemoryAtomicWait64)
        .with(Libcall::MemoryAtomicNotify)
}

/// The helpers that round.
pub(crate) const fn of_rounding() -> LibcallSet {
    LibcallSet(0)
        .with(Libcall::CeilF32)
        .with(Libcall::CeilF64)
        .with(Libcall::FloorF32)
        .with(Libcall::FloorF64)
        .with(Libcall::TruncF32)
        .with(Libcall::TruncF64)
        .with(Libcall::NearestF32)
        .with(Libcall::NearestF64)
}

/// The helpers that count calls.
pub(crate) const fn of_profile() -> LibcallSet {
    LibcallSet(0)
        .with(Libcall::ProfileEnter)
        .with(Libcall::ProfileLeave)
}

/// How a helper says whether it trapped: zero, or the number of the code.
fn status(result: Result<(), TrapCode>) -> u32 {
    match result {
        Ok(()) => 0,
        Err(code) => code as u32,
    }
}

/// What growth returns where it fails.
const FAILED: u64 = u64::MAX;
