//! Execution environments: the native stack that calls may use.
//!
//! Compiled code compares its stack pointer with a limit in the instance context. The environment
//! says how far below the caller's frame that limit lies; it is never closer to the end of the
//! thread's stack than what host functions need.
#![forbid(unsafe_code)]

use crate::call::caller::Caller;
use crate::limits::DEFAULT_STACK;
use crate::runtime::Runtime;

/// Where calls have their native stack.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum Stack {
    /// The calling thread's own stack, down to the default limit.
    Caller,
    /// The calling thread's own stack, down to this many bytes below the call.
    CallerBytes(usize),
}

impl Stack {
    /// How many bytes a call may use.
    fn bytes(self) -> usize {
        match self {
            Stack::Caller => DEFAULT_STACK,
            Stack::CallerBytes(bytes) => bytes,
        }
    }
}

/// What a host needs to call into compiled code: a bounded stack.
///
/// One environment serves one thread at a time; each thread that calls makes its own.
#[derive(Debug)]
pub struct ExecutionEnvironment {
    runtime: Runtime,
    stack: Stack,
}

impl ExecutionEnvironment {
    /// An environment for calls into instances of the runtime.
    pub fn new(runtime: &Runtime, stack: Stack) -> ExecutionEnvironment {
        ExecutionEnvironment {
            runtime: runtime.clone(),
            stack,
        }
    }

    /// The runtime that the environment belongs to.
    pub fn runtime(&self) -> &Runtime {
        &self.runtime
    }
}

/// From where compiled code can be called: an [`ExecutionEnvironment`], or the [`Caller`] that a
/// host function got.
pub trait CallContext: sealed::Sealed {
    /// The lowest stack address that compiled code may reach.
    #[doc(hidden)]
    fn stack_limit(&self) -> usize;
}

mod sealed {
    /// Keeps the trait closed.
    pub trait Sealed {}
}

impl sealed::Sealed for ExecutionEnvironment {}

impl CallContext for ExecutionEnvironment {
    fn stack_limit(&self) -> usize {
        // The address of a local is near enough to the stack pointer.
        let here = 0u8;
        let position = core::ptr::from_ref(&here).addr();
        // Whoever enters the code keeps away from the end of the thread's stack.
        position.saturating_sub(self.stack.bytes())
    }
}

impl sealed::Sealed for Caller<'_> {}

impl CallContext for Caller<'_> {
    fn stack_limit(&self) -> usize {
        // The call continues on the stack of the one in progress.
        self.inherited_stack_limit()
    }
}
