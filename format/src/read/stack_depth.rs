//! The records of stack depths.

use crate::bytes::Record;
use crate::error::{ErrorKind, FormatError};
use crate::layout::{self, SectionId, function_depth, stack_bound};
use crate::stack_depth::{CallKind, DepthStep, FunctionDepth, StackBound, StackDepth};
use crate::types::ExternKind;

use super::Artifact;
use super::collection::{Collection, Item};
use super::validate::Checker;

/// Bounds of calls from the host, ascending by function.
pub type StackBounds<'a> = Collection<'a, StackBound>;

/// The depths of the defined functions, or nothing.
pub type FunctionDepths<'a> = Collection<'a, FunctionDepth>;

impl<'a> Item<'a> for StackBound {
    const SECTION: SectionId = SectionId::StackBounds;

    fn read(_: &'a Artifact<'a>, record: &Record, _: u32) -> Self {
        let value = record.u32(stack_bound::VALUE);
        let [low, middle, high] = record.array(stack_bound::FUNCTION);
        StackBound {
            function: u32::from_le_bytes([low, middle, high, 0]),
            depth: match record.u8(stack_bound::KIND) {
                layout::BOUND_RECURSION => StackDepth::Recursion { function: value },
                layout::BOUND_UNKNOWN_CALLEE => StackDepth::UnknownCallee { function: value },
                kind => StackDepth::Bytes {
                    bytes: value,
                    imports: kind == layout::BOUND_BYTES_TO_IMPORT,
                },
            },
        }
    }
}

impl StackBounds<'_> {
    /// The bound of a function, imports first; logarithmic.
    pub fn lookup(&self, function: u32) -> Option<StackDepth> {
        let found = self.search(|index| Some(self.get(index)?.function.cmp(&function)));
        Some(self.get(found?)?.depth)
    }
}

impl<'a> Item<'a> for FunctionDepth {
    const SECTION: SectionId = SectionId::FunctionDepths;

    fn read(_: &'a Artifact<'a>, record: &Record, _: u32) -> Self {
        let [low, middle, high] = record.array(function_depth::CALLEE);
        let callee = u32::from_le_bytes([low, middle, high, 0]);
        let wasm_offset = record.u32(function_depth::WASM_OFFSET);
        let call = |kind| DepthStep::Call {
            callee,
            kind,
            wasm_offset,
        };
        FunctionDepth {
            depth: record.optional(function_depth::DEPTH),
            step: match record.u8(function_depth::STEP) {
                layout::STEP_END => DepthStep::End,
                layout::STEP_CALL => call(CallKind::Direct),
                layout::STEP_INDIRECT => call(CallKind::Indirect),
                layout::STEP_TAIL => call(CallKind::Tail),
                layout::STEP_INDIRECT_TAIL => call(CallKind::IndirectTail),
                _ => DepthStep::Unknown { wasm_offset },
            },
        }
    }
}

/// Checks that the functions with bounds are defined and ascend, and that what bounds speak of is
/// there.
pub(super) fn check(checker: &mut Checker<'_>, record: &Record) -> Result<(), ErrorKind> {
    let artifact = checker.artifact;
    let imported = artifact.imported_count(ExternKind::Function);
    let functions = imported..artifact.index_space(ExternKind::Function);
    let bound = StackBound::read(artifact, record, 0);
    if bound.function < imported {
        return Err(ErrorKind::NotAscending);
    }
    checker.ascend(u64::from(bound.function), 1)?;
    let exists = match bound.depth {
        StackDepth::Bytes { bytes, .. } => bytes != layout::NONE,
        StackDepth::Recursion { function } | StackDepth::UnknownCallee { function } => {
            functions.contains(&function)
        }
    };
    if !functions.contains(&bound.function) || !exists {
        return Err(ErrorKind::IndexOutOfRange);
    }
    Ok(())
}

/// Checks that each step has a meaning and leads to a function.
pub(super) fn validate(artifact: &Artifact<'_>) -> Result<(), FormatError> {
    let functions = artifact.index_space(ExternKind::Function);
    let section = SectionId::FunctionDepths;
    for index in 0..artifact.count(section) {
        let record = artifact.record(section, index);
        let [low, middle, high] = record.array(function_depth::CALLEE);
        let callee = u32::from_le_bytes([low, middle, high, 0]);
        let wasm_offset = record.u32(function_depth::WASM_OFFSET);
        let kind = match record.u8(function_depth::STEP) {
            layout::STEP_END if wasm_offset == 0 && callee == layout::NONE_24 => continue,
            layout::STEP_UNKNOWN if callee == layout::NONE_24 => continue,
            layout::STEP_CALL..=layout::STEP_INDIRECT_TAIL if callee < functions => continue,
            layout::STEP_CALL..=layout::STEP_INDIRECT_TAIL => ErrorKind::IndexOutOfRange,
            _ => ErrorKind::UnknownNumber,
        };
        return Err(artifact.error(kind, section, index));
    }
    Ok(())
}
