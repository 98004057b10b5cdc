//! Wide arithmetic: sums and products of 128 bits in pairs of `i64`, the low half first.

use cranelift_codegen::ir::{InstBuilder, Value};
use wasmparser::Operator;

use super::FunctionTranslator;

impl FunctionTranslator<'_, '_> {
    /// Translates an instruction of the proposal; says whether it was one.
    pub(super) fn wide_arithmetic(&mut self, operator: &Operator<'_>) -> bool {
        match operator {
            Operator::I64Add128 => self.on_pairs(|t, a, b| t.builder.ins().iadd(a, b)),
            Operator::I64Sub128 => self.on_pairs(|t, a, b| t.builder.ins().isub(a, b)),
            Operator::I64MulWideS => {
                self.multiply_wide(|t, a, b| t.builder.ins().smulhi(a, b));
            }
            Operator::I64MulWideU => {
                self.multiply_wide(|t, a, b| t.builder.ins().umulhi(a, b));
            }
            _ => return false,
        }
        true
    }

    /// An operation on two 128-bit operands.
    fn on_pairs(&mut self, emit: impl FnOnce(&mut Self, Value, Value) -> Value) {
        let (low, high) = self.pop2();
        let right = self.builder.ins().iconcat(low, high);
        let (low, high) = self.pop2();
        let left = self.builder.ins().iconcat(low, high);
        let result = emit(self, left, right);
        let (low, high) = self.builder.ins().isplit(result);
        self.push(low);
        self.push(high);
    }

    /// The product of two `i64` in 128 bits; `high` gives its upper half.
    fn multiply_wide(&mut self, high: impl FnOnce(&mut Self, Value, Value) -> Value) {
        let (left, right) = self.pop2();
        let low = self.builder.ins().imul(left, right);
        let high = high(self, left, right);
        self.push(low);
        self.push(high);
    }
}
