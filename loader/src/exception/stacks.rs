//! Looking for references on the stacks of the calls in progress.
//!
//! ```text
//!   thread's stack                     region
//!   activation A                       highest
//!     frames of compiled code            frames of A          looked at
//!     host function                      ------ where A left it
//!   activation B                         frames of B          looked at
//!     frames of compiled code            ------ where B left it
//!     the sweep                        lowest
//!   stack pointer
//! ```
//!
//! Registers that outlive calls have been written to the stack before. On the thread's own stack the
//! host's frames are looked at as well: a host that was called by a helper of compiled code may have
//! saved that code's registers there.

use core::ptr;

use crate::sys::thread;

/// Shows every word to `visit` that may be a reference, from the stack pointer of the caller on.
/// How many there were; none where the stacks are not the thread's, so that nothing is known.
pub(super) fn visit(stack_pointer: usize, mut visit: impl FnMut(usize)) -> Option<usize> {
    let (lowest, highest) = thread::stack_bounds().unwrap_or((0, usize::MAX));
    let on_thread = |address: usize| (lowest..highest).contains(&address);
    let mut words = 0;
    let mut from = stack_pointer;
    let mut next = thread::current_activation();
    // SAFETY: null, or an activation in progress of this thread, which nobody else looks at now.
    while let Some(activation) = unsafe { next.as_ref() } {
        let here = next.addr();
        if !on_thread(from) || !on_thread(here) || from > here {
            return None;
        }
        // SAFETY: both are on the used part of the thread's stack.
        words += unsafe { scan(from, here, &mut visit) };
        let region = activation.region_stack_pointer;
        if region != 0 {
            // SAFETY: as above.
            let outer = unsafe { activation.previous.as_ref() };
            let same = outer.filter(|outer| outer.stack_highest == activation.stack_highest);
            // A call from a host function goes on below the frames of the call before.
            let top = match same.map(|outer| outer.region_stack_pointer) {
                Some(top) if top != 0 => top,
                _ => activation.stack_highest,
            };
            // SAFETY: both are on the used part of the region.
            words += unsafe { scan(region, top, &mut visit) };
        }
        from = here;
        next = activation.previous;
    }
    Some(words)
}

/// Shows the words between two addresses; how many there are.
///
/// # Safety
///
/// What is between the addresses can be read.
unsafe fn scan(from: usize, to: usize, visit: &mut impl FnMut(usize)) -> usize {
    let start = from.next_multiple_of(size_of::<usize>());
    let count = to.saturating_sub(start) / size_of::<usize>();
    for index in 0..count {
        let word = ptr::with_exposed_provenance::<usize>(start + index * size_of::<usize>());
        // SAFETY: the word is between the two. What it holds may be anything, and is compared only.
        visit(unsafe { word.read_volatile() });
    }
    count
}
