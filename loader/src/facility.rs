//! Facilities: what a cargo feature puts into the loader, and what is not there without it.
//!
//! Each is a wrapper for what exists with the facility only: a shared memory, an exception, a signal
//! handler. Without the feature there is no value of the wrapper, whatever it would hold. So the compiler
//! knows that code about such things is never reached and leaves it out, and there is one `cfg` instead
//! of one at each place. Structures are as large as with it, though, so that a plan of memory is exact for
//! every set of features. Nothing is dropped with a wrapper that cannot be: the compiler would keep the code
//! for it.
//!
//! An artifact that needs what is not there is refused by the name of the feature
//! ([`crate::link::requirements`]); a host that asks for it gets an error.
#![forbid(unsafe_code)]

use core::ops::{Deref, DerefMut};

/// There is none.
#[allow(dead_code)]
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Never {}

macro_rules! facilities {
    ($($(#[$doc:meta])* $name:ident, $feature:literal;)*) => {
        $(
            #[cfg(feature = $feature)]
            $(#[$doc])*
            #[derive(Clone, Copy, PartialEq, Eq, Debug)]
            pub(crate) struct $name<T = ()>(T);

            #[cfg(not(feature = $feature))]
            $(#[$doc])*
            #[derive(Clone, Copy, PartialEq, Eq, Debug)]
            pub(crate) struct $name<T = ()>(Never, core::mem::ManuallyDrop<T>);

            // Which of the constants is asked for depends on the features.
            #[allow(dead_code)]
            impl $name {
                /// The cargo feature.
                pub(crate) const FEATURE: &'static str = $feature;

                /// Whether the facility is there.
                pub(crate) const IS_BUILT_IN: bool = cfg!(feature = $feature);
            }

            #[allow(dead_code)]
            impl<T> $name<T> {
                /// Wraps what exists with the facility only; none where it is not there.
                pub(crate) fn hold(value: T) -> Option<$name<T>> {
                    #[cfg(feature = $feature)]
                    let held = Some($name(value));
                    #[cfg(not(feature = $feature))]
                    let held = {
                        drop(value);
                        None
                    };
                    held
                }

                /// What follows from it.
                pub(crate) fn map<'a, U>(&'a self, follow: impl FnOnce(&'a T) -> U) -> $name<U> {
                    #[cfg(feature = $feature)]
                    return $name(follow(&self.0));
                    #[cfg(not(feature = $feature))]
                    {
                        let _ = follow;
                        match self.0 {}
                    }
                }

                /// Takes it out again.
                pub(crate) fn into_inner(self) -> T {
                    #[cfg(feature = $feature)]
                    return self.0;
                    #[cfg(not(feature = $feature))]
                    match self.0 {}
                }
            }

            impl<T> Deref for $name<T> {
                type Target = T;

                fn deref(&self) -> &T {
                    #[cfg(feature = $feature)]
                    return &self.0;
                    #[cfg(not(feature = $feature))]
                    match self.0 {}
                }
            }

            impl<T> DerefMut for $name<T> {
                fn deref_mut(&mut self) -> &mut T {
                    #[cfg(feature = $feature)]
                    return &mut self.0;
                    #[cfg(not(feature = $feature))]
                    match self.0 {}
                }
            }
        )*
    };
}

facilities! {
    /// Heaps of programs that the host allocates in.
    AppHeaps, "app-heap";
    /// Looking up which functions were active, and what they are called.
    Backtraces, "backtraces";
    /// Counting calls and time per function.
    CallProfiles, "call-profile";
    /// Memory from functions of the host.
    CustomAllocators, "custom-allocators";
    /// Exceptions: made, thrown and caught.
    Exceptions, "exceptions";
    /// Artifacts in files.
    Files, "files";
    /// Memories and stacks that end in pages which cannot be accessed.
    GuardPages, "guard-pages";
    /// Host functions in tables and values of programs that do not import them.
    HostReferences, "host-references";
    /// Rounding of floats, for code of processors that have no instruction for it.
    Rounding, "rounding";
    /// Catching hardware faults.
    Signals, "signals";
    /// What instances have in common: memories, tables, globals, and functions of each other.
    Linking, "linking";
    /// Vectors of 128 bits.
    Simd, "simd";
    /// Shared memories, and waiting at their addresses.
    Threads, "threads";
    /// Memory from the system's heap.
    SystemHeap, "system-heap";
    /// Types that refer to types: recursion groups, typed function references.
    TypedReferences, "typed-references";
}
