//! Conversions between number types.

use cranelift_codegen::ir::condcodes::{FloatCC, IntCC};
use cranelift_codegen::ir::immediates::{Ieee32, Ieee64};
use cranelift_codegen::ir::{self, InstBuilder, MemFlagsData, Value, types};
use precast_format::trap::TrapCode;

use super::FunctionTranslator;

impl FunctionTranslator<'_, '_> {
    pub(super) fn reinterpret(&mut self, to: ir::Type) {
        self.unary(|t, operand| t.builder.ins().bitcast(to, MemFlagsData::new(), operand));
    }

    /// Truncates a float, trapping where the result does not fit.
    pub(super) fn truncate(&mut self, to: ir::Type, signed: bool) {
        self.unary(|t, operand| {
            if t.faults_are_traps() {
                return match signed {
                    true => t.builder.ins().fcvt_to_sint(to, operand),
                    false => t.builder.ins().fcvt_to_uint(to, operand),
                };
            }
            t.check_truncation(operand, to, signed);
            match signed {
                true => t.builder.ins().fcvt_to_sint_sat(to, operand),
                false => t.builder.ins().fcvt_to_uint_sat(to, operand),
            }
        });
    }

    pub(super) fn truncate_saturating(&mut self, to: ir::Type, signed: bool) {
        self.unary(|t, operand| match signed {
            true => t.builder.ins().fcvt_to_sint_sat(to, operand),
            false => t.builder.ins().fcvt_to_uint_sat(to, operand),
        });
    }

    fn check_truncation(&mut self, operand: Value, to: ir::Type, signed: bool) {
        let from = self.builder.func.dfg.value_type(operand);
        let nan = self
            .builder
            .ins()
            .fcmp(FloatCC::Unordered, operand, operand);
        self.trap_if(nan, TrapCode::InvalidConversionToInteger);
        let (low, low_inclusive, high) = limits(from, to, signed);
        let low = self.float(from, low);
        // The operand is not a NaN, so the ordered comparison is exact.
        let condition = if low_inclusive {
            FloatCC::LessThan
        } else {
            FloatCC::LessThanOrEqual
        };
        let below = self.builder.ins().fcmp(condition, operand, low);
        self.trap_if(below, TrapCode::IntegerOverflow);
        let high = self.float(from, high);
        let above = self
            .builder
            .ins()
            .fcmp(FloatCC::GreaterThanOrEqual, operand, high);
        self.trap_if(above, TrapCode::IntegerOverflow);
    }

    fn float(&mut self, ty: ir::Type, value: f64) -> Value {
        if ty == types::F32 {
            self.builder
                .ins()
                .f32const(Ieee32::with_float(value as f32))
        } else {
            self.builder.ins().f64const(Ieee64::with_float(value))
        }
    }

    /// `i64` operands of instructions that take an address of either width.
    pub(super) fn extend_to_i64(&mut self, value: Value) -> Value {
        if self.builder.func.dfg.value_type(value) == types::I64 {
            return value;
        }
        self.builder.ins().uextend(types::I64, value)
    }

    /// The result of a size or growth as the index type of its memory or table.
    pub(super) fn index_result(&mut self, value: Value, is_64: bool) -> Value {
        if is_64 {
            value
        } else {
            self.builder.ins().ireduce(types::I32, value)
        }
    }

    /// Whether a 64-bit quantity does not fit in the target's pointer, as a value to trap on.
    pub(super) fn exceeds_pointer(&mut self, value: Value) -> Option<Value> {
        if self.abi.pointer == types::I64 {
            return None;
        }
        Some(
            self.builder
                .ins()
                .icmp_imm_u(IntCC::UnsignedGreaterThan, value, 0xffff_ffff),
        )
    }
}

/// The open or closed interval of floats whose truncation fits: lower bound, whether the bound
/// itself fits, and the upper bound, which never does.
///
/// All bounds are exact in the source type: below -2^31 the next `f32` is -2^31 - 256, so that for
/// `f32` the bound -2^31 itself is the least that fits, while `f64` has -2^31 - 1.
fn limits(from: ir::Type, to: ir::Type, signed: bool) -> (f64, bool, f64) {
    let bits = to.bits() as i32;
    match (signed, from == types::F64 && to == types::I32) {
        (true, true) => (-(2f64.powi(31)) - 1.0, false, 2f64.powi(31)),
        (true, false) => (-(2f64.powi(bits - 1)), true, 2f64.powi(bits - 1)),
        (false, _) => (-1.0, false, 2f64.powi(bits)),
    }
}
