//! Bounds on what the loader accepts and keeps, so that no artifact can make it use more.
#![forbid(unsafe_code)]

/// Stack that a call may use by default, in bytes.
pub const DEFAULT_STACK: usize = 1 << 20;

/// Stack that is left to host functions below the limit of compiled code, in bytes. A call does not
/// begin with less than this left of the thread's own stack.
pub const HOST_STACK_MARGIN: usize = 128 << 10;

/// Stack that a host function has at least, in bytes; those of WASI are host functions, too. Code that
/// relies on a guard page can come closer to the end of the thread's stack: host functions do not
/// start there, the call traps instead. One that needs more has to look for it itself.
pub const HOST_STACK: usize = HOST_STACK_MARGIN / 2;

/// Stack that a call or an instantiation needs to find out that there is not enough for it, in bytes:
/// whoever begins one with less than this left of the thread's stack overflows it. Calls take about a
/// quarter of that.
pub const ENTRY_STACK: usize = 8 << 10;

/// Stack below compiled code that libcalls may use, in bytes: the return address of their call
/// included. What grows memories and tables runs on the thread's own stack and is not part of it.
pub const LIBCALL_STACK_MARGIN: usize = precast_format::libcall::LIBCALL_STACK as usize;

/// Largest number of elements of a table, and of all tables of a new instance together.
pub const MAX_TABLE_ELEMENTS: u64 = 10_000_000;

/// Address space of a guarded memory that the host makes: whatever a 32-bit index can reach.
pub const HOST_MEMORY_RESERVATION: u64 = 4 << 30;

/// Guard of a guarded memory that the host makes: whatever a 32-bit offset adds.
pub const HOST_MEMORY_GUARD: u64 = 4 << 30;
