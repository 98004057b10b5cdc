//! One call of the host into compiled code, and what ended it.
//!
//! ```text
//!   offset (words)
//!   0  entry stack pointer    \
//!   1  entry frame pointer     |  written and read by compiled code:
//!   2  handler address         |  `precast_format::context::ActivationField`
//!   3  exit frame pointer     |
//!   4  stack floor            /
//!   5  previous activation, stack bounds, what is pending, backtrace: the loader's own
//! ```
//!
//! The value lives in the frame of the function that enters, so that a trap needs no allocation.
//! It is written by a signal handler; whoever reads it afterwards does so after the trampoline
//! returned, through the pointer that was passed to compiled code.

#![forbid(unsafe_code)]

use core::mem::offset_of;
use core::ptr;

use precast_format::context::{ActivationField, PointerWidth};
use precast_format::trap::TrapCode;

use super::unwind::backtrace::Backtrace;

/// How far below the lowest address of a thread's stack its guard pages may reach, in bytes.
const STACK_GUARD: usize = 64 << 10;

/// How far above the lowest address of a thread's stack an access can fail: the system's idea of
/// where the main thread's stack ends is a page or two off.
const STACK_MARGIN: usize = 16 << 10;

/// Where a trap happened.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct TrapInfo {
    /// Why.
    pub code: TrapCode,
    /// Address of the faulting instruction, or the return address of the call of `raise`.
    pub pc: usize,
    /// Frame pointer at that place.
    pub frame_pointer: usize,
    /// The address that could not be accessed, for faults of memory accesses.
    pub fault_address: Option<usize>,
}

/// What ended an activation.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Pending {
    /// Nothing: the call returned, or is still running.
    None,
    /// A trap.
    Trap(TrapInfo),
    /// A host function failed; its error is in [`Activation::host_error`].
    HostError,
    /// An exception is on its way, or was until a handler took it.
    Exception {
        /// The address of its object.
        address: usize,
        /// Whether a host function failed with it, so that it is in [`Activation::host_error`], too.
        by_host: bool,
    },
}

/// One call of the host into compiled code.
///
/// The call layer makes one in its own frame, sets it with
/// [`set_current_activation`](crate::sys::thread::set_current_activation), passes its address to
/// the entry trampoline, and restores `previous` afterwards.
#[repr(C)]
#[derive(Debug)]
pub struct Activation {
    /// Stack pointer of the entry trampoline; compiled code writes it.
    pub entry_stack_pointer: usize,
    /// Frame pointer of the entry trampoline; compiled code writes it.
    pub entry_frame_pointer: usize,
    /// Where a trap resumes; compiled code writes it.
    pub handler_address: usize,
    /// Frame pointer of the adapter through which compiled code last left to the host, or zero.
    pub exit_frame_pointer: usize,
    /// Lowest stack address that compiled code may use; the loader writes it.
    pub stack_floor: usize,
    /// The activation that was current on this thread before, or null.
    pub previous: *mut Activation,
    /// Lowest address of the stack that the activation runs on.
    pub stack_lowest: usize,
    /// Address just above that stack.
    pub stack_highest: usize,
    /// Lowest address at which an access means that the stack is used up.
    pub guard_lowest: usize,
    /// Address above the last one at which an access means that.
    pub guard_highest: usize,
    /// Lowest address of the thread's own stack, on which host functions run.
    pub thread_lowest: usize,
    /// From where on the thread's own stack is free, while the call is on another one; else zero.
    pub thread_stack_pointer: usize,
    /// From where on the call's stack is free, where that is a region of its own; else zero.
    pub region_stack_pointer: usize,
    /// The group that the call entered, or null: an [`Entered`](crate::group::Entered) of the frame
    /// that made the activation.
    pub group: *const (),
    /// The host function that compiled code called last, or null.
    pub host_function: *const (),
    /// The innermost call in progress that is counted: see `libcall/profile.rs`. Or null.
    pub profile_frames: *const (),
    /// What ended the activation.
    pub pending: Pending,
    /// Whether the code that the call runs is bytecode, whose frames are the same on every machine.
    pub is_bytecode: bool,
    /// The error of a host function, type-erased; the call layer makes it and takes it.
    pub host_error: *mut (),
    /// The frames at the time of the trap.
    pub backtrace: Backtrace,
}

// Compiled code addresses the first five words by the offsets of `ActivationField`.
const _: () = {
    let width = PointerWidth::Bits64;
    assert!(
        size_of::<usize>() != 8 || {
            offset_of!(Activation, entry_stack_pointer) as i32
                == ActivationField::EntryStackPointer.offset(width)
                && offset_of!(Activation, entry_frame_pointer) as i32
                    == ActivationField::EntryFramePointer.offset(width)
                && offset_of!(Activation, handler_address) as i32
                    == ActivationField::HandlerAddress.offset(width)
                && offset_of!(Activation, exit_frame_pointer) as i32
                    == ActivationField::ExitFramePointer.offset(width)
                && offset_of!(Activation, stack_floor) as i32
                    == ActivationField::StackFloor.offset(width)
        }
    );
};

impl Activation {
    /// An activation that has not been entered, on the thread's own stack, which has these bounds.
    pub const fn new(
        previous: *mut Activation,
        stack_lowest: usize,
        stack_highest: usize,
    ) -> Activation {
        Activation {
            entry_stack_pointer: 0,
            entry_frame_pointer: 0,
            handler_address: 0,
            exit_frame_pointer: 0,
            stack_floor: stack_lowest,
            previous,
            stack_lowest,
            stack_highest,
            guard_lowest: stack_lowest.saturating_sub(STACK_GUARD),
            guard_highest: match stack_lowest {
                0 => 0,
                lowest => lowest.saturating_add(STACK_MARGIN),
            },
            thread_lowest: stack_lowest,
            thread_stack_pointer: 0,
            region_stack_pointer: 0,
            group: ptr::null(),
            host_function: ptr::null(),
            profile_frames: ptr::null(),
            pending: Pending::None,
            is_bytecode: false,
            host_error: ptr::null_mut(),
            backtrace: Backtrace::new(),
        }
    }

    /// Puts the activation on a region with these bounds and so many inaccessible bytes below it.
    pub fn set_region(&mut self, lowest: usize, highest: usize, guard: usize) {
        self.stack_lowest = lowest;
        self.stack_highest = highest;
        self.guard_lowest = lowest.saturating_sub(guard);
        self.guard_highest = lowest;
    }

    /// Whether an access to the address means that the stack is used up.
    pub fn is_end_of_stack(&self, address: usize) -> bool {
        (self.guard_lowest..self.guard_highest).contains(&address)
    }

    /// Where a trap goes on: program counter, stack pointer, frame pointer.
    pub(super) fn handler(&self) -> (usize, usize, usize) {
        (
            self.handler_address,
            self.entry_stack_pointer,
            self.entry_frame_pointer,
        )
    }
}
