//! Counts of calls and time per function, of instances whose code was compiled to keep them.
//!
//! ```text
//!   | other arrays | start | counter of function 0 | counter of function 1 | ... |
//!                                                    end of the instance's block ^
//! ```
//!
//! The counters are the last arrays of the instance's block and are found from its end, so that an
//! instance without them does not have a single byte more. Who writes them is `libcall/profile.rs`.
//!
//! Time is counted in ticks of the cheapest clock that the machine has. How long a tick is shows a
//! comparison with the system's clock, from the instance's beginning to the question.

use core::cell::Cell;
use core::fmt;
use core::ptr::NonNull;
use core::time::Duration;

use precast_format::types::ExternKind;

use crate::alloc::{OutOfMemory, Slab, SlabLayout};
use crate::group::{Busy, Entered};
use crate::instance::{ArrayCounts, Instance, InstanceData};
use crate::module::Module;
use crate::sys::{clock, isa};

/// The least time, in nanoseconds, from which the length of a tick is told.
const LEAST_MEASURE: u64 = 1_000_000;

/// When counting began, by both clocks.
struct Start {
    ticks: u64,
    nanoseconds: u64,
}

/// What is counted of one function. Ticks of calls that have not ended are not in it.
pub(crate) struct CallCounter {
    pub(crate) calls: Cell<u64>,
    /// Ticks in the function and what it called; of recursive calls only those of the outermost.
    pub(crate) total: Cell<u64>,
    /// Ticks in the function itself.
    pub(crate) own: Cell<u64>,
    /// Calls that have not ended.
    pub(crate) active: Cell<u64>,
}

/// Adds what the counters of an instance take.
pub(super) fn layout(arrays: SlabLayout, counts: &ArrayCounts) -> SlabLayout {
    arrays
        .array::<Start>(usize::from(counts.call_counters != 0))
        .array::<CallCounter>(counts.call_counters)
}

/// Makes the counters, the last of the slab's arrays.
pub(super) fn prepare(slab: &mut Slab, counts: &ArrayCounts) -> Result<(), OutOfMemory> {
    if counts.call_counters == 0 {
        return Ok(());
    }
    // SAFETY: the array is not used after this function; its elements have nothing to drop.
    let mut start = unsafe { slab.take::<Start>(1) }?;
    start.push(Start {
        ticks: isa::ticks(),
        nanoseconds: clock::now(),
    });
    // SAFETY: as above.
    let mut counters = unsafe { slab.take::<CallCounter>(counts.call_counters) }?;
    for _ in 0..counts.call_counters {
        counters.push(CallCounter {
            calls: Cell::new(0),
            total: Cell::new(0),
            own: Cell::new(0),
            active: Cell::new(0),
        });
    }
    Ok(())
}

/// How many counters an instance of the module has: one for each function, or none.
pub(super) fn count(artifact: &precast_format::Artifact<'_>) -> usize {
    match artifact.header().tunables.call_profile {
        true => artifact.index_space(ExternKind::Function) as usize,
        false => 0,
    }
}

impl InstanceData {
    /// The counter of a function, imports first; none where nothing is counted.
    #[inline]
    pub(crate) fn call_counter(&self, function: u32) -> Option<&CallCounter> {
        let count = count(self.module.artifact());
        let from_end = count.checked_sub(function as usize).filter(|it| *it != 0)?;
        let counter = self._slab.from_end(from_end * size_of::<CallCounter>())?;
        // SAFETY: `prepare` put so many counters at the end of the block, which lives as long.
        Some(unsafe { counter.cast::<CallCounter>().as_ref() })
    }

    /// When counting began.
    fn call_profile_start(&self) -> Option<&Start> {
        let count = count(self.module.artifact());
        if count == 0 {
            return None;
        }
        let size = count * size_of::<CallCounter>() + size_of::<Start>();
        let start: NonNull<u8> = self._slab.from_end(size)?;
        // SAFETY: `prepare` put it there, in front of the counters.
        Some(unsafe { start.cast::<Start>().as_ref() })
    }
}

/// What the calls of a function were.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct FunctionCalls {
    /// The function's index, imports first. An import counts where it is called by the module's
    /// functions as such.
    pub index: u32,
    /// How often it was called. A tail call counts as a call of its target.
    pub calls: u64,
    /// How many of these calls have not ended. Their time is not in what follows.
    pub active: u64,
    /// Time in the function and in what it called; calls within a call of the same function do not
    /// count twice.
    pub total: Duration,
    /// Time in the function alone. What host functions take belongs to them where they are called as
    /// imports, and to the caller elsewhere.
    pub own: Duration,
}

/// The counts of one instance. While the value is there, other threads find the instance [`Busy`].
pub struct CallProfile<'a> {
    instance: &'a Instance,
    ticks: u64,
    nanoseconds: u64,
    _entered: Entered<'a>,
}

impl CallProfile<'_> {
    /// The module whose functions were counted.
    pub fn module(&self) -> &Module {
        self.instance.module()
    }

    /// The functions that were called, by index. Allocates nothing.
    pub fn functions(&self) -> impl Iterator<Item = FunctionCalls> {
        (0..)
            .map_while(|index| {
                let counter = self.instance.data().call_counter(index)?;
                Some(FunctionCalls {
                    index,
                    calls: counter.calls.get(),
                    active: counter.active.get(),
                    total: self.duration(counter.total.get()),
                    own: self.duration(counter.own.get()),
                })
            })
            .filter(|function| function.calls != 0)
    }

    fn duration(&self, ticks: u64) -> Duration {
        let nanoseconds = u128::from(ticks) * u128::from(self.nanoseconds);
        let nanoseconds = nanoseconds / u128::from(self.ticks.max(1));
        Duration::from_nanos(u64::try_from(nanoseconds).unwrap_or(u64::MAX))
    }
}

impl fmt::Debug for CallProfile<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.functions()).finish()
    }
}

impl Instance {
    /// The counts of calls and time so far; `None` where the artifact was not compiled to keep them.
    ///
    /// Shortly after instantiation this takes up to a millisecond, to find out how long a tick of the
    /// clock is.
    pub fn call_profile(&self) -> Result<Option<CallProfile<'_>>, Busy> {
        let entered = self.data().group().enter()?;
        let Some(start) = self.data().call_profile_start() else {
            return Ok(None);
        };
        loop {
            let nanoseconds = clock::now().saturating_sub(start.nanoseconds);
            let ticks = isa::ticks().saturating_sub(start.ticks);
            // A clock that stands still must not hold up anybody.
            if nanoseconds >= LEAST_MEASURE || nanoseconds == 0 {
                return Ok(Some(CallProfile {
                    instance: self,
                    ticks,
                    nanoseconds,
                    _entered: entered,
                }));
            }
            core::hint::spin_loop();
        }
    }
}
