//! Defined functions: where their code is.

use crate::bytes::Record;
use crate::error::{ErrorKind, FormatError};
use crate::layout::{SectionId, function};
use crate::types::ExternKind;

use super::Artifact;
use super::collection::{Collection, Item};

/// The defined functions of a module, ascending by text offset.
pub type Functions<'a> = Collection<'a, Function>;

/// A defined function.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Function {
    /// Its index among the defined functions.
    pub index: u32,
    /// Its type.
    pub type_index: u32,
    /// Where its code starts in the text.
    pub text_offset: u32,
    /// Size of its code in bytes; not zero.
    pub text_size: u32,
    /// Size of its stack frame in bytes.
    pub frame_size: u32,
    /// The number of its function record in the context, if it has one.
    pub record: Option<u32>,
    /// File offset of its body in the wasm module.
    pub wasm_offset: u32,
}

impl Function {
    /// Where its code ends in the text.
    pub const fn text_end(&self) -> u32 {
        // Checked against the text's size.
        self.text_offset.saturating_add(self.text_size)
    }
}

impl<'a> Item<'a> for Function {
    type Pools = ();

    const SECTION: SectionId = SectionId::Functions;

    fn read(record: Record<'a>, index: u32, _: &()) -> Result<Self, ErrorKind> {
        Ok(Function {
            index,
            type_index: record.u32(function::TYPE),
            text_offset: record.u32(function::TEXT_OFFSET),
            text_size: record.u32(function::TEXT_SIZE),
            frame_size: record.u32(function::FRAME_SIZE),
            record: record.optional(function::RECORD),
            wasm_offset: record.u32(function::WASM_OFFSET),
        })
    }
}

impl<'a> Functions<'a> {
    /// The function whose code contains this text offset; logarithmic in the number of functions.
    /// Trampolines and adapters belong to no function.
    pub fn containing(&self, text_offset: u32) -> Option<Function> {
        let (mut low, mut high) = (0, self.len());
        while low < high {
            let middle = low + (high - low) / 2;
            let function = self.get(middle)?;
            if text_offset < function.text_offset {
                high = middle;
            } else if text_offset >= function.text_end() {
                low = middle + 1;
            } else {
                return Some(function);
            }
        }
        None
    }
}

/// Checks that code ranges are in the text, ascending and disjoint, and that record numbers are
/// 0, 1, 2, ...
pub(super) fn check(artifact: &Artifact<'_>) -> Result<(), FormatError> {
    let type_count = artifact.types().len();
    let text_size = artifact.section(SectionId::Text).size;
    let mut previous_end = 0;
    let mut next_record = 0;
    artifact.functions().check_each(artifact, |function| {
        if function.type_index >= type_count {
            return Err(ErrorKind::IndexOutOfRange);
        }
        let end = function.text_offset.checked_add(function.text_size);
        if function.text_size == 0 || end.is_none_or(|end| end > text_size) {
            return Err(ErrorKind::RangeOutOfBounds);
        }
        if function.text_offset < previous_end {
            return Err(ErrorKind::NotAscending);
        }
        previous_end = function.text_end();
        if let Some(number) = function.record {
            if number != next_record {
                return Err(ErrorKind::NotAscending);
            }
            next_record += 1;
        }
        Ok(())
    })
}

/// Checks that a function, imports first, exists and can be referenced.
pub(super) fn check_referenced(artifact: &Artifact<'_>, index: u32) -> Result<(), ErrorKind> {
    match index.checked_sub(artifact.imported_count(ExternKind::Function)) {
        None => Ok(()),
        Some(defined) => match artifact.functions().read(defined)?.record {
            Some(_) => Ok(()),
            None => Err(ErrorKind::MissingFunctionRecord),
        },
    }
}
