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
//! For the same reason the trap table behind the slot that was found is still there.

use core::ops::Range;
use core::ptr;
use core::sync::atomic::{AtomicPtr, AtomicUsize, Ordering, fence};

use precast_format::read::TrapSites;
use precast_format::trap::TrapCode;

use crate::alloc::{Allocator, Box, Category, OutOfMemory};
use crate::sys::lock::Lock;
use crate::sys::map::Mapping;

/// Slots in a chunk; one is a little smaller than a page.
const SLOTS: usize = 120;

struct Slot {
    sequence: AtomicUsize,
    /// Zero in a free slot.
    start: AtomicUsize,
    end: AtomicUsize,
    traps: AtomicPtr<TrapSites<'static>>,
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
        traps: AtomicPtr::new(ptr::null_mut()),
    };

    /// Changes the slot; the caller holds the lock.
    fn write(&self, range: Range<usize>, traps: *mut TrapSites<'static>) {
        let sequence = self.sequence.load(Ordering::Relaxed);
        self.sequence
            .store(sequence.wrapping_add(1), Ordering::Relaxed);
        fence(Ordering::Release);
        self.start.store(range.start, Ordering::Relaxed);
        self.end.store(range.end, Ordering::Relaxed);
        self.traps.store(traps, Ordering::Relaxed);
        self.sequence
            .store(sequence.wrapping_add(2), Ordering::Release);
    }

    /// The slot's contents, if no writer is at work.
    fn read(&self) -> Option<(Range<usize>, *mut TrapSites<'static>)> {
        let before = self.sequence.load(Ordering::Acquire);
        let start = self.start.load(Ordering::Relaxed);
        let end = self.end.load(Ordering::Relaxed);
        let traps = self.traps.load(Ordering::Relaxed);
        fence(Ordering::Acquire);
        let after = self.sequence.load(Ordering::Relaxed);
        (before == after && before.is_multiple_of(2)).then_some((start..end, traps))
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
pub struct Registration {
    slot: &'static Slot,
    /// What the slot points to.
    _traps: Box<TrapSites<'static>>,
}

impl Registration {
    /// Registers a text.
    ///
    /// # Safety
    ///
    /// 1. The range is that of published code, and `traps` is the trap table of that code.
    /// 2. What `traps` borrows from, and the code, live longer than the value.
    /// 3. No thread executes the code when the value is dropped.
    pub unsafe fn new(
        allocator: &Allocator,
        range: Range<usize>,
        traps: TrapSites<'_>,
    ) -> Result<Registration, OutOfMemory> {
        // SAFETY: 2; the value is not used after this one is gone.
        let traps = unsafe { core::mem::transmute::<TrapSites<'_>, TrapSites<'static>>(traps) };
        let traps = Box::into_raw(Box::new(allocator, Category::TrapTables, traps)?);
        let slot = {
            let _writing = WRITERS.lock();
            let mut slots = chunks().flat_map(|chunk| &chunk.slots);
            let free = slots.find(|slot| slot.start.load(Ordering::Relaxed) == 0);
            let slot = free.or_else(|| add_chunk()?.slots.first());
            if let Some(slot) = slot {
                slot.write(range, traps.as_ptr());
            }
            slot
        };
        // SAFETY: the pointer is from `into_raw`; the slot only reads through it.
        let traps = unsafe { Box::from_raw(traps) };
        let slot = slot.ok_or(OutOfMemory::new(Category::Runtime, size_of::<Chunk>()))?;
        Ok(Registration {
            slot,
            _traps: traps,
        })
    }
}

impl Drop for Registration {
    fn drop(&mut self) {
        let _writing = WRITERS.lock();
        self.slot.write(0..0, ptr::null_mut());
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
        let Some((range, traps)) = slot.read() else {
            continue;
        };
        if !range.contains(&pc) {
            continue;
        }
        let offset = u32::try_from(pc - range.start).ok()?;
        // SAFETY: the text runs, so its registration is not dropped, and the table is there.
        let traps = unsafe { traps.as_ref() }?;
        return Some(Found {
            trap: traps.lookup(offset).map(|(code, _)| code),
        });
    }
    None
}
