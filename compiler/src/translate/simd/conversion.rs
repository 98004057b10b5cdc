//! Conversions between lanes of integers and of floats.

use cranelift_codegen::ir::types::{F32X4, F64X2, I32, I32X4, I64X2};
use cranelift_codegen::ir::{InstBuilder, Value};
use wasmparser::Operator;

use crate::translate::FunctionTranslator;

impl FunctionTranslator<'_, '_> {
    /// Translates a conversion of vectors; `false` if the instruction is none.
    pub(super) fn vector_conversion(&mut self, operator: &Operator<'_>) -> bool {
        match operator {
            Operator::I32x4TruncSatF32x4S => {
                self.vector_unary(F32X4, |i, a| i.fcvt_to_sint_sat(I32X4, a));
            }
            Operator::I32x4TruncSatF32x4U => self.truncate_floats_unsigned(),
            Operator::I32x4TruncSatF64x2SZero => {
                let operand = self.pop_lanes(F64X2);
                let wide = self.builder.ins().fcvt_to_sint_sat(I64X2, operand);
                let zero = self.zero_doublewords();
                let result = self.builder.ins().snarrow(wide, zero);
                self.push_vector(result);
            }
            Operator::I32x4TruncSatF64x2UZero => self.truncate_doubles_unsigned(),

            Operator::F32x4ConvertI32x4S => {
                self.vector_unary(I32X4, |i, a| i.fcvt_from_sint(F32X4, a));
            }
            Operator::F32x4ConvertI32x4U => {
                self.vector_unary(I32X4, |i, a| i.fcvt_from_uint(F32X4, a));
            }
            Operator::F64x2ConvertLowI32x4S => {
                let operand = self.pop_lanes(I32X4);
                let wide = self.builder.ins().swiden_low(operand);
                let result = self.builder.ins().fcvt_from_sint(F64X2, wide);
                self.push_vector(result);
            }
            Operator::F64x2ConvertLowI32x4U => {
                let operand = self.pop_lanes(I32X4);
                let wide = self.builder.ins().uwiden_low(operand);
                let result = self.builder.ins().fcvt_from_uint(F64X2, wide);
                self.push_vector(result);
            }
            Operator::F32x4DemoteF64x2Zero => self.vector_unary(F64X2, |i, a| i.fvdemote(a)),
            Operator::F64x2PromoteLowF32x4 => self.vector_unary(F32X4, |i, a| i.fvpromote_low(a)),
            _ => return false,
        }
        true
    }

    /// Truncates four `f32` to unsigned numbers, saturating.
    pub(in crate::translate) fn truncate_floats_unsigned(&mut self) {
        self.vector_unary(F32X4, |i, a| i.fcvt_to_uint_sat(I32X4, a));
    }

    /// Truncates two `f64` to unsigned numbers, saturating; the last two lanes are zero.
    pub(in crate::translate) fn truncate_doubles_unsigned(&mut self) {
        let operand = self.pop_lanes(F64X2);
        let result = if self.rounds_in_hardware() {
            let wide = self.builder.ins().fcvt_to_uint_sat(I64X2, operand);
            let zero = self.zero_doublewords();
            self.builder.ins().uunarrow(wide, zero)
        } else {
            // The vector form rounds; without an instruction for that it would be a call.
            let first = self.builder.ins().extractlane(operand, 0);
            let second = self.builder.ins().extractlane(operand, 1);
            let first = self.builder.ins().fcvt_to_uint_sat(I32, first);
            let second = self.builder.ins().fcvt_to_uint_sat(I32, second);
            let result = self.builder.ins().scalar_to_vector(I32X4, first);
            self.builder.ins().insertlane(result, second, 1)
        };
        self.push_vector(result);
    }

    /// Two lanes of zero. Instruction selection knows them only in this form.
    pub(in crate::translate) fn zero_doublewords(&mut self) -> Value {
        let zero = self.v128_constant([0; 16]);
        self.lanes(zero, I64X2)
    }
}
