//! Ending an activation: note what happened, note who was active, go to the trampoline's handler.
//!
//! ```text
//!   higher addresses
//!   | host frame: Activation A     |
//!   | trampoline of A              | <- entry frame pointer of A: here the walk leaves A
//!   | compiled frames              |
//!   | adapter to the host          | <- exit frame pointer of A: here the walk enters A
//!   | host function, Activation B  |
//!   | trampoline of B              | <- entry frame pointer of B
//!   | compiled frames              |
//!   | frame that trapped           | <- frame pointer: here the walk starts
//!   lower addresses
//! ```
//!
//! A frame pointer points to the caller's frame pointer; where the return address is depends on the
//! instruction set. The chain is compiled code's, and compiled code is trusted to have written it;
//! the walk checks it all the same, because it also runs when things have gone wrong. Every frame
//! must lie above the one before it and below the trampoline's frame.

pub(crate) mod backtrace;
pub(crate) mod throw;

use core::ptr::{self, NonNull};

use precast_format::context::{Field, PointerWidth};
use precast_format::trap::TrapCode;

use super::activation::{Activation, Pending, TrapInfo};
pub(crate) use crate::sys::isa::raise;
use crate::sys::isa::{self, CallerRegisters};

/// The pointer width of this machine.
const NATIVE_WIDTH: PointerWidth = if size_of::<usize>() == 4 {
    PointerWidth::Bits32
} else {
    PointerWidth::Bits64
};

/// Where an activation goes on after it was stopped.
#[derive(Clone, Copy)]
pub(crate) struct Continuation {
    /// Address of the code.
    pub pc: usize,
    /// The stack that it goes on with.
    pub stack_pointer: usize,
    /// The frame that it goes on with.
    pub frame_pointer: usize,
    /// The exception that the handler gets; none where the trampoline goes on.
    pub exception: Option<usize>,
}

impl Continuation {
    /// In the entry trampoline, which returns to the host.
    fn in_trampoline(activation: &Activation) -> Continuation {
        let (pc, stack_pointer, frame_pointer) = activation.handler();
        Continuation {
            pc,
            stack_pointer,
            frame_pointer,
            exception: None,
        }
    }

    /// Goes there.
    ///
    /// # Safety
    ///
    /// The continuation is one of native code that called at a place with these registers, and the
    /// frames in between have nothing to drop.
    unsafe fn go_on(self, registers: &CallerRegisters) -> ! {
        let (stack, frame) = (self.stack_pointer, self.frame_pointer);
        match self.exception {
            // SAFETY: the artifact says that the handler goes on with this frame, and whoever loaded
            // it answers for that.
            Some(exception) => unsafe { isa::land(registers, self.pc, stack, frame, exception) },
            // SAFETY: the trampoline has written the three, and its frame is still there.
            None => unsafe { isa::resume(self.pc, stack, frame) },
        }
    }
}

/// The rest of `raise`: code zero means that a host function has already recorded its error, or the
/// exception that it throws.
///
/// # Safety
///
/// 1. `context` is the context pointer of the instance that runs on this thread, whose activation
///    field points to the activation in progress.
/// 2. `pc`, `frame_pointer` and `stack_pointer` are those of compiled code in that activation.
pub(crate) unsafe extern "C" fn raise_here(
    context: *mut u8,
    code: u32,
    pc: usize,
    frame_pointer: usize,
    stack_pointer: usize,
) -> ! {
    // SAFETY: 1 and 2.
    let next = unsafe { raised(context, code, pc, frame_pointer, stack_pointer) };
    let context = NonNull::new(context).unwrap_or(NonNull::dangling());
    let registers = CallerRegisters::of_adapter(context, pc, frame_pointer);
    // SAFETY: this frame and `raise` have nothing to drop.
    unsafe { next.go_on(&registers) }
}

/// What `raise` does, in native code or in bytecode, but for going there.
///
/// # Safety
///
/// As for [`raise_here`].
pub(crate) unsafe fn raised(
    context: *mut u8,
    code: u32,
    pc: usize,
    frame_pointer: usize,
    stack_pointer: usize,
) -> Continuation {
    let field = context.wrapping_offset(Field::Activation.offset(NATIVE_WIDTH) as isize);
    // SAFETY: 1; fields are aligned words.
    let activation = unsafe { field.cast::<usize>().read() };
    let activation: *mut Activation = ptr::with_exposed_provenance_mut(activation);
    // SAFETY: 1; the host's frame looks at it through the same pointer, and only afterwards.
    let activation = unsafe { &mut *activation };
    if code != 0 {
        // A number that is no trap code comes from a newer compiler; the program stops as well.
        let code = u8::try_from(code).ok().and_then(TrapCode::from_u8);
        let code = code.unwrap_or(TrapCode::Unreachable);
        activation.pending = Pending::Trap(TrapInfo {
            code,
            pc,
            frame_pointer,
            fault_address: None,
        });
    }
    if code == 0
        && let Pending::Exception { address, .. } = activation.pending
        && let Some(context) = NonNull::new(context)
    {
        let site = throw::Site {
            pc,
            frame_pointer,
            stack_pointer,
        };
        // SAFETY: 1 and 2; whoever recorded the exception has brought it into the group.
        return unsafe { throw::send(context, activation, address, &site, true) };
    }
    // SAFETY: 2.
    unsafe { end(activation, pc, false, frame_pointer, stack_pointer) }
}

/// Ends an activation that has something pending, from the place where it stopped.
///
/// # Safety
///
/// As for [`capture`]; this runs below all frames of the activation.
pub(crate) unsafe fn end(
    activation: &mut Activation,
    pc: usize,
    exact: bool,
    frame_pointer: usize,
    stack_pointer: usize,
) -> Continuation {
    // SAFETY: the caller's promise.
    unsafe { capture(activation, pc, exact, frame_pointer, stack_pointer) };
    // SAFETY: the caller's promise.
    unsafe { end_counted_calls(activation, usize::MAX) };
    Continuation::in_trampoline(activation)
}

/// Writes the active frames into the activation's backtrace. Safe to call in a signal handler.
///
/// # Safety
///
/// `pc`, `frame_pointer` and `stack_pointer` are those of compiled code in that activation, or
/// `stack_pointer` is an address above, below which the stack cannot be read; the previous
/// activations are in calls to the host.
pub(super) unsafe fn capture(
    activation: &mut Activation,
    pc: usize,
    exact: bool,
    frame_pointer: usize,
    stack_pointer: usize,
) {
    activation.backtrace.clear();
    activation.backtrace.set_exact(exact);
    activation.backtrace.push(pc);
    // SAFETY: the caller's promise.
    unsafe { walk(activation, frame_pointer, stack_pointer) };
}

/// Ends the counted calls whose frames lie below a stack pointer, at which compiled code goes on.
///
/// # Safety
///
/// Their part of the stack has not been used since they ran.
pub(super) unsafe fn end_counted_calls(activation: &mut Activation, stack_pointer: usize) {
    #[cfg(feature = "call-profile")]
    // SAFETY: the caller's promise.
    unsafe {
        crate::libcall::profile::cut(activation, stack_pointer);
    };
    #[cfg(not(feature = "call-profile"))]
    let _ = (activation, stack_pointer);
}

/// Writes the frames of the previous activations into the backtrace: of this one, nothing is known or
/// nothing has been called.
///
/// # Safety
///
/// The previous activations are in calls to the host.
pub(crate) unsafe fn capture_callers(activation: &mut Activation) {
    activation.backtrace.clear();
    let end = activation.entry_frame_pointer;
    // SAFETY: the caller's promise; of this activation no frame is looked at.
    unsafe { walk(activation, end, end) };
}

/// The walk, from a frame of the activation outwards.
///
/// # Safety
///
/// As for [`capture`].
unsafe fn walk(activation: &mut Activation, frame_pointer: usize, stack_pointer: usize) {
    let mut frames = Frames::of(activation.is_bytecode);
    let mut end = activation.entry_frame_pointer;
    let mut previous = activation.previous;
    let backtrace = &mut activation.backtrace;
    let mut frame = frame_pointer;
    let mut lowest = stack_pointer;
    loop {
        while frame != end {
            if !frames.can_be(frame, lowest, end) || backtrace.is_truncated() {
                return;
            }
            // SAFETY: the frame lies in the used part of the stack and is aligned.
            let (next, return_address) = unsafe { frames.caller(frame) };
            // The last one returns to the trampoline, which is nobody's function.
            if next != end {
                backtrace.push(return_address);
            }
            // Frames are left in one direction, so that a damaged chain comes to an end.
            lowest = frames.above(frame);
            frame = next;
        }
        if previous.is_null() {
            return;
        }
        backtrace.push(backtrace::HOST);
        // SAFETY: previous activations live in frames above, and are not running.
        let outer = unsafe { &*previous };
        frames = Frames::of(outer.is_bytecode);
        end = outer.entry_frame_pointer;
        // An activation that left through no adapter has no frames of compiled code.
        frame = if outer.exit_frame_pointer == 0 {
            end
        } else {
            outer.exit_frame_pointer
        };
        // The host function may run on a stack of its own: nothing is known of where that lies.
        lowest = frame;
        previous = outer.previous;
    }
}

/// The activations around this one on its thread, innermost first.
pub(crate) fn callers(activation: &Activation) -> impl Iterator<Item = &Activation> {
    core::iter::successors(Some(activation), |inner| {
        // SAFETY: previous activations live in frames above that of an activation which somebody can
        // still refer to, and the calls that they are in wait for it.
        unsafe { inner.previous.as_ref() }
    })
    .skip(1)
}

/// How frames are linked: native code's by the machine's convention, bytecode's the same everywhere.
#[derive(Clone, Copy)]
enum Frames {
    Native,
    #[cfg(feature = "pulley")]
    Bytecode,
}

impl Frames {
    fn of(is_bytecode: bool) -> Frames {
        #[cfg(feature = "pulley")]
        if is_bytecode {
            return Frames::Bytecode;
        }
        let _ = is_bytecode;
        Frames::Native
    }

    /// Size of what a frame pointer points to, in bytes.
    fn link_size(self) -> usize {
        match self {
            Frames::Native => isa::LINK_SIZE,
            #[cfg(feature = "pulley")]
            Frames::Bytecode => crate::interpret::LINK_SIZE,
        }
    }

    /// The caller's frame pointer, and the return address into the caller.
    ///
    /// # Safety
    ///
    /// The frame pointer is that of code whose caller waits for it.
    unsafe fn caller(self, frame: usize) -> (usize, usize) {
        match self {
            // SAFETY: the caller's promise.
            Frames::Native => unsafe { isa::caller(frame) },
            #[cfg(feature = "pulley")]
            // SAFETY: the caller's promise.
            Frames::Bytecode => unsafe { crate::interpret::caller(frame) },
        }
    }

    /// The lowest address at which the caller's frame can be.
    fn above(self, frame: usize) -> usize {
        frame.saturating_add(self.link_size())
    }

    /// Whether there can be a frame between the two addresses.
    fn can_be(self, frame: usize, lowest: usize, end: usize) -> bool {
        let is_aligned = frame.is_multiple_of(size_of::<usize>());
        let top = frame.checked_add(self.link_size());
        is_aligned && frame >= lowest && top.is_some_and(|top| top <= end)
    }
}
