//! What is printed and drawn: figures without a word about how they were found.
//!
//! ```text
//!   plan (before) ----> Model ----> table, JSON, header, Rust constants, drawing
//!   run (after) ------> Profile --> table, JSON, outlines in the drawing
//! ```
//!
//! All numbers are bytes where nothing else is said.

use crate::flags::memory::Allocation;
use precast_loader::{Category, Lifetime};

/// What loading, instantiating and one execution environment will take.
pub struct Model {
    /// The artifact's name in reports.
    pub name: String,
    /// Where memory comes from.
    pub allocation: Allocation,
    /// What each category takes, in the order of the categories; those that take nothing are there
    /// too.
    pub rows: Vec<Row>,
    /// The steps from nothing to a program that can be called, in order.
    pub stages: Vec<Stage>,
    /// What can grow.
    pub growth: Vec<Growth>,
    /// The size of a pool that is enough for all stages, without growth. Only for pools.
    pub pool: Option<u64>,
    /// What else whoever sizes a device must know, one sentence each.
    pub notes: Vec<String>,
}

/// What a category takes once everything is there.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Row {
    /// The category, which knows its lifetime.
    pub category: Category,
    /// The sum of what is asked for.
    pub bytes: u64,
    /// How many blocks there are.
    pub blocks: u64,
    /// Who gives the memory.
    pub source: Source,
}

/// Who gives memory.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Source {
    /// The runtime's allocator.
    Allocator,
    /// The platform, in pages: code, and memories with guard pages. Not in the pool.
    Platform,
}

/// A step on the way to a program that can be called.
pub struct Stage {
    /// What is done.
    pub name: &'static str,
    /// Bytes that are in use when it is done.
    pub bytes: u64,
    /// The most bytes that are in use until then.
    pub peak: u64,
}

/// Something that can grow while the program runs.
pub struct Growth {
    /// What, with its index: `memory 0`.
    pub what: String,
    /// Its size at first.
    pub initial: u64,
    /// The size to which it may grow; `None` where neither the module nor the host sets one.
    pub limit: Option<u64>,
}

/// What a category took in a run.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Usage {
    /// The category.
    pub category: Category,
    /// Bytes at the end.
    pub current: u64,
    /// The most bytes at any time.
    pub peak: u64,
    /// How many blocks there were at the end.
    pub blocks: u64,
}

/// Anything that is about a category.
pub trait OfCategory {
    /// The category.
    fn category(&self) -> Category;
}

impl OfCategory for Row {
    fn category(&self) -> Category {
        self.category
    }
}

impl OfCategory for Usage {
    fn category(&self) -> Category {
        self.category
    }
}

/// The items of a lifetime, in their order.
pub fn of_lifetime<T: OfCategory>(items: &[T], lifetime: Lifetime) -> impl Iterator<Item = &T> {
    items
        .iter()
        .filter(move |item| item.category().lifetime() == lifetime)
}

/// The category with this name in reports.
pub fn category(name: &str) -> Option<Category> {
    let mut all = Category::ALL.iter().copied();
    all.find(|category| category.name() == name)
}

impl Model {
    /// What a lifetime takes.
    pub fn lifetime_bytes(&self, lifetime: Lifetime) -> u64 {
        of_lifetime(&self.rows, lifetime).map(|row| row.bytes).sum()
    }

    /// What a category takes.
    pub fn category_bytes(&self, category: Category) -> u64 {
        let rows = self.rows.iter().filter(|row| row.category == category);
        rows.map(|row| row.bytes).sum()
    }

    /// What comes from one source.
    pub fn bytes_of(&self, source: Source) -> u64 {
        let rows = self.rows.iter().filter(|row| row.source == source);
        rows.map(|row| row.bytes).sum()
    }

    /// What everything takes.
    pub fn total(&self) -> u64 {
        self.rows.iter().map(|row| row.bytes).sum()
    }
}
