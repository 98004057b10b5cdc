//! The records of stack depths.

use alloc::vec::Vec;

use crate::layout::{self, function_depth, stack_bound};
use crate::stack_depth::{CallKind, DepthStep, StackDepth};

use super::WriteError;
use super::builder::ArtifactBuilder;
use super::pools::Record;

pub(super) fn write_bounds(
    builder: &ArtifactBuilder,
    section: &mut Vec<u8>,
) -> Result<(), WriteError> {
    for bound in &builder.stack_bounds {
        let (kind, value) = match bound.depth {
            StackDepth::Bytes {
                bytes,
                imports: false,
            } => (layout::BOUND_BYTES, bytes),
            StackDepth::Bytes {
                bytes,
                imports: true,
            } => (layout::BOUND_BYTES_TO_IMPORT, bytes),
            StackDepth::Recursion { function } => (layout::BOUND_RECURSION, function),
            StackDepth::UnknownCallee { function } => (layout::BOUND_UNKNOWN_CALLEE, function),
        };
        if bound.function >= layout::NONE_24 {
            return Err(WriteError::TooLarge);
        }
        let [low, middle, high, _] = bound.function.to_le_bytes();
        Record::<{ stack_bound::SIZE }>::new()
            .array(stack_bound::FUNCTION, [low, middle, high])
            .u8(stack_bound::KIND, kind)
            .u32(stack_bound::VALUE, value)
            .push_to(section);
    }
    Ok(())
}

pub(super) fn write_functions(
    builder: &ArtifactBuilder,
    section: &mut Vec<u8>,
) -> Result<(), WriteError> {
    for function in &builder.function_depths {
        let (step, callee, offset) = match function.step {
            DepthStep::End => (layout::STEP_END, layout::NONE_24, 0),
            DepthStep::Unknown { wasm_offset } => {
                (layout::STEP_UNKNOWN, layout::NONE_24, wasm_offset)
            }
            DepthStep::Call {
                callee,
                kind,
                wasm_offset,
            } => {
                if callee >= layout::NONE_24 {
                    return Err(WriteError::TooLarge);
                }
                let step = match kind {
                    CallKind::Direct => layout::STEP_CALL,
                    CallKind::Indirect => layout::STEP_INDIRECT,
                    CallKind::Tail => layout::STEP_TAIL,
                    CallKind::IndirectTail => layout::STEP_INDIRECT_TAIL,
                };
                (step, callee, wasm_offset)
            }
        };
        let [low, middle, high, _] = callee.to_le_bytes();
        Record::<{ function_depth::SIZE }>::new()
            .optional(function_depth::DEPTH, function.depth)
            .array(function_depth::CALLEE, [low, middle, high])
            .u8(function_depth::STEP, step)
            .u32(function_depth::WASM_OFFSET, offset)
            .push_to(section);
    }
    Ok(())
}
