//! Entering compiled code, and what comes back.
//!
//! ```text
//!   host frame: activation, failure of a host function
//!     entry trampoline (compiled): saves registers, fills the activation, calls the code
//!       compiled code ... host adapter -> host function -> (this again)
//! ```
//!
//! Where calls have a region, the trampoline and compiled code are on it, and all else is on the
//! thread's own stack. Each side writes into the activation how far its stack is used before it
//! goes to the other:
//!
//! ```text
//!   thread's stack            region
//!   activation A
//!   enters -----------------> trampoline, compiled code, host adapter
//!   host function <---------- leaves
//!   activation B
//!   enters -----------------> trampoline, compiled code           (below the adapter)
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
use crate::call::error::{CallError, HostError, StackError, Trap};
#[cfg(feature = "pulley")]
use crate::call::stack::StackRegion;
use crate::call::stack::{CallStack, RegionPart};
use crate::call::value::Slot;
use crate::exception::handle::Exception;
use crate::exception::uncaught::UncaughtException;
use crate::facility::{Exceptions, Signals};
use crate::group::Entered;
use crate::instance::InstanceData;
use crate::instance::context::NATIVE_WIDTH;
use crate::instance::record::{FunctionRecordData, Owner};
use crate::limits::{HOST_STACK, HOST_STACK_MARGIN};
use crate::sys::{isa, thread};
use crate::trap::{Activation, Pending, unwind};

#[cfg(feature = "std")]
use std::boxed::Box;

/// An entry trampoline: context, code, values, activation; one after a trap.
type EntryTrampoline = unsafe extern "C" fn(*mut u8, *const u8, *mut Slot, *mut Activation) -> u32;

/// Host code that compiled code reaches on the thread's own stack.
pub(crate) type ThreadStackCode = unsafe extern "C" fn(*const (), *const (), *const ()) -> usize;

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
    stack: &CallStack,
    group: &Entered<'_>,
) -> Result<(), CallError> {
    // SAFETY: 1; the group outlives the call.
    match unsafe { Owner::of(record) } {
        Owner::Instance(instance, local_type) => {
            // SAFETY: 1; records do not change after instantiation.
            let code = unsafe { record.read() }.code;
            // SAFETY: 2; the code is the record's, of that type.
            unsafe { call_code(instance, code, local_type, slots, stack, group) }
        }
        Owner::Host(host) => {
            // SAFETY: the importing instance is a member of the group, too.
            let instance = unsafe { host.owner.as_ref() };
            let mut run = |_: *mut Activation| {
                // SAFETY: the group is entered, `activate` has set the activation, and 2.
                unsafe { host.function.invoke(instance.context().pointer(), slots) }
            };
            activate(instance, stack, group, &mut run)
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
    stack: &CallStack,
    group: &Entered<'_>,
) -> Result<(), CallError> {
    let address = instance
        .module()
        .entry_trampoline(type_index)
        .ok_or_else(|| CallError::NotCallable)?;
    // SAFETY: the artifact says that an entry trampoline is there, and whoever loaded it answers
    // for that.
    let trampoline = unsafe { mem::transmute::<*const u8, EntryTrampoline>(address) };
    #[cfg(feature = "pulley")]
    if instance.module().is_bytecode() {
        // SAFETY: 1, 2 and 3; the address is that of the trampoline.
        return unsafe { interpret_code(instance, address, code, slots, stack, group) };
    }
    let mut run = |activation: *mut Activation| {
        let context = instance.context().pointer().as_ptr();
        let code = core::ptr::with_exposed_provenance(code);
        let values = slots.as_mut_ptr();
        match stack.region {
            // SAFETY: 1, 2, 3, and the activation is current.
            None => unsafe { trampoline(context, code, values, activation) },
            Some(region) => {
                // SAFETY: as above; the region is nobody else's for the time of the call, `activate`
                // has found it large enough, and the slot is the activation's.
                unsafe { enter_region(trampoline, context, code, values, activation, region.top) }
            }
        }
    };
    activate(instance, stack, group, &mut run)
}

/// Calls bytecode of an instance: on the region that the call has, or else on one for this call.
///
/// # Safety
///
/// As for [`call_code`], with the trampoline for the type.
#[cfg(feature = "pulley")]
unsafe fn interpret_code(
    instance: &InstanceData,
    trampoline: *const u8,
    code: usize,
    slots: &mut [Slot],
    stack: &CallStack,
    group: &Entered<'_>,
) -> Result<(), CallError> {
    let own;
    let mut stack = *stack;
    let region = match stack.region {
        Some(region) => region,
        None => {
            let allocator = instance.module().runtime().allocator();
            own = StackRegion::allocate(allocator, stack.bytes, false)?;
            stack = own.call_stack();
            match stack.region {
                Some(region) => region,
                None => return Err(CallError::NotCallable),
            }
        }
    };
    let trampoline = NonNull::new(trampoline.cast_mut()).ok_or_else(|| CallError::NotCallable)?;
    let mut run = |activation: *mut Activation| {
        let context = instance.context().pointer().as_ptr();
        let code = core::ptr::with_exposed_provenance(code);
        let (values, top) = (slots.as_mut_ptr(), region.top);
        // SAFETY: the caller's promise; the region is nobody else's for the time of the call, and
        // `activate` has found it large enough.
        unsafe { crate::interpret::enter(trampoline, context, code, values, activation, top) }
    };
    activate(instance, &stack, group, &mut run)
}

/// Calls the trampoline on a region.
///
/// # Safety
///
/// 1. The trampoline may be called with the arguments, and the activation is current.
/// 2. Below `top` is room for a call, and nothing that is still used.
unsafe fn enter_region(
    trampoline: EntryTrampoline,
    context: *mut u8,
    code: *const u8,
    values: *mut Slot,
    activation: *mut Activation,
    top: usize,
) -> u32 {
    // SAFETY: 1.
    let saved = unsafe { &raw mut (*activation).thread_stack_pointer };
    let (context, values) = (context.cast_const().cast(), values.cast_const().cast());
    let current = activation.cast_const().cast();
    let trampoline = trampoline as *const ();
    // SAFETY: 1 and 2; the trampoline takes four pointers.
    let status = unsafe {
        isa::call_on_stack(
            context,
            code.cast(),
            values,
            current,
            trampoline,
            top,
            saved,
        )
    };
    // The status is in the low half of the register.
    status as u32
}

/// Runs code with an activation that its context knows, and turns what ended it into a result. What it
/// runs is called by address: there are few callers, and this is long.
fn activate(
    instance: &InstanceData,
    stack: &CallStack,
    group: &Entered<'_>,
    run: &mut dyn FnMut(*mut Activation) -> u32,
) -> Result<(), CallError> {
    let module = instance.module();
    // On a region there is no room for the frame of a signal.
    if group.guards_stack() || (stack.region.is_some() && group.relies_on_faults()) {
        thread::ensure_signal_stack()
            .map_err(|_| OutOfMemory::new(Category::SignalStack, thread::signal_stack_size()))?;
    }
    let context = instance.context();
    if context.is_interrupted() {
        let trap = Trap::new(TrapCode::Interrupted, Backtrace::empty());
        return Err(CallError::Trap(trap));
    }
    let mut failure: Option<Failure> = None;
    // Where the system does not say where the stack is, every address may be on it.
    let (lowest, highest) = thread::stack_bounds().unwrap_or((0, usize::MAX));
    let mut activation = Activation::new(thread::current_activation(), lowest, highest);
    activation.is_bytecode = module.is_bytecode();
    activation.host_error = (&raw mut failure).cast();
    activation.group = core::ptr::from_ref(group).cast();
    let host_limit = lowest.saturating_add(HOST_STACK_MARGIN);
    let here = (&raw const activation).addr();
    let (floor, position, faults) = match stack.region {
        None => (stack.floor.max(host_limit), here, 0),
        Some(region) => {
            let has_guard = region.guard != 0 && thread::REGIONS_CAN_END_IN_FAULTS;
            if group.guards_stack() && !has_guard {
                return Err(CallError::Stack(StackError::NoGuard));
            }
            activation.set_region(region.lowest, region.highest, region.guard);
            activation.region_stack_pointer = region.top;
            let faults = match group.relies_on_faults() && region.is_whole {
                true => thread::FAULT_STACK - region.faults,
                false => 0,
            };
            (stack.floor.saturating_add(faults), region.top, faults)
        }
    };
    activation.stack_floor = floor;
    let stack_limit = floor.saturating_add(module.stack_reserve());
    if position < stack_limit && stack.region.is_some_and(|region| region.is_whole) {
        let needed = StackError::needed(module.stack_reserve().saturating_add(faults));
        return Err(CallError::Stack(StackError::TooSmall { needed }));
    }
    // Code need not look at the limit in every function, so host functions that call back for ever
    // are stopped here.
    if position < stack_limit || here < host_limit {
        return Err(CallError::Trap(trap_of_host(
            TrapCode::StackOverflow,
            &mut activation,
            group,
        )));
    }

    let is_unguarded = Signals::IS_BUILT_IN && stack.region.is_some_and(|region| region.guard == 0);
    if is_unguarded {
        group.begin_unguarded_call();
    }
    let pointer = &raw mut activation;
    let outer_limit = context.field(Field::StackLimit);
    let outer_activation = context.field(Field::Activation);
    context.set_field(Field::StackLimit, stack_limit);
    context.set_field(Field::Activation, pointer.expose_provenance());
    thread::set_current_activation(pointer);
    let status = run(pointer);
    // SAFETY: the activation is this frame's; compiled code and handlers are done with it.
    let activation = unsafe { &mut *pointer };
    thread::set_current_activation(activation.previous);
    if Signals::IS_BUILT_IN
        && let Pending::Trap(info) = activation.pending
        && info.code == TrapCode::StackOverflow
    {
        thread::restore_stack_guard();
    }
    context.set_field(Field::Activation, outer_activation);
    context.set_field(Field::StackLimit, outer_limit);
    if is_unguarded {
        group.end_unguarded_call();
    }

    if status == 0 {
        return Ok(());
    }
    match activation.pending {
        Pending::Exception { address, by_host } if Exceptions::IS_BUILT_IN => {
            let failure = failure.take().filter(|_| by_host);
            return Err(leave(address, failure, activation, group));
        }
        // What a host function threw may still be there, though something else has ended the call.
        Pending::Trap(_) | Pending::Exception { .. } | Pending::None => failure = None,
        Pending::HostError => {}
    }
    match failure.take() {
        #[cfg(feature = "std")]
        Some(Failure::Panic(payload)) => std::panic::resume_unwind(payload),
        Some(Failure::Host(HostError::Exit(code))) => Err(CallError::Exit(code)),
        Some(Failure::Host(HostError::Nested(trap))) => Err(CallError::Trap(trap)),
        Some(Failure::Host(HostError::Trap(code))) => {
            let trap = if activation.entry_frame_pointer == 0 {
                trap_of_host(code, activation, group)
            } else {
                Trap::new(code, Backtrace::resolve(activation, group))
            };
            Err(CallError::Trap(trap))
        }
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

/// What a call ends with that an exception has left.
fn leave(
    address: usize,
    failure: Option<Failure>,
    activation: &Activation,
    group: &Entered<'_>,
) -> CallError {
    let thrown = match failure {
        // It had left a call before, and knows where it was thrown.
        Some(Failure::Host(HostError::Exception(thrown))) if thrown.exception().is_at(address) => {
            if !thrown.backtrace().frames().is_empty() {
                return CallError::Exception(thrown);
            }
            Some(thrown.into_exception())
        }
        _ => Exception::lift(address, group),
    };
    let backtrace = Backtrace::resolve(activation, group);
    match thrown {
        Some(exception) => CallError::Exception(UncaughtException::new(exception, backtrace)),
        // Code throws no null.
        None => CallError::Trap(Trap::new(TrapCode::Unreachable, backtrace)),
    }
}

/// A trap of an activation that has no frames of compiled code: the frames are those of its callers.
fn trap_of_host(code: TrapCode, activation: &mut Activation, group: &Entered<'_>) -> Trap {
    // SAFETY: what is current now called the host, and that led here.
    unsafe { unwind::capture_callers(activation) };
    Trap::new(code, Backtrace::resolve(activation, group))
}

/// The group that an activation entered.
pub(crate) fn group_of(activation: &Activation) -> Option<&Entered<'_>> {
    let group: *const Entered<'_> = activation.group.cast();
    // SAFETY: `activate` wrote the address of a value that outlives the activation; everybody else
    // leaves it null.
    unsafe { group.as_ref() }
}

/// Notes which host function is called, for backtraces. Whether it has the stack that it may expect.
///
/// # Safety
///
/// As for [`record_failure`].
pub(crate) unsafe fn begin_host_function(context: NonNull<u8>, function: *const ()) -> bool {
    // SAFETY: the caller's promise.
    let activation = unsafe { activation_of(context) };
    // SAFETY: as above; nobody else looks at the activation now.
    unsafe { (*activation).host_function = function };
    // SAFETY: the caller's promise.
    unsafe { has_host_stack(context) }
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
    let activation = unsafe { &*activation };
    let here = 0u8;
    let position = match activation.thread_stack_pointer {
        // Compiled code is on the same stack.
        0 => (&raw const here).addr(),
        pointer => pointer,
    };
    position > activation.thread_lowest.saturating_add(HOST_STACK)
}

/// Calls host code with three arguments on the thread's own stack, wherever compiled code runs.
///
/// # Safety
///
/// 1. As for [`record_failure`]; compiled code of that call called whoever calls this.
/// 2. `code` is the address of a function of the C convention that takes no more than `arguments`
///    and that the caller may call with them.
#[inline]
pub(crate) unsafe fn on_thread_stack(
    context: NonNull<u8>,
    arguments: [*const (); 3],
    code: ThreadStackCode,
) -> usize {
    let [first, second, third] = arguments;
    // SAFETY: 1.
    let activation = unsafe { activation_of(context) };
    // SAFETY: 1; nobody else looks at the activation now.
    let stack = unsafe { (*activation).thread_stack_pointer };
    if stack == 0 {
        // SAFETY: 2.
        return unsafe { code(first, second, third) };
    }
    // SAFETY: 1.
    let saved = unsafe { &raw mut (*activation).region_stack_pointer };
    let (none, code) = (core::ptr::null(), code as *const ());
    // SAFETY: 2; the thread's stack is free from there on, as whoever left it wrote down.
    unsafe { isa::call_on_stack(first, second, third, none, code, stack, saved) }
}

/// What is left of the stack of the call in progress, for a call of the host function that runs.
///
/// # Safety
///
/// As for [`record_failure`].
pub(crate) unsafe fn inherited_stack(context: NonNull<u8>) -> CallStack {
    // SAFETY: the caller's promise.
    let activation = unsafe { activation_of(context) };
    // SAFETY: the activation is that of the call in progress; nobody else looks at it now.
    let activation = unsafe { &*activation };
    let region = RegionPart {
        top: activation.region_stack_pointer,
        lowest: activation.stack_lowest,
        highest: activation.stack_highest,
        guard: activation.stack_lowest - activation.guard_lowest,
        // The floor lies above them.
        faults: thread::FAULT_STACK,
        is_whole: false,
    };
    let here = 0u8;
    CallStack {
        floor: activation.stack_floor,
        bytes: ((&raw const here).addr()).saturating_sub(activation.stack_floor),
        region: (region.top != 0).then_some(region),
    }
}

/// The activation of the call in progress.
///
/// # Safety
///
/// `context` is the context pointer of a live instance whose group is entered.
pub(crate) unsafe fn activation_of(context: NonNull<u8>) -> *mut Activation {
    let offset = Field::Activation.offset(NATIVE_WIDTH) as isize;
    // SAFETY: the fixed field lies below every context pointer.
    let field = unsafe { context.offset(offset) };
    // SAFETY: as above; fields are aligned words.
    let address = unsafe { field.cast::<usize>().read() };
    core::ptr::with_exposed_provenance_mut(address)
}

/// Writes down why a host function did not return, for the call in progress.
///
/// # Safety
///
/// 1. `context` is the context pointer of a live instance whose group is entered.
/// 2. Its activation field points to the activation of a call in progress, made by `activate`.
pub(crate) unsafe fn record_failure(context: NonNull<u8>, failure: Failure) {
    let mut failure = failure;
    let mut pending = Pending::HostError;
    if let Failure::Host(HostError::Exception(thrown)) = &failure {
        // SAFETY: 1.
        let instance = unsafe { InstanceData::from_context(context) };
        match bring(thrown.exception(), instance) {
            Ok(address) => {
                pending = Pending::Exception {
                    address,
                    by_host: true,
                };
            }
            Err(error) => failure = Failure::Host(HostError::from_call(error)),
        }
    }
    // SAFETY: 1.
    let activation = unsafe { activation_of(context) };
    // SAFETY: 2; whoever made it looks at it through the same pointer, and only afterwards.
    let activation = unsafe { &mut *activation };
    activation.pending = pending;
    let slot: *mut Option<Failure> = activation.host_error.cast();
    // SAFETY: 2; `activate` lets the pointer point to its own slot, which outlives the call.
    unsafe { *slot = Some(failure) };
}

/// Brings an exception of a host function's into the group of the instance that called it.
fn bring(exception: &Exception, instance: &InstanceData) -> Result<usize, CallError> {
    let group = instance.group().enter()?;
    exception.lower(&group)
}
