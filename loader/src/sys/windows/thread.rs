//! What belongs to a thread: its identity, the bounds of its stack, its current activation, and the
//! room on its stack in which the end of the stack is reported.
//!
//! The current activation is read by the exception handler. It is therefore kept where reading needs
//! neither lock nor allocation: in the system's slots for threads. The language's own variables are
//! allocated at their first use with some of the linkers.

use core::ptr;
use core::sync::atomic::{AtomicU32, Ordering};

use windows_sys::Win32::System::Threading::{
    GetCurrentThreadId, GetCurrentThreadStackLimits, SetThreadStackGuarantee, SwitchToThread,
    TLS_OUT_OF_INDEXES, TlsAlloc, TlsFree, TlsGetValue, TlsSetValue,
};

use super::{OsError, check, last_error};
use crate::trap::Activation;

/// What the system puts on the stack of the program that faulted, and what our handler needs there, in
/// bytes: all registers with the vectors, and the frames of the system's dispatcher.
pub const FAULT_STACK: usize = 24 << 10;

/// What the system keeps at the end of a thread's stack, in bytes, of which [`FAULT_STACK`] is a part: the
/// last page is never given out, and the one above it moves down with the stack until then.
pub(super) const KEPT_STACK: usize = FAULT_STACK + (8 << 10);

/// Whether the end of a region can be found out by touching the page below it. The record of the
/// fault would have to go where nothing can be written: the system ends the process instead.
pub const REGIONS_CAN_END_IN_FAULTS: bool = false;

/// What is kept per thread.
#[derive(Clone, Copy)]
enum Slot {
    /// Address of the current activation, or zero.
    Activation,
    /// Lowest address of the stack; zero before it is asked for.
    StackLowest,
    /// Address above the stack.
    StackHighest,
    /// One after room for the end of the stack was asked for.
    Guarantee,
}

/// The system's slots plus one; zero before there is one. They are never given back.
static SLOTS: [AtomicU32; 4] = [const { AtomicU32::new(0) }; 4];

fn get(slot: Slot) -> usize {
    match SLOTS[slot as usize].load(Ordering::Acquire) {
        0 => 0,
        // SAFETY: the slot exists.
        number => unsafe { TlsGetValue(number - 1) }.addr(),
    }
}

/// A process that has used up all slots has no activations, and gets no traps by faults.
fn set(slot: Slot, value: usize) {
    if let Ok(number) = number_of(slot) {
        // SAFETY: the slot exists.
        unsafe { TlsSetValue(number, ptr::without_provenance(value)) };
    }
}

fn number_of(slot: Slot) -> Result<u32, OsError> {
    let known = &SLOTS[slot as usize];
    match known.load(Ordering::Acquire) {
        0 => {}
        number => return Ok(number - 1),
    }
    // SAFETY: takes no arguments.
    let new = unsafe { TlsAlloc() };
    if new == TLS_OUT_OF_INDEXES {
        return Err(last_error());
    }
    match known.compare_exchange(0, new + 1, Ordering::AcqRel, Ordering::Acquire) {
        Ok(_) => Ok(new),
        Err(other) => {
            // SAFETY: another thread was faster; nobody knows this slot.
            unsafe { TlsFree(new) };
            Ok(other - 1)
        }
    }
}

/// A number that no other running thread has; never zero.
pub fn thread_token() -> usize {
    // SAFETY: takes no arguments.
    let thread = unsafe { GetCurrentThreadId() } as usize;
    thread.max(1)
}

/// Lets other threads run.
pub fn yield_now() {
    core::hint::spin_loop();
    // SAFETY: gives up the processor, nothing else.
    unsafe { SwitchToThread() };
}

/// The innermost activation of this thread, or null. Safe to call in an exception handler.
pub fn current_activation() -> *mut Activation {
    ptr::with_exposed_provenance_mut(get(Slot::Activation))
}

/// Makes an activation the current one of this thread.
pub fn set_current_activation(activation: *mut Activation) {
    set(Slot::Activation, activation.expose_provenance());
}

/// Lowest address of this thread's stack, and the address above it; `None` where the system does not
/// say. What the system keeps for reporting the end of the stack is below the lowest address. The
/// system is asked once per thread.
pub fn stack_bounds() -> Option<(usize, usize)> {
    let lowest = get(Slot::StackLowest);
    if lowest != 0 {
        return Some((lowest, get(Slot::StackHighest)));
    }
    let (mut lowest, mut highest) = (0, 0);
    // SAFETY: there is room for both answers.
    unsafe { GetCurrentThreadStackLimits(&raw mut lowest, &raw mut highest) };
    let lowest = lowest.checked_add(KEPT_STACK)?;
    if lowest >= highest {
        return None;
    }
    set(Slot::StackHighest, highest);
    set(Slot::StackLowest, lowest);
    Some((lowest, highest))
}

/// Sees to it that the end of this thread's stack can be reported: the system keeps so much of the
/// stack for it. What the host asked for stays, where it is more.
pub fn ensure_signal_stack() -> Result<(), OsError> {
    if get(Slot::Guarantee) != 0 {
        return Ok(());
    }
    let mut size = 0;
    // SAFETY: asks for the present size; there is room for it.
    check(unsafe { SetThreadStackGuarantee(&raw mut size) })?;
    if (size as usize) < FAULT_STACK {
        size = FAULT_STACK as u32;
        // SAFETY: the stack is this thread's.
        check(unsafe { SetThreadStackGuarantee(&raw mut size) })?;
    }
    set(Slot::Guarantee, 1);
    Ok(())
}

/// Bytes of the stack that reports of its end may take; the same at every call.
pub fn signal_stack_size() -> usize {
    FAULT_STACK
}

/// To be called after the stack has ended and the program has gone on further up: the system reports
/// the end once, and then not again unless it is told to.
pub fn restore_stack_guard() {
    unsafe extern "C" {
        /// The C runtime's: protects the pages at the end again. Zero where that is not possible.
        safe fn _resetstkoflw() -> i32;
    }
    // Without the protection, the next time ends the process.
    let _ = _resetstkoflw();
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_on_the_stack() -> bool {
        let local = 0u8;
        let here = ptr::from_ref(&local).addr();
        stack_bounds().is_some_and(|(lowest, highest)| (lowest..highest).contains(&here))
    }

    #[test]
    fn every_thread_knows_its_stack_and_its_activation() {
        assert!(is_on_the_stack());
        let mut activation = Activation::new(ptr::null_mut(), 0, 0);
        let pointer = &raw mut activation;
        set_current_activation(pointer);
        let token = thread_token();
        let size = 256 << 10;
        let other = std::thread::Builder::new().stack_size(size).spawn(move || {
            assert!(is_on_the_stack() && is_on_the_stack());
            assert!(current_activation().is_null());
            assert_ne!(thread_token(), token);
            ensure_signal_stack().unwrap();
            ensure_signal_stack().unwrap();
        });
        other.unwrap().join().unwrap();
        assert_eq!(current_activation(), pointer);
        set_current_activation(ptr::null_mut());
    }
}
