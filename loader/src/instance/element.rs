//! Element segments: references that are copied into tables.

use core::cell::Cell;

use precast_format::read::{ElementItem, ElementMode};
use precast_format::trap::TrapCode;

use crate::alloc::{Category, OutOfMemory, Vec};
use crate::instance::InstanceData;
use crate::instance::expression;

/// The items of a passive segment, computed at instantiation. Active and declared segments count
/// as dropped from the start.
pub(crate) struct ElementSegment {
    items: Vec<usize>,
    dropped: Cell<bool>,
}

impl ElementSegment {
    /// A segment that is dropped.
    pub(crate) fn dropped(items: Vec<usize>) -> ElementSegment {
        ElementSegment { items, dropped: Cell::new(true) }
    }

    /// A segment with items.
    pub(crate) fn passive(items: Vec<usize>) -> ElementSegment {
        ElementSegment { items, dropped: Cell::new(false) }
    }
}

impl InstanceData {
    /// The items of an element segment; none once it is dropped.
    pub(crate) fn element_items(&self, segment: u32) -> &[usize] {
        match self.elements.get(segment as usize) {
            Some(segment) if !segment.dropped.get() => segment.items.as_slice(),
            _ => &[],
        }
    }

    /// Drops an element segment.
    pub(crate) fn drop_element(&self, segment: u32) {
        if let Some(segment) = self.elements.get(segment as usize) {
            segment.dropped.set(true);
        }
    }

    /// Copies items of an element segment into a table.
    pub(crate) fn table_init(
        &self,
        table: u32,
        segment: u32,
        to: u64,
        from: u32,
        length: u32,
    ) -> Result<(), TrapCode> {
        let table = self.table(table).ok_or(TrapCode::TableOutOfBounds)?;
        let start = from as usize;
        let end = start.checked_add(length as usize).ok_or(TrapCode::TableOutOfBounds)?;
        let items = self.element_items(segment).get(start..end);
        table.write(to, items.ok_or(TrapCode::TableOutOfBounds)?)
    }
}

/// Computes the items of a segment.
fn compute(
    instance: &InstanceData,
    segment: &precast_format::read::ElementSegment<'_>,
) -> Result<Vec<usize>, OutOfMemory> {
    let mut items = Vec::new_in(instance.runtime().allocator(), Category::Tables);
    items.try_reserve(segment.items.len() as usize)?;
    for item in segment.items.iter() {
        items.try_push(match item {
            ElementItem::Null => 0,
            ElementItem::Function(index) => expression::reference(instance, index),
            ElementItem::Expression(item) => expression::evaluate(instance, &item).reference(),
        })?;
    }
    Ok(items)
}

/// Computes the passive segments, when globals have their values.
pub(crate) fn prepare(instance: &mut InstanceData) -> Result<(), OutOfMemory> {
    let module = instance.module().clone();
    let allocator = instance.runtime().allocator().clone();
    instance.elements.try_reserve(module.artifact().elements().len() as usize)?;
    for segment in module.artifact().elements() {
        let prepared = match segment.mode {
            ElementMode::Passive => ElementSegment::passive(compute(instance, &segment)?),
            ElementMode::Active { .. } | ElementMode::Declared => {
                ElementSegment::dropped(Vec::new_in(&allocator, Category::Tables))
            }
        };
        instance.elements.try_push(prepared)?;
    }
    Ok(())
}

/// Writes the active segments into their tables, in order.
pub(crate) fn initialize(instance: &InstanceData) -> Result<(), Failed> {
    for segment in instance.module().artifact().elements() {
        let ElementMode::Active { table, offset } = segment.mode else { continue };
        let table = instance.table(table).ok_or(Failed::Trap(TrapCode::TableOutOfBounds))?;
        let offset = expression::offset(instance, &offset, table.table_type().is_64);
        let items = compute(instance, &segment).map_err(Failed::OutOfMemory)?;
        table.write(offset, items.as_slice()).map_err(Failed::Trap)?;
    }
    Ok(())
}

/// Why a segment was not written.
pub(crate) enum Failed {
    /// It does not fit.
    Trap(TrapCode),
    /// There was no memory to compute it.
    OutOfMemory(OutOfMemory),
}
