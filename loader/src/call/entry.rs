//! Entering compiled code, and what comes back.
//!
//! ```text
//!   host frame: activation, failure of a host function
//!     entry trampoline (compiled): saves registers, fills the activation, calls the code
//!       compiled code ... host adapter -> host function -> (this again)
//! ```
//!
//! The trampoline returns zero, or one after a trap; it restores the registers either way. The
//! stack limit and the activation of the entered context are put back afterwards, so that calls
//! nest.

use core::mem;
use core::ptr::NonNull;

use precast_format::context::Field;
use precast_format::trap::TrapCode;

use crate::alloc::{Category, OutOfMemory};
use crate::call::backtrace::Backtrace;
use crate::call::error::{CallError, HostError, Trap};
use crate::call::value::Slot;
use crate::group::Entered;
use crate::instance::InstanceData;
use crate::instance::record::{FunctionRecordData, Owner};
use crate::limits::HOST_STACK_MARGIN;
use crate::sys::thread;
use crate::trap::{Activation, Pending};

#[cfg(feature = "std")]
use std::boxed::Box;

/// An entry trampoline: context, code, values, activation; one after a trap.
type EntryTrampoline = unsafe extern "C" fn(*mut u8, *const u8, *mut Slot, *mut Activation) -> u32;

/// What a host function left behind when it did not return.
pub(crate) enum Failure {
    /// It returned an error.
    Host(HostError),
    /// It panicked.
    #[cfg(feature = "std")]
    Panic(Box<dyn core::any::Any + Send>),
}

/// Calls the function behind a record.
///
/// # Safety
///
/// 1. The record belongs to a member of the group.
/// 2. `slots` holds the parameters of the function's type, and has room for its results.
pub(crate) unsafe fn call(
    record: NonNull<FunctionRecordData>,
    slots: &mut [Slot],
    stack_limit: usize,
    group: &Entered<'_>,
) -> Result<(), CallError> {
    // SAFETY: 1; the group outlives the call.
    match unsafe { Owner::of(record) } {
        Owner::Instance(instance, local_type) => {
            // SAFETY: 1; records do not change after instantiation.
            let code = unsafe { record.read() }.code;
            // SAFETY: 2; the code is the record's, of that type.
            unsafe { call_code(instance, code, local_type, slots, stack_limit, group) }
        }
        Owner::Host(host) => {
            // SAFETY: the importing instance is a member of the group, too.
            let instance = unsafe { host.owner.as_ref() };
            activate(instance, stack_limit, group, |_| {
                // SAFETY: the group is entered, `activate` has set the activation, and 2.
                unsafe { host.function.invoke(instance.context().pointer(), slots) }
            })
        }
    }
}

/// Calls code of an instance.
///
/// # Safety
///
/// 1. The instance is a member of the group.
/// 2. `code` is the address of a defined function of the instance, and `type_index` its type.
/// 3. `slots` holds the parameters of the type, and has room for its results.
pub(crate) unsafe fn call_code(
    instance: &InstanceData,
    code: usize,
    type_index: u32,
    slots: &mut [Slot],
    stack_limit: usize,
    group: &Entered<'_>,
) -> Result<(), CallError> {
    let address = instance
        .module()
        .entry_trampoline(type_index)
        .ok_or(CallError::NotCallable)?;
    // SAFETY: the artifact says that an entry trampoline is there, and whoever loaded it answers
    // for that.
    let trampoline = unsafe { mem::transmute::<*const u8, EntryTrampoline>(address) };
    activate(instance, stack_limit, group, |activation| {
        let context = instance.context().pointer().as_ptr();
        let code = core::ptr::with_exposed_provenance(code);
        // SAFETY: 1, 2, 3, and the activation is current.
        unsafe { trampoline(context, code, slots.as_mut_ptr(), activation) }
    })
}

/// Runs code with an activation that its context knows, and turns what ended it into a result.
fn activate(
    instance: &InstanceData,
    stack_limit: usize,
    group: &Entered<'_>,
    run: impl FnOnce(*mut Activation) -> u32,
) -> Result<(), CallError> {
    if instance.module().needs_signal_stack() {
        let error = OutOfMemory::new(Category::SignalStack, thread::signal_stack_size());
        thread::ensure_signal_stack().map_err(|_| error)?;
    }
    let context = instance.context();
    let mut failure: Option<Failure> = None;
    // Where the system does not say where the stack is, every address may be on it.
    let (lowest, highest) = thread::stack_bounds().unwrap_or((0, usize::MAX));
    let mut activation = Activation::new(thread::current_activation(), lowest, highest);
    let needed = HOST_STACK_MARGIN.saturating_add(instance.module().stack_reserve());
    let stack_limit = stack_limit.max(lowest.saturating_add(needed));
    activation.host_error = (&raw mut failure).cast();
    let pointer = &raw mut activation;
    // Code need not look at the limit in every function, so host functions that call back for ever
    // are stopped here.
    if pointer.addr() < stack_limit {
        let trap = Trap::new(TrapCode::StackOverflow, Backtrace::empty());
        return Err(CallError::Trap(trap));
    }

    let outer_limit = context.field(Field::StackLimit);
    let outer_activation = context.field(Field::Activation);
    context.set_field(Field::StackLimit, stack_limit);
    context.set_field(Field::Activation, pointer.expose_provenance());
    thread::set_current_activation(pointer);
    let status = run(pointer);
    // SAFETY: the activation is this frame's; compiled code and handlers are done with it.
    let activation = unsafe { &*pointer };
    thread::set_current_activation(activation.previous);
    context.set_field(Field::Activation, outer_activation);
    context.set_field(Field::StackLimit, outer_limit);

    if status == 0 {
        return Ok(());
    }
    match failure.take() {
        #[cfg(feature = "std")]
        Some(Failure::Panic(payload)) => std::panic::resume_unwind(payload),
        Some(Failure::Host(HostError::Exit(code))) => Err(CallError::Exit(code)),
        Some(Failure::Host(HostError::Nested(trap))) => Err(CallError::Trap(trap)),
        Some(Failure::Host(HostError::Trap(code))) => Err(CallError::Trap(Trap::new(
            code,
            Backtrace::resolve(activation, group),
        ))),
        Some(Failure::Host(error)) => Err(CallError::Host(error)),
        None => {
            let code = match activation.pending {
                Pending::Trap(info) => info.code,
                // Nothing was recorded; the program stopped all the same.
                _ => TrapCode::Unreachable,
            };
            Err(CallError::Trap(Trap::new(
                code,
                Backtrace::resolve(activation, group),
            )))
        }
    }
}

/// Whether a host function has the stack that it may expect. Code whose stack is not compared with
/// a limit can come closer to the end.
///
/// # Safety
///
/// As for [`record_failure`].
pub(crate) unsafe fn has_host_stack(context: NonNull<u8>) -> bool {
    // SAFETY: the caller's promise.
    let activation = unsafe { activation_of(context) };
    // SAFETY: the activation is that of the call in progress; nobody else looks at it now.
    let lowest = unsafe { (*activation).stack_lowest };
    let here = 0u8;
    (&raw const here).addr() > lowest.saturating_add(HOST_STACK_MARGIN / 2)
}

/// The activation of the call in progress.
///
/// # Safety
///
/// `context` is the context pointer of a live instance whose group is entered.
unsafe fn activation_of(context: NonNull<u8>) -> *mut Activation {
    // SAFETY: the caller's promise.
    let instance = unsafe { InstanceData::from_context(context) };
    core::ptr::with_exposed_provenance_mut(instance.context().field(Field::Activation))
}

/// Writes down why a host function did not return, for the call in progress.
///
/// # Safety
///
/// 1. `context` is the context pointer of a live instance whose group is entered.
/// 2. Its activation field points to the activation of a call in progress, made by `activate`.
pub(crate) unsafe fn record_failure(context: NonNull<u8>, failure: Failure) {
    // SAFETY: 1.
    let activation = unsafe { activation_of(context) };
    // SAFETY: 2; whoever made it looks at it through the same pointer, and only afterwards.
    let activation = unsafe { &mut *activation };
    activation.pending = Pending::HostError;
    let slot: *mut Option<Failure> = activation.host_error.cast();
    // SAFETY: 2; `activate` lets the pointer point to its own slot, which outlives the call.
    unsafe { *slot = Some(failure) };
}
