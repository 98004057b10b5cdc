//! Hardware faults: the firmware's own business. No artifact is accepted that relies on them.

use core::convert::Infallible;
use core::marker::PhantomData;

use super::{NOT_THERE, OsError};

/// Whether faults can be caught.
pub const SUPPORTED: bool = false;

/// A fault that nobody reports.
pub struct Fault<'a>(Infallible, PhantomData<&'a mut ()>);

impl Fault<'_> {
    /// Address of the faulting instruction.
    pub fn pc(&self) -> usize {
        match self.0 {}
    }

    /// The stack pointer at the fault.
    pub fn stack_pointer(&self) -> usize {
        match self.0 {}
    }

    /// The frame pointer at the fault.
    ///
    /// # Safety
    ///
    /// There is no fault to ask.
    pub unsafe fn frame_pointer(&self) -> usize {
        match self.0 {}
    }

    /// The address whose access failed.
    pub fn address(&self) -> Option<usize> {
        match self.0 {}
    }

    /// Lets the thread go on elsewhere.
    ///
    /// # Safety
    ///
    /// There is no fault to come from.
    pub unsafe fn resume_at(&mut self, _: usize, _: usize, _: usize) {
        match self.0 {}
    }
}

/// Decides about faults.
pub trait FaultHandler {
    /// Takes the fault, or leaves it alone.
    fn handle(fault: &mut Fault<'_>) -> bool;
}

/// Refuses.
pub fn install<H: FaultHandler>() -> Result<(), OsError> {
    // Nobody calls it.
    let _ = H::handle;
    Err(NOT_THERE)
}

/// Nothing is installed.
pub fn uninstall() -> Result<(), OsError> {
    Ok(())
}
