//! The guest's process: ending it, raising signals, yielding.

use crate::context::WasiContext;
use crate::errno::Errno;

/// The guest wants to end, with this exit code. It is not an error of the guest's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub struct Exit(pub u32);

impl std::fmt::Display for Exit {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "the program exits with code {}", self.0)
    }
}

impl std::error::Error for Exit {}

/// What the default action of a signal does to the guest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Raised {
    /// Nothing; the call returns.
    Ignored,
    /// It ends the guest.
    Ends(Exit),
}

impl WasiContext {
    /// Ends the guest. The caller unwinds it with the value.
    pub fn proc_exit(&self, code: u32) -> Exit {
        Exit(code)
    }

    /// Raises a signal in the guest, which has no handlers: the default action is taken. A signal
    /// that ends the guest gives the exit code that shells use, 128 and its number. The host's process
    /// gets no signal.
    ///
    /// # Errors
    ///
    /// [`Errno::Invalid`] if there is no such signal, [`Errno::NotSupported`] for signals that stop a
    /// process.
    pub fn proc_raise(&self, signal: u32) -> Result<Raised, Errno> {
        match signal {
            // None, child, continue, urgent data, window change.
            0 | 16 | 17 | 22 | 27 => Ok(Raised::Ignored),
            // Stop, and stop from the terminal, for input, for output.
            18..=21 => Err(Errno::NotSupported),
            1..=30 => Ok(Raised::Ends(Exit(128 + signal))),
            _ => Err(Errno::Invalid),
        }
    }

    /// Lets other threads of the host run.
    ///
    /// # Errors
    ///
    /// None.
    pub fn sched_yield(&self) -> Result<(), Errno> {
        std::thread::yield_now();
        Ok(())
    }
}
