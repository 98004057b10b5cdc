//! Defined functions: where their code is.

use core::cmp::Ordering;

use crate::bytes::Record;
use crate::error::ErrorKind;
use crate::layout::{SectionId, function};
use crate::types::ExternKind;

use super::Artifact;
use super::collection::{Collection, Item};
use super::validate::Checker;

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
    const SECTION: SectionId = SectionId::Functions;

    fn read(_: &'a Artifact<'a>, record: &Record, index: u32) -> Self {
        Function {
            index,
            type_index: record.u32(function::TYPE),
            text_offset: record.u32(function::TEXT_OFFSET),
            text_size: record.u32(function::TEXT_SIZE),
            frame_size: record.u32(function::FRAME_SIZE),
            record: record.optional(function::RECORD),
            wasm_offset: record.u32(function::WASM_OFFSET),
        }
    }
}

impl<'a> Functions<'a> {
    /// The function whose code contains this text offset; logarithmic in the number of functions.
    /// Trampolines and adapters belong to no function.
    pub fn containing(&self, text_offset: u32) -> Option<Function> {
        let found = self.search(|index| {
            let function = self.get(index)?;
            Some(if text_offset < function.text_offset {
                Ordering::Greater
            } else if text_offset >= function.text_end() {
                Ordering::Less
            } else {
                Ordering::Equal
            })
        });
        self.get(found?)
    }
}

/// Checks that code ranges are in the text, ascending and disjoint, and that record numbers are
/// 0, 1, 2, ...
pub(super) fn check(checker: &mut Checker<'_>, record: &Record) -> Result<(), ErrorKind> {
    let (start, size) = (
        record.u32(function::TEXT_OFFSET),
        record.u32(function::TEXT_SIZE),
    );
    if size == 0 {
        return Err(ErrorKind::RangeOutOfBounds);
    }
    checker.text_range(start, size)?;
    if let Some(number) = record.optional(function::RECORD) {
        if number != checker.function_records {
            return Err(ErrorKind::NotAscending);
        }
        checker.function_records += 1;
    }
    Ok(())
}

/// Checks that a function, imports first, exists and can be referenced.
pub(super) fn check_referenced(artifact: &Artifact<'_>, index: u32) -> Result<(), ErrorKind> {
    let imported = artifact.imported_count(ExternKind::Function);
    let Some(defined) = index.checked_sub(imported) else {
        return Ok(());
    };
    let functions = artifact.records(SectionId::Functions);
    if !functions.has(defined) {
        return Err(ErrorKind::IndexOutOfRange);
    }
    match functions.get(defined).optional(function::RECORD) {
        Some(_) => Ok(()),
        None => Err(ErrorKind::MissingFunctionRecord),
    }
}
