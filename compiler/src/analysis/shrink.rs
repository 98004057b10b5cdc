//! Cutting a memory to what the program needs.
//!
//! A linker for C lays out data, stack and, from `__heap_base` on, whatever the program asks for
//! with `memory.grow` or finds with `memory.size`. A program that contains neither instruction has
//! no use for anything beyond `__heap_base`. Its memory becomes one of pages of a single byte,
//! which cannot grow, so that the loader, the bounds checks and whoever imports the memory treat it
//! like any other memory of a custom page size.

use precast_format::types::{Limits, MemoryType};
use wasmparser::{ExternalKind, Operator, ValType};

use crate::error::{CompileError, Result};
use crate::module::{Body, Module, SegmentMode};

/// To what the size is rounded up, in bytes: the alignment of the largest value.
const GRANULE: u64 = 16;

/// Cuts memory 0 to `__heap_base` bytes.
///
/// # Errors
///
/// When the module may use more, with the reason, or when a body is malformed.
pub(crate) fn shrink_memory(module: &mut Module<'_>, bodies: &[Body<'_>]) -> Result<()> {
    let refused =
        |reason: &str| CompileError::options(format!("the memory cannot be shrunk: {reason}"));
    if module.imported_memories > 0 {
        return Err(refused("the module imports it"));
    }
    let memory = *module
        .memories
        .first()
        .ok_or_else(|| refused("the module has none"))?;
    if memory.shared {
        return Err(refused("threads share it"));
    }
    for body in bodies {
        if let Some(name) = sizes_memory(body)? {
            let function = module
                .display_name(body.function)
                .map_or_else(String::new, |name| format!(", {name:?}"));
            return Err(refused(&format!(
                "function {}{function} contains {name}",
                body.function
            )));
        }
    }
    let bound = |name: &str| {
        exported_address(module, name).ok_or_else(|| {
            refused(&format!(
                "the module does not export {name:?} as a constant global; link it with \
                 --export={name}"
            ))
        })
    };
    let (data_end, heap_base) = (bound("__data_end")?, bound("__heap_base")?);
    if data_end > heap_base || heap_base > memory.min_bytes() {
        return Err(refused(&format!(
            "\"__data_end\" ({data_end}), \"__heap_base\" ({heap_base}) and the memory's end \
             ({}) are not in order",
            memory.min_bytes()
        )));
    }
    for (index, segment) in module.data.iter().enumerate() {
        let SegmentMode::Active { index: 0, offset } = &segment.mode else {
            continue;
        };
        let end = offset
            .constant_address()
            .and_then(|address| address.checked_add(segment.bytes.len() as u64));
        if end.is_none_or(|end| end > heap_base) {
            return Err(refused(&format!(
                "data segment {index} may end after \"__heap_base\""
            )));
        }
    }
    let size = heap_base.next_multiple_of(GRANULE).min(memory.min_bytes());
    module.memories[0] = MemoryType {
        limits: Limits {
            min: size,
            max: Some(size),
        },
        page_size_log2: 0,
        ..memory
    };
    Ok(())
}

/// The first instruction of a body with which the program could use more of memory 0.
fn sizes_memory(body: &Body<'_>) -> Result<Option<&'static str>> {
    let mut reader = body.body.get_operators_reader()?;
    while !reader.eof() {
        match reader.read()? {
            Operator::MemoryGrow { mem: 0 } => return Ok(Some("memory.grow")),
            Operator::MemorySize { mem: 0 } => return Ok(Some("memory.size")),
            _ => {}
        }
    }
    Ok(None)
}

/// The value of an exported global that never changes.
fn exported_address(module: &Module<'_>, name: &str) -> Option<u64> {
    let export = module
        .exports
        .iter()
        .find(|export| export.kind == ExternalKind::Global && export.name == name)?;
    let global = module.globals.get(export.index as usize)?;
    let is_address = matches!(global.ty.content_type, ValType::I32 | ValType::I64);
    if !is_address || global.ty.mutable {
        return None;
    }
    global.init.as_ref()?.constant_address()
}
