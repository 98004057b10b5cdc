//! How many passed, failed and were skipped, and why.

use std::collections::BTreeMap;

/// The results of things that are counted alike.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Counts {
    /// What did as it must.
    pub passed: usize,
    /// What did not, in a sentence each.
    pub failed: Vec<String>,
    /// What could not be tried, by reason.
    pub skipped: BTreeMap<String, usize>,
}

impl Counts {
    /// One thing that did as it must.
    pub fn passed() -> Counts {
        Counts {
            passed: 1,
            ..Counts::default()
        }
    }

    /// One thing that could not be tried.
    pub fn skipped(reason: String) -> Counts {
        Counts {
            skipped: BTreeMap::from([(reason, 1)]),
            ..Counts::default()
        }
    }

    /// One thing that failed.
    pub fn failed(message: String) -> Counts {
        Counts {
            failed: vec![message],
            ..Counts::default()
        }
    }

    /// Adds others.
    pub fn add(&mut self, other: Counts) {
        self.passed += other.passed;
        self.failed.extend(other.failed);
        for (reason, count) in other.skipped {
            *self.skipped.entry(reason).or_default() += count;
        }
    }

    /// How many failed.
    pub fn failures(&self) -> usize {
        self.failed.len()
    }

    /// How many were skipped.
    pub fn skips(&self) -> usize {
        self.skipped.values().sum()
    }

    /// How many there were.
    pub fn all(&self) -> usize {
        self.passed + self.failures() + self.skips()
    }
}
