//! The check of the auxiliary stack's pointer: each new value has to lie between limit and base.
//!
//! Both are constants here. A memory that threads share would need them from the context, one pair
//! for each thread; the analysis leaves such stacks unchecked.

use cranelift_codegen::ir::condcodes::IntCC;
use cranelift_codegen::ir::{InstBuilder, Value, types};
use precast_format::aux_stack::AuxStack;
use precast_format::libcall::Libcall;
use precast_format::trap::TrapCode;

use super::FunctionTranslator;
use super::trap::clif_code;
use crate::abi;

impl FunctionTranslator<'_, '_> {
    /// Traps where `value` must not become the stack pointer. One subtraction and one compare
    /// where it may; which of the two traps it is matters on the cold path alone.
    pub(super) fn check_aux_stack(&mut self, stack: &AuxStack, value: Value) {
        let ty = self.builder.func.dfg.value_type(value);
        let mut constant = |value: u64| {
            let value = match ty {
                types::I32 => i64::from(value as u32),
                _ => value as i64,
            };
            self.builder.ins().iconst(ty, value)
        };
        let (limit, base) = (constant(stack.limit), constant(stack.base));
        let size = constant(stack.base - stack.limit);
        let distance = match stack.limit {
            0 => value,
            _ => self.builder.ins().isub(value, limit),
        };
        let outside = self
            .builder
            .ins()
            .icmp(IntCC::UnsignedGreaterThan, distance, size);
        let trap = self.builder.create_block();
        let next = self.builder.create_block();
        self.builder.set_cold_block(trap);
        self.builder.ins().brif(outside, trap, &[], next, &[]);
        self.builder.seal_block(trap);
        self.builder.seal_block(next);
        let recent = self.context.recent();
        self.builder.switch_to_block(trap);
        // A frame that is too large takes the pointer below zero: then it is far above the base,
        // but on the way down.
        let above = self.builder.ins().isub(value, base);
        let overflow = self
            .builder
            .ins()
            .icmp_imm_s(IntCC::SignedLessThan, above, 0);
        self.trap_overflow_or_underflow(overflow);
        self.builder.switch_to_block(next);
        self.context.resume(recent);
    }

    fn trap_overflow_or_underflow(&mut self, overflow: Value) {
        let (over, under) = (TrapCode::AuxStackOverflow, TrapCode::AuxStackUnderflow);
        if self.faults_are_traps() {
            self.builder.ins().trapnz(overflow, clif_code(over));
            self.builder.ins().trap(clif_code(under));
            return;
        }
        let mut code = |code| self.builder.ins().iconst(types::I32, i64::from(code as u8));
        let (over, under) = (code(over), code(under));
        let code = self.builder.ins().select(overflow, over, under);
        abi::call_libcall(
            &mut self.builder,
            self.abi,
            &mut self.context,
            Libcall::Raise,
            &[code],
        );
        self.builder.ins().trap(clif_code(TrapCode::Unreachable));
        self.makes_libcalls();
    }
}
