//! Data segments: bytes that are copied into memories.
#![forbid(unsafe_code)]

use precast_format::read::DataMode;
use precast_format::trap::TrapCode;

use crate::instance::InstanceData;
use crate::instance::expression;

impl InstanceData {
    /// The bytes of a data segment; none once it is dropped.
    pub(crate) fn data_bytes(&self, segment: u32) -> &[u8] {
        match self.dropped_data.get(segment as usize) {
            Some(dropped) if !dropped.get() => self
                .module()
                .artifact()
                .data()
                .get(segment)
                .map_or(&[], |segment| segment.bytes),
            _ => &[],
        }
    }

    /// Drops a data segment.
    pub(crate) fn drop_data(&self, segment: u32) {
        if let Some(dropped) = self.dropped_data.get(segment as usize) {
            dropped.set(true);
        }
    }

    /// Copies bytes of a data segment into a memory.
    pub(crate) fn memory_init(
        &self,
        memory: u32,
        segment: u32,
        to: u64,
        from: u32,
        length: u32,
    ) -> Result<(), TrapCode> {
        let memory = self.memory(memory).ok_or(TrapCode::MemoryOutOfBounds)?;
        let start = from as usize;
        let end = start
            .checked_add(length as usize)
            .ok_or(TrapCode::MemoryOutOfBounds)?;
        let bytes = self.data_bytes(segment).get(start..end);
        memory.write(to, bytes.ok_or(TrapCode::MemoryOutOfBounds)?)
    }
}

/// Marks passive segments as there, all others as dropped.
pub(crate) fn prepare(instance: &mut InstanceData) {
    let module = instance.module().clone();
    for segment in module.artifact().data() {
        let dropped = !matches!(segment.mode, DataMode::Passive);
        // There is room for all segments of the artifact.
        instance.dropped_data.push(core::cell::Cell::new(dropped));
    }
}

/// Writes the active segments into their memories, in order. What the image holds is there.
pub(crate) fn initialize(instance: &InstanceData) -> Result<(), TrapCode> {
    for segment in instance.module().artifact().data() {
        let DataMode::Active { memory, offset } = segment.mode else {
            continue;
        };
        if segment.in_image {
            continue;
        }
        let object = instance.memory(memory);
        let object = object.ok_or(TrapCode::MemoryOutOfBounds)?;
        let start = expression::offset(instance, &offset, object.memory_type().is_64);
        if instance.reaches_app_heap(memory, start, segment.bytes.len()) {
            return Err(TrapCode::MemoryOutOfBounds);
        }
        object.write(start, segment.bytes)?;
    }
    Ok(())
}
