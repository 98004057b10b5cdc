//! Integer arithmetic and shifts, lane by lane.

use cranelift_codegen::ir::types::{I8X16, I16X8, I32X4, I64X2};
use cranelift_codegen::ir::{self, InstBuilder};
use wasmparser::Operator;

use super::Binary;
use crate::translate::FunctionTranslator;

impl FunctionTranslator<'_, '_> {
    /// Translates integer arithmetic on vectors; `false` if the instruction is none.
    pub(super) fn vector_integer(&mut self, operator: &Operator<'_>) -> bool {
        match operator {
            Operator::I8x16Add => self.vector_binary(I8X16, |i, a, b| i.iadd(a, b)),
            Operator::I16x8Add => self.vector_binary(I16X8, |i, a, b| i.iadd(a, b)),
            Operator::I32x4Add => self.vector_binary(I32X4, |i, a, b| i.iadd(a, b)),
            Operator::I64x2Add => self.vector_binary(I64X2, |i, a, b| i.iadd(a, b)),
            Operator::I8x16Sub => self.vector_binary(I8X16, |i, a, b| i.isub(a, b)),
            Operator::I16x8Sub => self.vector_binary(I16X8, |i, a, b| i.isub(a, b)),
            Operator::I32x4Sub => self.vector_binary(I32X4, |i, a, b| i.isub(a, b)),
            Operator::I64x2Sub => self.vector_binary(I64X2, |i, a, b| i.isub(a, b)),
            Operator::I16x8Mul => self.vector_binary(I16X8, |i, a, b| i.imul(a, b)),
            Operator::I32x4Mul => self.vector_binary(I32X4, |i, a, b| i.imul(a, b)),
            Operator::I64x2Mul => self.vector_binary(I64X2, |i, a, b| i.imul(a, b)),

            Operator::I8x16AddSatS => self.vector_binary(I8X16, |i, a, b| i.sadd_sat(a, b)),
            Operator::I16x8AddSatS => self.vector_binary(I16X8, |i, a, b| i.sadd_sat(a, b)),
            Operator::I8x16AddSatU => self.vector_binary(I8X16, |i, a, b| i.uadd_sat(a, b)),
            Operator::I16x8AddSatU => self.vector_binary(I16X8, |i, a, b| i.uadd_sat(a, b)),
            Operator::I8x16SubSatS => self.vector_binary(I8X16, |i, a, b| i.ssub_sat(a, b)),
            Operator::I16x8SubSatS => self.vector_binary(I16X8, |i, a, b| i.ssub_sat(a, b)),
            Operator::I8x16SubSatU => self.vector_binary(I8X16, |i, a, b| i.usub_sat(a, b)),
            Operator::I16x8SubSatU => self.vector_binary(I16X8, |i, a, b| i.usub_sat(a, b)),
            Operator::I16x8Q15MulrSatS => {
                self.vector_binary(I16X8, |i, a, b| i.sqmul_round_sat(a, b));
            }

            Operator::I8x16MinS => self.vector_binary(I8X16, |i, a, b| i.smin(a, b)),
            Operator::I16x8MinS => self.vector_binary(I16X8, |i, a, b| i.smin(a, b)),
            Operator::I32x4MinS => self.vector_binary(I32X4, |i, a, b| i.smin(a, b)),
            Operator::I8x16MinU => self.vector_binary(I8X16, |i, a, b| i.umin(a, b)),
            Operator::I16x8MinU => self.vector_binary(I16X8, |i, a, b| i.umin(a, b)),
            Operator::I32x4MinU => self.vector_binary(I32X4, |i, a, b| i.umin(a, b)),
            Operator::I8x16MaxS => self.vector_binary(I8X16, |i, a, b| i.smax(a, b)),
            Operator::I16x8MaxS => self.vector_binary(I16X8, |i, a, b| i.smax(a, b)),
            Operator::I32x4MaxS => self.vector_binary(I32X4, |i, a, b| i.smax(a, b)),
            Operator::I8x16MaxU => self.vector_binary(I8X16, |i, a, b| i.umax(a, b)),
            Operator::I16x8MaxU => self.vector_binary(I16X8, |i, a, b| i.umax(a, b)),
            Operator::I32x4MaxU => self.vector_binary(I32X4, |i, a, b| i.umax(a, b)),
            Operator::I8x16AvgrU => self.vector_binary(I8X16, |i, a, b| i.avg_round(a, b)),
            Operator::I16x8AvgrU => self.vector_binary(I16X8, |i, a, b| i.avg_round(a, b)),

            Operator::I8x16Abs => self.vector_unary(I8X16, |i, a| i.iabs(a)),
            Operator::I16x8Abs => self.vector_unary(I16X8, |i, a| i.iabs(a)),
            Operator::I32x4Abs => self.vector_unary(I32X4, |i, a| i.iabs(a)),
            Operator::I64x2Abs => self.vector_unary(I64X2, |i, a| i.iabs(a)),
            Operator::I8x16Neg => self.vector_unary(I8X16, |i, a| i.ineg(a)),
            Operator::I16x8Neg => self.vector_unary(I16X8, |i, a| i.ineg(a)),
            Operator::I32x4Neg => self.vector_unary(I32X4, |i, a| i.ineg(a)),
            Operator::I64x2Neg => self.vector_unary(I64X2, |i, a| i.ineg(a)),
            Operator::I8x16Popcnt => self.vector_unary(I8X16, |i, a| i.popcnt(a)),

            Operator::I8x16Shl => self.shift_lanes(I8X16, |i, a, b| i.ishl(a, b)),
            Operator::I16x8Shl => self.shift_lanes(I16X8, |i, a, b| i.ishl(a, b)),
            Operator::I32x4Shl => self.shift_lanes(I32X4, |i, a, b| i.ishl(a, b)),
            Operator::I64x2Shl => self.shift_lanes(I64X2, |i, a, b| i.ishl(a, b)),
            Operator::I8x16ShrS => self.shift_lanes(I8X16, |i, a, b| i.sshr(a, b)),
            Operator::I16x8ShrS => self.shift_lanes(I16X8, |i, a, b| i.sshr(a, b)),
            Operator::I32x4ShrS => self.shift_lanes(I32X4, |i, a, b| i.sshr(a, b)),
            Operator::I64x2ShrS => self.shift_lanes(I64X2, |i, a, b| i.sshr(a, b)),
            Operator::I8x16ShrU => self.shift_lanes(I8X16, |i, a, b| i.ushr(a, b)),
            Operator::I16x8ShrU => self.shift_lanes(I16X8, |i, a, b| i.ushr(a, b)),
            Operator::I32x4ShrU => self.shift_lanes(I32X4, |i, a, b| i.ushr(a, b)),
            Operator::I64x2ShrU => self.shift_lanes(I64X2, |i, a, b| i.ushr(a, b)),
            _ => return false,
        }
        true
    }

    /// Shifts every lane by the same amount, which CLIF like wasm takes modulo the lane's width.
    fn shift_lanes(&mut self, ty: ir::Type, emit: Binary) {
        let amount = self.pop();
        let vector = self.pop_lanes(ty);
        let result = emit(self.builder.ins(), vector, amount);
        self.push_vector(result);
    }
}
