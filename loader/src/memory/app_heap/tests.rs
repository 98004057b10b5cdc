//! Random use of heaps, compared with a list of what is out.

use super::*;

/// The same numbers every time.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) as usize % limit
    }
}

fn heap(address: u64, bytes: usize) -> AppHeap {
    AppHeap::new(&Allocator::system().unwrap(), address, bytes).unwrap()
}

/// A heap as a list: for each granule the block that it is part of.
struct Model {
    address: u64,
    granules: std::vec::Vec<Option<usize>>,
    peak: usize,
}

impl Model {
    /// The first fit, found the slow way.
    fn allocate(&mut self, bytes: u64) -> Option<u64> {
        let wanted = (bytes as usize).div_ceil(GRANULE).max(1);
        let first = usize::from(self.address == 0);
        let mut starts = first..(self.granules.len() + 1).saturating_sub(wanted);
        let start = starts.find(|start| {
            let range = *start..start + wanted;
            self.granules[range].iter().all(Option::is_none)
        })?;
        self.granules[start..start + wanted].fill(Some(start));
        self.peak = self.peak.max(self.used());
        Some(self.address + (start * GRANULE) as u64)
    }

    fn used(&self) -> usize {
        self.granules.iter().flatten().count() * GRANULE
    }

    fn largest_free(&self) -> usize {
        let first = usize::from(self.address == 0 && !self.granules.is_empty());
        let holes = self.granules[first..].split(Option::is_some);
        holes.map(|hole| hole.len() * GRANULE).max().unwrap_or(0)
    }

    /// The block that begins at an address.
    fn block(&self, address: u64) -> Option<usize> {
        let offset = address.checked_sub(self.address)? as usize;
        let start = offset / GRANULE;
        let begins =
            offset.is_multiple_of(GRANULE) && self.granules.get(start) == Some(&Some(start));
        begins.then_some(start)
    }

    fn size_of(&self, address: u64) -> Option<usize> {
        let start = self.block(address)?;
        let mine = |granule: &&Option<usize>| **granule == Some(start);
        Some(self.granules.iter().filter(mine).count() * GRANULE)
    }

    fn free(&mut self, address: u64) -> bool {
        let Some(start) = self.block(address) else {
            return false;
        };
        for granule in &mut self.granules {
            if *granule == Some(start) {
                *granule = None;
            }
        }
        true
    }

    fn usage(&self) -> AppHeapUsage {
        let blocks = self.granules.iter().enumerate();
        AppHeapUsage {
            address: self.address,
            size: self.granules.len() * GRANULE,
            used: self.used(),
            peak: self.peak,
            blocks: blocks.filter(|(at, block)| **block == Some(*at)).count(),
            largest_free: self.largest_free(),
        }
    }
}

#[test]
fn random_use_is_like_a_list() {
    for (seed, address, bytes) in [
        (1, 65536, 0),
        (2, 65536, 16),
        (3, 0, 16),
        (4, 16, 63 * 16),
        (5, 1 << 40, 64 * 16),
        (6, 0, 65 * 16),
        (7, 65536, 4096),
        (8, 65536, 9 * 1024 + 48),
    ] {
        let mut heap = heap(address, bytes);
        let mut model = Model {
            address,
            granules: std::vec![None; bytes / GRANULE],
            peak: 0,
        };
        let mut random = Random(0x9e37_79b9_7f4a_7c15 ^ seed);
        let mut out = std::vec::Vec::new();
        for _ in 0..4000 {
            match random.below(8) {
                0..4 => {
                    let limit = if random.below(6) == 0 { 2000 } else { 100 };
                    let wanted = random.below(limit) as u64;
                    let block = heap.allocate(wanted);
                    assert_eq!(block, model.allocate(wanted));
                    out.extend(block);
                }
                4..7 if !out.is_empty() => {
                    let block = out.swap_remove(random.below(out.len()));
                    assert_eq!(heap.size_of(block), model.size_of(block));
                    assert!(heap.free(block));
                    assert!(model.free(block));
                    assert!(!heap.free(block), "it is free already");
                }
                _ => {
                    // Any address at all, most of them near the heap.
                    let nonsense = address.wrapping_add(random.below(bytes + 64) as u64);
                    let nonsense = nonsense.wrapping_sub(32);
                    assert_eq!(heap.size_of(nonsense), model.size_of(nonsense));
                    if model.block(nonsense).is_none() {
                        assert!(!heap.free(nonsense));
                    }
                }
            }
            assert_eq!(heap.usage(), model.usage());
        }
        for block in out {
            assert!(heap.free(block));
        }
        let usage = heap.usage();
        let usable = bytes - if address == 0 { bytes.min(16) } else { 0 };
        assert_eq!((usage.used, usage.blocks), (0, 0));
        assert_eq!(usage.largest_free, usable);
    }
}

#[test]
fn nothing_overflows() {
    let mut heap = heap(65536, 1024);
    for bytes in [1025, 1 << 32, u64::MAX - 15, u64::MAX] {
        assert_eq!(heap.allocate(bytes), None);
    }
    for address in [0, 65535, 65536, 65536 + 1024, u64::MAX - 15, u64::MAX] {
        assert!(!heap.free(address));
        assert_eq!(heap.size_of(address), None);
    }
    assert_eq!(heap.allocate(1024), Some(65536));
    assert_eq!(heap.allocate(0), None);
    assert_eq!(heap.size_of(65536), Some(1024));
    // At the end of all addresses.
    let mut heap = self::heap(u64::MAX - 31, 16);
    assert_eq!(heap.allocate(1), Some(u64::MAX - 31));
    assert_eq!(heap.allocate(1), None);
    assert!(heap.free(u64::MAX - 31));
}

#[test]
fn the_books_take_what_is_said() {
    for bytes in [0, 16, 1008, 1024, 1040, 65536, 1 << 20] {
        let allocator = Allocator::system().unwrap();
        let heap = AppHeap::new(&allocator, 65536, bytes).unwrap();
        let usage = allocator.usage(Category::AppHeap);
        assert_eq!(usage.current, bookkeeping_bytes(bytes));
        assert_eq!(usage.peak, usage.current);
        assert_eq!(usage.blocks, usize::from(bytes > 0));
        drop(heap);
        assert_eq!(allocator.usage(Category::AppHeap).current, 0);
    }
    assert_eq!(bookkeeping_bytes(65536), 1024);
}
