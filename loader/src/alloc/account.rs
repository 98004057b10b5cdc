//! Accounting: how many bytes each category takes, now and at most.

use core::sync::atomic::{AtomicUsize, Ordering};

use super::category::Category;

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

#[derive(Default)]
struct Counters {
    current: AtomicUsize,
    peak: AtomicUsize,
    blocks: AtomicUsize,
}

/// The counters of all categories.
#[derive(Default)]
pub(super) struct Account([Counters; Category::COUNT]);

impl Account {
    fn counters(&self, category: Category) -> Option<&Counters> {
        self.0.get(category as usize)
    }

    pub(super) fn add(&self, category: Category, bytes: usize) {
        if let Some(counters) = self.counters(category) {
            let before = counters.current.fetch_add(bytes, Ordering::Relaxed);
            counters
                .peak
                .fetch_max(before.wrapping_add(bytes), Ordering::Relaxed);
            counters.blocks.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Changes the size of one block.
    pub(super) fn resize(&self, category: Category, old: usize, new: usize) {
        if let Some(counters) = self.counters(category) {
            // Wrapping, as the counter does: a shrinking block adds a negative number.
            let more = new.wrapping_sub(old);
            let before = counters.current.fetch_add(more, Ordering::Relaxed);
            counters
                .peak
                .fetch_max(before.wrapping_add(more), Ordering::Relaxed);
        }
    }

    pub(super) fn subtract(&self, category: Category, bytes: usize) {
        if let Some(counters) = self.counters(category) {
            counters.current.fetch_sub(bytes, Ordering::Relaxed);
            counters.blocks.fetch_sub(1, Ordering::Relaxed);
        }
    }

    pub(super) fn usage(&self, category: Category) -> Usage {
        self.counters(category)
            .map_or(Usage::default(), |counters| Usage {
                current: counters.current.load(Ordering::Relaxed),
                peak: counters.peak.load(Ordering::Relaxed),
                blocks: counters.blocks.load(Ordering::Relaxed),
            })
    }
}
