//! Interruption: how the host stops a program that runs on another thread.
//!
//! ```text
//!   Interrupter --> target: lock, link --> the instance's flag, its memories
//!   Interrupter -->   ^                                 ^
//!                     +--- held by the instance --------+
//! ```
//!
//! An interrupter may outlive its instance: the link is taken away when the instance goes, under the
//! lock that whoever interrupts holds.

use core::fmt;
use core::ptr::NonNull;
use core::sync::atomic::Ordering;

use crate::alloc::{Category, OutOfMemory, Shared};
use crate::instance::memory::MemoryRef;
use crate::instance::{Instance, InstanceData};
use crate::sys::atomic::AtomicUsize;
use crate::sys::lock::Lock;

/// What of an instance is needed to stop it.
struct Link {
    /// A field of its context.
    flag: NonNull<AtomicUsize>,
    /// Where its code may wait.
    memories: NonNull<[MemoryRef]>,
}

// SAFETY: the flag is for all threads, and the list of memories never changes.
unsafe impl Send for Link {}

/// What an instance and its interrupters have in common.
struct Target(Lock<Option<Link>>);

/// An instance's side. Dropping it ends what interrupters can reach.
pub(super) struct Interruption(Lock<Option<Shared<Target>>>);

impl Interruption {
    /// Nobody has asked for an interrupter yet.
    pub(super) const fn new() -> Interruption {
        Interruption(Lock::new(None))
    }
}

impl Drop for Interruption {
    fn drop(&mut self) {
        if let Some(target) = self.0.lock().take() {
            target.0.lock().take();
        }
    }
}

/// Stops the code of an instance, from any thread. Clones are handles to the same instance.
///
/// ```no_run
/// # fn example(app: &precast_loader::Instance) -> Result<(), Box<dyn std::error::Error>> {
/// let interrupter = app.interrupter()?;
/// std::thread::spawn(move || {
///     std::thread::sleep(std::time::Duration::from_secs(5));
///     interrupter.interrupt();
/// });
/// // Calls end with `TrapCode::Interrupted` after five seconds.
/// # Ok(())
/// # }
/// ```
///
/// It takes effect where the code looks for it: at the start of functions and loops if the artifact
/// was compiled with interrupt checks, and always where a host function returns, while the code waits
/// at an address of a shared memory, and when the host calls the instance. A host function that does
/// not return is not stopped.
#[derive(Clone)]
pub struct Interrupter(Shared<Target>);

impl Interrupter {
    /// The layout of the block that an instance and its interrupters have in common.
    #[cfg(feature = "plan")]
    pub(crate) const fn layout() -> core::alloc::Layout {
        Shared::<Target>::layout()
    }

    /// Stops the instance's code with the trap [`Interrupted`](crate::TrapCode::Interrupted), now and
    /// until [`Interrupter::clear`]. Without effect where the instance is gone.
    pub fn interrupt(&self) {
        let link = self.0.0.lock();
        let Some(link) = &*link else { return };
        // SAFETY: the instance is there for as long as the lock is held.
        unsafe { link.flag.as_ref() }.store(1, Ordering::SeqCst);
        // SAFETY: as above.
        for memory in unsafe { link.memories.as_ref() } {
            if let Some(memory) = memory.shared() {
                memory.interrupt(link.flag);
            }
        }
    }

    /// Lets code of the instance run again.
    pub fn clear(&self) {
        if let Some(link) = &*self.0.0.lock() {
            // SAFETY: the instance is there for as long as the lock is held.
            unsafe { link.flag.as_ref() }.store(0, Ordering::SeqCst);
        }
    }

    /// Whether the instance is there and stopped.
    pub fn is_interrupted(&self) -> bool {
        let link = self.0.0.lock();
        let link = link.as_ref();
        // SAFETY: the instance is there for as long as the lock is held.
        link.is_some_and(|link| unsafe { link.flag.as_ref() }.load(Ordering::SeqCst) != 0)
    }
}

impl fmt::Debug for Interrupter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Interrupter")
            .field("is_interrupted", &self.is_interrupted())
            .finish()
    }
}

impl InstanceData {
    pub(super) fn interrupter(&self) -> Result<Interrupter, OutOfMemory> {
        let slot = &self.interruption.0;
        if let Some(target) = &*slot.lock() {
            return Ok(Interrupter(target.clone()));
        }
        let link = Link {
            flag: self.context().interrupt_flag(),
            memories: NonNull::from(&*self.memories),
        };
        // The host's allocator is not called under a lock. Another thread may be faster.
        let allocator = self.runtime().allocator();
        let target = Target(Lock::new(Some(link)));
        let target = Shared::new(allocator, Category::Instance, target)?;
        let mut known = slot.lock();
        let chosen = known.get_or_insert_with(|| target.clone()).clone();
        drop(known);
        Ok(Interrupter(chosen))
    }
}

impl Instance {
    /// A way to stop the instance's code, for any thread. It may be asked for while the code runs.
    /// The first one allocates.
    pub fn interrupter(&self) -> Result<Interrupter, OutOfMemory> {
        self.data().interrupter()
    }
}
