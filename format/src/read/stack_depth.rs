//! The records of stack depths.

use crate::bytes::Record;
use crate::error::{ErrorKind, FormatError};
use crate::layout::{self, SectionId, function_depth, stack_bound};
use crate::stack_depth::{CallKind, DepthStep, FunctionDepth, StackBound, StackDepth};
use crate::types::ExternKind;

use super::Artifact;
use super::collection::{Collection, Item};

/// Bounds of calls from the host, ascending by function.
pub type StackBounds<'a> = Collection<'a, StackBound>;

/// The depths of the defined functions, or nothing.
pub type FunctionDepths<'a> = Collection<'a, FunctionDepth>;

impl<'a> Item<'a> for StackBound {
    type Pools = ();

    const SECTION: SectionId = SectionId::StackBounds;

    fn read(record: Record<'a>, _: u32, _: &()) -> Result<Self, ErrorKind> {
        let value = record.u32(stack_bound::VALUE);
        let depth = match record.u8(stack_bound::KIND) {
            layout::BOUND_BYTES => StackDepth::Bytes {
                bytes: value,
                imports: false,
            },
            layout::BOUND_BYTES_TO_IMPORT => StackDepth::Bytes {
                bytes: value,
                imports: true,
            },
            layout::BOUND_RECURSION => StackDepth::Recursion { function: value },
            layout::BOUND_UNKNOWN_CALLEE => StackDepth::UnknownCallee { function: value },
            _ => return Err(ErrorKind::UnknownNumber),
        };
        let [low, middle, high] = record.array(stack_bound::FUNCTION);
        Ok(StackBound {
            function: u32::from_le_bytes([low, middle, high, 0]),
            depth,
        })
    }
}

impl StackBounds<'_> {
    /// The bound of a function, imports first; logarithmic.
    pub fn lookup(&self, function: u32) -> Option<StackDepth> {
        let (mut low, mut high) = (0, self.len());
        while low < high {
            let middle = low + (high - low) / 2;
            let bound = self.get(middle)?;
            match bound.function.cmp(&function) {
                core::cmp::Ordering::Equal => return Some(bound.depth),
                core::cmp::Ordering::Less => low = middle + 1,
                core::cmp::Ordering::Greater => high = middle,
            }
        }
        None
    }
}

impl<'a> Item<'a> for FunctionDepth {
    type Pools = ();

    const SECTION: SectionId = SectionId::FunctionDepths;

    fn read(record: Record<'a>, _: u32, _: &()) -> Result<Self, ErrorKind> {
        let [low, middle, high] = record.array(function_depth::CALLEE);
        let callee = u32::from_le_bytes([low, middle, high, 0]);
        let wasm_offset = record.u32(function_depth::WASM_OFFSET);
        let call = |kind| DepthStep::Call {
            callee,
            kind,
            wasm_offset,
        };
        let step = match record.u8(function_depth::STEP) {
            layout::STEP_END if wasm_offset == 0 => DepthStep::End,
            layout::STEP_CALL => call(CallKind::Direct),
            layout::STEP_INDIRECT => call(CallKind::Indirect),
            layout::STEP_TAIL => call(CallKind::Tail),
            layout::STEP_INDIRECT_TAIL => call(CallKind::IndirectTail),
            layout::STEP_UNKNOWN => DepthStep::Unknown { wasm_offset },
            _ => return Err(ErrorKind::UnknownNumber),
        };
        if !matches!(step, DepthStep::Call { .. }) && callee != layout::NONE_24 {
            return Err(ErrorKind::UnknownNumber);
        }
        Ok(FunctionDepth {
            depth: record.optional(function_depth::DEPTH),
            step,
        })
    }
}

/// Checks that the functions with bounds are defined and ascend, and that what bounds speak of is
/// there; and that each function has a depth, or none.
pub(super) fn check(artifact: &Artifact<'_>) -> Result<(), FormatError> {
    let imported = artifact.imported_count(ExternKind::Function);
    let functions = artifact.index_space(ExternKind::Function);
    let mut next = imported;
    artifact.stack_bounds().check_each(artifact, |bound| {
        if bound.function < next {
            return Err(ErrorKind::NotAscending);
        }
        next = bound.function.saturating_add(1);
        let exists = match bound.depth {
            StackDepth::Bytes { bytes, .. } => bytes != layout::NONE,
            StackDepth::Recursion { function } | StackDepth::UnknownCallee { function } => {
                (imported..functions).contains(&function)
            }
        };
        if bound.function >= functions || !exists {
            return Err(ErrorKind::IndexOutOfRange);
        }
        Ok(())
    })?;
    let depths = artifact.function_depths().len();
    if depths != 0 && depths != artifact.functions().len() {
        return Err(artifact.error(ErrorKind::SectionSize, SectionId::FunctionDepths, 0));
    }
    Ok(())
}

/// Checks that each step leads to a function.
pub(super) fn validate(artifact: &Artifact<'_>) -> Result<(), FormatError> {
    let functions = artifact.index_space(ExternKind::Function);
    artifact
        .function_depths()
        .check_each(artifact, |function| match function.step {
            DepthStep::Call { callee, .. } if callee >= functions => {
                Err(ErrorKind::IndexOutOfRange)
            }
            _ => Ok(()),
        })
}
