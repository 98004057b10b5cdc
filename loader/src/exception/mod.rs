//! Exceptions: what compiled code throws, and who owns it.
//!
//! ```text
//!   Tag ----------------> tag record (in the owner's context, or beside a host's tag)
//!                            ^
//!   Exception, exnref --> object: tag record | next in bucket | handles | next to trace, flags | values
//!                            ^
//!   Group -> Registry -------+  every object that is not freed yet, by its address
//! ```
//!
//! Compiled code holds plain addresses and counts nothing. So an object that may still be referred to
//! is freed by a [sweep], which takes every word on the stacks of the group's calls for a possible
//! reference. One that was only ever on its way to a plain `catch` needs none: it is used again for
//! the next exception.

pub(crate) mod handle;
pub(crate) mod object;
pub(crate) mod registry;
mod roots;
mod stacks;
pub(crate) mod sweep;
pub(crate) mod tag;
pub(crate) mod uncaught;
