//! The counters of one instance, at the end of its block.
//!
//! ```text
//!   | other arrays | counter of function 0, 1, ... | path 0, 1, ... | books |
//!                                                   end of the block ^
//! ```
//!
//! The books are found from the block's end, so that an instance without them does not have a single
//! byte more.
//!
//! Paths are a tree: a path is a function that was called at the end of another path, its parent. Path 0
//! is the empty one. A function that is on a path already is not put on it again: recursion goes back
//! to where the function stands. So the tree stays small however deep calls go; what does not fit
//! counts for the parent.

#![cfg_attr(
    not(feature = "call-profile"),
    expect(dead_code, reason = "without the feature nothing is ever written down")
)]

use core::cell::Cell;
use core::mem::ManuallyDrop;

use precast_format::Artifact;
use precast_format::types::ExternKind;

use crate::alloc::{Array, Slab};
use crate::facility::CallProfiles;
use crate::instance::call_profile::observer::CallObserver;
use crate::instance::{ArrayCounts, InstanceData};
use crate::sys::{clock, isa};

/// How far back a path is searched for a function that is on it already.
const LONGEST_CYCLE: usize = 64;

/// Stands for no function.
const NOBODY: u32 = u32::MAX;

/// What is counted of one function. Ticks of calls that have not ended are not in it.
// As many bytes on 32-bit x86, whose 64-bit numbers are aligned to four, as everywhere else.
#[repr(align(8))]
pub(crate) struct CallCounter {
    pub(crate) calls: Cell<u64>,
    /// Ticks in the function and what it called; of recursive calls only those of the outermost.
    pub(crate) total: Cell<u64>,
    /// Ticks in the function itself.
    pub(crate) own: Cell<u64>,
    /// Calls that have not ended.
    pub(crate) active: Cell<u64>,
}

/// A path of calls.
// As many bytes on 32-bit x86, whose 64-bit numbers are aligned to four, as everywhere else.
#[repr(align(8))]
pub(crate) struct PathNode {
    /// The last function of the path.
    function: Cell<u32>,
    parent: Cell<u32>,
    /// The path with one function more that was taken last, or zero.
    first_child: Cell<u32>,
    /// The next path with the same parent, or zero.
    next: Cell<u32>,
    /// Ticks in the function itself, called so.
    own: Cell<u64>,
}

/// What an instance counts.
// As many bytes on 32-bit x86, whose 64-bit numbers are aligned to four, as everywhere else.
#[repr(align(8))]
pub(crate) struct CallBooks {
    counters: Array<CallCounter>,
    /// Empty where paths are not told apart.
    paths: Array<PathNode>,
    used_paths: Cell<u32>,
    /// Whether there were more paths.
    is_full: Cell<bool>,
    /// When counting began, in ticks and in nanoseconds.
    pub(super) start: (u64, u64),
    /// Who is told at the end.
    pub(super) observer: Option<CallObserver>,
}

/// How many counters an instance has: one for each function, or none.
pub(in crate::instance) fn count(artifact: &Artifact<'_>) -> usize {
    match CallProfiles::IS_BUILT_IN && artifact.header().tunables.call_profile {
        true => artifact.index_space(ExternKind::Function) as usize,
        false => 0,
    }
}

/// Opens the books of an instance that keeps any, in the last of the slab's arrays.
pub(in crate::instance) fn prepare(
    slab: &mut Slab,
    counts: &ArrayCounts,
    observer: Option<CallObserver>,
) {
    if counts.call_counters == 0 {
        return;
    }
    // SAFETY: the array goes into the books, which are in the slab themselves.
    let mut counters = unsafe { slab.take::<CallCounter>(counts.call_counters) };
    for _ in 0..counts.call_counters {
        counters.push(CallCounter {
            calls: Cell::new(0),
            total: Cell::new(0),
            own: Cell::new(0),
            active: Cell::new(0),
        });
    }
    // SAFETY: as above.
    let mut paths = unsafe { slab.take::<PathNode>(counts.call_paths) };
    for _ in 0..counts.call_paths {
        paths.push(PathNode {
            function: Cell::new(NOBODY),
            parent: Cell::new(0),
            first_child: Cell::new(0),
            next: Cell::new(0),
            own: Cell::new(0),
        });
    }
    // SAFETY: the array's elements are never dropped; they go with the slab, and own nothing else.
    let books = unsafe { slab.take::<CallBooks>(1) };
    ManuallyDrop::new(books).push(CallBooks {
        counters,
        paths,
        used_paths: Cell::new(1),
        is_full: Cell::new(false),
        start: (isa::ticks(), clock::now()),
        observer,
    });
}

impl InstanceData {
    /// The books; none where nothing is counted.
    #[inline]
    pub(crate) fn call_books(&self) -> Option<&CallBooks> {
        // A module without functions has nothing to count.
        if !self.module.counts_calls() || count(self.module.artifact()) == 0 {
            return None;
        }
        let books = self._slab.before_end(size_of::<CallBooks>())?;
        // SAFETY: `prepare` put them at the end of the block, which lives as long, and nobody writes
        // but through cells.
        Some(unsafe { books.cast::<CallBooks>().as_ref() })
    }
}

impl CallBooks {
    /// The counter of a function, imports first.
    #[inline]
    pub(crate) fn counter(&self, function: u32) -> Option<&CallCounter> {
        self.counters.get(function as usize)
    }

    /// The path that a call of the function leads to.
    pub(crate) fn path(&self, parent: u32, function: u32) -> u32 {
        let Some(caller) = self.paths.get(parent as usize) else {
            return 0;
        };
        if caller.function.get() == function {
            return parent;
        }
        let child = self.child(caller, function);
        child
            .or_else(|| self.ancestor(parent, function))
            .unwrap_or_else(|| self.add(caller, parent, function))
    }

    /// The path behind this one with this function, which comes to the front of its siblings.
    fn child(&self, caller: &PathNode, function: u32) -> Option<u32> {
        let (mut index, mut before) = (caller.first_child.get(), None::<&PathNode>);
        while index != 0 {
            let node = self.paths.get(index as usize)?;
            if node.function.get() == function {
                if let Some(before) = before {
                    before.next.set(node.next.get());
                    node.next.set(caller.first_child.get());
                    caller.first_child.set(index);
                }
                return Some(index);
            }
            index = node.next.get();
            before = Some(node);
        }
        None
    }

    /// The beginning of this path that ends with the function.
    fn ancestor(&self, path: u32, function: u32) -> Option<u32> {
        let mut index = path;
        for _ in 0..LONGEST_CYCLE {
            let node = self.paths.get(index as usize)?;
            if node.function.get() == function {
                return Some(index);
            }
            index = node.parent.get();
        }
        None
    }

    /// Adds a path, if there is room.
    fn add(&self, caller: &PathNode, parent: u32, function: u32) -> u32 {
        let index = self.used_paths.get();
        let Some(node) = self.paths.get(index as usize) else {
            self.is_full.set(true);
            return parent;
        };
        self.used_paths.set(index + 1);
        node.function.set(function);
        node.parent.set(parent);
        node.next.set(caller.first_child.get());
        caller.first_child.set(index);
        index
    }

    /// Adds ticks to a path.
    #[inline]
    pub(crate) fn spend(&self, path: u32, ticks: u64) {
        if let Some(node) = self.paths.get(path as usize) {
            node.own.set(node.own.get().wrapping_add(ticks));
        }
    }

    /// Whether paths are told apart.
    #[inline]
    pub(crate) fn has_paths(&self) -> bool {
        !self.paths.is_empty()
    }

    /// The ticks of a path; none beyond the last that was taken.
    pub(super) fn ticks_of_path(&self, path: u32) -> Option<u64> {
        let path = Some(path).filter(|path| *path < self.used_paths.get())?;
        Some(self.paths.get(path as usize)?.own.get())
    }

    /// The last function of a path, and the path without it; none at its beginning.
    pub(super) fn path_end(&self, path: u32) -> Option<(u32, u32)> {
        let node = self.paths.get(path as usize)?;
        let function = node.function.get();
        (function != NOBODY).then(|| (function, node.parent.get()))
    }

    /// Whether some paths had to be left out.
    pub(super) fn is_full(&self) -> bool {
        self.is_full.get()
    }
}
