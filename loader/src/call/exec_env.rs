//! Execution environments: the native stack that calls may use.
//!
//! Compiled code compares its stack pointer with a limit in the instance context, or runs into a
//! guard page. The environment says which stack that is and where it ends: the calling thread's
//! own, or a [region](crate::call::stack) beside it.
//!
//! # Signal stacks
//!
//! Where overflow is noticed by a guard page, or faults of code on a region are traps, the handler
//! needs an alternate stack. It belongs to the thread: all runtimes of the process share it, and it
//! outlives them. So it is in no runtime's account.
#![forbid(unsafe_code)]

use core::mem::MaybeUninit;

use crate::call::caller::Caller;
use crate::call::error::StackError;
use crate::call::stack::{CallStack, StackRegion};
use crate::limits::DEFAULT_STACK;
use crate::runtime::Runtime;

/// Where calls have their native stack.
///
/// Code on a stack of its own needs room for compiled functions and the loader's helpers only: the
/// module's stack reserve, [`LIBCALL_STACK_MARGIN`](crate::limits::LIBCALL_STACK_MARGIN), and the
/// frames of the functions that are active at the same time. Host functions always run on the
/// calling thread's own stack. Signal handlers of the host that do not ask for the alternate stack
/// (`SA_ONSTACK`) run where the signal finds the thread, and need room there.
///
/// Bytecode never runs on a thread's own stack: the interpreter and what it calls do. Where it is
/// called on the caller's stack, each call from the host takes a region of the same size from the
/// runtime's allocator, counted as [`Category::CallStack`](crate::Category::CallStack), and gives it
/// back at its end. An environment with a region takes nothing at calls.
#[derive(Debug)]
#[non_exhaustive]
pub enum Stack<'a> {
    /// The calling thread's own stack, down to the default limit of
    /// [`DEFAULT_STACK`](crate::limits::DEFAULT_STACK) bytes.
    Caller,
    /// The calling thread's own stack, down to this many bytes below the call. Code that relies on
    /// a guard page ends where the thread's stack does. For bytecode, a region of so many bytes.
    CallerBytes(usize),
    /// A stack of so many bytes that the runtime allocates; zero is the default size. Where the
    /// runtime may map memory, the size is rounded up to pages and there is a guard page below.
    Bytes(usize),
    /// A stack that the host provides. Code that relies on a guard page does not run on it.
    Region(&'a mut [MaybeUninit<u8>]),
}

/// What a host needs to call into compiled code: a bounded stack.
///
/// One environment serves one call at a time; each thread that calls makes its own. Dropping it
/// gives its memory back.
#[derive(Debug)]
pub struct ExecutionEnvironment<'a> {
    runtime: Runtime,
    stack: Place<'a>,
}

/// A stack as the environment keeps it.
#[derive(Debug)]
enum Place<'a> {
    /// The thread's, so many bytes of it.
    Caller(usize),
    /// A region.
    Region(StackRegion<'a>),
}

impl<'a> ExecutionEnvironment<'a> {
    /// An environment for calls into instances of the runtime. Allocates for [`Stack::Bytes`] only.
    ///
    /// # Errors
    ///
    /// When the stack cannot be allocated, or is too small for any module.
    pub fn new(
        runtime: &Runtime,
        stack: Stack<'a>,
    ) -> Result<ExecutionEnvironment<'a>, StackError> {
        let stack = match stack {
            Stack::Caller => Place::Caller(DEFAULT_STACK),
            Stack::CallerBytes(bytes) => Place::Caller(bytes),
            Stack::Bytes(bytes) => {
                let guarded = runtime.device().guard_pages;
                let region = StackRegion::allocate(runtime.allocator(), bytes, guarded)?;
                Place::Region(region)
            }
            Stack::Region(region) => Place::Region(StackRegion::borrow(region)?),
        };
        Ok(ExecutionEnvironment {
            runtime: runtime.clone(),
            stack,
        })
    }

    /// The runtime that the environment belongs to.
    pub fn runtime(&self) -> &Runtime {
        &self.runtime
    }

    /// Fills the environment's stack, so that [`stack_high_water`](Self::stack_high_water) can tell
    /// how much of it calls use from now on. This touches all of it: every page is then resident.
    /// Without effect where calls run on the thread's own stack.
    pub fn measure_stack(&mut self) {
        if let Place::Region(region) = &mut self.stack {
            region.measure();
        }
    }

    /// The most bytes of its stack that calls have used since
    /// [`measure_stack`](Self::measure_stack); none without that, and on the thread's own stack.
    ///
    /// Bytes count from the top of the region to the lowest one that was written.
    pub fn stack_high_water(&self) -> Option<usize> {
        match &self.stack {
            Place::Caller(_) => None,
            Place::Region(region) => region.high_water(),
        }
    }

    /// The stack of the next call.
    pub(crate) fn stack(&self) -> CallStack {
        match &self.stack {
            Place::Caller(bytes) => {
                // The address of a local is near enough to the stack pointer.
                let here = 0u8;
                let position = core::ptr::from_ref(&here).addr();
                CallStack {
                    // Whoever enters the code keeps away from the end of the thread's stack.
                    floor: position.saturating_sub(*bytes),
                    bytes: *bytes,
                    region: None,
                }
            }
            Place::Region(region) => region.call_stack(),
        }
    }
}

/// From where compiled code can be called: an [`ExecutionEnvironment`], or the [`Caller`] that a
/// host function got.
pub trait CallContext: sealed::Sealed {
    /// The stack of the next call.
    #[doc(hidden)]
    fn call_stack(&self) -> CallStack;
}

mod sealed {
    /// Keeps the trait closed.
    pub trait Sealed {}
}

impl sealed::Sealed for ExecutionEnvironment<'_> {}

impl CallContext for ExecutionEnvironment<'_> {
    fn call_stack(&self) -> CallStack {
        self.stack()
    }
}

impl sealed::Sealed for Caller<'_> {}

impl CallContext for Caller<'_> {
    fn call_stack(&self) -> CallStack {
        // The call continues on the stack of the one in progress.
        self.inherited_stack()
    }
}
