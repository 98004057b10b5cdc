//! Integer operations whose result has wider or narrower lanes than their operands.
//!
//! CLIF has these as several instructions; instruction selection knows the combinations.

use cranelift_codegen::ir::types::{I8X16, I16X8, I32X4};
use cranelift_codegen::ir::{self, InstBuilder, Value};
use wasmparser::Operator;

use super::Unary;
use crate::translate::FunctionTranslator;

/// Widens the first half of the lanes with their signs.
const LOW_SIGNED: Unary = |i, a| i.swiden_low(a);
/// Widens the second half of the lanes with their signs.
const HIGH_SIGNED: Unary = |i, a| i.swiden_high(a);
/// Widens the first half of the lanes with zeros.
const LOW_UNSIGNED: Unary = |i, a| i.uwiden_low(a);
/// Widens the second half of the lanes with zeros.
const HIGH_UNSIGNED: Unary = |i, a| i.uwiden_high(a);

impl FunctionTranslator<'_, '_> {
    /// Translates an operation between lanes of two widths; `false` if the instruction is none.
    pub(super) fn vector_widening(&mut self, operator: &Operator<'_>) -> bool {
        match operator {
            Operator::I8x16NarrowI16x8S => self.vector_binary(I16X8, |i, a, b| i.snarrow(a, b)),
            Operator::I8x16NarrowI16x8U => self.vector_binary(I16X8, |i, a, b| i.unarrow(a, b)),
            Operator::I16x8NarrowI32x4S => self.vector_binary(I32X4, |i, a, b| i.snarrow(a, b)),
            Operator::I16x8NarrowI32x4U => self.vector_binary(I32X4, |i, a, b| i.unarrow(a, b)),

            Operator::I16x8ExtendLowI8x16S => self.vector_unary(I8X16, LOW_SIGNED),
            Operator::I16x8ExtendHighI8x16S => self.vector_unary(I8X16, HIGH_SIGNED),
            Operator::I16x8ExtendLowI8x16U => self.vector_unary(I8X16, LOW_UNSIGNED),
            Operator::I16x8ExtendHighI8x16U => self.vector_unary(I8X16, HIGH_UNSIGNED),
            Operator::I32x4ExtendLowI16x8S => self.vector_unary(I16X8, LOW_SIGNED),
            Operator::I32x4ExtendHighI16x8S => self.vector_unary(I16X8, HIGH_SIGNED),
            Operator::I32x4ExtendLowI16x8U => self.vector_unary(I16X8, LOW_UNSIGNED),
            Operator::I32x4ExtendHighI16x8U => self.vector_unary(I16X8, HIGH_UNSIGNED),
            Operator::I64x2ExtendLowI32x4S => self.vector_unary(I32X4, LOW_SIGNED),
            Operator::I64x2ExtendHighI32x4S => self.vector_unary(I32X4, HIGH_SIGNED),
            Operator::I64x2ExtendLowI32x4U => self.vector_unary(I32X4, LOW_UNSIGNED),
            Operator::I64x2ExtendHighI32x4U => self.vector_unary(I32X4, HIGH_UNSIGNED),

            Operator::I16x8ExtMulLowI8x16S => self.extended_multiply(I8X16, LOW_SIGNED),
            Operator::I16x8ExtMulHighI8x16S => self.extended_multiply(I8X16, HIGH_SIGNED),
            Operator::I16x8ExtMulLowI8x16U => self.extended_multiply(I8X16, LOW_UNSIGNED),
            Operator::I16x8ExtMulHighI8x16U => self.extended_multiply(I8X16, HIGH_UNSIGNED),
            Operator::I32x4ExtMulLowI16x8S => self.extended_multiply(I16X8, LOW_SIGNED),
            Operator::I32x4ExtMulHighI16x8S => self.extended_multiply(I16X8, HIGH_SIGNED),
            Operator::I32x4ExtMulLowI16x8U => self.extended_multiply(I16X8, LOW_UNSIGNED),
            Operator::I32x4ExtMulHighI16x8U => self.extended_multiply(I16X8, HIGH_UNSIGNED),
            Operator::I64x2ExtMulLowI32x4S => self.extended_multiply(I32X4, LOW_SIGNED),
            Operator::I64x2ExtMulHighI32x4S => self.extended_multiply(I32X4, HIGH_SIGNED),
            Operator::I64x2ExtMulLowI32x4U => self.extended_multiply(I32X4, LOW_UNSIGNED),
            Operator::I64x2ExtMulHighI32x4U => self.extended_multiply(I32X4, HIGH_UNSIGNED),

            Operator::I16x8ExtAddPairwiseI8x16S => {
                self.extended_sum(I8X16, LOW_SIGNED, HIGH_SIGNED);
            }
            Operator::I16x8ExtAddPairwiseI8x16U => {
                self.extended_sum(I8X16, LOW_UNSIGNED, HIGH_UNSIGNED);
            }
            Operator::I32x4ExtAddPairwiseI16x8S => {
                self.extended_sum(I16X8, LOW_SIGNED, HIGH_SIGNED);
            }
            Operator::I32x4ExtAddPairwiseI16x8U => {
                self.extended_sum(I16X8, LOW_UNSIGNED, HIGH_UNSIGNED);
            }

            Operator::I32x4DotI16x8S => {
                let right = self.pop_lanes(I16X8);
                let left = self.pop_lanes(I16X8);
                let (low, high) = self.products(left, right, false);
                let result = self.builder.ins().iadd_pairwise(low, high);
                self.push_vector(result);
            }
            _ => return false,
        }
        true
    }

    /// Multiplies one half of the lanes without loss.
    fn extended_multiply(&mut self, ty: ir::Type, widen: Unary) {
        let right = self.pop_lanes(ty);
        let left = self.pop_lanes(ty);
        let left = widen(self.builder.ins(), left);
        let right = widen(self.builder.ins(), right);
        let result = self.builder.ins().imul(left, right);
        self.push_vector(result);
    }

    /// Adds neighbouring lanes without loss.
    fn extended_sum(&mut self, ty: ir::Type, low: Unary, high: Unary) {
        let operand = self.pop_lanes(ty);
        let low = low(self.builder.ins(), operand);
        let high = high(self.builder.ins(), operand);
        let result = self.builder.ins().iadd_pairwise(low, high);
        self.push_vector(result);
    }

    /// The products of all lanes at twice their width: the first half and the second. The lanes on
    /// the left are signed.
    pub(in crate::translate) fn products(
        &mut self,
        left: Value,
        right: Value,
        right_unsigned: bool,
    ) -> (Value, Value) {
        let (widen_low, widen_high) = match right_unsigned {
            false => (LOW_SIGNED, HIGH_SIGNED),
            true => (LOW_UNSIGNED, HIGH_UNSIGNED),
        };
        let left_low = LOW_SIGNED(self.builder.ins(), left);
        let left_high = HIGH_SIGNED(self.builder.ins(), left);
        let right_low = widen_low(self.builder.ins(), right);
        let right_high = widen_high(self.builder.ins(), right);
        let low = self.builder.ins().imul(left_low, right_low);
        let high = self.builder.ins().imul(left_high, right_high);
        (low, high)
    }

    /// The sums of neighbouring signed lanes at twice their width.
    pub(in crate::translate) fn signed_sums(&mut self, operand: Value) -> Value {
        let low = LOW_SIGNED(self.builder.ins(), operand);
        let high = HIGH_SIGNED(self.builder.ins(), operand);
        self.builder.ins().iadd_pairwise(low, high)
    }
}
