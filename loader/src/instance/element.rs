//! Element segments: references that are copied into tables.
#![forbid(unsafe_code)]

use core::cell::{Cell, OnceCell};

use precast_format::read::{ElementItem, ElementMode};
use precast_format::trap::TrapCode;

use crate::alloc::{Category, OutOfMemory, Vec};
use crate::instance::InstanceData;
use crate::instance::expression;

/// A segment, as instructions see it.
pub(crate) struct ElementSegment {
    /// The items of a passive segment, once they are computed. Active and declared segments have
    /// none: they count as dropped.
    items: OnceCell<Vec<usize>>,
    dropped: Cell<bool>,
}

impl InstanceData {
    /// The items of an element segment; none once it is dropped.
    pub(crate) fn element_items(&self, segment: u32) -> &[usize] {
        match self.elements.get(segment as usize) {
            Some(segment) if !segment.dropped.get() => {
                segment.items.get().map_or(&[], Vec::as_slice)
            }
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
        let end = start
            .checked_add(length as usize)
            .ok_or(TrapCode::TableOutOfBounds)?;
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

/// Makes room for the segments.
pub(crate) fn prepare(instance: &mut InstanceData) -> Result<(), OutOfMemory> {
    let count = instance.module().artifact().elements().len();
    instance.elements.try_reserve_exact(count as usize)?;
    for _ in 0..count {
        let segment = ElementSegment {
            items: OnceCell::new(),
            dropped: Cell::new(false),
        };
        instance.elements.try_push(segment)?;
    }
    Ok(())
}

/// Computes the passive segments, when globals have their values.
pub(crate) fn compute_passive(instance: &InstanceData) -> Result<(), OutOfMemory> {
    for segment in instance.module().artifact().elements() {
        if let ElementMode::Passive = segment.mode
            && let Some(place) = instance.elements.get(segment.index as usize)
        {
            // Each segment comes once, so the place is free.
            let _ = place.items.set(compute(instance, &segment)?);
        }
    }
    Ok(())
}

/// Writes the active segments into their tables, in order.
pub(crate) fn initialize(instance: &InstanceData) -> Result<(), Failed> {
    for segment in instance.module().artifact().elements() {
        let ElementMode::Active { table, offset } = segment.mode else {
            continue;
        };
        let table = instance
            .table(table)
            .ok_or(Failed::Trap(TrapCode::TableOutOfBounds))?;
        let offset = expression::offset(instance, &offset, table.table_type().is_64);
        let items = compute(instance, &segment).map_err(Failed::OutOfMemory)?;
        table
            .write(offset, items.as_slice())
            .map_err(Failed::Trap)?;
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
