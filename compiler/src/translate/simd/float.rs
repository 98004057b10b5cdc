//! Floating-point arithmetic, lane by lane.

use cranelift_codegen::ir::condcodes::FloatCC;
use cranelift_codegen::ir::types::{F32X4, F64X2};
use cranelift_codegen::ir::{self, InstBuilder, Value};
use wasmparser::Operator;

use super::view;
use crate::translate::FunctionTranslator;
use crate::translate::numeric::Rounding;

impl FunctionTranslator<'_, '_> {
    /// Translates floating-point arithmetic on vectors; `false` if the instruction is none.
    pub(super) fn vector_float(&mut self, operator: &Operator<'_>) -> bool {
        match operator {
            Operator::F32x4Add => self.vector_binary(F32X4, |i, a, b| i.fadd(a, b)),
            Operator::F64x2Add => self.vector_binary(F64X2, |i, a, b| i.fadd(a, b)),
            Operator::F32x4Sub => self.vector_binary(F32X4, |i, a, b| i.fsub(a, b)),
            Operator::F64x2Sub => self.vector_binary(F64X2, |i, a, b| i.fsub(a, b)),
            Operator::F32x4Mul => self.vector_binary(F32X4, |i, a, b| i.fmul(a, b)),
            Operator::F64x2Mul => self.vector_binary(F64X2, |i, a, b| i.fmul(a, b)),
            Operator::F32x4Div => self.vector_binary(F32X4, |i, a, b| i.fdiv(a, b)),
            Operator::F64x2Div => self.vector_binary(F64X2, |i, a, b| i.fdiv(a, b)),
            Operator::F32x4Min => self.vector_binary(F32X4, |i, a, b| i.fmin(a, b)),
            Operator::F64x2Min => self.vector_binary(F64X2, |i, a, b| i.fmin(a, b)),
            Operator::F32x4Max => self.vector_binary(F32X4, |i, a, b| i.fmax(a, b)),
            Operator::F64x2Max => self.vector_binary(F64X2, |i, a, b| i.fmax(a, b)),
            Operator::F32x4PMin => self.pseudo_minimum(F32X4),
            Operator::F64x2PMin => self.pseudo_minimum(F64X2),
            Operator::F32x4PMax => self.pseudo_maximum(F32X4),
            Operator::F64x2PMax => self.pseudo_maximum(F64X2),

            Operator::F32x4Abs => self.vector_unary(F32X4, |i, a| i.fabs(a)),
            Operator::F64x2Abs => self.vector_unary(F64X2, |i, a| i.fabs(a)),
            Operator::F32x4Neg => self.vector_unary(F32X4, |i, a| i.fneg(a)),
            Operator::F64x2Neg => self.vector_unary(F64X2, |i, a| i.fneg(a)),
            Operator::F32x4Sqrt => self.vector_unary(F32X4, |i, a| i.sqrt(a)),
            Operator::F64x2Sqrt => self.vector_unary(F64X2, |i, a| i.sqrt(a)),
            Operator::F32x4Ceil => self.round_lanes(F32X4, Rounding::Ceil),
            Operator::F64x2Ceil => self.round_lanes(F64X2, Rounding::Ceil),
            Operator::F32x4Floor => self.round_lanes(F32X4, Rounding::Floor),
            Operator::F64x2Floor => self.round_lanes(F64X2, Rounding::Floor),
            Operator::F32x4Trunc => self.round_lanes(F32X4, Rounding::Trunc),
            Operator::F64x2Trunc => self.round_lanes(F64X2, Rounding::Trunc),
            Operator::F32x4Nearest => self.round_lanes(F32X4, Rounding::Nearest),
            Operator::F64x2Nearest => self.round_lanes(F64X2, Rounding::Nearest),
            _ => return false,
        }
        true
    }

    /// `right < left ? right : left`, which is one instruction on x86-64 and s390x.
    pub(in crate::translate) fn pseudo_minimum(&mut self, ty: ir::Type) {
        let right = self.pop_lanes(ty);
        let left = self.pop_lanes(ty);
        let less = self.builder.ins().fcmp(FloatCC::LessThan, right, left);
        self.select_float_lanes(less, right, left);
    }

    /// `left < right ? right : left`, which is one instruction on x86-64 and s390x.
    pub(in crate::translate) fn pseudo_maximum(&mut self, ty: ir::Type) {
        let right = self.pop_lanes(ty);
        let left = self.pop_lanes(ty);
        let less = self.builder.ins().fcmp(FloatCC::LessThan, left, right);
        self.select_float_lanes(less, right, left);
    }

    fn select_float_lanes(&mut self, mask: Value, first: Value, second: Value) {
        let ty = self.builder.func.dfg.value_type(first);
        let mask = self.builder.ins().bitcast(ty, view(), mask);
        let selected = self.builder.ins().bitselect(mask, first, second);
        self.push_vector(selected);
    }

    fn round_lanes(&mut self, ty: ir::Type, rounding: Rounding) {
        let operand = self.pop_lanes(ty);
        let rounded = match rounding {
            _ if !self.rounds_in_hardware() => self.round_each_lane(rounding, operand),
            Rounding::Ceil => self.builder.ins().ceil(operand),
            Rounding::Floor => self.builder.ins().floor(operand),
            Rounding::Trunc => self.builder.ins().trunc(operand),
            Rounding::Nearest => self.builder.ins().nearest(operand),
        };
        self.push_vector(rounded);
    }

    /// Rounds through the loader, one lane after the other.
    fn round_each_lane(&mut self, rounding: Rounding, vector: Value) -> Value {
        let lanes = self.builder.func.dfg.value_type(vector).lane_count() as u8;
        (0..lanes).fold(vector, |vector, lane| {
            let scalar = self.builder.ins().extractlane(vector, lane);
            let scalar = self.round_by_libcall(rounding, scalar);
            self.builder.ins().insertlane(vector, scalar, lane)
        })
    }
}
