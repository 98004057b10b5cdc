//! How much native stack the module's calls can take, as the compiler proved it.
#![forbid(unsafe_code)]

use precast_format::stack_depth::{self, region_size};
use precast_format::types::ExternKind;

use super::Module;

/// What a call of a function by the host can take of the native stack.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum StackDepth {
    /// At most so much.
    #[non_exhaustive]
    Bounded {
        /// Bytes that compiled code takes: entry trampoline, functions, and the adapters through which
        /// it calls the host.
        bytes: usize,
        /// Size of a region on which the call cannot overflow, for
        /// [`Stack::Bytes`](crate::Stack::Bytes) and [`Stack::Region`](crate::Stack::Region): the
        /// bytes, the stack reserve of the module, and
        /// [`LIBCALL_STACK_MARGIN`](crate::limits::LIBCALL_STACK_MARGIN).
        region: usize,
        /// Whether imported functions can be called on the way. The numbers hold where these are functions of the host that do not call back: those run on the thread's own
        /// stack. What a function of another instance takes comes on top, and so does each call back
        /// into an instance.
        imports: bool,
    },
    /// There is no bound: a function can be called while it is active.
    #[non_exhaustive]
    Recursion {
        /// A function of the cycle, by its index; see [`Module::function_name`].
        function: u32,
    },
    /// There is no bound: a call goes through a table that can hold functions of others.
    #[non_exhaustive]
    UnknownCallee {
        /// The function that makes the call, by its index; see [`Module::function_name`].
        function: u32,
    },
}

impl StackDepth {
    /// Size of a region on which the call cannot overflow, where there is one.
    pub fn region(&self) -> Option<usize> {
        match self {
            StackDepth::Bounded { region, .. } => Some(*region),
            _ => None,
        }
    }
}

impl Module {
    /// What a call of an exported function can take of the native stack. `None` where there is no
    /// such export, where it is imported, and where the artifact does not say.
    pub fn stack_depth(&self, export: &str) -> Option<StackDepth> {
        let export = self.artifact().exports().lookup(export)?;
        if export.kind != ExternKind::Function {
            return None;
        }
        self.stack_depth_of(export.index)
    }

    /// What the start function can take of the native stack, if there is one: instantiation calls
    /// it.
    pub fn start_stack_depth(&self) -> Option<StackDepth> {
        self.stack_depth_of(self.artifact().start_function()?)
    }

    fn stack_depth_of(&self, function: u32) -> Option<StackDepth> {
        Some(match self.artifact().stack_depth(function)? {
            stack_depth::StackDepth::Bytes { bytes, imports } => {
                let reserve = self.artifact().header().tunables.stack_reserve;
                let region = usize::try_from(region_size(bytes, reserve));
                StackDepth::Bounded {
                    bytes: bytes as usize,
                    region: region.unwrap_or(usize::MAX),
                    imports,
                }
            }
            stack_depth::StackDepth::Recursion { function } => StackDepth::Recursion { function },
            stack_depth::StackDepth::UnknownCallee { function } => {
                StackDepth::UnknownCallee { function }
            }
        })
    }
}
