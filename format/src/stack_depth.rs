//! How much native stack calls can take: what the compiler proved, for the loader and for reports.
//!
//! Bytes count from the stack pointer of whoever makes the call, the call's own return address
//! included. They hold for compiled code and for its adapters. What is beyond them comes on top:
//! libcalls have a margin of their own, host functions run on the thread's stack, and functions of
//! other instances have bounds of their own.

use crate::libcall::LIBCALL_STACK;

/// What a stack pointer is a multiple of at a call, so much of a region can be lost at each end.
const ALIGNMENT: u64 = 16;

/// The bound of what a call from the host can take.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct StackBound {
    /// The function, imports first; a defined one.
    pub function: u32,
    /// The bound, or why there is none.
    pub depth: StackDepth,
}

/// How deep a call can go.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum StackDepth {
    /// At most so many bytes, the entry trampoline included.
    Bytes {
        /// The bytes; `u32::MAX - 1` stands for more.
        bytes: u32,
        /// Whether imported functions can be called on the way. The bytes include the adapters
        /// through which they are called. What they do is not known here: should they call back, or
        /// be functions of another instance, then that takes its own stack.
        imports: bool,
    },
    /// A function can be called while it is active: there is no bound.
    Recursion {
        /// A function of the cycle.
        function: u32,
    },
    /// A call goes through a table that can hold functions of others: there is no bound.
    UnknownCallee {
        /// The function that makes the call.
        function: u32,
    },
}

/// How deep a function can go, and the step that leads there.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct FunctionDepth {
    /// Bytes from its caller's stack pointer; none where there is no bound. `u32::MAX - 1` stands
    /// for more.
    pub depth: Option<u32>,
    /// Where the deepest path goes on; without a bound, the way to the reason.
    pub step: DepthStep,
}

/// A step of a path.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum DepthStep {
    /// The path ends here.
    End,
    /// A function is called.
    Call {
        /// The callee, imports first.
        callee: u32,
        /// How.
        kind: CallKind,
        /// File offset of the instruction in the wasm module.
        wasm_offset: u32,
    },
    /// A call goes to what is not known.
    Unknown {
        /// File offset of the instruction in the wasm module.
        wasm_offset: u32,
    },
}

/// How a function is called.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum CallKind {
    /// By its name.
    Direct,
    /// Through a table that can hold it.
    Indirect,
    /// By its name, in place of the caller.
    Tail,
    /// Through a table that can hold it, in place of the caller.
    IndirectTail,
}

impl CallKind {
    /// Whether the caller's frame is gone when the callee runs.
    pub const fn is_tail(self) -> bool {
        matches!(self, CallKind::Tail | CallKind::IndirectTail)
    }

    /// Whether the call goes through a table.
    pub const fn is_indirect(self) -> bool {
        matches!(self, CallKind::Indirect | CallKind::IndirectTail)
    }
}

/// The size of a stack region on which a call that takes so many bytes cannot overflow, wherever the
/// region begins: with the reserve below the limit, which checked code does not touch, and with the
/// margin of libcalls.
pub const fn region_size(bytes: u32, stack_reserve: u32) -> u64 {
    bytes as u64 + stack_reserve as u64 + LIBCALL_STACK as u64 + 2 * ALIGNMENT
}
