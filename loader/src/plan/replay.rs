//! What becomes of a sequence of requests: bytes per category, and the pool that is enough.
#![forbid(unsafe_code)]

use core::alloc::Layout;
use std::vec::Vec;

use crate::alloc::{Category, PoolModel, Usage};
use crate::plan::trace::Request;

/// What each category takes after the requests, and at most meanwhile.
pub(super) fn usage(requests: &[Request]) -> [Usage; Category::COUNT] {
    let mut usage = [Usage::default(); Category::COUNT];
    let mut blocks: Vec<(Category, usize)> = Vec::new();
    let mut change = |category: Category, less: usize, more: usize, blocks: (usize, usize)| {
        if let Some(entry) = usage.get_mut(category as usize) {
            entry.current = entry.current.saturating_sub(less).saturating_add(more);
            entry.peak = entry.peak.max(entry.current);
            entry.blocks = (entry.blocks + blocks.1).saturating_sub(blocks.0);
        }
    };
    for request in requests {
        match *request {
            Request::Allocate {
                category, layout, ..
            } => {
                blocks.push((category, layout.size()));
                change(category, 0, layout.size(), (0, 1));
            }
            Request::Reallocate { block, layout } => {
                if let Some((category, size)) = blocks.get_mut(block) {
                    change(*category, *size, layout.size(), (0, 0));
                    *size = layout.size();
                }
            }
            Request::Free { block } => {
                if let Some((category, size)) = blocks.get(block) {
                    change(*category, *size, 0, (1, 0));
                }
            }
            Request::Map { category, bytes } => change(category, 0, bytes, (0, 1)),
        }
    }
    usage
}

/// Whether a pool of so many bytes serves all requests; then the most that its blocks took.
fn serves(requests: &[Request], bytes: usize) -> Option<usize> {
    let mut pool = PoolModel::new(bytes)?;
    let mut places: Vec<usize> = Vec::new();
    for request in requests {
        match *request {
            Request::Allocate { layout, .. } => places.push(pool.allocate(layout)?),
            Request::Reallocate { block, layout } => {
                let place = places.get_mut(block)?;
                *place = pool.reallocate(*place, layout)?;
            }
            Request::Free { block } => pool.free(*places.get(block)?),
            Request::Map { .. } => {}
        }
    }
    Some(pool.peak())
}

/// The size of a pool, in bytes, that serves all requests while one that is a granule smaller does
/// not. `None` where no pool is large enough.
pub(super) fn pool_bytes(requests: &[Request]) -> Option<usize> {
    const GRANULE: usize = PoolModel::GRANULE;
    // Twice what is asked for, as if nothing were freed, and room for the lists is enough. From there
    // on one size is known to serve and one not to, until they are a granule apart.
    let asked = requests.iter().map(|request| match request {
        Request::Allocate { layout, .. } | Request::Reallocate { layout, .. } => rounded(*layout),
        _ => 0,
    });
    let asked = asked.fold(0usize, usize::saturating_add);
    let mut enough = asked
        .checked_mul(2)?
        .checked_add(1 << 16)?
        .next_multiple_of(GRANULE);
    serves(requests, enough)?;
    let mut short = 0;
    while enough - short > GRANULE {
        let middle = (short + (enough - short) / 2).next_multiple_of(GRANULE);
        let middle = if middle == enough {
            middle - GRANULE
        } else {
            middle
        };
        if serves(requests, middle).is_some() {
            enough = middle;
        } else {
            short = middle;
        }
    }
    Some(enough)
}

/// The bytes of a layout with what a pool adds.
fn rounded(layout: Layout) -> usize {
    let size = layout.size().saturating_add(2 * PoolModel::GRANULE);
    size.saturating_add(layout.align())
}
