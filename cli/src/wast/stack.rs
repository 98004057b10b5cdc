//! On which stack a script's functions run, and whether that was as large as it had to be.
//!
//! Where the compiler gave a function a bound, the function runs on a region of just the size that
//! the loader names for it. Running out of it, or using more than the bound, is a failure.

use super::machine::Problem;
use precast_loader::limits::LIBCALL_STACK_MARGIN;
use precast_loader::{CallError, ExecutionEnvironment, Instance, Stack, StackDepth, TrapCode};
use std::sync::Mutex;

/// On which stacks functions run.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Stacks {
    /// The caller's own.
    Caller,
    /// Those with a bound on a region that is just enough.
    Bounded,
}

/// How near runs came to the bounds of their stacks.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct StackFigures {
    /// Calls with a bound.
    pub calls: u64,
    /// Bytes that they used, together.
    pub used: u64,
    /// Bytes that they may have used, together.
    pub bound: u64,
}

impl StackFigures {
    /// Adds the figures of other calls.
    pub fn add(&mut self, other: StackFigures) {
        self.calls += other.calls;
        self.used += other.used;
        self.bound += other.bound;
    }
}

/// Makes environments, and looks at what was used of them.
pub struct StackKeeper {
    stacks: Stacks,
    figures: Mutex<StackFigures>,
}

impl StackKeeper {
    /// A keeper of such stacks.
    pub fn new(stacks: Stacks) -> StackKeeper {
        StackKeeper {
            stacks,
            figures: Mutex::default(),
        }
    }

    /// The figures of all calls so far.
    pub fn figures(&self) -> StackFigures {
        match self.figures.lock() {
            Ok(figures) => *figures,
            Err(poisoned) => *poisoned.into_inner(),
        }
    }

    /// Makes a call of an exported function in an environment that suits it.
    pub fn call(
        &self,
        instance: &Instance,
        name: &str,
        call: impl FnOnce(&mut ExecutionEnvironment<'static>) -> Result<(), CallError>,
    ) -> Result<(), Problem> {
        let depth = match self.stacks {
            Stacks::Caller => None,
            Stacks::Bounded => instance.module().stack_depth(name),
        };
        // What imports take may be on this stack, too.
        let Some(StackDepth::Bounded {
            bytes,
            region,
            imports: false,
            ..
        }) = depth
        else {
            let environment = instance.execution_environment(Stack::Caller);
            return Ok(call(&mut environment.map_err(CallError::from)?)?);
        };
        let environment = instance.execution_environment(Stack::Bytes(region));
        let mut environment = environment.map_err(CallError::from)?;
        environment.measure_stack();
        let result = call(&mut environment);
        if let Err(CallError::Trap(trap)) = &result
            && trap.code() == TrapCode::StackOverflow
        {
            let message = format!("`{name}` overflowed a stack of {region} bytes");
            return Err(Problem::Failed(message));
        }
        let used = environment.stack_high_water().unwrap_or(0);
        if used > bytes + LIBCALL_STACK_MARGIN {
            let message = format!("`{name}` used {used} bytes of stack, {bytes} at most");
            return Err(Problem::Failed(message));
        }
        if let Ok(mut figures) = self.figures.lock() {
            figures.add(StackFigures {
                calls: 1,
                used: used.min(bytes) as u64,
                bound: bytes as u64,
            });
        }
        Ok(result?)
    }
}
