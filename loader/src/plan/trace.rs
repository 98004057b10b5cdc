//! A sequence of requests for memory, in the order in which the loader makes them.
#![forbid(unsafe_code)]

use core::alloc::Layout;
use std::vec::Vec;

use precast_format::context::PointerWidth;

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
pub(super) struct Trace {
    pub(super) requests: Vec<Request>,
    blocks: usize,
    /// The most bytes that a block or a range of pages can have on the device: half of its address
    /// space.
    most: usize,
}

impl Trace {
    /// No requests yet, for a device with pointers of this width.
    pub(super) fn new(width: PointerWidth) -> Trace {
        Trace {
            requests: Vec::new(),
            blocks: 0,
            most: match width {
                PointerWidth::Bits32 => i32::MAX as usize,
                PointerWidth::Bits64 => isize::MAX as usize,
            },
        }
    }

    fn check(&self, category: Category, size: usize) -> Result<(), PlanError> {
        if size > self.most {
            return Err(PlanError::TooLarge(category));
        }
        Ok(())
    }

    /// A block; none for an empty layout.
    pub(super) fn allocate(
        &mut self,
        category: Category,
        layout: Layout,
    ) -> Result<Option<Block>, PlanError> {
        if layout.size() == 0 {
            return Ok(None);
        }
        self.check(category, layout.size().saturating_add(layout.align() - 1))?;
        let block = self.blocks;
        self.blocks += 1;
        self.requests.push(Request::Allocate {
            block,
            category,
            layout,
        });
        Ok(Some(Block(block)))
    }

    /// A block for so many elements; none if there are none.
    pub(super) fn array(
        &mut self,
        category: Category,
        element: Layout,
        count: usize,
    ) -> Result<Option<Block>, PlanError> {
        self.slab(category, SlabLayout::new().elements(element, count))
    }

    /// A block for so many bytes; none if there are none.
    pub(super) fn bytes(
        &mut self,
        category: Category,
        count: usize,
    ) -> Result<Option<Block>, PlanError> {
        self.array(category, Layout::new::<u8>(), count)
    }

    /// The block of a slab.
    pub(super) fn slab(
        &mut self,
        category: Category,
        layout: SlabLayout,
    ) -> Result<Option<Block>, PlanError> {
        let layout = layout.layout().ok_or(PlanError::TooLarge(category))?;
        self.allocate(category, layout)
    }

    /// One block for a value and what comes behind it.
    pub(super) fn behind(
        &mut self,
        category: Category,
        value: Layout,
        rest: Option<Layout>,
    ) -> Result<Option<Block>, PlanError> {
        let layout = rest.and_then(|rest| value.extend(rest).ok());
        let (layout, _) = layout.ok_or(PlanError::TooLarge(category))?;
        self.allocate(category, layout)
    }

    /// A block goes back.
    pub(super) fn free(&mut self, block: Option<Block>) {
        if let Some(Block(block)) = block {
            self.requests.push(Request::Free { block });
        }
    }

    /// Pages of the platform.
    pub(super) fn map(&mut self, category: Category, bytes: usize) -> Result<(), PlanError> {
        self.check(category, bytes)?;
        self.requests.push(Request::Map { category, bytes });
        Ok(())
    }
}
