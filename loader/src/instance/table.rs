//! Tables: arrays of references that grow.
//!
//! Compiled code reads base and length from a [`Pair`] in the owner's context (or, for a table that
//! the host made, in the object itself). Elements are pointer-sized: the address of a function
//! record or a number of the host, zero for null.

use core::cell::{Cell, UnsafeCell};
use core::fmt;
use core::ptr::NonNull;

use precast_format::trap::TrapCode;

use crate::alloc::{Category, OutOfMemory, Vec};
use crate::call::error::CallError;
use crate::call::value::{Slot, Value};
use crate::group::{Busy, Entered, GroupRef, Linked, Member, linking};
use crate::instance::context::Pair;
use crate::limits::MAX_TABLE_ELEMENTS;
use crate::memory::plain;
use crate::runtime::Runtime;
use crate::types::TableType;

/// A table and where compiled code finds it.
///
/// All methods need the group to be entered; they are called by whoever is inside, compiled code's
/// helpers included, and make no reference that outlives them.
pub(crate) struct TableObject {
    elements: UnsafeCell<Vec<usize>>,
    table_type: TableType,
    /// In the owner's context, or `own_pair`; dangling while the object is made.
    pair: Cell<NonNull<Pair>>,
    own_pair: UnsafeCell<Pair>,
}

impl TableObject {
    /// Makes a table of `table_type.limits.min` elements. It has no pair until
    /// [`TableObject::move_pair`] or [`TableObject::own_pair`].
    pub(crate) fn new(
        runtime: &Runtime,
        table_type: TableType,
        initial: usize,
    ) -> Result<TableObject, OutOfMemory> {
        let min = table_type.limits.min;
        let mut elements = Vec::new_in(runtime.allocator(), Category::Tables);
        let length = usize::try_from(min)
            .ok()
            .filter(|_| min <= MAX_TABLE_ELEMENTS)
            .ok_or(OutOfMemory::new(Category::Tables, usize::MAX))?;
        elements.try_resize(length, initial)?;
        Ok(TableObject {
            elements: UnsafeCell::new(elements),
            table_type,
            pair: Cell::new(NonNull::dangling()),
            own_pair: UnsafeCell::new(Pair { base: 0, length: 0 }),
        })
    }

    /// Lets the object keep its pair. It must not move from here on.
    fn own_pair(&self) {
        self.pair.set(NonNull::from(&self.own_pair).cast());
        self.publish();
    }

    /// Moves the pair into the owner's context.
    ///
    /// # Safety
    ///
    /// The pair stays writable while the object lives, and nobody else writes it.
    pub(crate) unsafe fn move_pair(&self, pair: NonNull<Pair>) {
        self.pair.set(pair);
        self.publish();
    }

    /// Where compiled code finds base and length.
    pub(crate) fn pair(&self) -> NonNull<Pair> {
        self.pair.get()
    }

    /// The type with the current size as its minimum, as import matching wants it.
    pub(crate) fn current_type(&self) -> TableType {
        let mut current = self.table_type;
        current.limits.min = self.length() as u64;
        current
    }

    /// The declared type.
    pub(crate) fn table_type(&self) -> TableType {
        self.table_type
    }

    /// How many elements there are.
    pub(crate) fn length(&self) -> usize {
        self.with(|elements| elements.len())
    }

    /// The element, or none beyond the end.
    pub(crate) fn get(&self, index: u64) -> Option<usize> {
        self.with(|elements| elements.get(usize::try_from(index).ok()?).copied())
    }

    /// Shows every element to `visit`.
    pub(crate) fn for_each(&self, visit: &mut impl FnMut(usize)) {
        self.with(|elements| elements.iter().for_each(|element| visit(*element)));
    }

    /// Writes references from `index` on, if they fit.
    pub(crate) fn write(&self, index: u64, references: &[usize]) -> Result<(), TrapCode> {
        self.write_all(index, references.len() as u64, references.iter().copied())
    }

    /// Writes so many references from `index` on, if they fit. The iterator does not look at tables.
    pub(crate) fn write_all(
        &self,
        index: u64,
        count: u64,
        references: impl Iterator<Item = usize>,
    ) -> Result<(), TrapCode> {
        self.with(|elements| {
            let range = range(elements.len(), index, count).ok_or(TrapCode::TableOutOfBounds)?;
            let places = elements.get_mut(range).ok_or(TrapCode::TableOutOfBounds)?;
            for (place, reference) in places.iter_mut().zip(references) {
                *place = reference;
            }
            Ok(())
        })
    }

    /// Writes the same reference `length` times.
    pub(crate) fn fill(&self, index: u64, reference: usize, length: u64) -> Result<(), TrapCode> {
        self.with(|elements| {
            let range = range(elements.len(), index, length).ok_or(TrapCode::TableOutOfBounds)?;
            elements
                .get_mut(range)
                .ok_or(TrapCode::TableOutOfBounds)?
                .fill(reference);
            Ok(())
        })
    }

    /// Copies elements, from another table or within this one.
    pub(crate) fn copy(
        &self,
        to: u64,
        source: &TableObject,
        from: u64,
        length: u64,
    ) -> Result<(), TrapCode> {
        let out_of_bounds = TrapCode::TableOutOfBounds;
        if core::ptr::eq(self, source) {
            return self.with(|elements| {
                let to = range(elements.len(), to, length).ok_or(out_of_bounds)?;
                let from = range(elements.len(), from, length).ok_or(out_of_bounds)?;
                plain::copy_within(elements, from, to.start).ok_or(out_of_bounds)
            });
        }
        source.with(|source| {
            let from = range(source.len(), from, length).ok_or(out_of_bounds)?;
            self.write(to, source.get(from).ok_or(out_of_bounds)?)
        })
    }

    /// Appends elements; the previous length, or none where limits or memory do not allow it.
    pub(crate) fn grow(&self, delta: u64, reference: usize) -> Option<u64> {
        let previous = self.length() as u64;
        let length = previous.checked_add(delta)?;
        let declared = self.table_type.limits.max.unwrap_or(u64::MAX);
        let reachable = if self.table_type.is_64 {
            u64::MAX
        } else {
            u64::from(u32::MAX)
        };
        if length > declared.min(reachable).min(MAX_TABLE_ELEMENTS) {
            return None;
        }
        // SAFETY: see `with`.
        let elements = unsafe { &mut *self.elements.get() };
        elements
            .try_resize(usize::try_from(length).ok()?, reference)
            .ok()?;
        self.publish();
        Some(previous)
    }

    /// Shows the elements to `run`.
    fn with<T>(&self, run: impl FnOnce(&mut [usize]) -> T) -> T {
        // SAFETY: the group is entered by this thread, compiled code is not running, and none of
        // the closures of this module comes back to the same table.
        let elements = unsafe { &mut *self.elements.get() };
        run(elements.as_mut_slice())
    }

    /// Writes base and length where compiled code finds them.
    fn publish(&self) {
        // SAFETY: see `with`.
        let elements = unsafe { &mut *self.elements.get() };
        let base = elements.as_mut_slice().as_mut_ptr().expose_provenance();
        let pair = Pair {
            base,
            length: elements.len(),
        };
        // SAFETY: the pair is writable, as `move_pair` demands.
        unsafe { self.pair.get().write(pair) };
    }
}

/// The range of `length` elements from `start`, if it fits.
fn range(size: usize, start: u64, length: u64) -> Option<core::ops::Range<usize>> {
    let end = start.checked_add(length)?;
    if end > size as u64 {
        return None;
    }
    // Both are at most `size`.
    Some(start as usize..end as usize)
}

/// A table: exported by an instance, or made by the host to be imported.
#[derive(Clone)]
pub struct Table {
    group: GroupRef,
    object: NonNull<TableObject>,
}

// SAFETY: the object belongs to a member of the group and is only touched while that is entered.
unsafe impl Send for Table {}
// SAFETY: as above.
unsafe impl Sync for Table {}

impl Table {
    /// Makes a table whose elements are all `initial`.
    pub fn new(
        runtime: &Runtime,
        table_type: TableType,
        initial: Value,
    ) -> Result<Table, CallError> {
        if !initial.is_a(table_type.element) {
            return Err(CallError::TableMismatch {
                expected: table_type,
            });
        }
        let group = GroupRef::new(runtime)?;
        let object = {
            let entered = group.enter()?;
            let initial = initial.lower(&entered)?.reference();
            let object = TableObject::new(runtime, table_type, initial)?;
            let object = Linked::new(runtime, object)?;
            object.own_pair();
            let pointer = NonNull::from(&**object);
            entered.adopt(Member::Table(linking(object)?));
            pointer
        };
        Ok(Table { group, object })
    }

    /// The table behind a member's pointer.
    pub(crate) fn from_object(object: NonNull<TableObject>, group: GroupRef) -> Table {
        Table { group, object }
    }

    pub(crate) fn object(&self) -> &TableObject {
        // SAFETY: the handle keeps the group, and so the object, alive.
        unsafe { self.object.as_ref() }
    }

    pub(crate) fn pointer(&self) -> NonNull<TableObject> {
        self.object
    }

    pub(crate) fn group(&self) -> &GroupRef {
        &self.group
    }

    /// The table's declared type.
    pub fn table_type(&self) -> TableType {
        self.object().table_type()
    }

    /// How many elements there are.
    pub fn size(&self) -> Result<u64, Busy> {
        let _group = self.group.enter()?;
        Ok(self.object().length() as u64)
    }

    /// An element, or `None` beyond the end.
    pub fn get(&self, index: u64) -> Result<Option<Value>, Busy> {
        let group = self.group.enter()?;
        let reference = self.object().get(index);
        let element = self.table_type().element;
        Ok(reference
            .map(|reference| Value::lift(element, &Slot::from_reference(reference), &group)))
    }

    /// Changes an element. Beyond the end it is [`CallError::OutOfBounds`].
    pub fn set(&self, index: u64, value: &Value) -> Result<(), CallError> {
        let group = self.group.enter()?;
        let reference = self.reference(value, &group)?;
        self.object()
            .write(index, &[reference])
            .map_err(|_| CallError::OutOfBounds)
    }

    /// Appends elements; the previous size, or `None` where limits or memory do not allow it.
    pub fn grow(&self, delta: u64, value: &Value) -> Result<Option<u64>, CallError> {
        let group = self.group.enter()?;
        let reference = self.reference(value, &group)?;
        Ok(self.object().grow(delta, reference))
    }

    fn reference(&self, value: &Value, group: &Entered<'_>) -> Result<usize, CallError> {
        if !value.is_a(self.table_type().element) {
            return Err(CallError::TableMismatch {
                expected: self.table_type(),
            });
        }
        Ok(value.lower(group)?.reference())
    }
}

impl fmt::Debug for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "table {:?}", self.table_type())
    }
}
