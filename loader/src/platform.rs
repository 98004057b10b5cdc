//! What a device without an operating system offers the loader: one trait, all of which has a default.
//!
//! Where the loader knows the system (Unix, Windows), it asks the system. Elsewhere it asks the
//! [`Platform`] that the firmware has [installed](install); without one it takes the device for a single
//! thread that has neither a clock nor memory for code, which is all that bytecode and code that runs
//! in place need. Memory is no part of it: a runtime lives in a pool
//! ([`Runtime::with_pool`](crate::Runtime::with_pool)) or on functions of the host
//! ([`Runtime::custom`](crate::Runtime::custom)).
//!
//! Clocks, random numbers and output are for whoever implements a module's imports on a device.
//!
//! Nothing here allocates.

use core::ptr::NonNull;
use core::sync::atomic::Ordering;

use crate::sys::atomic::AtomicUsize;

pub use crate::sys::embedder::install;

/// State of the loader's that belongs to one thread: a word that is zero at first.
///
/// As large and aligned as a pointer, so that it can lie in any thread-local variable.
#[repr(transparent)]
#[derive(Debug, Default)]
pub struct ThreadState(AtomicUsize);

#[allow(
    dead_code,
    reason = "operating systems have state of their own for threads"
)]
impl ThreadState {
    /// The state of a thread that has not used the loader.
    pub const fn new() -> ThreadState {
        ThreadState(AtomicUsize::new(0))
    }

    /// The word. Only its own thread asks, so that no order is needed.
    pub(crate) fn get(&self) -> usize {
        self.0.load(Ordering::Relaxed)
    }

    /// Changes the word.
    pub(crate) fn set(&self, value: usize) {
        self.0.store(value, Ordering::Relaxed);
    }
}

/// The state of the only thread.
static SINGLE_THREAD: ThreadState = ThreadState::new();

/// Where a module's output goes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Stream {
    /// Results.
    Output,
    /// Complaints.
    Error,
}

/// A platform refused: what it has a number for.
#[must_use]
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Refused(pub i32);

/// What a device offers.
///
/// The functions are called from any thread that uses the loader; they do not unwind.
///
/// # Safety
///
/// 1. [`Platform::thread`] gives each thread the same state at every call, and no other thread that
///    lives at the same time that state.
/// 2. [`Platform::map`] gives blocks that are valid for reads and writes, aligned as asked, and
///    exclusive until unmapped; after [`Platform::protect`] nobody writes them, and they can be
///    executed; what was written before [`Platform::flush`] is what is executed after it.
/// 3. [`Platform::stack`] tells addresses between which all of the calling thread's stack is that is in
///    use, and that may be used.
pub unsafe trait Platform: Sync {
    /// The state of the calling thread. The default is for devices where one thread alone uses the
    /// loader, and nothing that interrupts it does.
    fn thread(&self) -> &ThreadState {
        &SINGLE_THREAD
    }

    /// Lets other threads run; called by one that waits for them.
    fn yield_now(&self) {
        core::hint::spin_loop();
    }

    /// The lowest address of the calling thread's stack and the address above it, in bytes. Without
    /// it calls on the thread's own stack are bounded by what the host says
    /// ([`Stack`](crate::Stack)), and objects of exceptions are kept until their instances are gone.
    fn stack(&self) -> Option<(usize, usize)> {
        None
    }

    /// Nanoseconds of a clock that only goes forward. Without it, a wait with a time limit ends at once,
    /// and profiles have no times.
    fn monotonic_time(&self) -> Option<u64> {
        None
    }

    /// Nanoseconds since the beginning of 1970 in UTC.
    fn wall_clock_time(&self) -> Option<u64> {
        None
    }

    /// Fills the bytes with random numbers that nobody can foretell; `false` where there are none.
    fn random(&self, bytes: &mut [u8]) -> bool {
        let _ = bytes;
        false
    }

    /// Writes bytes out; how many of them. The default takes all and shows them to nobody.
    fn write(&self, stream: Stream, bytes: &[u8]) -> Result<usize, Refused> {
        let _ = stream;
        Ok(bytes.len())
    }

    /// A block for code, readable and writable, of so many bytes and aligned so; for artifacts with code
    /// that cannot run in place. A runtime may have a provider of its own
    /// ([`CodeMemory`](crate::CodeMemory)).
    fn map(&self, size: usize, alignment: usize) -> Option<NonNull<u8>> {
        let _ = (size, alignment);
        None
    }

    /// Makes a block of [`Platform::map`] executable, and no longer writable. Where it is refused, the
    /// block is not executable.
    fn protect(&self, block: NonNull<u8>, size: usize) -> Result<(), Refused> {
        let _ = (block, size);
        Err(Refused(0))
    }

    /// Lets instruction fetches see what was written to a block. The default has the processor do so that
    /// runs this.
    fn flush(&self, block: NonNull<u8>, size: usize) {
        crate::sys::embedder::flush(block, size);
    }

    /// Takes a block of [`Platform::map`] back, protected or not.
    fn unmap(&self, block: NonNull<u8>, size: usize) {
        let _ = (block, size);
    }
}

/// A device of which nothing is known.
pub(crate) struct Unknown;

// SAFETY: the defaults are for one thread, as whoever installs nothing says that there is; and there is
// no memory for code.
unsafe impl Platform for Unknown {}
