//! Hardware faults as exceptions: a vectored handler in front of the host's.
//!
//! The system calls vectored handlers before all others, each until one takes the exception. Ours
//! leaves alone what [`FaultHandler::handle`] does not take, so that the host's handlers of either
//! kind see it as if ours were not there.
//!
//! The handler runs on the stack of the code that faulted.

use core::ffi::c_void;
use core::ptr;
use core::sync::atomic::{AtomicPtr, Ordering};

use windows_sys::Win32::Foundation::{
    EXCEPTION_ACCESS_VIOLATION, EXCEPTION_ILLEGAL_INSTRUCTION, EXCEPTION_INT_DIVIDE_BY_ZERO,
    EXCEPTION_INT_OVERFLOW, EXCEPTION_STACK_OVERFLOW, GetLastError, NTSTATUS, SetLastError,
};
use windows_sys::Win32::System::Diagnostics::Debug::{
    AddVectoredExceptionHandler, CONTEXT, EXCEPTION_CONTINUE_EXECUTION, EXCEPTION_CONTINUE_SEARCH,
    EXCEPTION_POINTERS, EXCEPTION_RECORD, RemoveVectoredExceptionHandler,
};

use super::{OsError, last_error, registers, thread};

/// Where the program stood when it faulted.
pub struct Fault<'a> {
    context: &'a mut CONTEXT,
    address: Option<usize>,
}

impl Fault<'_> {
    /// Address of the faulting instruction.
    pub fn pc(&self) -> usize {
        registers::read(self.context).0
    }

    /// The stack pointer at the fault.
    pub fn stack_pointer(&self) -> usize {
        registers::read(self.context).1
    }

    /// The frame pointer at the fault.
    ///
    /// # Safety
    ///
    /// Compiled code has faulted. Elsewhere that frame is looked at; here a register has the answer.
    pub unsafe fn frame_pointer(&self) -> usize {
        registers::read(self.context).2
    }

    /// The address whose access failed, for faults of memory accesses.
    pub fn address(&self) -> Option<usize> {
        self.address
    }

    /// Lets the thread go on elsewhere after the handler.
    ///
    /// # Safety
    ///
    /// There is code at `pc` that can go on with this stack and this frame.
    pub unsafe fn resume_at(&mut self, pc: usize, stack_pointer: usize, frame_pointer: usize) {
        registers::write(self.context, pc, stack_pointer, frame_pointer);
    }
}

/// Decides about faults. Everything it does is safe in an exception handler: no lock, no allocation,
/// no unwinding.
pub trait FaultHandler {
    /// Takes the fault, having called [`Fault::resume_at`], or leaves it alone.
    fn handle(fault: &mut Fault<'_>) -> bool;
}

/// The system's name for our handler, or null.
static INSTALLED: AtomicPtr<c_void> = AtomicPtr::new(ptr::null_mut());

/// Puts the handler in front of the host's, also where it is installed already: the host may have put
/// another one in front since.
///
/// Calls must not overlap with each other or with [`uninstall`].
pub fn install<H: FaultHandler>() -> Result<(), OsError> {
    // The new one first: other threads may fault meanwhile.
    // SAFETY: the handler can be called at any time, on any thread.
    let new = unsafe { AddVectoredExceptionHandler(1, Some(enter::<H>)) };
    if new.is_null() {
        return Err(last_error());
    }
    remove(INSTALLED.swap(new, Ordering::AcqRel))
}

/// Takes the handler out again. Where the system refuses, it stays and does no harm.
pub fn uninstall() -> Result<(), OsError> {
    remove(INSTALLED.swap(ptr::null_mut(), Ordering::AcqRel))
}

fn remove(handler: *mut c_void) -> Result<(), OsError> {
    if handler.is_null() {
        return Ok(());
    }
    // SAFETY: the handler was installed, and nobody else takes it out.
    match unsafe { RemoveVectoredExceptionHandler(handler) } {
        0 => Err(last_error()),
        _ => Ok(()),
    }
}

/// Whether compiled code can raise it.
fn is_fault(code: NTSTATUS) -> bool {
    matches!(
        code,
        EXCEPTION_ACCESS_VIOLATION
            | EXCEPTION_ILLEGAL_INSTRUCTION
            | EXCEPTION_INT_DIVIDE_BY_ZERO
            | EXCEPTION_INT_OVERFLOW
            | EXCEPTION_STACK_OVERFLOW
    )
}

/// The address whose access failed. Where the system has no stack left to give, it lies at the end of
/// the stack, also if the system should not say where.
fn failed_address(record: &EXCEPTION_RECORD) -> Option<usize> {
    // Whether it was written, and the address.
    let told = (record.NumberParameters >= 2).then_some(record.ExceptionInformation[1]);
    match record.ExceptionCode {
        EXCEPTION_STACK_OVERFLOW => {
            let (lowest, _) = thread::stack_bounds()?;
            let below = lowest.saturating_sub(thread::KEPT_STACK)..lowest;
            let told = told.filter(|address| below.contains(address));
            Some(told.unwrap_or(lowest.saturating_sub(1)))
        }
        EXCEPTION_ACCESS_VIOLATION => told,
        _ => None,
    }
}

/// The handler.
unsafe extern "system" fn enter<H: FaultHandler>(exception: *mut EXCEPTION_POINTERS) -> i32 {
    // SAFETY: the system passes a valid structure.
    let exception = unsafe { &*exception };
    // SAFETY: as above.
    let record = unsafe { &*exception.ExceptionRecord };
    if !is_fault(record.ExceptionCode) {
        return EXCEPTION_CONTINUE_SEARCH;
    }
    // What the thread has of the system's last error is the interrupted program's.
    // SAFETY: reads a number of this thread's.
    let last_error = unsafe { GetLastError() };
    // SAFETY: the system passes the registers of the interrupted program, for us to change.
    let context = unsafe { &mut *exception.ContextRecord };
    let address = failed_address(record);
    let handled = H::handle(&mut Fault { context, address });
    // SAFETY: writes a number of this thread's.
    unsafe { SetLastError(last_error) };
    if handled {
        EXCEPTION_CONTINUE_EXECUTION
    } else {
        EXCEPTION_CONTINUE_SEARCH
    }
}
