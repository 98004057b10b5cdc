//! Relaxed SIMD: instructions whose result may differ between machines at the edges.
//!
//! Where the specification leaves a choice, the one taken is the fastest that the target's features
//! allow. It depends on the target alone: one artifact always computes the same, on every machine
//! and wherever an instruction stands.

use cranelift_codegen::ir::types::{F32X4, F64X2, I8X16, I16X8, I32X4, I64X2};
use cranelift_codegen::ir::{self, InstBuilder, Value};
use precast_format::target::Isa;
use wasmparser::Operator;

use super::FunctionTranslator;
use crate::error::Result;

impl FunctionTranslator<'_, '_> {
    /// Translates a relaxed SIMD instruction; `false` if it is none.
    pub(super) fn relaxed_simd(&mut self, operator: &Operator<'_>) -> Result<bool> {
        match operator {
            Operator::I8x16RelaxedSwizzle => self.relaxed_swizzle(),
            Operator::I32x4RelaxedTruncF32x4S => self.relaxed_truncate_floats(),
            Operator::I32x4RelaxedTruncF32x4U => self.truncate_floats_unsigned(),
            Operator::I32x4RelaxedTruncF64x2SZero => self.relaxed_truncate_doubles(),
            Operator::I32x4RelaxedTruncF64x2UZero => self.truncate_doubles_unsigned(),

            Operator::F32x4RelaxedMadd => self.multiply_add(F32X4, false),
            Operator::F32x4RelaxedNmadd => self.multiply_add(F32X4, true),
            Operator::F64x2RelaxedMadd => self.multiply_add(F64X2, false),
            Operator::F64x2RelaxedNmadd => self.multiply_add(F64X2, true),

            Operator::I8x16RelaxedLaneselect => self.lane_select(I8X16),
            Operator::I16x8RelaxedLaneselect => self.lane_select(I16X8),
            Operator::I32x4RelaxedLaneselect => self.lane_select(I32X4),
            Operator::I64x2RelaxedLaneselect => self.lane_select(I64X2),

            Operator::F32x4RelaxedMin => self.relaxed_minimum(F32X4),
            Operator::F32x4RelaxedMax => self.relaxed_maximum(F32X4),
            Operator::F64x2RelaxedMin => self.relaxed_minimum(F64X2),
            Operator::F64x2RelaxedMax => self.relaxed_maximum(F64X2),

            Operator::I16x8RelaxedQ15mulrS => self.relaxed_multiply_q15(),
            Operator::I16x8RelaxedDotI8x16I7x16S => {
                let right = self.pop_lanes(I8X16);
                let left = self.pop_lanes(I8X16);
                let result = self.relaxed_dot(left, right);
                self.push_vector(result);
            }
            Operator::I32x4RelaxedDotI8x16I7x16AddS => self.relaxed_dot_add(),
            _ => return Ok(false),
        }
        Ok(true)
    }

    fn is_x86_64(&self) -> bool {
        self.environment.options.target.isa() == Isa::X86_64
    }

    /// Whether the target has all of these CPU features.
    fn has_features(&self, names: &[&str]) -> bool {
        names
            .iter()
            .all(|name| self.environment.options.target.has_feature(name))
    }

    /// On x86-64 an index from 16 to 127 counts modulo 16; elsewhere it gives zero.
    fn relaxed_swizzle(&mut self) {
        match self.is_x86_64() {
            true => self.vector_binary(I8X16, |i, a, b| i.x86_pshufb(a, b)),
            false => self.vector_binary(I8X16, |i, a, b| i.swizzle(a, b)),
        }
    }

    /// On x86-64 what does not fit becomes the least integer; elsewhere it saturates.
    fn relaxed_truncate_floats(&mut self) {
        match self.is_x86_64() {
            true => self.vector_unary(F32X4, |i, a| i.x86_cvtt2dq(I32X4, a)),
            false => self.vector_unary(F32X4, |i, a| i.fcvt_to_sint_sat(I32X4, a)),
        }
    }

    /// As with four lanes; the last two of the result are zero.
    fn relaxed_truncate_doubles(&mut self) {
        let operand = self.pop_lanes(F64X2);
        let wide = match self.is_x86_64() {
            true => self.builder.ins().x86_cvtt2dq(I64X2, operand),
            false => self.builder.ins().fcvt_to_sint_sat(I64X2, operand),
        };
        let zero = self.zero_doublewords();
        let result = self.builder.ins().snarrow(wide, zero);
        self.push_vector(result);
    }

    /// Whether the target multiplies and adds with one rounding and in one instruction.
    fn has_fused_multiply_add(&self) -> bool {
        match self.environment.options.target.isa() {
            // The code generator asks for both, and calls a function where it misses one.
            Isa::X86_64 => self.has_features(&["avx", "fma"]),
            // An interpreter has the instruction, but computes it in software on many machines.
            Isa::Pulley32 | Isa::Pulley64 => false,
            _ => true,
        }
    }

    /// The third operand plus the product of the others, or minus it.
    fn multiply_add(&mut self, ty: ir::Type, negated: bool) {
        let addend = self.pop_lanes(ty);
        let right = self.pop_lanes(ty);
        let left = self.pop_lanes(ty);
        let result = match (self.has_fused_multiply_add(), negated) {
            (true, false) => self.builder.ins().fma(left, right, addend),
            (true, true) => {
                let left = self.builder.ins().fneg(left);
                self.builder.ins().fma(left, right, addend)
            }
            (false, false) => {
                let product = self.builder.ins().fmul(left, right);
                self.builder.ins().fadd(product, addend)
            }
            (false, true) => {
                let product = self.builder.ins().fmul(left, right);
                self.builder.ins().fsub(addend, product)
            }
        };
        self.push_vector(result);
    }

    /// By the top bit of each lane where x86-64 can, else bit by bit.
    fn lane_select(&mut self, ty: ir::Type) {
        let mask = self.pop_lanes(ty);
        let second = self.pop_lanes(ty);
        let first = self.pop_lanes(ty);
        // There is no blend of 16-bit lanes.
        let blends = self.is_x86_64() && self.has_features(&["sse4.1"]) && ty != I16X8;
        let result = match blends {
            true => self.builder.ins().blendv(mask, first, second),
            false => self.builder.ins().bitselect(mask, first, second),
        };
        self.push_vector(result);
    }

    /// On x86-64 the first operand where one is a NaN or both are zeros.
    fn relaxed_minimum(&mut self, ty: ir::Type) {
        match self.is_x86_64() {
            true => self.pseudo_minimum(ty),
            false => self.vector_binary(ty, |i, a, b| i.fmin(a, b)),
        }
    }

    /// On x86-64 the first operand where one is a NaN or both are zeros.
    fn relaxed_maximum(&mut self, ty: ir::Type) {
        match self.is_x86_64() {
            true => self.pseudo_maximum(ty),
            false => self.vector_binary(ty, |i, a, b| i.fmax(a, b)),
        }
    }

    /// On x86-64 the product of two least integers wraps around; elsewhere it saturates.
    fn relaxed_multiply_q15(&mut self) {
        match self.is_x86_64() {
            true => self.vector_binary(I16X8, |i, a, b| i.x86_pmulhrsw(a, b)),
            false => self.vector_binary(I16X8, |i, a, b| i.sqmul_round_sat(a, b)),
        }
    }

    /// The sums of two neighbouring products.
    ///
    /// On x86-64 the right operand is unsigned and the sums saturate; elsewhere it is signed and
    /// they wrap around.
    fn relaxed_dot(&mut self, left: Value, right: Value) -> Value {
        if self.is_x86_64() {
            return self.builder.ins().x86_pmaddubsw(left, right);
        }
        let (low, high) = self.products(left, right, false);
        self.builder.ins().iadd_pairwise(low, high)
    }

    /// The sums of four neighbouring products, added to the third operand.
    ///
    /// Targets with an instruction for it lose nothing in between; elsewhere it is a sum of two
    /// results of [`Self::relaxed_dot`].
    fn relaxed_dot_add(&mut self) {
        let addend = self.pop_lanes(I32X4);
        let right = self.pop_lanes(I8X16);
        let left = self.pop_lanes(I8X16);
        let one_instruction = match self.environment.options.target.isa() {
            Isa::X86_64 => {
                self.has_features(&["avx", "avxvnni"])
                    || self.has_features(&["avx512vl", "avx512vnni"])
            }
            Isa::Aarch64 => self.has_features(&["dotprod"]),
            _ => false,
        };
        let sums = if one_instruction {
            let (low, high) = self.products(left, right, self.is_x86_64());
            let low = self.signed_sums(low);
            let high = self.signed_sums(high);
            self.builder.ins().iadd_pairwise(low, high)
        } else {
            let pairs = self.relaxed_dot(left, right);
            self.signed_sums(pairs)
        };
        let result = self.builder.ins().iadd(sums, addend);
        self.push_vector(result);
    }
}
