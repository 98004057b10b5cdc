//! Constant expressions: initial values and offsets.

use crate::bytes::Record;
use crate::error::ErrorKind;
use crate::layout::{SectionId, expression, function_type, opcode, operation};
use crate::types::{ConstOp, EXPRESSION_DEPTH, ExternKind, ValueType};

use super::Artifact;
use super::collection::{Collection, Item};
use super::functions::check_referenced;
use super::types::{self, check_value_type};
use super::validate::Checker;

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
    artifact: &'a Artifact<'a>,
}

impl<'a> Item<'a> for Expression<'a> {
    const SECTION: SectionId = SectionId::Expressions;

    fn read(artifact: &'a Artifact<'a>, record: &Record, index: u32) -> Self {
        Expression {
            index,
            first: record.u32(expression::FIRST_OPERATION),
            count: record.u32(expression::OPERATION_COUNT),
            artifact,
        }
    }
}

impl<'a> Expression<'a> {
    /// The expression with this index, of which it has been checked that it is there.
    pub(super) fn at(artifact: &'a Artifact<'a>, index: u32) -> Expression<'a> {
        let record = artifact.record(SectionId::Expressions, index);
        Expression::read(artifact, &record, index)
    }

    /// The operations in postfix order.
    pub const fn operations(&self) -> Operations<'a> {
        Operations {
            artifact: self.artifact,
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
}

/// An operation, as the check sees it.
struct Rule {
    opcode: u32,
    /// How many bytes of its value have a meaning.
    size: u8,
    /// What it pushes; of a type that is not known before, anything.
    pushes: ValueType,
    /// How many values of that type it pops.
    pops: u8,
}

const fn rule(opcode: u32, size: u8, pushes: ValueType, pops: u8) -> Rule {
    Rule {
        opcode,
        size,
        pushes,
        pops,
    }
}

/// Every operation that there is.
const RULES: &[Rule] = &[
    rule(opcode::I32_CONST, 4, ValueType::I32, 0),
    rule(opcode::I64_CONST, 8, ValueType::I64, 0),
    rule(opcode::F32_CONST, 4, ValueType::F32, 0),
    rule(opcode::F64_CONST, 8, ValueType::F64, 0),
    rule(opcode::V128_CONST, 16, ValueType::V128, 0),
    rule(opcode::I32_ADD, 0, ValueType::I32, 2),
    rule(opcode::I32_SUB, 0, ValueType::I32, 2),
    rule(opcode::I32_MUL, 0, ValueType::I32, 2),
    rule(opcode::I64_ADD, 0, ValueType::I64, 2),
    rule(opcode::I64_SUB, 0, ValueType::I64, 2),
    rule(opcode::I64_MUL, 0, ValueType::I64, 2),
    rule(opcode::GLOBAL_GET, 4, ValueType::I32, 0),
    rule(opcode::REF_NULL, 4, ValueType::FUNCREF, 0),
    rule(opcode::REF_FUNC, 4, ValueType::FUNCREF, 0),
];

/// Checks that an operation is one, and says what it does to the types on the stack: which one it
/// pushes, and how many of that type it pops before. `globals` is how many globals it can name.
fn operation_type(
    artifact: &Artifact<'_>,
    record: &Record,
    globals: u32,
) -> Result<(ValueType, u8), ErrorKind> {
    let code = record.u32(operation::OPCODE);
    let rule = RULES.iter().find(|rule| rule.opcode == code);
    let rule = rule.ok_or(ErrorKind::UnknownNumber)?;
    // Bytes that the constant does not need are zero.
    let value = record.array(operation::VALUE);
    if value
        .iter()
        .skip(usize::from(rule.size))
        .any(|byte| *byte != 0)
    {
        return Err(ErrorKind::ReservedBits);
    }
    let value = u128::from_le_bytes(value) as u32;
    let ty = match code {
        opcode::GLOBAL_GET if value >= globals => return Err(ErrorKind::IndexOutOfRange),
        opcode::GLOBAL_GET => {
            let global = artifact.declaration(ExternKind::Global, value).global();
            if global.mutable {
                return Err(ErrorKind::InvalidExpression);
            }
            global.value
        }
        opcode::REF_NULL => {
            let ty = check_value_type(artifact, value)?;
            if !ty.is_nullable() {
                return Err(ErrorKind::UnknownNumber);
            }
            ty
        }
        opcode::REF_FUNC => {
            check_referenced(artifact, value)?;
            let ty = types::of_function(artifact, value).u32(function_type::CANONICAL);
            // What has a larger number cannot be referred to by type.
            let ty = ValueType::function(ty, false);
            ty.unwrap_or(ValueType::FUNCREF.not_null())
        }
        _ => rule.pushes,
    };
    Ok((ty, rule.pops))
}

/// Checks operations on a stack of types, of which one is left in the end.
pub(super) fn check(
    checker: &Checker<'_>,
    operations: core::ops::Range<u32>,
    expected: ValueType,
    globals: u32,
) -> Result<(), ErrorKind> {
    let artifact = checker.artifact;
    let mut stack = TypeStack {
        types: [0; EXPRESSION_DEPTH],
        depth: 0,
    };
    for index in operations {
        let record = artifact.record(SectionId::Operations, index);
        let (ty, pops) = operation_type(artifact, &record, globals)?;
        for _ in 0..pops {
            stack.pop(ty)?;
        }
        stack.push(ty)?;
    }
    stack.pop(expected)?;
    if stack.depth == 0 {
        Ok(())
    } else {
        Err(ErrorKind::InvalidExpression)
    }
}

/// The types of the values that an expression has computed so far.
struct TypeStack {
    /// By their numbers.
    types: [u32; EXPRESSION_DEPTH],
    depth: usize,
}

impl TypeStack {
    fn push(&mut self, ty: ValueType) -> Result<(), ErrorKind> {
        let slot = self
            .types
            .get_mut(self.depth)
            .ok_or(ErrorKind::InvalidExpression)?;
        *slot = ty.raw();
        self.depth += 1;
        Ok(())
    }

    fn pop(&mut self, expected: ValueType) -> Result<(), ErrorKind> {
        let depth = self
            .depth
            .checked_sub(1)
            .ok_or(ErrorKind::InvalidExpression)?;
        match self.types.get(depth) {
            Some(ty) if ValueType::from_checked(*ty).is_subtype_of(expected) => {}
            _ => return Err(ErrorKind::TypeMismatch),
        }
        self.depth = depth;
        Ok(())
    }
}

/// Iterates over the operations of an expression.
#[derive(Clone, Debug)]
pub struct Operations<'a> {
    artifact: &'a Artifact<'a>,
    next: u32,
    rest: u32,
}

impl Iterator for Operations<'_> {
    type Item = ConstOp;

    fn next(&mut self) -> Option<ConstOp> {
        self.rest = self.rest.checked_sub(1)?;
        let record = self.artifact.get(SectionId::Operations, self.next)?;
        self.next = self.next.checked_add(1)?;
        read_operation(&record)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.rest as usize, Some(self.rest as usize))
    }
}

impl ExactSizeIterator for Operations<'_> {}

/// Reads an operation; none where the opcode has no meaning.
fn read_operation(record: &Record) -> Option<ConstOp> {
    let bytes = record.array(operation::VALUE);
    let long = u128::from_le_bytes(bytes) as u64;
    let value = long as u32;
    Some(match record.u32(operation::OPCODE) {
        opcode::I32_CONST => ConstOp::I32Const(value as i32),
        opcode::I64_CONST => ConstOp::I64Const(long as i64),
        opcode::F32_CONST => ConstOp::F32Const(value),
        opcode::F64_CONST => ConstOp::F64Const(long),
        opcode::V128_CONST => ConstOp::V128Const(bytes),
        opcode::GLOBAL_GET => ConstOp::GlobalGet(value),
        opcode::REF_NULL => ConstOp::RefNull(ValueType::from_checked(value)),
        opcode::REF_FUNC => ConstOp::RefFunc(value),
        opcode::I32_ADD => ConstOp::I32Add,
        opcode::I32_SUB => ConstOp::I32Sub,
        opcode::I32_MUL => ConstOp::I32Mul,
        opcode::I64_ADD => ConstOp::I64Add,
        opcode::I64_SUB => ConstOp::I64Sub,
        opcode::I64_MUL => ConstOp::I64Mul,
        _ => return None,
    })
}
