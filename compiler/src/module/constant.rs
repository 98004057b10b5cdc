//! Constant expressions, as instantiation computes them.

use precast_format::types::EXPRESSION_DEPTH;
use wasmparser::{ConstExpr, Operator};

use super::collection::check_operator;
use super::{ConstantExpression, ConstantOp, Module};
use crate::error::{CompileError, Result};

impl Module<'_> {
    /// Decodes a constant expression that the validator has accepted.
    pub(super) fn constant(&self, expression: &ConstExpr<'_>) -> Result<ConstantExpression> {
        let mut ops = Vec::new();
        let mut depth = 0_usize;
        let mut reader = expression.get_operators_reader();
        while !reader.eof() {
            let offset = reader.original_position() as usize;
            let op = match reader.read()? {
                Operator::I32Const { value } => ConstantOp::I32(value),
                Operator::I64Const { value } => ConstantOp::I64(value),
                Operator::F32Const { value } => ConstantOp::F32(value.bits()),
                Operator::F64Const { value } => ConstantOp::F64(value.bits()),
                Operator::V128Const { value } => {
                    ConstantOp::V128(u128::from_le_bytes(*value.bytes()))
                }
                Operator::GlobalGet { global_index } => ConstantOp::GlobalGet(global_index),
                Operator::RefNull { hty } => {
                    let ty = wasmparser::RefType::new(true, hty);
                    let ty = ty.ok_or_else(|| CompileError::limit("a type index"))?;
                    ConstantOp::RefNull(self.canonical_reference(ty)?.into())
                }
                Operator::RefFunc { function_index } => ConstantOp::RefFunc(function_index),
                Operator::I32Add => ConstantOp::I32Add,
                Operator::I32Sub => ConstantOp::I32Sub,
                Operator::I32Mul => ConstantOp::I32Mul,
                Operator::I64Add => ConstantOp::I64Add,
                Operator::I64Sub => ConstantOp::I64Sub,
                Operator::I64Mul => ConstantOp::I64Mul,
                Operator::End => continue,
                other => {
                    check_operator(&other)?;
                    return Err(CompileError::unsupported(format!(
                        "the instruction {other:?} in a constant expression"
                    ))
                    .at(offset));
                }
            };
            depth = match op {
                ConstantOp::I32Add
                | ConstantOp::I32Sub
                | ConstantOp::I32Mul
                | ConstantOp::I64Add
                | ConstantOp::I64Sub
                | ConstantOp::I64Mul => depth.saturating_sub(1),
                _ => depth + 1,
            };
            if depth > EXPRESSION_DEPTH {
                return Err(CompileError::limit(format!(
                    "a constant expression with more than {EXPRESSION_DEPTH} operands at a time"
                ))
                .at(offset));
            }
            ops.push(op);
        }
        Ok(ConstantExpression { ops })
    }
}
