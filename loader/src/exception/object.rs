//! The object behind a reference to an exception.

use core::alloc::Layout;
use core::cell::Cell;
use core::mem::{offset_of, size_of};
use core::ptr::NonNull;
use core::sync::atomic::Ordering;

use precast_format::context::ExceptionField;

use super::tag::TagRecordData;
use crate::alloc::{Allocator, Category, OutOfMemory};
use crate::call::value::Slot;
use crate::facility::Exceptions;
use crate::instance::context::NATIVE_WIDTH;
use crate::sys::atomic::AtomicUsize;

/// What every object is aligned to; the low bits of addresses are flags.
pub(super) const ALIGNMENT: usize = align_of::<Slot>();

/// A sweep has found a reference to the object.
const MARKED: usize = 1;

/// Compiled code or the host may refer to the object after it was caught.
const ESCAPED: usize = 2;

/// All flags.
const FLAGS: usize = ALIGNMENT - 1;

/// What precedes the values.
#[repr(C, align(16))]
pub(crate) struct ExceptionData {
    /// The address of the tag's record; compiled code reads it.
    tag: Cell<NonNull<TagRecordData>>,
    /// The next object in the same bucket of the registry, or zero.
    next: Cell<usize>,
    /// Handles that the host has. They come and go on any thread.
    handles: AtomicUsize,
    /// The next object that a sweep still has to look at, or zero; and flags.
    state: Cell<usize>,
}

const _: () = {
    assert!(
        size_of::<ExceptionData>() == ExceptionField::payload_offset(NATIVE_WIDTH) as usize
            && align_of::<ExceptionData>() == ALIGNMENT
    );
    assert!(offset_of!(ExceptionData, tag) == ExceptionField::Tag.offset(NATIVE_WIDTH) as usize);
};

/// The address of an object that is in a registry.
///
/// Having a value tells nothing about how long the object is there: whoever keeps one says why.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Object(Exceptions<NonNull<ExceptionData>>);

impl Object {
    /// The object at an address.
    ///
    /// # Safety
    ///
    /// The object is in a registry, and stays there while the value is used.
    pub(crate) unsafe fn at(address: usize) -> Option<Object> {
        let object = NonNull::new(core::ptr::with_exposed_provenance_mut(address))?;
        Some(Object(Exceptions::hold(object)?))
    }

    /// The block of an object with so many values.
    fn layout(value_count: u32) -> Option<Layout> {
        let slots = Layout::array::<Slot>(value_count as usize).ok()?;
        Some(Layout::new::<ExceptionData>().extend(slots).ok()?.0)
    }

    /// Allocates an object of a tag, whose values are zero.
    pub(super) fn allocate(
        allocator: &Allocator,
        tag: NonNull<TagRecordData>,
    ) -> Result<Object, OutOfMemory> {
        let too_large = OutOfMemory::new(Category::Exceptions, usize::MAX);
        // SAFETY: the tag belongs to a member of the group, which is entered.
        let count = unsafe { tag.read() }.value_count;
        let layout = Object::layout(count).ok_or(too_large)?;
        let block = allocator.allocate_zeroed(layout, Category::Exceptions)?;
        let block: NonNull<ExceptionData> = block.cast();
        let data = ExceptionData {
            tag: Cell::new(tag),
            next: Cell::new(0),
            handles: AtomicUsize::new(0),
            state: Cell::new(0),
        };
        // SAFETY: the block has this layout and is nobody else's.
        unsafe { block.write(data) };
        block.as_ptr().expose_provenance();
        // Artifacts that make exceptions have been refused, if there is no such thing.
        Exceptions::hold(block).map(Object).ok_or(too_large)
    }

    /// Gives the block back.
    ///
    /// # Safety
    ///
    /// Nobody uses the object again; it came from this allocator, and its tag is still there.
    pub(super) unsafe fn free(self, allocator: &Allocator) {
        if let Some(layout) = Object::layout(self.value_count()) {
            // SAFETY: `allocate` got the block with this layout and category.
            unsafe { allocator.free(self.0.cast(), layout, Category::Exceptions) };
        }
    }

    fn data(&self) -> &ExceptionData {
        // SAFETY: the object is there; compiled code reads its tag and writes its values only.
        unsafe { self.0.as_ref() }
    }

    /// The address that compiled code has.
    pub(crate) fn address(self) -> usize {
        self.0.as_ptr().expose_provenance()
    }

    /// The tag's record.
    pub(crate) fn tag(self) -> NonNull<TagRecordData> {
        self.data().tag.get()
    }

    /// Makes an object that nobody refers to one of another tag with as many values.
    pub(super) fn set_tag(self, tag: NonNull<TagRecordData>) {
        self.data().tag.set(tag);
    }

    /// How many values there are.
    pub(super) fn value_count(self) -> u32 {
        // SAFETY: a tag lives as long as the group that has its exceptions.
        unsafe { self.tag().read() }.value_count
    }

    /// Where a value is, which must be one of the tag's.
    fn slot(self, index: usize) -> NonNull<Slot> {
        // SAFETY: the values follow what precedes them, in the same block.
        let first = unsafe { self.0.add(1) }.cast::<Slot>();
        // SAFETY: the index is one of theirs.
        unsafe { first.add(index) }
    }

    /// A value; zeros where the tag has fewer.
    pub(crate) fn value(self, index: usize) -> Slot {
        if index >= self.value_count() as usize {
            return Slot::ZERO;
        }
        // SAFETY: the slot is the object's, which was zero at first; whoever runs now does not
        // write it.
        unsafe { self.slot(index).read() }
    }

    /// Writes a value, if the tag has so many.
    pub(crate) fn set_value(self, index: usize, slot: Slot) {
        if index < self.value_count() as usize {
            // SAFETY: the slot is the object's, and nobody else looks at it now.
            unsafe { self.slot(index).write(slot) };
        }
    }

    /// The next object in the bucket, or zero.
    pub(super) fn next(self) -> usize {
        self.data().next.get()
    }

    pub(super) fn set_next(self, next: usize) {
        self.data().next.set(next);
    }

    /// Counts one more handle of the host.
    pub(super) fn add_handle(self) {
        self.data().handles.fetch_add(1, Ordering::Relaxed);
    }

    /// Counts one handle less; whether it was the last. If it was, the object may be gone already.
    pub(super) fn remove_handle(self) -> bool {
        self.data().handles.fetch_sub(1, Ordering::Release) == 1
    }

    /// Whether the host has handles.
    pub(super) fn has_handles(self) -> bool {
        self.data().handles.load(Ordering::Acquire) != 0
    }

    fn has(self, flag: usize) -> bool {
        self.data().state.get() & flag != 0
    }

    /// Sets a flag; whether it was not set before.
    fn raise(self, flag: usize) -> bool {
        let state = &self.data().state;
        let old = state.get();
        state.set(old | flag);
        old & flag == 0
    }

    /// Notes that the object may be referred to after it was caught; whether that is new.
    pub(super) fn escape(self) -> bool {
        self.raise(ESCAPED)
    }

    /// Whether the object may be referred to after it was caught.
    pub(super) fn is_escaped(self) -> bool {
        self.has(ESCAPED)
    }

    /// Notes that a reference was found; whether it is the first.
    pub(super) fn mark(self) -> bool {
        self.raise(MARKED)
    }

    /// Takes the mark away; whether there was one.
    pub(super) fn unmark(self) -> bool {
        let state = &self.data().state;
        let old = state.get();
        state.set(old & !MARKED);
        old & MARKED != 0
    }

    /// The object that is to be looked at after this one, or zero.
    pub(super) fn next_to_trace(self) -> usize {
        self.data().state.get() & !FLAGS
    }

    pub(super) fn set_next_to_trace(self, next: usize) {
        let state = &self.data().state;
        state.set(state.get() & FLAGS | next);
    }
}
