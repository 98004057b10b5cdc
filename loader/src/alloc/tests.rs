//! Containers on an allocator that fails when it is told to, and that counts what is out.

use core::cell::Cell;
use core::ffi::c_void;
use core::ptr::NonNull;
use std::rc::Rc;

use super::*;

/// A host's allocator: so many allocations succeed, and every block is counted.
struct Host {
    allowed: Cell<usize>,
    blocks: Cell<isize>,
    bytes: Cell<isize>,
}

impl Host {
    fn new(allowed: usize) -> Host {
        Host {
            allowed: Cell::new(allowed),
            blocks: Cell::new(0),
            bytes: Cell::new(0),
        }
    }

    fn may_allocate(&self) -> bool {
        let allowed = self.allowed.get();
        self.allowed.set(allowed.saturating_sub(1));
        allowed > 0
    }

    fn allocator(&self) -> Result<Allocator, OutOfMemory> {
        let user = core::ptr::from_ref(self).cast_mut().cast();
        // SAFETY: the functions do what is asked, and tests use them on one thread.
        Allocator::custom(unsafe { CustomAllocator::new(user, allocate, reallocate, free) })
    }
}

unsafe extern "C" fn allocate(user: *mut c_void, _: u32, size: usize, align: usize) -> *mut c_void {
    // SAFETY: `user` is the host of the test.
    let host = unsafe { &*user.cast::<Host>() };
    assert!(size > 0);
    if !host.may_allocate() {
        return core::ptr::null_mut();
    }
    let layout = Layout::from_size_align(size, align).unwrap();
    let block = crate::sys::heap::allocate(layout).unwrap();
    // SAFETY: the block is that long. Whoever forgets to initialise it shall notice.
    unsafe { block.write_bytes(0xa5, size) };
    host.blocks.set(host.blocks.get() + 1);
    host.bytes.set(host.bytes.get() + size as isize);
    block.as_ptr().cast()
}

unsafe extern "C" fn reallocate(
    user: *mut c_void,
    category: u32,
    block: *mut c_void,
    old: usize,
    new: usize,
    align: usize,
) -> *mut c_void {
    // Always moves, so that a stale pointer is noticed.
    // SAFETY: as for `allocate`.
    let moved = unsafe { allocate(user, category, new, align) };
    if !moved.is_null() {
        // SAFETY: both blocks are that long.
        unsafe { core::ptr::copy_nonoverlapping(block.cast::<u8>(), moved.cast(), old.min(new)) };
        // SAFETY: the old block is not used again.
        unsafe { free(user, category, block, old, align) };
    }
    moved
}

unsafe extern "C" fn free(
    user: *mut c_void,
    _: u32,
    block: *mut c_void,
    size: usize,
    align: usize,
) {
    // SAFETY: `user` is the host of the test.
    let host = unsafe { &*user.cast::<Host>() };
    host.blocks.set(host.blocks.get() - 1);
    host.bytes.set(host.bytes.get() - size as isize);
    let block = NonNull::new(block.cast()).unwrap();
    let layout = Layout::from_size_align(size, align).unwrap();
    // SAFETY: the block came from `allocate`.
    unsafe { crate::sys::heap::free(block, layout) };
}

/// Uses every container. What it returns does not matter: everything is dropped.
fn use_containers(host: &Host, witness: &Rc<()>) -> Result<(), OutOfMemory> {
    let allocator = host.allocator()?;
    let boxed = Box::new(&allocator, Category::Module, witness.clone())?;
    let raw = Box::into_raw(boxed);
    // SAFETY: the pointer is fresh from `into_raw`.
    let boxed = unsafe { Box::from_raw(raw) };
    let shared = Shared::new(&allocator, Category::Types, witness.clone())?;
    let other = shared.clone();
    assert_eq!(Shared::count(&other), 2);
    let text = String::new_in(&allocator, Category::Types, "überall")?;
    assert_eq!(&*text, "überall");
    let mut array = Vec::new_in(&allocator, Category::Tables);
    for number in 0..20 {
        array.try_push((number, witness.clone()))?;
    }
    array.try_insert(3, (100, witness.clone()))?;
    array.try_insert(500, (200, witness.clone()))?;
    assert_eq!(array.remove(3).map(|(number, _)| number), Some(100));
    assert_eq!(array.swap_remove(0).map(|(number, _)| number), Some(0));
    assert!(array.remove(20).is_none());
    assert_eq!(array.first().map(|(number, _)| *number), Some(200));
    array.truncate(5);
    array.try_extend((0..3).map(|number| (number, witness.clone())))?;
    array.try_resize(30, (7, witness.clone()))?;
    let numbers = array.iter().map(|(number, _)| *number);
    assert!(numbers.eq([200, 1, 2, 3, 4, 0, 1, 2].into_iter().chain([7; 22])));
    let mut bytes = Vec::new_in(&allocator, Category::Arguments);
    bytes.try_extend_from_slice(&[1u8; 1000])?;
    let mut empty = Vec::new_in(&allocator, Category::Arguments);
    empty.try_resize(1 << 20, ())?;
    assert_eq!(empty.len(), 1 << 20);
    let _: Rc<()> = Box::into_inner(boxed);
    Ok(())
}

#[test]
fn every_failed_allocation_is_an_error_and_nothing_leaks() {
    let mut allowed = 0;
    loop {
        let host = Host::new(allowed);
        let witness = Rc::new(());
        let result = use_containers(&host, &witness);
        assert_eq!(
            (host.blocks.get(), host.bytes.get()),
            (0, 0),
            "after {allowed}"
        );
        assert_eq!(Rc::strong_count(&witness), 1, "after {allowed}");
        if result.is_ok() {
            break;
        }
        allowed += 1;
    }
    assert!(allowed > 8);
}

#[test]
fn failed_growth_leaves_the_array_as_it_was() {
    let host = Host::new(2);
    let allocator = host.allocator().unwrap();
    let mut array = Vec::try_with_capacity(&allocator, Category::Tables, 2).unwrap();
    array.try_extend_from_slice(&[1, 2]).unwrap();
    let error = array.try_push(3).unwrap_err();
    assert_eq!(error.category(), Category::Tables);
    assert_eq!(array.as_slice(), [1, 2]);
    assert!(array.try_reserve(usize::MAX).is_err());
    assert!(array.try_resize(usize::MAX / 2, 0).is_err());
    assert_eq!(array.as_slice(), [1, 2]);
    drop((array, allocator));
    assert_eq!((host.blocks.get(), host.bytes.get()), (0, 0));
}

#[test]
fn accounting_adds_up_per_category() {
    let allocator = Allocator::system().unwrap();
    let none = allocator.usage(Category::Tables);
    assert_eq!(none, Usage::default());
    let mut array = Vec::<u64>::try_with_capacity(&allocator, Category::Tables, 4).unwrap();
    assert_eq!(
        allocator.usage(Category::Tables),
        Usage {
            current: 32,
            peak: 32,
            blocks: 1
        }
    );
    array.try_resize(10, 0).unwrap();
    assert_eq!(
        allocator.usage(Category::Tables),
        Usage {
            current: 80,
            peak: 80,
            blocks: 1
        }
    );
    drop(array);
    assert_eq!(
        allocator.usage(Category::Tables),
        Usage {
            current: 0,
            peak: 80,
            blocks: 0
        }
    );
    assert_eq!(allocator.usage(Category::Module), none);
}

#[test]
fn large_alignments_are_kept_when_blocks_move() {
    #[derive(Clone, Copy, PartialEq, Debug)]
    #[repr(align(256))]
    struct Aligned(u8);
    let allocator = Allocator::system().unwrap();
    let mut array = Vec::new_in(&allocator, Category::Tables);
    for number in 0..100 {
        array.try_push(Aligned(number)).unwrap();
        assert!(array.as_ptr().addr().is_multiple_of(256));
    }
    assert!(
        array
            .iter()
            .enumerate()
            .all(|(index, value)| value.0 == index as u8)
    );
    let boxed = Box::new(&allocator, Category::Tables, Aligned(7)).unwrap();
    assert!(core::ptr::from_ref(&*boxed).addr().is_multiple_of(256));
}

/// The same body for every kind of block, and every change from one kind to another.
#[test]
fn reallocation_keeps_what_was_and_clears_what_is_added() {
    const KIB: usize = 1 << 10;
    for align in [1, 16, 64, 1 << 20] {
        let allocator = Allocator::system().unwrap();
        let layout = |size| Layout::from_size_align(size, align).unwrap();
        let mut size = 3;
        let mut block = allocator
            .allocate_zeroed(layout(size), Category::Module)
            .unwrap();
        let sizes = [
            5 * KIB,
            127 * KIB,
            300 * KIB + 1,
            200 * KIB,
            1024 * KIB,
            9,
            2048 * KIB,
        ];
        for new in sizes {
            // SAFETY: the block is that long and ours.
            unsafe { block.write_bytes(0xa5, size) };
            // SAFETY: the block came from this allocator with this layout and category.
            block = unsafe {
                allocator.reallocate_zeroed(block, layout(size), layout(new), Category::Module)
            }
            .unwrap();
            assert!(block.as_ptr().addr().is_multiple_of(align));
            // SAFETY: the block is that long now, and all of it is written.
            let bytes = unsafe { core::slice::from_raw_parts(block.as_ptr(), new) };
            let (kept, added) = bytes.split_at(size.min(new));
            assert!(kept.iter().all(|byte| *byte == 0xa5));
            assert!(added.iter().all(|byte| *byte == 0));
            size = new;
        }
        // SAFETY: the block came from this allocator with this layout and category.
        unsafe { allocator.free(block, layout(size), Category::Module) };
        assert_eq!(allocator.usage(Category::Module).current, 0);
    }
}

#[test]
fn an_array_gives_back_what_it_does_not_need() {
    let allocator = Allocator::system().unwrap();
    let mut array = Vec::new_in(&allocator, Category::Tables);
    array.try_reserve_exact(1000).unwrap();
    array.try_extend_from_slice(&[1_u32, 2, 3]).unwrap();
    assert_eq!(allocator.usage(Category::Tables).current, 4000);
    for _ in 0..2 {
        array.try_shrink_to_fit().unwrap();
        assert_eq!((&*array, array.capacity()), (&[1, 2, 3][..], 3));
        assert_eq!(allocator.usage(Category::Tables).current, 12);
    }
    // The block of an empty array stays; there is no smaller one.
    array.clear();
    array.try_shrink_to_fit().unwrap();
    assert_eq!(array.capacity(), 3);
    let mut units = Vec::new_in(&allocator, Category::Tables);
    units.try_push(()).unwrap();
    units.try_shrink_to_fit().unwrap();
    assert_eq!(units.len(), 1);
}

#[test]
fn layouts_are_what_is_asked_for() {
    let allocator = Allocator::system().unwrap();
    let taken = || allocator.usage(Category::Tables).current;
    let shared = Shared::new(&allocator, Category::Tables, 7u16).unwrap();
    assert_eq!(taken(), Shared::<u16>::layout().size());
    drop(shared);
    let boxed = Box::new(&allocator, Category::Tables, [7u64; 3]).unwrap();
    assert_eq!(taken(), Box::<[u64; 3]>::layout().size());
    drop(boxed);
    let array = Vec::<u32>::try_with_capacity(&allocator, Category::Tables, 5).unwrap();
    assert_eq!(Some(taken()), Vec::<u32>::layout(5).map(|it| it.size()));
    drop(array);
    assert_eq!(Vec::<u32>::layout(0), None);
    assert_eq!(Vec::<()>::layout(5), None);
    assert_eq!(Vec::<u32>::layout(usize::MAX), None);
}

#[test]
fn what_is_shared_does_not_change() {
    let allocator = Allocator::system().unwrap();
    let mut one = Shared::new(&allocator, Category::Tables, 7).unwrap();
    let two = one.clone();
    assert_eq!(Shared::get_mut(&mut one), None);
    drop(two);
    *Shared::get_mut(&mut one).unwrap() = 8;
    assert_eq!(*one, 8);
}
