//! Constant expressions: initial values and offsets.

use crate::bytes::{Record, Records};
use crate::error::ErrorKind;
use crate::layout::{SectionId, expression, opcode, operation};
use crate::types::{ConstOp, EXPRESSION_DEPTH, ValueType};

use super::Artifact;
use super::collection::{Collection, Item};

/// The constant expressions of a module, in the order of their use.
pub type Expressions<'a> = Collection<'a, Expression<'a>>;

/// A constant expression: well typed, with one result, on a stack of at most
/// [`EXPRESSION_DEPTH`] values.
#[derive(Clone, Copy, Debug)]
pub struct Expression<'a> {
    /// Its index among the expressions.
    pub index: u32,
    first: u32,
    count: u32,
    operations: Records<'a>,
}

impl<'a> Item<'a> for Expression<'a> {
    type Pools = Records<'a>;

    const SECTION: SectionId = SectionId::Expressions;

    fn read(record: Record<'a>, index: u32, operations: &Records<'a>) -> Result<Self, ErrorKind> {
        let first = record.u32(expression::FIRST_OPERATION);
        let count = record.u32(expression::OPERATION_COUNT);
        match first.checked_add(count) {
            Some(end) if end <= operations.len() => Ok(Expression {
                index,
                first,
                count,
                operations: *operations,
            }),
            _ => Err(ErrorKind::RangeOutOfBounds),
        }
    }
}

impl<'a> Expression<'a> {
    /// The operations in postfix order.
    pub const fn operations(&self) -> Operations<'a> {
        Operations {
            records: self.operations,
            next: self.first,
            rest: self.count,
        }
    }

    /// The operation of an expression that has only one.
    pub fn single(&self) -> Option<ConstOp> {
        if self.count == 1 {
            self.operations().next()
        } else {
            None
        }
    }

    /// Checks the expression on a stack of types. `globals` is how many globals it can name.
    pub(super) fn check(
        &self,
        artifact: &Artifact<'a>,
        expected: ValueType,
        globals: u32,
    ) -> Result<(), ErrorKind> {
        let mut stack = TypeStack {
            types: [ValueType::I32; EXPRESSION_DEPTH],
            depth: 0,
        };
        for index in self.first..self.first + self.count {
            let record = self
                .operations
                .get(index)
                .ok_or(ErrorKind::IndexOutOfRange)?;
            let binary = |stack: &mut TypeStack, ty| {
                stack.pop(ty)?;
                stack.pop(ty)?;
                stack.push(ty)
            };
            match read_operation(record)? {
                ConstOp::I32Const(_) => stack.push(ValueType::I32)?,
                ConstOp::I64Const(_) => stack.push(ValueType::I64)?,
                ConstOp::F32Const(_) => stack.push(ValueType::F32)?,
                ConstOp::F64Const(_) => stack.push(ValueType::F64)?,
                ConstOp::V128Const(_) => stack.push(ValueType::V128)?,
                ConstOp::GlobalGet(global) => {
                    if global >= globals {
                        return Err(ErrorKind::IndexOutOfRange);
                    }
                    let ty = artifact
                        .global_type(global)
                        .ok_or(ErrorKind::IndexOutOfRange)?;
                    if ty.mutable {
                        return Err(ErrorKind::InvalidExpression);
                    }
                    stack.push(ty.value)?;
                }
                ConstOp::RefNull(ty) => {
                    super::types::check_value_type(artifact, ty)?;
                    stack.push(ty)?;
                }
                ConstOp::RefFunc(function) => {
                    super::functions::check_referenced(artifact, function)?;
                    let ty = artifact
                        .function_type(function)
                        .ok_or(ErrorKind::IndexOutOfRange)?;
                    // What has a larger number cannot be referred to by type.
                    let ty = ValueType::function(ty.canonical, false);
                    stack.push(ty.unwrap_or(ValueType::FUNCREF.not_null()))?;
                }
                ConstOp::I32Add | ConstOp::I32Sub | ConstOp::I32Mul => {
                    binary(&mut stack, ValueType::I32)?;
                }
                ConstOp::I64Add | ConstOp::I64Sub | ConstOp::I64Mul => {
                    binary(&mut stack, ValueType::I64)?;
                }
            }
        }
        stack.pop(expected)?;
        if stack.depth == 0 {
            Ok(())
        } else {
            Err(ErrorKind::InvalidExpression)
        }
    }

    pub(super) const fn first_operation(&self) -> u32 {
        self.first
    }

    pub(super) const fn end_operation(&self) -> u32 {
        self.first + self.count
    }
}

/// The types of the values that an expression has computed so far.
struct TypeStack {
    types: [ValueType; EXPRESSION_DEPTH],
    depth: usize,
}

impl TypeStack {
    fn push(&mut self, ty: ValueType) -> Result<(), ErrorKind> {
        let slot = self
            .types
            .get_mut(self.depth)
            .ok_or(ErrorKind::InvalidExpression)?;
        *slot = ty;
        self.depth += 1;
        Ok(())
    }

    fn pop(&mut self, expected: ValueType) -> Result<(), ErrorKind> {
        let depth = self
            .depth
            .checked_sub(1)
            .ok_or(ErrorKind::InvalidExpression)?;
        match self.types.get(depth) {
            Some(ty) if ty.is_subtype_of(expected) => {}
            _ => return Err(ErrorKind::TypeMismatch),
        }
        self.depth = depth;
        Ok(())
    }
}

/// Iterates over the operations of an expression.
#[derive(Clone, Debug)]
pub struct Operations<'a> {
    records: Records<'a>,
    next: u32,
    rest: u32,
}

impl Iterator for Operations<'_> {
    type Item = ConstOp;

    fn next(&mut self) -> Option<ConstOp> {
        self.rest = self.rest.checked_sub(1)?;
        let operation = read_operation(self.records.get(self.next)?).ok()?;
        self.next += 1;
        Some(operation)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.rest as usize, Some(self.rest as usize))
    }
}

impl ExactSizeIterator for Operations<'_> {}

/// Reads an operation; bytes that its constant does not need have to be zero.
fn read_operation(record: Record<'_>) -> Result<ConstOp, ErrorKind> {
    let bytes = record.array(operation::VALUE);
    let value = u128::from_le_bytes(bytes);
    let u32_value = || u32::try_from(value).map_err(|_| ErrorKind::ReservedBits);
    let u64_value = || u64::try_from(value).map_err(|_| ErrorKind::ReservedBits);
    let no_value = |operation| {
        if value == 0 {
            Ok(operation)
        } else {
            Err(ErrorKind::ReservedBits)
        }
    };
    match record.u32(operation::OPCODE) {
        opcode::I32_CONST => Ok(ConstOp::I32Const(u32_value()? as i32)),
        opcode::I64_CONST => Ok(ConstOp::I64Const(u64_value()? as i64)),
        opcode::F32_CONST => Ok(ConstOp::F32Const(u32_value()?)),
        opcode::F64_CONST => Ok(ConstOp::F64Const(u64_value()?)),
        opcode::V128_CONST => Ok(ConstOp::V128Const(bytes)),
        opcode::GLOBAL_GET => Ok(ConstOp::GlobalGet(u32_value()?)),
        opcode::REF_NULL => ValueType::from_raw(u32_value()?)
            .filter(|ty| ty.is_nullable())
            .map(ConstOp::RefNull)
            .ok_or(ErrorKind::UnknownNumber),
        opcode::REF_FUNC => Ok(ConstOp::RefFunc(u32_value()?)),
        opcode::I32_ADD => no_value(ConstOp::I32Add),
        opcode::I32_SUB => no_value(ConstOp::I32Sub),
        opcode::I32_MUL => no_value(ConstOp::I32Mul),
        opcode::I64_ADD => no_value(ConstOp::I64Add),
        opcode::I64_SUB => no_value(ConstOp::I64Sub),
        opcode::I64_MUL => no_value(ConstOp::I64Mul),
        _ => Err(ErrorKind::UnknownNumber),
    }
}
