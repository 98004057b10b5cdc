//! The program counters that a trap leaves behind, in an array of fixed size: a signal handler
//! cannot allocate.

use core::fmt;
use core::mem::MaybeUninit;
use core::slice;

/// How many program counters a backtrace keeps.
pub const BACKTRACE_LENGTH: usize = 64;

/// Stands between the program counters of two activations: what lies there is the host's.
pub const HOST: usize = 0;

/// Program counters of the frames at the time of the trap, innermost first.
///
/// All of them are return addresses, except the first where [`Backtrace::is_exact`] says that it
/// is the address of the faulting instruction. Addresses of trampolines and adapters are among
/// them: who resolves them skips what is not in the table of functions. [`HOST`] stands for the host's
/// frames between one activation and the one before it.
pub struct Backtrace {
    /// The first `length` are initialised. The rest never is: an activation is made for each call,
    /// and most need no backtrace.
    addresses: [MaybeUninit<usize>; BACKTRACE_LENGTH],
    length: usize,
    exact: bool,
    truncated: bool,
}

impl Backtrace {
    /// A backtrace without frames.
    pub const fn new() -> Backtrace {
        Backtrace {
            addresses: [MaybeUninit::uninit(); BACKTRACE_LENGTH],
            // Were all of the rest known, the whole would be a constant, and copied as such.
            length: core::hint::black_box(0),
            exact: false,
            truncated: false,
        }
    }

    /// Forgets everything. The array is left as it is.
    pub fn clear(&mut self) {
        self.length = 0;
        self.exact = false;
        self.truncated = false;
    }

    /// Adds a frame. Where there is no room left, the backtrace is marked as truncated instead.
    pub fn push(&mut self, pc: usize) {
        match self.addresses.get_mut(self.length) {
            Some(slot) => {
                slot.write(pc);
                self.length += 1;
            }
            None => self.truncated = true,
        }
    }

    /// States that the first address is the one of an instruction, not a return address.
    pub fn set_exact(&mut self, exact: bool) {
        self.exact = exact;
    }

    /// The addresses, innermost first.
    pub fn addresses(&self) -> &[usize] {
        // SAFETY: `push` has initialised so many.
        unsafe { slice::from_raw_parts(self.addresses.as_ptr().cast(), self.length) }
    }

    /// Whether the first address is the one of the faulting instruction.
    pub fn is_exact(&self) -> bool {
        self.exact
    }

    /// Whether there were more frames than fit.
    pub fn is_truncated(&self) -> bool {
        self.truncated
    }
}

impl fmt::Debug for Backtrace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.addresses()).finish()
    }
}

impl Default for Backtrace {
    fn default() -> Backtrace {
        Backtrace::new()
    }
}
