//! Bitwise operations, and tests that make one number of a vector.
//!
//! They are indifferent to lanes, so they take those that their operands have: a comparison and
//! the selection by it are then one expression for instruction selection.

use cranelift_codegen::ir::types::{I8X16, I16X8, I32, I32X4, I64X2};
use cranelift_codegen::ir::{self, InstBuilder, InstructionData, Opcode, Value};
use wasmparser::Operator;

use super::{Binary, view};
use crate::translate::FunctionTranslator;

impl FunctionTranslator<'_, '_> {
    /// Translates a bitwise operation or a test; `false` if the instruction is none.
    pub(super) fn vector_bits(&mut self, operator: &Operator<'_>) -> bool {
        match operator {
            Operator::V128Not => {
                let operand = self.pop();
                let operand = self.integer_lanes(operand);
                let result = self.builder.ins().bnot(operand);
                self.push_vector(result);
            }
            Operator::V128And => self.bitwise(|i, a, b| i.band(a, b)),
            Operator::V128AndNot => self.bitwise(|i, a, b| i.band_not(a, b)),
            Operator::V128Or => self.bitwise(|i, a, b| i.bor(a, b)),
            Operator::V128Xor => self.bitwise(|i, a, b| i.bxor(a, b)),
            Operator::V128Bitselect => {
                let (first, second, mask) = self.pop3();
                let selected = self.bitselect(mask, first, second);
                self.push_vector(selected);
            }

            Operator::V128AnyTrue => {
                let operand = self.pop();
                let operand = self.integer_lanes(operand);
                let any = self.builder.ins().vany_true(operand);
                self.push_truth(any);
            }
            Operator::I8x16AllTrue => self.all_true(I8X16),
            Operator::I16x8AllTrue => self.all_true(I16X8),
            Operator::I32x4AllTrue => self.all_true(I32X4),
            Operator::I64x2AllTrue => self.all_true(I64X2),
            Operator::I8x16Bitmask => self.bitmask(I8X16),
            Operator::I16x8Bitmask => self.bitmask(I16X8),
            Operator::I32x4Bitmask => self.bitmask(I32X4),
            Operator::I64x2Bitmask => self.bitmask(I64X2),
            _ => return false,
        }
        true
    }

    /// A vector as the integer lanes that it was made of, as bytes if it was made of floats.
    fn integer_lanes(&mut self, vector: Value) -> Value {
        let natural = self.natural_lanes(vector);
        match self.builder.func.dfg.value_type(natural) {
            I8X16 | I16X8 | I32X4 | I64X2 => natural,
            _ => self.lanes(vector, I8X16),
        }
    }

    fn bitwise(&mut self, emit: Binary) {
        let (left, right) = self.pop2();
        let left = self.integer_lanes(left);
        let ty = self.builder.func.dfg.value_type(left);
        let right = self.lanes(right, ty);
        let result = emit(self.builder.ins(), left, right);
        self.push_vector(result);
    }

    /// The bits of `first` where the mask is one, else those of `second`.
    ///
    /// A mask that a comparison has made selects whole lanes; then the selection works on lanes of
    /// what was compared, and can become a blend, a minimum or a maximum.
    fn bitselect(&mut self, mask: Value, first: Value, second: Value) -> Value {
        let natural = self.natural_lanes(mask);
        let dfg = &self.builder.func.dfg;
        let definition = dfg.value_def(natural).inst().map(|inst| dfg.insts[inst]);
        let (ty, mask) = match definition {
            Some(InstructionData::IntCompare { .. }) => (dfg.value_type(natural), natural),
            Some(InstructionData::FloatCompare {
                opcode: Opcode::Fcmp,
                args,
                ..
            }) => {
                let ty = dfg.value_type(args[0]);
                (ty, self.builder.ins().bitcast(ty, view(), natural))
            }
            _ => (I8X16, self.lanes(mask, I8X16)),
        };
        let first = self.lanes(first, ty);
        let second = self.lanes(second, ty);
        self.builder.ins().bitselect(mask, first, second)
    }

    /// Pushes a CLIF truth value as an `i32`.
    fn push_truth(&mut self, truth: Value) {
        let result = self.builder.ins().uextend(I32, truth);
        self.push(result);
    }

    fn all_true(&mut self, ty: ir::Type) {
        let operand = self.pop_lanes(ty);
        let all = self.builder.ins().vall_true(operand);
        self.push_truth(all);
    }

    fn bitmask(&mut self, ty: ir::Type) {
        let operand = self.pop_lanes(ty);
        let mask = self.builder.ins().vhigh_bits(I32, operand);
        self.push(mask);
    }
}
