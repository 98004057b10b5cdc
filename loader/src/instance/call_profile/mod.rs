//! Counts of calls and time per function, of instances whose code was compiled to keep them.
//!
//! The figures are in the instance's [`books`]; who writes them is `libcall/profile.rs`. Time is
//! counted in ticks of the cheapest clock that the machine has. How long a tick is shows a comparison
//! with the system's clock, from the instance's beginning to the question.

pub(crate) mod books;
pub(crate) mod observer;

use core::fmt;
use core::time::Duration;

use crate::group::{Busy, Entered};
use crate::instance::Instance;
use crate::module::Module;
use crate::sys::{clock, isa};

use books::CallBooks;

/// The least time, in nanoseconds, from which the length of a tick is told.
const LEAST_MEASURE: u64 = 1_000_000;

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

/// Functions that called each other, and the time at their end.
#[derive(Clone, Copy)]
pub struct CallPath<'a> {
    books: &'a CallBooks,
    path: u32,
    own: Duration,
}

impl CallPath<'_> {
    /// The indices of the functions, the last one first. A function stands once on a path, however
    /// often it called itself.
    pub fn functions(&self) -> impl Iterator<Item = u32> {
        let mut path = self.path;
        core::iter::from_fn(move || {
            let (function, parent) = self.books.path_end(path)?;
            path = parent;
            Some(function)
        })
    }

    /// Time in the last function alone, called so.
    pub fn own(&self) -> Duration {
        self.own
    }
}

impl fmt::Debug for CallPath<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.functions()).finish()
    }
}

/// The counts of one instance. While the value is there, other threads find the instance [`Busy`].
pub struct CallProfile<'a> {
    module: &'a Module,
    books: &'a CallBooks,
    ticks: u64,
    nanoseconds: u64,
    _entered: Option<Entered<'a>>,
}

impl<'a> CallProfile<'a> {
    /// The figures of now. Waits until the length of a tick can be told.
    fn new(
        module: &'a Module,
        books: &'a CallBooks,
        entered: Option<Entered<'a>>,
    ) -> CallProfile<'a> {
        let (ticks_at_start, time_at_start) = books.start;
        loop {
            let nanoseconds = clock::now().saturating_sub(time_at_start);
            let ticks = isa::ticks().saturating_sub(ticks_at_start);
            // A clock that stands still must not hold up anybody.
            if nanoseconds >= LEAST_MEASURE || nanoseconds == 0 {
                return CallProfile {
                    module,
                    books,
                    ticks,
                    nanoseconds,
                    _entered: entered,
                };
            }
            core::hint::spin_loop();
        }
    }

    /// The module whose functions were counted.
    pub fn module(&self) -> &Module {
        self.module
    }

    /// The functions that were called, by index. Allocates nothing.
    pub fn functions(&self) -> impl Iterator<Item = FunctionCalls> {
        let functions = (0..).map_while(|index| {
            let counter = self.books.counter(index)?;
            Some(FunctionCalls {
                index,
                calls: counter.calls.get(),
                active: counter.active.get(),
                total: self.duration(counter.total.get()),
                own: self.duration(counter.own.get()),
            })
        });
        functions.filter(|function| function.calls != 0)
    }

    /// The paths of calls that were taken; none without
    /// [`InstanceOptions::call_paths`](crate::InstanceOptions::call_paths). Allocates nothing.
    pub fn paths(&self) -> impl Iterator<Item = CallPath<'_>> {
        let paths = (0..).map_while(|path| {
            let own = self.duration(self.books.ticks_of_path(path)?);
            let books = self.books;
            Some(CallPath { books, path, own })
        });
        // The empty path is there if not even one function fits.
        paths.filter(|path| path.path != 0 || !path.own.is_zero())
    }

    /// Whether there were more paths than room: the time of those that are missing counts for the
    /// path that they begin with.
    pub fn paths_are_missing(&self) -> bool {
        self.books.is_full()
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
        let Some(books) = self.data().call_books() else {
            return Ok(None);
        };
        let module = self.module();
        Ok(Some(CallProfile::new(module, books, Some(entered))))
    }
}
