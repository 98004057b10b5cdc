//! Random use of a pool, compared with a list of what is out.

use super::tlsf::{GRANULE, HEADER_BYTES};
use super::*;
use crate::alloc::{Allocator, Box, OutOfMemory, Vec};

const CATEGORY: Category = Category::Module;

/// A region that is given away for good.
fn region(bytes: usize) -> &'static mut [MaybeUninit<u8>] {
    std::boxed::Box::leak(std::vec![MaybeUninit::uninit(); bytes].into_boxed_slice())
}

fn pool_of(region: &'static mut [MaybeUninit<u8>]) -> Option<Tlsf<Words>> {
    let bytes = region.len();
    let start = NonNull::from(region).cast();
    // SAFETY: the region is given away.
    Tlsf::new(unsafe { Words::new(start, bytes) })
}

fn pool(bytes: usize) -> Tlsf<Words> {
    pool_of(region(bytes)).expect("it is large enough")
}

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

/// A block that is out, filled with a byte.
struct Block {
    payload: NonNull<u8>,
    bytes: usize,
    fill: u8,
}

impl Block {
    fn fill(&self) {
        // SAFETY: the block has so many bytes and is the test's.
        unsafe { self.payload.write_bytes(self.fill, self.bytes) };
    }

    fn holds(&self, bytes: usize) -> bool {
        // SAFETY: the block has at least so many bytes, and `fill` wrote them.
        let contents = unsafe { core::slice::from_raw_parts(self.payload.as_ptr(), bytes) };
        contents.iter().all(|byte| *byte == self.fill)
    }
}

#[test]
fn random_use_keeps_blocks_apart_and_gives_everything_back() {
    for (seed, bytes) in [(1, 4000), (2, 20_000), (3, 300_000)] {
        let mut pool = pool(bytes);
        let (free, largest) = (pool.free_bytes(), pool.largest_free());
        let mut random = Random(0x9e37_79b9_7f4a_7c15 ^ seed);
        let mut blocks: std::vec::Vec<Block> = std::vec::Vec::new();
        for round in 0..20_000usize {
            let limit = if random.below(8) == 0 { bytes / 4 } else { 200 };
            let wanted = random.below(limit) + 1;
            match random.below(5) {
                0 | 1 => {
                    let align = 1 << random.below(9);
                    if let Some(payload) = pool.allocate(wanted, align) {
                        assert!(payload.addr().get().is_multiple_of(align));
                        let fill = round as u8;
                        let block = Block {
                            payload,
                            bytes: wanted,
                            fill,
                        };
                        block.fill();
                        blocks.push(block);
                    }
                }
                2 if !blocks.is_empty() => {
                    let index = random.below(blocks.len());
                    let block = &mut blocks[index];
                    if pool.resize(block.payload, wanted) {
                        assert!(block.holds(block.bytes.min(wanted)));
                        block.bytes = wanted;
                        block.fill();
                    }
                }
                _ if !blocks.is_empty() => {
                    let block = blocks.swap_remove(random.below(blocks.len()));
                    assert!(block.holds(block.bytes));
                    pool.free(block.payload);
                }
                _ => {}
            }
            if round % 64 == 0 {
                pool.check();
            }
        }
        for block in blocks {
            assert!(block.holds(block.bytes));
            pool.free(block.payload);
        }
        pool.check();
        assert_eq!((pool.free_bytes(), pool.largest_free()), (free, largest));
        assert_eq!(free, pool.capacity());
        assert!(pool.peak() > free / 2 && pool.peak() <= free);
    }
}

#[test]
fn a_pool_holds_what_it_says() {
    for bytes in (0..700).chain([4096, 70_000]) {
        let region = region(bytes + 20);
        for start in [0, 1, 4, 13] {
            let (base, length) = (NonNull::from(&mut *region).cast::<u8>(), bytes);
            // SAFETY: the part is inside of the region.
            let start = unsafe { base.add(start) };
            // SAFETY: the region is given away, and its pools are used one after the other.
            let Some(mut pool) = Tlsf::new(unsafe { Words::new(start, length) }) else {
                assert!(bytes < 200, "{bytes} bytes are too few");
                continue;
            };
            assert!(pool.capacity() <= bytes);
            let largest = pool.largest_free();
            assert_eq!(largest + HEADER_BYTES, pool.capacity());
            assert!(pool.allocate(largest + 1, 1).is_none());
            let all = pool.allocate(largest, 1).expect("it is free");
            // SAFETY: the block has so many bytes, inside of the region.
            let end = unsafe { all.add(largest) }.addr();
            assert!(all >= start && end.get() <= start.addr().get() + length);
            assert_eq!((pool.free_bytes(), pool.largest_free()), (0, 0));
            assert!(pool.allocate(1, 1).is_none());
            pool.free(all);
            assert_eq!(pool.largest_free(), largest);
            pool.check();
        }
    }
}

#[test]
fn impossible_requests_are_refused() {
    let mut pool = pool(10_000);
    for bytes in [10_000, usize::MAX / 2, usize::MAX - 7, usize::MAX] {
        assert!(pool.allocate(bytes, 1).is_none());
    }
    assert!(pool.allocate(1, 1 << 20).is_none_or(|payload| {
        pool.free(payload);
        true
    }));
    assert!(pool.allocate(1, 1 << (usize::BITS - 1)).is_none());
    let block = pool.allocate(1, 1).expect("there is room");
    assert!(!pool.resize(block, usize::MAX));
    pool.free(block);
    assert_eq!(pool.free_bytes(), pool.capacity());
    pool.check();
}

#[test]
fn a_block_grows_into_the_free_one_behind_it() {
    let mut pool = pool(10_000);
    let first = pool.allocate(100, 1).expect("there is room");
    let second = pool.allocate(100, 1).expect("there is room");
    assert!(!pool.resize(first, 200), "the next block is used");
    assert!(pool.resize(second, 5000));
    assert!(pool.resize(second, 50));
    pool.free(first);
    assert!(pool.resize(second, pool.largest_free() / 2));
    pool.free(second);
    assert_eq!(pool.free_bytes(), pool.capacity());
    pool.check();
}

#[test]
fn a_hole_is_filled_again() {
    // The search by the next larger size alone would pass over a hole of just this size.
    let mut pool = pool(40_000);
    let hole = pool.allocate(10_001, 1).expect("there is room");
    let wall = pool.allocate(1, 1).expect("there is room");
    pool.free(hole);
    assert_eq!(pool.allocate(10_001, 1), Some(hole));
    pool.free(hole);
    pool.free(wall);
    assert_eq!(pool.free_bytes(), pool.capacity());
}

#[test]
#[cfg(debug_assertions)]
#[should_panic = "freed twice"]
fn freeing_twice_is_noticed() {
    let mut pool = pool(1000);
    let block = pool.allocate(10, 1).expect("there is room");
    pool.free(block);
    pool.free(block);
}

#[test]
#[cfg(debug_assertions)]
fn freeing_twice_is_noticed_when_the_block_is_part_of_a_larger_one() {
    for order in [
        [0, 1, 2],
        [0, 2, 1],
        [1, 0, 2],
        [1, 2, 0],
        [2, 0, 1],
        [2, 1, 0],
    ] {
        for freed in 1..=3 {
            for twice in &order[..freed] {
                let mut pool = pool(1000);
                let blocks = [10, 100, 10].map(|bytes| pool.allocate(bytes, 1));
                for index in &order[..freed] {
                    pool.free(blocks[*index].expect("there is room"));
                }
                let block = blocks[*twice].expect("there is room");
                let again = std::panic::AssertUnwindSafe(|| pool.free(block));
                assert!(
                    std::panic::catch_unwind(again).is_err(),
                    "{order:?} {twice}"
                );
                pool.check();
            }
        }
    }
}

#[test]
fn a_region_is_taken_once() {
    static POOL: StaticPool<1000> = StaticPool::new();
    assert_eq!(POOL.take().map(|region| region.len()), Some(1000));
    assert!(POOL.take().is_none());
}

#[test]
fn a_small_region_is_an_error() {
    for bytes in 0..2000 {
        match Allocator::pool(region(bytes)) {
            Ok(allocator) => {
                let usage = allocator.pool_usage().expect("it is a pool");
                assert!(usage.capacity <= bytes);
                // All that is left can be had, in one piece.
                assert_eq!(usage.free, usage.capacity - usage.peak);
                if usage.largest_free > 0 {
                    let bytes = usage.largest_free;
                    let mut rest = Vec::<u8>::new_in(&allocator, CATEGORY);
                    rest.try_reserve_exact(bytes).expect("it is free");
                    assert!(Box::new(&allocator, CATEGORY, 1u8).is_err());
                }
                assert_eq!(allocator.pool_usage().map(|now| now.free), Some(usage.free));
            }
            Err(error) => {
                assert!(bytes < 1500);
                assert_eq!(error.category(), Category::Runtime);
            }
        }
    }
}

#[test]
fn blocks_are_counted_per_category_and_move_with_their_contents() {
    let allocator = Allocator::pool(region(100_000)).expect("it is large enough");
    let before = allocator.pool_usage();
    let mut numbers = Vec::new_in(&allocator, CATEGORY);
    let mut others = Vec::new_in(&allocator, Category::Types);
    for number in 0..2000u64 {
        // They take turns, so that neither can always grow in place.
        numbers.try_push(number).expect("there is room");
        others.try_push(!number).expect("there is room");
    }
    assert!(numbers.iter().copied().eq(0..2000));
    assert!(others.iter().map(|number| !number).eq(0..2000));
    let usage = allocator.usage(CATEGORY);
    assert_eq!((usage.current, usage.blocks), (2048 * 8, 1));
    drop((numbers, others));
    assert_eq!(allocator.usage(CATEGORY).current, 0);
    let after = allocator.pool_usage();
    assert_eq!(after.map(|now| now.free), before.map(|then| then.free));
    assert!(after.map(|now| now.peak) > before.map(|then| then.peak));
    assert!(
        Allocator::system()
            .expect("there is memory")
            .pool_usage()
            .is_none()
    );
}

#[test]
fn threads_share_a_pool() -> Result<(), OutOfMemory> {
    let allocator = Allocator::pool(region(200_000))?;
    let before = allocator.pool_usage();
    std::thread::scope(|scope| {
        for thread in 0..4u8 {
            let allocator = allocator.clone();
            scope.spawn(move || {
                let mut random = Random(u64::from(thread) + 77);
                for _ in 0..5000 {
                    let length = random.below(4 * GRANULE) + 1;
                    let mut bytes = Vec::new_in(&allocator, CATEGORY);
                    bytes.try_resize(length, thread).expect("there is room");
                    bytes.try_resize(2 * length, thread).expect("there is room");
                    assert!(bytes.iter().all(|byte| *byte == thread));
                }
            });
        }
    });
    assert_eq!(
        allocator.pool_usage().map(|now| now.free),
        before.map(|then| then.free)
    );
    Ok(())
}

/// Bytes that are aligned as the pool aligns blocks. Large numbers are not, on some machines.
#[cfg(feature = "plan")]
#[derive(Clone, Copy)]
#[repr(align(16))]
struct Granule {
    _bytes: [u8; 16],
}

#[cfg(feature = "plan")]
#[test]
fn the_model_does_what_the_pool_does() {
    for (seed, bytes) in [(4, 4000), (5, 100_000)] {
        let mut region = std::vec![Granule { _bytes: [0; 16] }; bytes / 16];
        let start = NonNull::from(&mut *region).cast::<u8>();
        // SAFETY: the region is the test's, and outlives the pool.
        let mut pool = Tlsf::new(unsafe { Words::new(start, bytes) }).expect("it is large enough");
        let mut model = PoolModel::new(bytes).expect("it is large enough");
        let distance = |payload: NonNull<u8>| payload.addr().get() - start.addr().get();
        let mut random = Random(seed);
        let mut blocks: std::vec::Vec<NonNull<u8>> = std::vec::Vec::new();
        for _ in 0..10_000 {
            let size = 1 + random.below(600);
            let layout = Layout::from_size_align(size, 1 << random.below(5)).expect("a layout");
            match (random.below(3), blocks.is_empty()) {
                (0, false) => {
                    let block = blocks.swap_remove(random.below(blocks.len()));
                    pool.free(block);
                    model.free(distance(block));
                }
                (1, false) => {
                    let block = blocks[random.below(blocks.len())];
                    if pool.resize(block, size) {
                        assert_eq!(
                            model.reallocate(distance(block), layout),
                            Some(distance(block))
                        );
                    }
                }
                _ => {
                    let block = pool.allocate(layout.size(), layout.align());
                    assert_eq!(block.map(distance), model.allocate(layout));
                    blocks.extend(block);
                }
            }
            assert_eq!(pool.peak(), model.peak());
        }
    }
}
