//! Accounting: how many bytes each category takes, now and at most.
//!
//! It costs an addition or two for each allocation. Without the feature `accounting` there is none
//! of it, and every category reads as empty.
#![forbid(unsafe_code)]

use super::category::Category;

#[cfg(feature = "accounting")]
pub(super) use counting::Account;
#[cfg(not(feature = "accounting"))]
pub(super) use silent::Account;

/// What a category takes.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Usage {
    /// Bytes now.
    pub current: usize,
    /// The most bytes at any time.
    pub peak: usize,
    /// How many blocks there are now.
    pub blocks: usize,
}

#[cfg(feature = "accounting")]
mod counting {
    use core::sync::atomic::Ordering;

    use super::{Category, Usage};
    use crate::sys::atomic::{AtomicU32, AtomicUsize};

    /// The counters of all categories, each kind in an array of its own to leave no gaps.
    #[derive(Default)]
    pub(in crate::alloc) struct Account {
        current: [AtomicUsize; Category::COUNT],
        peak: [AtomicUsize; Category::COUNT],
        blocks: [AtomicU32; Category::COUNT],
    }

    impl Account {
        /// Counts a block.
        pub(in crate::alloc) fn add(&self, category: Category, bytes: usize) {
            self.change(category, bytes);
            if let Some(blocks) = self.blocks.get(category as usize) {
                blocks.fetch_add(1, Ordering::Relaxed);
            }
        }

        /// Changes the size of one block.
        pub(in crate::alloc) fn resize(&self, category: Category, old: usize, new: usize) {
            // Wrapping, as the counter does: a shrinking block adds a negative number.
            self.change(category, new.wrapping_sub(old));
        }

        /// Forgets a block.
        pub(in crate::alloc) fn subtract(&self, category: Category, bytes: usize) {
            self.change(category, bytes.wrapping_neg());
            if let Some(blocks) = self.blocks.get(category as usize) {
                blocks.fetch_sub(1, Ordering::Relaxed);
            }
        }

        fn change(&self, category: Category, more: usize) {
            let index = category as usize;
            let (Some(current), Some(peak)) = (self.current.get(index), self.peak.get(index))
            else {
                return;
            };
            let before = current.fetch_add(more, Ordering::Relaxed);
            peak.fetch_max(before.wrapping_add(more), Ordering::Relaxed);
        }

        /// What a category takes.
        pub(in crate::alloc) fn usage(&self, category: Category) -> Usage {
            let index = category as usize;
            let read = |counters: &[AtomicUsize]| {
                counters
                    .get(index)
                    .map_or(0, |counter| counter.load(Ordering::Relaxed))
            };
            let blocks = self.blocks.get(index);
            Usage {
                current: read(&self.current),
                peak: read(&self.peak),
                blocks: blocks.map_or(0, |blocks| blocks.load(Ordering::Relaxed) as usize),
            }
        }
    }
}

#[cfg(not(feature = "accounting"))]
mod silent {
    use super::{Category, Usage};

    /// No counters.
    #[derive(Default)]
    pub(in crate::alloc) struct Account {}

    impl Account {
        pub(in crate::alloc) fn add(&self, _: Category, _: usize) {}

        pub(in crate::alloc) fn resize(&self, _: Category, _: usize, _: usize) {}

        pub(in crate::alloc) fn subtract(&self, _: Category, _: usize) {}

        pub(in crate::alloc) fn usage(&self, _: Category) -> Usage {
            Usage::default()
        }
    }
}
