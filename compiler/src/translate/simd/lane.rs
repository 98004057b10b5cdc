//! Constants, and moving lanes: in, out and about.

use cranelift_codegen::ir::types::{F32X4, F64X2, I8, I8X16, I16, I16X8, I32, I32X4, I64X2};
use cranelift_codegen::ir::{self, ConstantData, InstBuilder, Value};
use wasmparser::Operator;

use crate::translate::FunctionTranslator;

impl FunctionTranslator<'_, '_> {
    /// Translates a move of lanes; `false` if the instruction is none.
    pub(super) fn vector_lane(&mut self, operator: &Operator<'_>) -> bool {
        match *operator {
            Operator::V128Const { value } => {
                let value = self.v128_constant(*value.bytes());
                self.push(value);
            }

            Operator::I8x16Splat => self.splat(I8X16),
            Operator::I16x8Splat => self.splat(I16X8),
            Operator::I32x4Splat => self.splat(I32X4),
            Operator::I64x2Splat => self.splat(I64X2),
            Operator::F32x4Splat => self.splat(F32X4),
            Operator::F64x2Splat => self.splat(F64X2),

            Operator::I8x16ExtractLaneS { lane } => self.extract_extended(I8X16, lane, true),
            Operator::I8x16ExtractLaneU { lane } => self.extract_extended(I8X16, lane, false),
            Operator::I16x8ExtractLaneS { lane } => self.extract_extended(I16X8, lane, true),
            Operator::I16x8ExtractLaneU { lane } => self.extract_extended(I16X8, lane, false),
            Operator::I32x4ExtractLane { lane } => self.extract(I32X4, lane),
            Operator::I64x2ExtractLane { lane } => self.extract(I64X2, lane),
            Operator::F32x4ExtractLane { lane } => self.extract(F32X4, lane),
            Operator::F64x2ExtractLane { lane } => self.extract(F64X2, lane),

            Operator::I8x16ReplaceLane { lane } => self.replace(I8X16, lane),
            Operator::I16x8ReplaceLane { lane } => self.replace(I16X8, lane),
            Operator::I32x4ReplaceLane { lane } => self.replace(I32X4, lane),
            Operator::I64x2ReplaceLane { lane } => self.replace(I64X2, lane),
            Operator::F32x4ReplaceLane { lane } => self.replace(F32X4, lane),
            Operator::F64x2ReplaceLane { lane } => self.replace(F64X2, lane),

            Operator::I8x16Shuffle { lanes } => self.shuffle(lanes),
            // CLIF and wasm agree that an index beyond the last lane gives zero.
            Operator::I8x16Swizzle => self.vector_binary(I8X16, |i, a, b| i.swizzle(a, b)),
            _ => return false,
        }
        true
    }

    /// Pops a scalar that becomes a lane of this vector type.
    fn pop_scalar(&mut self, ty: ir::Type) -> Value {
        let scalar = self.pop();
        match ty.lane_type() {
            narrow @ (I8 | I16) => self.builder.ins().ireduce(narrow, scalar),
            _ => scalar,
        }
    }

    fn splat(&mut self, ty: ir::Type) {
        let scalar = self.pop_scalar(ty);
        let vector = self.builder.ins().splat(ty, scalar);
        self.push_vector(vector);
    }

    fn extract(&mut self, ty: ir::Type, lane: u8) {
        let vector = self.pop_lanes(ty);
        let scalar = self.builder.ins().extractlane(vector, lane);
        self.push(scalar);
    }

    fn extract_extended(&mut self, ty: ir::Type, lane: u8, signed: bool) {
        self.extract(ty, lane);
        self.unary(|t, scalar| match signed {
            true => t.builder.ins().sextend(I32, scalar),
            false => t.builder.ins().uextend(I32, scalar),
        });
    }

    fn replace(&mut self, ty: ir::Type, lane: u8) {
        let scalar = self.pop_scalar(ty);
        let vector = self.pop_lanes(ty);
        let vector = self.builder.ins().insertlane(vector, scalar, lane);
        self.push_vector(vector);
    }

    fn shuffle(&mut self, lanes: [u8; 16]) {
        let right = self.pop_lanes(I8X16);
        let left = self.pop_lanes(I8X16);
        let mask = self
            .builder
            .func
            .dfg
            .immediates
            .push(ConstantData::from(&lanes[..]));
        let vector = self.builder.ins().shuffle(left, right, mask);
        self.push(vector);
    }
}
