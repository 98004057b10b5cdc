//! Throwing: from frame to frame until there is a handler.
//!
//! ```text
//!   higher addresses
//!   | trampoline                    | <- entry frame pointer: here the exception leaves the call
//!   | frames of instance A          |
//!   | adapter from A into B         |    catches everything, goes back to A, throws again
//!   | frames of instance B          |
//!   | frame that threw              | <- frame pointer: here the walk starts
//!   lower addresses
//! ```
//!
//! A call has handlers if the artifact lists its return address. Whoever leaves an instance lands in
//! an adapter first, so that all frames of one walk are the throwing instance's: its tables tell
//! everything, and its context pointer is right in every handler.
//!
//! Between a throw and its handler are frames of compiled code only, so nothing is skipped that has
//! something to drop. Nothing is allocated, and little stack is used: this runs on compiled code's.

use core::ptr::{self, NonNull};

use precast_format::context::Field;

use super::{Continuation, Frames, NATIVE_WIDTH, capture, end_counted_calls};
use crate::exception::object::Object;
use crate::instance::InstanceData;
use crate::sys::isa::CallerRegisters;
use crate::trap::activation::{Activation, Pending};

/// Where an exception goes.
struct Landing {
    /// Address of the handler.
    handler: usize,
    frame_pointer: usize,
    stack_pointer: usize,
    /// Whether the handler keeps the reference, instead of taking the values out at once.
    keeps: bool,
    /// Whether the handler is an adapter's, from which the exception goes on.
    goes_on: bool,
}

/// Where code threw.
pub(crate) struct Site {
    /// Where the call of `throw` returns to.
    pub pc: usize,
    /// Frame pointer of the code that called.
    pub frame_pointer: usize,
    /// An address below its frame.
    pub stack_pointer: usize,
}

impl Site {
    /// In native code that called with these registers, which lie below the frame that threw.
    fn of(registers: &CallerRegisters) -> Site {
        Site {
            pc: registers.return_address(),
            frame_pointer: registers.frame_pointer(),
            stack_pointer: ptr::from_ref(registers).addr(),
        }
    }
}

/// The rest of the `throw` libcall.
///
/// # Safety
///
/// 1. `context` is the context pointer of the instance that runs on this thread, whose activation
///    field points to the activation in progress.
/// 2. `exception` is the address of an exception of the instance's group.
/// 3. `registers` are those of the call of `throw` in that instance's code.
pub(crate) unsafe extern "C" fn throw_here(
    context: NonNull<u8>,
    exception: usize,
    registers: &CallerRegisters,
) -> ! {
    // SAFETY: 1, 2, 3.
    let next = unsafe { thrown(context, exception, &Site::of(registers)) };
    // SAFETY: 3; this frame has nothing to drop.
    unsafe { next.go_on(registers) }
}

/// The rest of the `rethrow` libcall, by which adapters let an exception go on.
///
/// # Safety
///
/// As for [`throw_here`]; the call is in an adapter's code, whose frame is called by the instance's.
pub(crate) unsafe extern "C" fn rethrow_here(
    context: NonNull<u8>,
    exception: usize,
    registers: &CallerRegisters,
) -> ! {
    // SAFETY: 1, 2, 3.
    let next = unsafe { thrown_again(context, exception, &Site::of(registers)) };
    // SAFETY: 3; this frame has nothing to drop.
    unsafe { next.go_on(registers) }
}

/// What `throw` does, in native code or in bytecode, but for going there.
///
/// # Safety
///
/// As for [`throw_here`], with the place of the call instead of its registers.
pub(crate) unsafe fn thrown(context: NonNull<u8>, exception: usize, site: &Site) -> Continuation {
    // SAFETY: 1.
    let activation = unsafe { activation_of(context) };
    activation.pending = Pending::Exception {
        address: exception,
        by_host: false,
    };
    // SAFETY: 1, 2, 3.
    unsafe { send(context, activation, exception, site, true) }
}

/// What `rethrow` does, but for going there.
///
/// # Safety
///
/// As for [`rethrow_here`], with the place of the call instead of its registers.
pub(crate) unsafe fn thrown_again(
    context: NonNull<u8>,
    exception: usize,
    site: &Site,
) -> Continuation {
    // SAFETY: 1.
    let activation = unsafe { activation_of(context) };
    // Who threw it was noted then, with the frames that were active.
    // SAFETY: 1, 2, 3.
    unsafe { send(context, activation, exception, site, false) }
}

/// The activation in progress.
///
/// # Safety
///
/// 1 of [`throw_here`]. Nobody else looks at the activation meanwhile.
unsafe fn activation_of<'a>(context: NonNull<u8>) -> &'a mut Activation {
    // SAFETY: the fixed field lies below every context pointer.
    let field = unsafe { context.offset(Field::Activation.offset(NATIVE_WIDTH) as isize) };
    // SAFETY: fields are aligned words.
    let address = unsafe { field.cast::<usize>().read() };
    let activation: *mut Activation = ptr::with_exposed_provenance_mut(address);
    // SAFETY: the caller's promise; the host's frame looks at it through the same pointer, and only
    // afterwards.
    unsafe { &mut *activation }
}

/// Sends an exception to its handler, or out of the activation. A new one leaves its frames behind
/// where the handler will not know them.
///
/// # Safety
///
/// As for [`thrown`]. What a host function failed with is thrown from its adapter's call of `raise`.
pub(super) unsafe fn send(
    context: NonNull<u8>,
    activation: &mut Activation,
    exception: usize,
    site: &Site,
    is_new: bool,
) -> Continuation {
    // SAFETY: 1.
    let instance = unsafe { InstanceData::from_context(context) };
    let group = instance.group();
    // SAFETY: 2; nothing frees it before it has landed.
    let object = unsafe { Object::at(exception) };
    if let Some(object) = object {
        group.throw_exception(object);
    }
    let end = activation.entry_frame_pointer;
    // SAFETY: 3.
    let landing = object.and_then(|object| unsafe { find(instance, object, site, end) });
    if is_new && landing.as_ref().is_none_or(|landing| landing.goes_on) {
        let (pc, frame) = (site.pc, site.frame_pointer);
        // SAFETY: 3.
        unsafe { capture(activation, pc, false, frame, site.stack_pointer) };
    }
    let Some(landing) = landing else {
        // SAFETY: 3; this runs below all of them.
        unsafe { end_counted_calls(activation, usize::MAX) };
        return Continuation::in_trampoline(activation);
    };
    if let Some(object) = object {
        group.deliver_exception(object, landing.keeps);
    }
    // SAFETY: as above.
    unsafe { end_counted_calls(activation, landing.stack_pointer) };
    Continuation {
        pc: landing.handler,
        stack_pointer: landing.stack_pointer,
        frame_pointer: landing.frame_pointer,
        exception: Some(exception),
    }
}

/// Looks for the handler of an exception.
///
/// # Safety
///
/// 3 of [`thrown`]; `end` is the frame pointer of the trampoline.
unsafe fn find(
    instance: &InstanceData,
    object: Object,
    site: &Site,
    end: usize,
) -> Option<Landing> {
    let module = instance.module();
    let frames = Frames::of(module.is_bytecode());
    let artifact = module.artifact();
    let (handlers, functions, text) = (artifact.handlers(), artifact.functions(), module.text());
    let (mut pc, mut frame) = (site.pc, site.frame_pointer);
    let mut lowest = site.stack_pointer;
    while frame != end && frames.can_be(frame, lowest, end) {
        // The adapter that throws again may be another module's.
        let offset = u32::try_from(pc.wrapping_sub(text.start)).ok();
        let list = offset.and_then(|offset| handlers.lookup(offset));
        if let Some(list) = list {
            for clause in list.clauses() {
                let fits = match clause.tag {
                    None => true,
                    Some(tag) => instance.tag(tag) == Some(object.tag()),
                };
                if fits {
                    let last = functions.get(functions.len().wrapping_sub(1));
                    let goes_on = last.is_none_or(|last| clause.text_offset >= last.text_end());
                    return Some(Landing {
                        handler: text.start.wrapping_add(clause.text_offset as usize),
                        frame_pointer: frame,
                        stack_pointer: frame.wrapping_sub(list.frame_offset as usize),
                        keeps: clause.keeps,
                        goes_on,
                    });
                }
            }
        }
        // SAFETY: the frame lies in the used part of the stack and is aligned.
        let (next, return_address) = unsafe { frames.caller(frame) };
        // Frames are left in one direction, so that a damaged chain comes to an end.
        lowest = frames.above(frame);
        (frame, pc) = (next, return_address);
    }
    None
}
