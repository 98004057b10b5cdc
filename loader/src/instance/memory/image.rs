//! The initial contents of a memory that the compiler has laid out, put in place before anybody
//! sees the memory: mapped from the artifact's file where that is possible, else copied.

use crate::call::backtrace::Backtrace;
use crate::call::error::Trap;
use crate::instance::error::InstantiateError;
use crate::instance::memory::object::range;
use crate::memory::{LinearMemory, plain};
use crate::module::Module;

use precast_format::trap::TrapCode;

/// Puts the initial contents of the memory with this index in place.
pub(super) fn place_images(
    memory: &mut LinearMemory,
    module: &Module,
    index: u32,
) -> Result<(), InstantiateError> {
    for part in module.artifact().image() {
        if part.memory != index {
            continue;
        }
        if let Some(file) = module.file_mapping()
            && memory.map_image(
                file.file(),
                file.file_offset(part.file_offset),
                part.address,
                part.bytes.len(),
            )?
        {
            continue;
        }
        copy(memory, part.address, part.bytes)
            .map_err(|code| InstantiateError::Trap(Trap::new(code, Backtrace::empty())))?;
    }
    Ok(())
}

/// Copies bytes into a memory that nobody else has yet.
fn copy(memory: &mut LinearMemory, address: u64, bytes: &[u8]) -> Result<(), TrapCode> {
    let (base, length) = (memory.base(), memory.length());
    let place = range(length, address, bytes.len() as u64)?;
    // SAFETY: the memory has so many bytes, and it is borrowed exclusively.
    let all = unsafe { core::slice::from_raw_parts_mut(base.as_ptr(), length) };
    let place = all.get_mut(place).ok_or(TrapCode::MemoryOutOfBounds)?;
    plain::copy(place, bytes);
    Ok(())
}
