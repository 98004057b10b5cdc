//! Comparisons lane by lane: all ones where true, all zeros where false.

use cranelift_codegen::ir::condcodes::{FloatCC, IntCC};
use cranelift_codegen::ir::types::{F32X4, F64X2, I8X16, I16X8, I32X4, I64X2};
use cranelift_codegen::ir::{self, InstBuilder};
use wasmparser::Operator;

use crate::translate::FunctionTranslator;

impl FunctionTranslator<'_, '_> {
    /// Translates a comparison of vectors; `false` if the instruction is none.
    pub(super) fn vector_compare(&mut self, operator: &Operator<'_>) -> bool {
        use FloatCC as F;
        use IntCC as I;
        match operator {
            Operator::I8x16Eq => self.compare_lanes(I8X16, I::Equal),
            Operator::I8x16Ne => self.compare_lanes(I8X16, I::NotEqual),
            Operator::I8x16LtS => self.compare_lanes(I8X16, I::SignedLessThan),
            Operator::I8x16LtU => self.compare_lanes(I8X16, I::UnsignedLessThan),
            Operator::I8x16GtS => self.compare_lanes(I8X16, I::SignedGreaterThan),
            Operator::I8x16GtU => self.compare_lanes(I8X16, I::UnsignedGreaterThan),
            Operator::I8x16LeS => self.compare_lanes(I8X16, I::SignedLessThanOrEqual),
            Operator::I8x16LeU => self.compare_lanes(I8X16, I::UnsignedLessThanOrEqual),
            Operator::I8x16GeS => self.compare_lanes(I8X16, I::SignedGreaterThanOrEqual),
            Operator::I8x16GeU => self.compare_lanes(I8X16, I::UnsignedGreaterThanOrEqual),

            Operator::I16x8Eq => self.compare_lanes(I16X8, I::Equal),
            Operator::I16x8Ne => self.compare_lanes(I16X8, I::NotEqual),
            Operator::I16x8LtS => self.compare_lanes(I16X8, I::SignedLessThan),
            Operator::I16x8LtU => self.compare_lanes(I16X8, I::UnsignedLessThan),
            Operator::I16x8GtS => self.compare_lanes(I16X8, I::SignedGreaterThan),
            Operator::I16x8GtU => self.compare_lanes(I16X8, I::UnsignedGreaterThan),
            Operator::I16x8LeS => self.compare_lanes(I16X8, I::SignedLessThanOrEqual),
            Operator::I16x8LeU => self.compare_lanes(I16X8, I::UnsignedLessThanOrEqual),
            Operator::I16x8GeS => self.compare_lanes(I16X8, I::SignedGreaterThanOrEqual),
            Operator::I16x8GeU => self.compare_lanes(I16X8, I::UnsignedGreaterThanOrEqual),

            Operator::I32x4Eq => self.compare_lanes(I32X4, I::Equal),
            Operator::I32x4Ne => self.compare_lanes(I32X4, I::NotEqual),
            Operator::I32x4LtS => self.compare_lanes(I32X4, I::SignedLessThan),
            Operator::I32x4LtU => self.compare_lanes(I32X4, I::UnsignedLessThan),
            Operator::I32x4GtS => self.compare_lanes(I32X4, I::SignedGreaterThan),
            Operator::I32x4GtU => self.compare_lanes(I32X4, I::UnsignedGreaterThan),
            Operator::I32x4LeS => self.compare_lanes(I32X4, I::SignedLessThanOrEqual),
            Operator::I32x4LeU => self.compare_lanes(I32X4, I::UnsignedLessThanOrEqual),
            Operator::I32x4GeS => self.compare_lanes(I32X4, I::SignedGreaterThanOrEqual),
            Operator::I32x4GeU => self.compare_lanes(I32X4, I::UnsignedGreaterThanOrEqual),

            Operator::I64x2Eq => self.compare_lanes(I64X2, I::Equal),
            Operator::I64x2Ne => self.compare_lanes(I64X2, I::NotEqual),
            Operator::I64x2LtS => self.compare_lanes(I64X2, I::SignedLessThan),
            Operator::I64x2GtS => self.compare_lanes(I64X2, I::SignedGreaterThan),
            Operator::I64x2LeS => self.compare_lanes(I64X2, I::SignedLessThanOrEqual),
            Operator::I64x2GeS => self.compare_lanes(I64X2, I::SignedGreaterThanOrEqual),

            Operator::F32x4Eq => self.compare_float_lanes(F32X4, F::Equal),
            Operator::F32x4Ne => self.compare_float_lanes(F32X4, F::NotEqual),
            Operator::F32x4Lt => self.compare_float_lanes(F32X4, F::LessThan),
            Operator::F32x4Gt => self.compare_float_lanes(F32X4, F::GreaterThan),
            Operator::F32x4Le => self.compare_float_lanes(F32X4, F::LessThanOrEqual),
            Operator::F32x4Ge => self.compare_float_lanes(F32X4, F::GreaterThanOrEqual),

            Operator::F64x2Eq => self.compare_float_lanes(F64X2, F::Equal),
            Operator::F64x2Ne => self.compare_float_lanes(F64X2, F::NotEqual),
            Operator::F64x2Lt => self.compare_float_lanes(F64X2, F::LessThan),
            Operator::F64x2Gt => self.compare_float_lanes(F64X2, F::GreaterThan),
            Operator::F64x2Le => self.compare_float_lanes(F64X2, F::LessThanOrEqual),
            Operator::F64x2Ge => self.compare_float_lanes(F64X2, F::GreaterThanOrEqual),
            _ => return false,
        }
        true
    }

    fn compare_lanes(&mut self, ty: ir::Type, condition: IntCC) {
        let right = self.pop_lanes(ty);
        let left = self.pop_lanes(ty);
        let mask = self.builder.ins().icmp(condition, left, right);
        self.push_vector(mask);
    }

    fn compare_float_lanes(&mut self, ty: ir::Type, condition: FloatCC) {
        let right = self.pop_lanes(ty);
        let left = self.pop_lanes(ty);
        let mask = self.builder.ins().fcmp(condition, left, right);
        self.push_vector(mask);
    }
}
