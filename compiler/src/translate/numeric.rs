//! Integer and floating-point arithmetic and comparison.

use cranelift_codegen::ir::condcodes::{FloatCC, IntCC};
use cranelift_codegen::ir::{self, InstBuilder, Value, types};
use precast_format::libcall::Libcall;
use precast_format::target::Isa;
use precast_format::trap::TrapCode;

use super::FunctionTranslator;
use crate::abi;

/// A rounding instruction.
#[derive(Clone, Copy)]
pub(super) enum Rounding {
    Ceil,
    Floor,
    Trunc,
    Nearest,
}

impl Rounding {
    fn libcall(self, ty: ir::Type) -> Libcall {
        match (self, ty == types::F32) {
            (Rounding::Ceil, true) => Libcall::CeilF32,
            (Rounding::Ceil, false) => Libcall::CeilF64,
            (Rounding::Floor, true) => Libcall::FloorF32,
            (Rounding::Floor, false) => Libcall::FloorF64,
            (Rounding::Trunc, true) => Libcall::TruncF32,
            (Rounding::Trunc, false) => Libcall::TruncF64,
            (Rounding::Nearest, true) => Libcall::NearestF32,
            (Rounding::Nearest, false) => Libcall::NearestF64,
        }
    }
}

impl FunctionTranslator<'_, '_> {
    /// An instruction from one operand to one result.
    pub(super) fn unary(&mut self, emit: impl FnOnce(&mut Self, Value) -> Value) {
        let operand = self.pop();
        let result = emit(self, operand);
        self.push(result);
    }

    /// An instruction from two operands to one result.
    pub(super) fn binary(&mut self, emit: impl FnOnce(&mut Self, Value, Value) -> Value) {
        let (left, right) = self.pop2();
        let result = emit(self, left, right);
        self.push(result);
    }

    pub(super) fn compare_integers(&mut self, condition: IntCC) {
        self.binary(|t, left, right| {
            let result = t.builder.ins().icmp(condition, left, right);
            t.builder.ins().uextend(types::I32, result)
        });
    }

    pub(super) fn compare_floats(&mut self, condition: FloatCC) {
        self.binary(|t, left, right| {
            let result = t.builder.ins().fcmp(condition, left, right);
            t.builder.ins().uextend(types::I32, result)
        });
    }

    pub(super) fn equals_zero(&mut self) {
        self.unary(|t, operand| {
            let result = t.builder.ins().icmp_imm_s(IntCC::Equal, operand, 0);
            t.builder.ins().uextend(types::I32, result)
        });
    }

    /// Guards a division in explicit trap mode; elsewhere the instruction itself traps.
    fn check_divisor(&mut self, dividend: Value, divisor: Value, overflows: bool) {
        if self.faults_are_traps() {
            return;
        }
        self.trap_if_zero(divisor, TrapCode::IntegerDivideByZero);
        if overflows {
            let ty = self.builder.func.dfg.value_type(dividend);
            let minimum = if ty == types::I32 {
                i64::from(i32::MIN)
            } else {
                i64::MIN
            };
            let minimum = self.builder.ins().iconst(ty, minimum & mask(ty));
            let least = self.builder.ins().icmp(IntCC::Equal, dividend, minimum);
            let minus_one = self.builder.ins().icmp_imm_s(IntCC::Equal, divisor, -1);
            let overflow = self.builder.ins().band(least, minus_one);
            self.trap_if(overflow, TrapCode::IntegerOverflow);
        }
    }

    pub(super) fn divide_signed(&mut self) {
        self.binary(|t, left, right| {
            t.check_divisor(left, right, true);
            t.builder.ins().sdiv(left, right)
        });
    }

    pub(super) fn divide_unsigned(&mut self) {
        self.binary(|t, left, right| {
            t.check_divisor(left, right, false);
            t.builder.ins().udiv(left, right)
        });
    }

    pub(super) fn remainder_signed(&mut self) {
        self.binary(|t, left, right| {
            t.check_divisor(left, right, false);
            t.builder.ins().srem(left, right)
        });
    }

    pub(super) fn remainder_unsigned(&mut self) {
        self.binary(|t, left, right| {
            t.check_divisor(left, right, false);
            t.builder.ins().urem(left, right)
        });
    }

    /// Whether the target rounds floats with an instruction.
    pub(super) fn rounds_in_hardware(&self) -> bool {
        let target = &self.environment.options.target;
        target.isa() != Isa::X86_64 || target.has_feature("sse4.1")
    }

    pub(super) fn round(&mut self, rounding: Rounding) {
        self.unary(|t, operand| {
            if !t.rounds_in_hardware() {
                return t.round_by_libcall(rounding, operand);
            }
            match rounding {
                Rounding::Ceil => t.builder.ins().ceil(operand),
                Rounding::Floor => t.builder.ins().floor(operand),
                Rounding::Trunc => t.builder.ins().trunc(operand),
                Rounding::Nearest => t.builder.ins().nearest(operand),
            }
        });
    }

    /// Rounds one float through the loader.
    pub(super) fn round_by_libcall(&mut self, rounding: Rounding, operand: Value) -> Value {
        let ty = self.builder.func.dfg.value_type(operand);
        let libcall = rounding.libcall(ty);
        self.makes_libcalls();
        let call = abi::call_libcall(
            &mut self.builder,
            self.abi,
            &mut self.context,
            libcall,
            &[operand],
        );
        self.builder.inst_results(call)[0]
    }

    /// Sign-extends the low bits of the operand in place.
    pub(super) fn extend_low(&mut self, from: ir::Type) {
        self.unary(|t, operand| {
            let ty = t.builder.func.dfg.value_type(operand);
            let low = t.builder.ins().ireduce(from, operand);
            t.builder.ins().sextend(ty, low)
        });
    }
}

fn mask(ty: ir::Type) -> i64 {
    if ty == types::I32 { 0xffff_ffff } else { -1 }
}
