//! A sequence of requests for memory, in the order in which the loader makes them.
#![forbid(unsafe_code)]

use core::alloc::Layout;
use std::vec::Vec;

use crate::alloc::{Category, SlabLayout};
use crate::plan::PlanError;

/// One request. Blocks are numbered in the order in which they are allocated.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum Request {
    /// A block is allocated.
    Allocate {
        /// Its number.
        block: usize,
        /// What it is for.
        category: Category,
        /// Its size and alignment.
        layout: Layout,
    },
    /// A block gets another size.
    Reallocate {
        /// Its number.
        block: usize,
        /// Its new size, and its alignment.
        layout: Layout,
    },
    /// A block is given back.
    Free {
        /// Its number.
        block: usize,
    },
    /// Pages come from the platform, not from the allocator.
    Map {
        /// What they are for.
        category: Category,
        /// How many bytes are counted.
        bytes: usize,
    },
}

/// A block of a trace.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Block(usize);

/// Requests, as they are collected.
#[derive(Default)]
pub(super) struct Trace {
    pub(super) requests: Vec<Request>,
    blocks: usize,
}

impl Trace {
    /// A block; none for an empty layout.
    pub(super) fn allocate(&mut self, category: Category, layout: Layout) -> Option<Block> {
        if layout.size() == 0 {
            return None;
        }
        let block = self.blocks;
        self.blocks += 1;
        self.requests.push(Request::Allocate {
            block,
            category,
            layout,
        });
        Some(Block(block))
    }

    /// A block for so many elements; none if there are none.
    pub(super) fn array<T>(
        &mut self,
        category: Category,
        count: usize,
    ) -> Result<Option<Block>, PlanError> {
        let layout = Layout::array::<T>(count).map_err(|_| PlanError::TooLarge(category))?;
        Ok(self.allocate(category, layout))
    }

    /// The block of a slab.
    pub(super) fn slab(
        &mut self,
        category: Category,
        layout: SlabLayout,
    ) -> Result<Option<Block>, PlanError> {
        let layout = layout.layout().ok_or(PlanError::TooLarge(category))?;
        Ok(self.allocate(category, layout))
    }

    /// A block goes back.
    pub(super) fn free(&mut self, block: Option<Block>) {
        if let Some(Block(block)) = block {
            self.requests.push(Request::Free { block });
        }
    }

    /// Pages of the platform.
    pub(super) fn map(&mut self, category: Category, bytes: usize) {
        self.requests.push(Request::Map { category, bytes });
    }
}
