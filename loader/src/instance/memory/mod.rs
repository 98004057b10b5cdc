//! Linear memories as instances and hosts hold them.
//!
//! [`MemoryObject`] wraps the storage of `crate::memory` for a group, [`SharedMemory`] for threads, and
//! [`AnyMemory`] is one or the other. [`StorageChoice`] chooses the storage,
//! [`GrowthFailure`] tells why one does not grow,
//! [`Memory`] is the host's handle and [`MemoryMut`] an exclusive slice; `address` has what both know of
//! the program's addresses.

mod address;
mod any;
mod choice;
mod growth;
mod handle;
mod image;
mod object;
mod shared;
mod waiters;

pub(crate) use any::{AnyMemory, MemoryRef};
pub(crate) use choice::StorageChoice;
pub use growth::{ClampedLimit, GrowthFailure, GrowthObserver};
pub use handle::{BorrowError, Memory, MemoryMut};
pub(crate) use object::MemoryObject;
pub(crate) use shared::{Expected, SharedMemory};
pub(crate) use waiters::Woken;
