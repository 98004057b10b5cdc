//! Bytes that records point into: records under construction, strings, expressions, sites.

use alloc::collections::BTreeMap;
use alloc::vec::Vec;

use crate::layout::{self, RecordField, expression, opcode, operation};
use crate::types::ConstOp;

use super::WriteError;
use super::builder::Function;

/// Names up to this length are written once. Longer ones are written again, which keeps artifacts
/// with many references to one long name within [`layout::NAME_SHARING`].
const SHARED_NAME: usize = 64;

/// A record under construction.
pub(super) struct Record<const SIZE: usize>([u8; SIZE]);

impl<const SIZE: usize> Record<SIZE> {
    pub(super) const fn new() -> Record<SIZE> {
        Record([0; SIZE])
    }

    pub(super) fn array<const N: usize>(mut self, field: RecordField<N>, value: [u8; N]) -> Self {
        field.put(&mut self.0, value);
        self
    }

    pub(super) fn u8(self, field: RecordField<1>, value: u8) -> Self {
        self.array(field, [value])
    }

    pub(super) fn u16(self, field: RecordField<2>, value: u16) -> Self {
        self.array(field, value.to_le_bytes())
    }

    pub(super) fn u32(self, field: RecordField<4>, value: u32) -> Self {
        self.array(field, value.to_le_bytes())
    }

    pub(super) fn u64(self, field: RecordField<8>, value: u64) -> Self {
        self.array(field, value.to_le_bytes())
    }

    pub(super) fn optional(self, field: RecordField<4>, value: Option<u32>) -> Self {
        self.u32(field, value.unwrap_or(layout::NONE))
    }

    pub(super) fn push_to(self, section: &mut Vec<u8>) {
        section.extend_from_slice(&self.0);
    }
}

/// A size or index as the artifact stores it.
pub(super) fn size(value: usize) -> Result<u32, WriteError> {
    u32::try_from(value).map_err(|_| WriteError::TooLarge)
}

/// The strings section.
#[derive(Default)]
pub(super) struct Strings<'b> {
    pub(super) bytes: Vec<u8>,
    places: BTreeMap<&'b str, u32>,
}

impl<'b> Strings<'b> {
    /// Offset and size of a name.
    pub(super) fn add(&mut self, name: &'b str) -> Result<(u32, u32), WriteError> {
        let length = size(name.len())?;
        if let Some(place) = self.places.get(name) {
            return Ok((*place, length));
        }
        let place = size(self.bytes.len())?;
        self.bytes.extend_from_slice(name.as_bytes());
        if name.len() <= SHARED_NAME {
            self.places.insert(name, place);
        }
        Ok((place, length))
    }
}

/// The sections of expressions and their operations.
#[derive(Default)]
pub(super) struct Expressions {
    pub(super) expressions: Vec<u8>,
    pub(super) operations: Vec<u8>,
}

impl Expressions {
    /// Appends an expression and gives its index.
    pub(super) fn add(&mut self, operations: &[ConstOp]) -> Result<u32, WriteError> {
        let index = size(self.expressions.len() / expression::SIZE)?;
        Record::<{ expression::SIZE }>::new()
            .u32(
                expression::FIRST_OPERATION,
                size(self.operations.len() / operation::SIZE)?,
            )
            .u32(expression::OPERATION_COUNT, size(operations.len())?)
            .push_to(&mut self.expressions);
        for op in operations {
            let (opcode, value) = encode_operation(*op);
            Record::<{ operation::SIZE }>::new()
                .u32(operation::OPCODE, opcode)
                .array(operation::VALUE, value)
                .push_to(&mut self.operations);
        }
        Ok(index)
    }
}

/// Opcode and value of an operation.
fn encode_operation(op: ConstOp) -> (u32, [u8; 16]) {
    let word = |value: u32| u128::from(value).to_le_bytes();
    let long = |value: u64| u128::from(value).to_le_bytes();
    match op {
        ConstOp::I32Const(value) => (opcode::I32_CONST, word(value as u32)),
        ConstOp::I64Const(value) => (opcode::I64_CONST, long(value as u64)),
        ConstOp::F32Const(bits) => (opcode::F32_CONST, word(bits)),
        ConstOp::F64Const(bits) => (opcode::F64_CONST, long(bits)),
        ConstOp::V128Const(bytes) => (opcode::V128_CONST, bytes),
        ConstOp::GlobalGet(index) => (opcode::GLOBAL_GET, word(index)),
        ConstOp::RefNull(ty) => (opcode::REF_NULL, word(ty.raw())),
        ConstOp::RefFunc(index) => (opcode::REF_FUNC, word(index)),
        ConstOp::I32Add => (opcode::I32_ADD, [0; 16]),
        ConstOp::I32Sub => (opcode::I32_SUB, [0; 16]),
        ConstOp::I32Mul => (opcode::I32_MUL, [0; 16]),
        ConstOp::I64Add => (opcode::I64_ADD, [0; 16]),
        ConstOp::I64Sub => (opcode::I64_SUB, [0; 16]),
        ConstOp::I64Mul => (opcode::I64_MUL, [0; 16]),
    }
}

/// Appends an unsigned integer of variable length.
fn push_unsigned(stream: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        stream.push(value as u8 | 0x80);
        value >>= 7;
    }
    stream.push(value as u8);
}

/// Appends the difference between two offsets, with its sign in the lowest bit.
fn push_difference(stream: &mut Vec<u8>, from: u32, to: u32) {
    let difference = i64::from(to) - i64::from(from);
    push_unsigned(stream, ((difference << 1) ^ (difference >> 63)) as u64);
}

/// A table of sites: where each function's run ends, and the runs.
#[derive(Default)]
pub(super) struct Sites {
    pub(super) ends: Vec<u8>,
    pub(super) stream: Vec<u8>,
}

impl Sites {
    /// Appends a function's trap sites.
    pub(super) fn add_traps(&mut self, function: &Function) -> Option<()> {
        let mut previous = None;
        let (mut wasm, mut code) = (
            function.wasm_offset,
            crate::trap::TrapCode::MemoryOutOfBounds,
        );
        for site in &function.traps {
            if site.code_offset >= function.text_size {
                return None;
            }
            let difference = difference(previous, site.code_offset)?;
            let is_new = site.code != code;
            push_unsigned(&mut self.stream, difference << 1 | u64::from(is_new));
            if is_new {
                self.stream.push(site.code as u8);
            }
            push_difference(&mut self.stream, wasm, site.wasm_offset);
            (previous, wasm, code) = (Some(site.code_offset), site.wasm_offset, site.code);
        }
        self.end_run()
    }

    /// Appends a function's call sites.
    pub(super) fn add_calls(&mut self, function: &Function) -> Option<()> {
        let mut previous = None;
        let mut wasm = function.wasm_offset;
        for site in &function.call_sites {
            if site.code_offset > function.text_size {
                return None;
            }
            push_unsigned(&mut self.stream, difference(previous, site.code_offset)?);
            push_difference(&mut self.stream, wasm, site.wasm_offset);
            (previous, wasm) = (Some(site.code_offset), site.wasm_offset);
        }
        self.end_run()
    }

    fn end_run(&mut self) -> Option<()> {
        let end = u32::try_from(self.stream.len()).ok()?;
        self.ends.extend_from_slice(&end.to_le_bytes());
        Some(())
    }

    /// Leaves the table out where it says nothing.
    pub(super) fn finish(mut self) -> Sites {
        if self.stream.is_empty() {
            self.ends.clear();
        }
        self
    }
}

/// The difference from the site before; sites ascend.
fn difference(previous: Option<u32>, offset: u32) -> Option<u64> {
    match previous {
        None => Some(u64::from(offset)),
        Some(previous) if offset > previous => Some(u64::from(offset - previous)),
        Some(_) => None,
    }
}
