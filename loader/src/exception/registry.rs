//! The registry of a group's exceptions: which addresses are objects.
//!
//! A hash table whose chains run through the objects, so that an object costs one block. The table
//! grows with their number; where it cannot, the chains become longer and nothing fails.

use core::ptr::NonNull;

use super::object::{ALIGNMENT, Object};
use super::tag::TagRecordData;
use crate::alloc::{Allocator, Category, OutOfMemory, Vec};

/// Buckets that need no memory of their own.
const FEW: usize = 8;

/// How many objects a bucket has on average before there are more buckets.
const LOAD: usize = 2;

/// Objects that may pile up between two sweeps, at least.
pub(super) const LEAST_THRESHOLD: usize = 64;

/// Every exception of a group that is not freed.
pub(crate) struct Registry {
    few: [usize; FEW],
    /// All buckets, where they are more than a few; a power of two.
    many: Vec<usize>,
    /// How many objects there are.
    count: usize,
    /// No object is below this address.
    lowest: usize,
    /// No object is above this address.
    highest: usize,
    /// An object that a handler has taken the values out of, and nobody refers to.
    spent: Option<Object>,
    /// What has happened since the last sweep that can have made garbage.
    pub(super) pressure: usize,
    /// The pressure from which on a sweep during a call is worth its while.
    pub(super) threshold: usize,
    /// Words beside the stacks that the last sweep looked at.
    pub(super) roots: usize,
    allocator: Allocator,
}

impl Registry {
    /// A registry without exceptions.
    pub(crate) fn new(allocator: &Allocator) -> Registry {
        Registry {
            few: [0; FEW],
            many: Vec::new_in(allocator, Category::Exceptions),
            count: 0,
            lowest: usize::MAX,
            highest: 0,
            spent: None,
            pressure: 0,
            threshold: LEAST_THRESHOLD,
            roots: 0,
            allocator: allocator.clone(),
        }
    }

    /// How many exceptions there are.
    pub(crate) fn count(&self) -> usize {
        self.count
    }

    fn buckets(&self) -> &[usize] {
        if self.many.is_empty() {
            &self.few
        } else {
            &self.many
        }
    }

    fn bucket_mut(&mut self, address: usize) -> Option<&mut usize> {
        let index = bucket(address, self.buckets().len());
        if self.many.is_empty() {
            self.few.get_mut(index)
        } else {
            self.many.get_mut(index)
        }
    }

    /// Makes an exception of a tag of the group. Its values are zero, or what is left of others.
    pub(crate) fn make(&mut self, tag: NonNull<TagRecordData>) -> Result<Object, OutOfMemory> {
        if let Some(object) = self.reuse(tag) {
            return Ok(object);
        }
        self.free_spent();
        let object = Object::allocate(&self.allocator, tag)?;
        self.insert(object);
        self.grow();
        Ok(object)
    }

    /// The spent object as one of this tag, if there is one and it has as many values.
    pub(crate) fn reuse(&mut self, tag: NonNull<TagRecordData>) -> Option<Object> {
        // SAFETY: the tag belongs to a member of the group, which is entered.
        let count = unsafe { tag.read() }.value_count;
        let object = self.spent.take_if(|spent| spent.value_count() == count)?;
        object.set_tag(tag);
        Some(object)
    }

    /// The object at an address, if there is one.
    pub(crate) fn find(&self, address: usize) -> Option<Object> {
        let possible =
            address.is_multiple_of(ALIGNMENT) && address >= self.lowest && address <= self.highest;
        if !possible {
            return None;
        }
        let mut next = *self.buckets().get(bucket(address, self.buckets().len()))?;
        while next != 0 {
            // SAFETY: chains hold objects of this registry.
            let object = unsafe { Object::at(next) }?;
            if next == address {
                return Some(object);
            }
            next = object.next();
        }
        None
    }

    /// Notes that compiled code or the host may refer to the object from now on.
    pub(crate) fn escape(&mut self, object: Object) {
        if object.escape() {
            self.pressure += 1;
        }
    }

    /// Notes that a handler gets the object: one that takes the values out, or one that keeps the
    /// reference.
    pub(crate) fn deliver(&mut self, object: Object, keeps: bool) {
        if keeps {
            self.escape(object);
        } else if !object.is_escaped() {
            self.free_spent();
            self.spent = Some(object);
        }
    }

    /// Notes that the object is thrown: whoever got it last had not only taken the values out.
    pub(crate) fn throw(&mut self, object: Object) {
        self.spent.take_if(|spent| *spent == object);
    }

    /// Frees the object that nobody refers to.
    pub(super) fn free_spent(&mut self) {
        if let Some(object) = self.spent.take() {
            self.remove(object);
            // SAFETY: its values were taken, nobody refers to it, and it is in no chain.
            unsafe { object.free(&self.allocator) };
        }
    }

    /// Notes that something may have become garbage.
    pub(crate) fn pressure_more(&mut self) {
        self.pressure += 1;
    }

    /// Takes over the exceptions of a group that merges into this one.
    pub(crate) fn absorb(&mut self, mut other: Registry) {
        other.free_spent();
        other.drain(|object| self.insert(object));
        self.pressure += other.pressure;
        self.grow();
    }

    /// Puts an object into its chain.
    fn insert(&mut self, object: Object) {
        let address = object.address();
        self.lowest = self.lowest.min(address);
        self.highest = self.highest.max(address);
        self.count += 1;
        if let Some(head) = self.bucket_mut(address) {
            object.set_next(*head);
            *head = address;
        }
    }

    /// Takes an object out of its chain.
    fn remove(&mut self, object: Object) {
        let (address, after) = (object.address(), object.next());
        let Some(head) = self.bucket_mut(address) else {
            return;
        };
        let mut next = *head;
        if next == address {
            *head = after;
            self.count -= 1;
            return;
        }
        // SAFETY: chains hold objects of this registry.
        while let Some(object) = unsafe { Object::at(next) } {
            next = object.next();
            if next == address {
                object.set_next(after);
                self.count -= 1;
                return;
            }
        }
    }

    /// Empties all chains.
    fn drain(&mut self, mut visit: impl FnMut(Object)) {
        self.count = 0;
        let buckets = if self.many.is_empty() {
            &mut self.few
        } else {
            self.many.as_mut_slice()
        };
        for head in buckets {
            let mut next = core::mem::take(head);
            // SAFETY: chains hold objects of this registry.
            while let Some(object) = unsafe { Object::at(next) } {
                next = object.next();
                visit(object);
            }
        }
    }

    /// Frees what has no mark, and takes the marks away.
    pub(super) fn free_unmarked(&mut self) {
        let allocator = self.allocator.clone();
        let (mut kept, mut lowest, mut highest) = (0, usize::MAX, 0);
        let buckets = if self.many.is_empty() {
            &mut self.few
        } else {
            self.many.as_mut_slice()
        };
        for head in buckets {
            let mut next = core::mem::take(head);
            // SAFETY: chains hold objects of this registry.
            while let Some(object) = unsafe { Object::at(next) } {
                next = object.next();
                if object.unmark() {
                    object.set_next(*head);
                    *head = object.address();
                    kept += 1;
                    lowest = lowest.min(object.address());
                    highest = highest.max(object.address());
                } else {
                    // SAFETY: a sweep has found no reference to it, and it is in no chain.
                    unsafe { object.free(&allocator) };
                }
            }
        }
        (self.count, self.lowest, self.highest) = (kept, lowest, highest);
        self.shrink();
    }

    /// Shows every object to `visit`.
    pub(super) fn for_each(&self, mut visit: impl FnMut(Object)) {
        for head in self.buckets() {
            let mut next = *head;
            // SAFETY: chains hold objects of this registry.
            while let Some(object) = unsafe { Object::at(next) } {
                next = object.next();
                visit(object);
            }
        }
    }

    /// Makes more buckets where chains have become long, if there is memory for them.
    fn grow(&mut self) {
        let length = self.buckets().len();
        if self.count > length * LOAD {
            self.rebuild((self.count / LOAD + 1).next_power_of_two());
        }
    }

    /// Makes fewer buckets where most are empty.
    fn shrink(&mut self) {
        if self.buckets().len() > (self.count + FEW) * 8 {
            self.rebuild((self.count / LOAD + 1).next_power_of_two());
        }
    }

    /// Changes the number of buckets to another power of two.
    fn rebuild(&mut self, length: usize) {
        let mut many = Vec::new_in(&self.allocator, Category::Exceptions);
        if length > FEW && many.try_resize(length, 0).is_err() {
            return;
        }
        // The objects hang in one chain until the new buckets are in place.
        let mut all = 0;
        self.drain(|object| {
            object.set_next(all);
            all = object.address();
        });
        self.many = many;
        // SAFETY: the chain holds objects of this registry.
        while let Some(object) = unsafe { Object::at(all) } {
            all = object.next();
            self.insert(object);
        }
    }
}

impl Drop for Registry {
    fn drop(&mut self) {
        let allocator = self.allocator.clone();
        // SAFETY: nobody is left to refer to an object; the group's tags are still there.
        self.drain(|object| unsafe { object.free(&allocator) });
    }
}

/// The bucket of an address among a power of two.
fn bucket(address: usize, count: usize) -> usize {
    let mixed = (address / ALIGNMENT).wrapping_mul(0x9e37_79b9_7f4a_7c15_u64 as usize);
    mixed >> (usize::BITS / 2) & (count - 1)
}
