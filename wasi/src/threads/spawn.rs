//! `thread-spawn`: another instance, and a thread of the host that calls it.
//!
//! Everything that can fail is done before the function returns: the instance is made, its start
//! function included, its stack is there, and the system has a thread for it. So the program learns
//! from a negative number that there is no thread.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::thread::Builder;

use precast_loader::alloc::Shared;
use precast_loader::limits::HOST_STACK_MARGIN;
use precast_loader::{
    Caller, ExecutionEnvironment, InstantiateError, Stack, StackError, TypedFunc,
};

use super::ThreadStack;
use super::registry::{Failure, Registry};
use crate::errno::Errno;

/// What a thread of the host calls: its number, and what the program passed.
const START: &str = "wasi_thread_start";

/// Room on a thread's stack for functions of the host and for what the standard library does there,
/// in bytes. Only what is used becomes resident.
const HOST_BYTES: usize = 4 * HOST_STACK_MARGIN;

/// The function that the module imports. Its result is the number of the thread, or the number of an
/// error, negated.
pub(super) fn function(
    registry: Shared<Registry>,
) -> impl Fn(&mut Caller<'_>, u32) -> i32 + Send + Sync + 'static {
    move |_, argument| match spawn(&registry, argument) {
        // Numbers of threads have 29 bits.
        Ok(id) => id.cast_signed(),
        Err(error) => -i32::from(error.number()),
    }
}

/// A thread's instance, ready to be called. The function keeps it.
struct Prepared {
    start: TypedFunc<(u32, u32), ()>,
    environment: ExecutionEnvironment<'static>,
}

fn spawn(registry: &Shared<Registry>, argument: u32) -> Result<u32, Errno> {
    let reserved = registry.reserve()?;
    let options = registry.options();
    let give = |interrupter| reserved.set_interrupter(interrupter);
    let instance = registry.instantiate(options.instance, give);
    let instance = instance.map_err(|error| cannot_instantiate(&error))?;
    let start = instance.func(START).map_err(|_| Errno::NotSupported)?;
    let (stack, own) = stacks(options.stack);
    let environment = instance.execution_environment(stack);
    let prepared = Prepared {
        start,
        environment: environment.map_err(no_stack)?,
    };
    let id = reserved.id();
    let registry = registry.clone();
    reserved.launch(|| {
        let builder = Builder::new().name(format!("thread {id}"));
        builder
            .stack_size(own)
            .spawn(move || run(registry, prepared, id, argument))
    })
}

/// The life of a thread.
fn run(registry: Shared<Registry>, mut prepared: Prepared, id: u32, argument: u32) {
    let ended = catch_unwind(AssertUnwindSafe(|| {
        let environment = &mut prepared.environment;
        prepared.start.call(environment, (id, argument))
    }));
    // What is the thread's is gone before its place is free.
    drop(prepared);
    let failure = match ended {
        Ok(Ok(())) => None,
        Ok(Err(error)) => Some(Failure::Error(error)),
        Err(panic) => Some(Failure::Panic(panic)),
    };
    registry.finish(id, failure);
}

/// Where code has its stack, and how large the thread's own has to be.
fn stacks(stack: ThreadStack) -> (Stack<'static>, usize) {
    match stack {
        ThreadStack::Own(bytes) => {
            // More than there can be is the system's to refuse.
            let own = bytes.saturating_add(HOST_BYTES).min(usize::MAX / 4);
            (Stack::CallerBytes(bytes), own)
        }
        ThreadStack::Runtime(bytes) => (Stack::Bytes(bytes), HOST_BYTES),
    }
}

/// What the program gets to know of a stack that cannot be.
fn no_stack(error: StackError) -> Errno {
    match error {
        StackError::OutOfMemory(_) => Errno::NoMemory,
        _ => Errno::Invalid,
    }
}

/// What the program gets to know of an instance that cannot be.
fn cannot_instantiate(error: &InstantiateError) -> Errno {
    match error {
        InstantiateError::OutOfMemory(_) => Errno::NoMemory,
        InstantiateError::Link(_) => Errno::NotSupported,
        _ => Errno::Canceled,
    }
}
