//! Facilities: what a cargo feature puts into the loader, and what is not there without it.
//!
//! Each is a type, of which there is one value with the feature and none without. Whatever exists with
//! the facility only holds the value: a shared memory, an exception, a signal handler. So the compiler
//! knows that code about them is never reached and leaves it out, and there is one `cfg` instead of one
//! at each place.
//!
//! An artifact that needs what is not there is refused by the name of the feature
//! ([`crate::link::requirements`]); a host that asks for it gets an error.
#![forbid(unsafe_code)]

macro_rules! facilities {
    ($($(#[$doc:meta])* $name:ident, $feature:literal;)*) => {
        $(
            #[cfg(feature = $feature)]
            $(#[$doc])*
            #[derive(Clone, Copy, PartialEq, Eq, Debug)]
            pub(crate) struct $name(());

            #[cfg(not(feature = $feature))]
            $(#[$doc])*
            #[derive(Clone, Copy, PartialEq, Eq, Debug)]
            pub(crate) enum $name {}

            // Which of the constants is asked for depends on the features.
            #[allow(dead_code)]
            impl $name {
                /// The cargo feature.
                pub(crate) const FEATURE: &'static str = $feature;

                /// The value, if there is one.
                #[cfg(feature = $feature)]
                pub(crate) const BUILT_IN: Option<$name> = Some($name(()));
                /// The value, if there is one.
                #[cfg(not(feature = $feature))]
                pub(crate) const BUILT_IN: Option<$name> = None;

                /// Whether the facility is there.
                pub(crate) const IS_BUILT_IN: bool = cfg!(feature = $feature);
            }
        )*
    };
}

facilities! {
    /// Looking up which functions were active, and what they are called.
    Backtraces, "backtraces";
    /// Counting calls and time per function.
    CallProfiles, "call-profile";
    /// Exceptions: made, thrown and caught.
    Exceptions, "exceptions";
    /// Artifacts in files.
    Files, "files";
    /// Memories and stacks that end in pages which cannot be accessed.
    GuardPages, "guard-pages";
    /// Catching hardware faults.
    Signals, "signals";
    /// Vectors of 128 bits.
    Simd, "simd";
    /// Shared memories, and waiting at their addresses.
    Threads, "threads";
}
