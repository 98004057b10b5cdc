//! A custom allocator that refuses chosen requests and has its blocks in a pool, so that a test can
//! compare what is free to the byte.

// Each test file uses its own part of this.
#![allow(dead_code)]

use std::collections::HashMap;
use std::ffi::c_void;
use std::mem::MaybeUninit;
use std::sync::{Mutex, MutexGuard};

use precast_loader::{
    Allocator, Category, CustomAllocator, OutOfMemory, Runtime, RuntimeOptions, alloc,
};

/// Which requests are refused, counted from zero since the allocator was armed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Fault {
    /// None.
    Nothing,
    /// Exactly this one.
    Only(usize),
    /// This one and all that follow.
    From(usize),
}

/// Both ways to fail at a request.
pub const WAYS: [fn(usize) -> Fault; 2] = [Fault::Only, Fault::From];

/// A block is an array of these: the pool aligns them, and no request wants more.
#[derive(Clone, Copy)]
#[repr(align(16))]
struct Chunk([u8; 16]);

/// What a new block holds: nobody may take it for zeros.
const STALE: Chunk = Chunk([0xa5; 16]);

struct State {
    fault: Fault,
    requests: usize,
    refused: usize,
    blocks: HashMap<usize, alloc::Vec<Chunk>>,
}

/// The allocator.
pub struct Faulty {
    pool: Allocator,
    state: Mutex<State>,
}

impl Faulty {
    /// An allocator over a pool of so many bytes, there for ever.
    pub fn new(bytes: usize) -> &'static Faulty {
        let region = vec![MaybeUninit::uninit(); bytes].leak();
        Box::leak(Box::new(Faulty {
            pool: Allocator::pool(region).expect("there is room for the allocator itself"),
            state: Mutex::new(State {
                fault: Fault::Nothing,
                requests: 0,
                refused: 0,
                blocks: HashMap::new(),
            }),
        }))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("nobody panics while allocating")
    }

    /// A runtime whose memory is all from here.
    pub fn runtime(&'static self, options: RuntimeOptions) -> Result<Runtime, OutOfMemory> {
        let user = std::ptr::from_ref(self).cast_mut().cast();
        // SAFETY: the functions below keep the promises; the allocator is there for ever.
        let functions = unsafe { CustomAllocator::new(user, allocate, reallocate, free) };
        Runtime::custom(functions, options)
    }

    /// Starts to count requests, and refuses as told.
    pub fn arm(&self, fault: Fault) {
        let mut state = self.state();
        (state.fault, state.requests, state.refused) = (fault, 0, 0);
    }

    /// Refuses nothing from now on. How many requests there were, and how many were refused.
    pub fn disarm(&self) -> (usize, usize) {
        let mut state = self.state();
        state.fault = Fault::Nothing;
        (state.requests, state.refused)
    }

    /// Free bytes of the pool, and its largest free block.
    pub fn free(&self) -> (usize, usize) {
        let usage = self.pool.pool_usage().expect("it is a pool");
        (usage.free, usage.largest_free)
    }

    /// Whether the next request is granted.
    fn grants(&self) -> bool {
        let mut state = self.state();
        let number = state.requests;
        state.requests += 1;
        let refused = match state.fault {
            Fault::Nothing => false,
            Fault::Only(only) => number == only,
            Fault::From(first) => number >= first,
        };
        state.refused += usize::from(refused);
        !refused
    }
}

fn faulty(user: *mut c_void) -> &'static Faulty {
    // SAFETY: `runtime` passed one that is there for ever.
    unsafe { &*user.cast::<Faulty>() }
}

/// The array of a block, with room for so many bytes.
fn chunks(blocks: &mut alloc::Vec<Chunk>, bytes: usize) -> Option<*mut c_void> {
    let count = bytes.div_ceil(size_of::<Chunk>());
    blocks
        .try_reserve_exact(count.saturating_sub(blocks.len()))
        .ok()?;
    blocks.truncate(count);
    blocks.try_resize(count, STALE).ok()?;
    Some(blocks.as_mut_slice().as_mut_ptr().cast())
}

unsafe extern "C" fn allocate(user: *mut c_void, _: u32, size: usize, align: usize) -> *mut c_void {
    let faulty = faulty(user);
    assert!(align <= align_of::<Chunk>() && size > 0);
    if !faulty.grants() {
        return std::ptr::null_mut();
    }
    let mut block = alloc::Vec::new_in(&faulty.pool, Category::Runtime);
    let Some(start) = chunks(&mut block, size) else {
        return std::ptr::null_mut();
    };
    faulty.state().blocks.insert(start.addr(), block);
    start
}

unsafe extern "C" fn reallocate(
    user: *mut c_void,
    _: u32,
    block: *mut c_void,
    _: usize,
    new: usize,
    _: usize,
) -> *mut c_void {
    let faulty = faulty(user);
    if !faulty.grants() {
        return std::ptr::null_mut();
    }
    let mut state = faulty.state();
    let mut array = state.blocks.remove(&block.addr()).expect("it is a block");
    let moved = chunks(&mut array, new);
    let address = moved.unwrap_or(block).addr();
    state.blocks.insert(address, array);
    moved.unwrap_or(std::ptr::null_mut())
}

unsafe extern "C" fn free(user: *mut c_void, _: u32, block: *mut c_void, _: usize, _: usize) {
    let array = faulty(user).state().blocks.remove(&block.addr());
    drop(array.expect("it is a block, and freed once"));
}

/// Current bytes and blocks of every category, and what is free.
#[derive(PartialEq, Eq)]
pub struct Snapshot {
    usage: Vec<(Category, usize, usize)>,
    free: (usize, usize),
}

impl Snapshot {
    /// What a runtime takes from its allocator now.
    pub fn of(runtime: &Runtime, faulty: &Faulty) -> Snapshot {
        let usage = |category: &Category| {
            let usage = runtime.usage(*category);
            (*category, usage.current, usage.blocks)
        };
        Snapshot {
            usage: Category::ALL.iter().map(usage).collect(),
            free: faulty.free(),
        }
    }

    /// What is different in another one: category, bytes and blocks here and there.
    pub fn difference(&self, other: &Snapshot) -> Vec<String> {
        let pairs = self.usage.iter().zip(&other.usage);
        let mut different: Vec<String> = pairs
            .filter(|(one, other)| one != other)
            .map(
                |((category, bytes, blocks), (_, other_bytes, other_blocks))| {
                    format!("{category}: {bytes} in {blocks}, then {other_bytes} in {other_blocks}")
                },
            )
            .collect();
        if self.free != other.free {
            different.push(format!("free: {:?}, then {:?}", self.free, other.free));
        }
        different
    }
}
