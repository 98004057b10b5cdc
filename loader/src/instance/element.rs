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

/// The reference that an item stands for.
fn reference(instance: &InstanceData, item: ElementItem<'_>) -> usize {
    match item {
        ElementItem::Null => 0,
        ElementItem::Function(index) => expression::reference(instance, index),
        ElementItem::Expression(item) => expression::evaluate(instance, &item).reference(),
    }
}

/// Makes room for the segments.
pub(crate) fn prepare(instance: &mut InstanceData) {
    for _ in 0..instance.module().artifact().elements().len() {
        let segment = ElementSegment {
            items: OnceCell::new(),
            dropped: Cell::new(false),
        };
        // There is room for all segments of the artifact.
        instance.elements.push(segment);
    }
}

/// Computes the passive segments, when globals have their values.
pub(crate) fn compute_passive(instance: &InstanceData) -> Result<(), OutOfMemory> {
    for segment in instance.module().artifact().elements() {
        if let ElementMode::Passive = segment.mode
            && let Some(place) = instance.elements.get(segment.index as usize)
        {
            let mut items = Vec::new_in(instance.runtime().allocator(), Category::Tables);
            items.try_reserve_exact(segment.items.len() as usize)?;
            for item in segment.items.iter() {
                // There is room for all of them.
                let _ = items.push_within_capacity(reference(instance, item));
            }
            // Each segment comes once, so the place is free.
            let _ = place.items.set(items);
        }
    }
    Ok(())
}

/// Writes the active segments into their tables, in order.
pub(crate) fn initialize(instance: &InstanceData) -> Result<(), TrapCode> {
    for segment in instance.module().artifact().elements() {
        let ElementMode::Active { table, offset } = segment.mode else {
            continue;
        };
        let table = instance.table(table).ok_or(TrapCode::TableOutOfBounds)?;
        let offset = expression::offset(instance, &offset, table.table_type().is_64);
        let items = segment.items.iter();
        let references = items.map(|item| reference(instance, item));
        table.write_all(offset, u64::from(segment.items.len()), references)?;
    }
    Ok(())
}
