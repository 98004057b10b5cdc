//! The texts that are loaded, for a signal handler to find an address in.
//!
//! The registry belongs to the process, as signal handlers do. It is a chain of chunks of slots;
//! chunks are added and never removed, slots are used again.
//!
//! **Writers** hold a lock. A slot has a sequence number that is odd while a writer is at work: it
//! makes the number odd, changes the slot, and makes the number even again.
//!
//! **Readers** run in signal handlers and wait for nobody. They read the number, the slot, and the
//! number again, and skip the slot if the number was odd or changed. Skipping is right: a reader
//! looks for the text that its own thread was executing. That text was registered before it could
//! run, and it stays registered while it runs, so its slot is not being changed.
//!
//! For the same reason the artifact behind the slot that was found is still there, with its trap table.

use core::ops::Range;
use core::ptr;
use core::sync::atomic::{AtomicPtr, AtomicUsize, Ordering, fence};

use precast_format::Artifact;
use precast_format::trap::TrapCode;

use crate::alloc::{Category, OutOfMemory};
use crate::facility::Signals;
use crate::sys::lock::Lock;
use crate::sys::map::Mapping;

/// Slots in a chunk; one is a little smaller than a page.
const SLOTS: usize = 120;

struct Slot {
    sequence: AtomicUsize,
    /// Zero in a free slot.
    start: AtomicUsize,
    end: AtomicUsize,
    artifact: AtomicPtr<Artifact<'static>>,
}

impl Slot {
    #[expect(
        clippy::declare_interior_mutable_const,
        reason = "an initial value, never borrowed"
    )]
    const FREE: Slot = Slot {
        sequence: AtomicUsize::new(0),
        start: AtomicUsize::new(0),
        end: AtomicUsize::new(0),
        artifact: AtomicPtr::new(ptr::null_mut()),
    };

    /// Changes the slot; the caller holds the lock.
    fn write(&self, range: Range<usize>, artifact: *mut Artifact<'static>) {
        let sequence = self.sequence.load(Ordering::Relaxed);
        self.sequence
            .store(sequence.wrapping_add(1), Ordering::Relaxed);
        fence(Ordering::Release);
        self.start.store(range.start, Ordering::Relaxed);
        self.end.store(range.end, Ordering::Relaxed);
        self.artifact.store(artifact, Ordering::Relaxed);
        self.sequence
            .store(sequence.wrapping_add(2), Ordering::Release);
    }

    /// The slot's contents, if no writer is at work.
    fn read(&self) -> Option<(Range<usize>, *mut Artifact<'static>)> {
        let before = self.sequence.load(Ordering::Acquire);
        let start = self.start.load(Ordering::Relaxed);
        let end = self.end.load(Ordering::Relaxed);
        let artifact = self.artifact.load(Ordering::Relaxed);
        fence(Ordering::Acquire);
        let after = self.sequence.load(Ordering::Relaxed);
        (before == after && before.is_multiple_of(2)).then_some((start..end, artifact))
    }
}

struct Chunk {
    slots: [Slot; SLOTS],
    next: AtomicPtr<Chunk>,
}

/// The chunk that is always there.
static FIRST: Chunk = Chunk {
    slots: [Slot::FREE; SLOTS],
    next: AtomicPtr::new(ptr::null_mut()),
};

/// Held by whoever changes the chain or a slot.
static WRITERS: Lock<()> = Lock::new(());

/// All chunks.
fn chunks() -> impl Iterator<Item = &'static Chunk> {
    core::iter::successors(Some(&FIRST), |chunk| {
        let next = chunk.next.load(Ordering::Acquire);
        // SAFETY: null, or a chunk that is never removed.
        unsafe { next.as_ref() }
    })
}

/// Adds a chunk at the end of the chain; the caller holds the lock.
fn add_chunk() -> Option<&'static Chunk> {
    let mapping = Mapping::writable(size_of::<Chunk>()).ok()?;
    let new = mapping.base().cast::<Chunk>();
    core::mem::forget(mapping);
    // Zeroed pages are a chunk of free slots.
    chunks().last()?.next.store(new.as_ptr(), Ordering::Release);
    // SAFETY: the chunk is never removed.
    Some(unsafe { new.as_ref() })
}

/// Being registered: faults in the range are looked up in the trap table until this is dropped.
pub struct Registration(Signals<&'static Slot>);

impl Registration {
    /// Registers a text. Allocates nothing of the runtime; where all slots of the process are taken,
    /// the system is asked for a page of them.
    ///
    /// # Safety
    ///
    /// 1. The range is that of published code, and the artifact is the one with its trap table.
    /// 2. The artifact, what it borrows from, and the code live longer than the value and do not
    ///    move.
    /// 3. No thread executes the code when the value is dropped.
    pub unsafe fn new(
        range: Range<usize>,
        artifact: &Artifact<'static>,
    ) -> Result<Registration, OutOfMemory> {
        let none = OutOfMemory::new(Category::TrapTables, 0);
        if !Signals::IS_BUILT_IN {
            return Err(none);
        }
        let _writing = WRITERS.lock();
        let mut slots = chunks().flat_map(|chunk| &chunk.slots);
        let free = slots.find(|slot| slot.start.load(Ordering::Relaxed) == 0);
        let slot = free.or_else(|| add_chunk()?.slots.first());
        let slot = slot.ok_or(OutOfMemory::new(Category::TrapTables, size_of::<Chunk>()))?;
        slot.write(range, ptr::from_ref(artifact).cast_mut());
        Signals::hold(slot).map(Registration).ok_or(none)
    }
}

impl Drop for Registration {
    fn drop(&mut self) {
        let _writing = WRITERS.lock();
        self.0.write(0..0, ptr::null_mut());
    }
}

/// What is known of an address inside a registered text.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Found {
    /// The trap that the instruction at the address raises, if it is in the trap table.
    pub trap: Option<TrapCode>,
}

/// Looks for an address. Safe to call in a signal handler.
///
/// # Safety
///
/// The address is inside of code that this thread was executing, or in no registered text at all.
pub unsafe fn find(pc: usize) -> Option<Found> {
    for slot in chunks().flat_map(|chunk| &chunk.slots) {
        let Some((range, artifact)) = slot.read() else {
            continue;
        };
        if !range.contains(&pc) {
            continue;
        }
        let offset = u32::try_from(pc - range.start).ok()?;
        // SAFETY: the text runs, so its registration is not dropped, and the artifact is there. It
        // is only read, and never through another kind of reference.
        let artifact = unsafe { artifact.as_ref() }?;
        return Some(Found {
            trap: artifact.traps().lookup(offset).map(|(code, _)| code),
        });
    }
    None
}
