//! Linear memories as instances and hosts hold them.
//!
//! [`MemoryObject`] wraps the storage of `crate::memory`, [`StorageChoice`] chooses that storage,
//! [`GrowthFailure`] tells why one does not grow,
//! [`Memory`] is the host's handle and [`MemoryMut`] an exclusive slice; `address` has what both know of
//! the program's addresses.

mod address;
mod choice;
mod growth;
mod handle;
mod object;

pub(crate) use choice::StorageChoice;
pub use growth::{ClampedLimit, GrowthFailure, GrowthObserver};
pub use handle::{Memory, MemoryMut};
pub(crate) use object::MemoryObject;
