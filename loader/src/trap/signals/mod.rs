//! Hardware faults that are traps.
//!
//! A fault is ours if the thread has an activation, the program counter is in a registered text,
//! and either the trap table has the instruction or the access hit the end of the stack. All other
//! faults are the host's.
//!
//! The handlers are installed while somebody holds a [`SignalHandlers`].

pub mod registry;

use precast_format::trap::TrapCode;

use super::activation::{Pending, TrapInfo};
use super::unwind;
use crate::facility::Signals;
use crate::sys::lock::Lock;
use crate::sys::signals::{Fault, FaultHandler, install, uninstall};
use crate::sys::thread::current_activation;
use crate::sys::{OsError, page_size};

/// How many users the process's signal handlers have.
static USERS: Lock<usize> = Lock::new(0);

/// As long as a value of this type exists, hardware faults of compiled code are caught.
///
/// The last one takes the handlers out again. Where the host has put its own in front of them by
/// then, they stay and hand on what is not theirs. Whoever acquires them next finds them in front
/// again.
#[derive(Debug)]
pub struct SignalHandlers(Signals);

impl SignalHandlers {
    /// Puts the handlers in front of the host's, if they are not there.
    pub fn acquire() -> Result<SignalHandlers, OsError> {
        let signals = Signals::hold(()).ok_or(OsError(0))?;
        let mut users = USERS.lock();
        // Also where others have them: the host may have put a handler of its own in front since.
        install::<Traps>()?;
        *users += 1;
        Ok(SignalHandlers(signals))
    }
}

impl Clone for SignalHandlers {
    fn clone(&self) -> SignalHandlers {
        *USERS.lock() += 1;
        SignalHandlers(self.0)
    }
}

impl Drop for SignalHandlers {
    fn drop(&mut self) {
        let mut users = USERS.lock();
        *users -= 1;
        if *users == 0 {
            // Where the system refuses, the handlers are still there and do no harm.
            let _ = uninstall();
        }
    }
}

/// The handler.
struct Traps;

impl FaultHandler for Traps {
    fn handle(fault: &mut Fault<'_>) -> bool {
        let pc = fault.pc();
        // SAFETY: this thread was executing what is at that address.
        let Some(found) = (unsafe { registry::find(pc) }) else {
            return false;
        };
        let activation = current_activation();
        // SAFETY: null, or the activation in progress, in a frame of this thread. The frame looks
        // at it through the same pointer, and only when compiled code has returned.
        let Some(activation) = (unsafe { activation.as_mut() }) else {
            return false;
        };
        let fault_address = fault.address();
        let end_of_stack = fault_address.is_some_and(|address| activation.is_end_of_stack(address));
        let code = match found.trap {
            // A prologue may fault at any of its instructions, and none of them is in the table.
            _ if end_of_stack => TrapCode::StackOverflow,
            Some(code) => code,
            None => return false,
        };
        // SAFETY: the fault is in a registered text, and this takes it.
        let frame_pointer = unsafe { fault.frame_pointer() };
        activation.pending = Pending::Trap(TrapInfo {
            code,
            pc,
            frame_pointer,
            fault_address,
        });
        let mut lowest = fault.stack_pointer();
        if let Some(address) = fault_address
            && end_of_stack
        {
            // A prologue may have taken a frame that is not there.
            let page = address | (page_size() - 1);
            lowest = lowest.max(page.saturating_add(1));
        }
        // SAFETY: the registers are those of compiled code in this activation; what is above that
        // address can be read.
        unsafe { unwind::capture(activation, pc, true, frame_pointer, lowest) };
        // SAFETY: the handler runs below all of them, or on another stack.
        unsafe { unwind::end_counted_calls(activation, usize::MAX) };
        let (handler, stack, frame) = activation.handler();
        // SAFETY: the trampoline has written the three, and its frame is still there.
        unsafe { fault.resume_at(handler, stack, frame) };
        true
    }
}

#[cfg(test)]
mod tests;
