//! The check of the auxiliary stack's pointer: each new value has to lie between limit and base.
//!
//! Both are constants, unless threads share the memory: each thread has a stack of its own then, and
//! code reads the bounds of it in the context. What is outside of them may be where the stack of a
//! new thread begins; the loader knows.

use cranelift_codegen::ir::condcodes::IntCC;
use cranelift_codegen::ir::{InstBuilder, MemFlagsData, Value, types};
use precast_format::aux_stack::AuxStack;
use precast_format::context::Field;
use precast_format::libcall::Libcall;
use precast_format::trap::TrapCode;

use super::FunctionTranslator;
use super::trap::clif_code;
use crate::abi::{self, flags};

impl FunctionTranslator<'_, '_> {
    /// Traps where `value` must not become the stack pointer. One subtraction and one compare
    /// where it may; which of the two traps it is matters on the cold path alone.
    pub(super) fn check_aux_stack(&mut self, stack: &AuxStack, value: Value) {
        if self
            .module
            .memories
            .first()
            .is_some_and(|memory| memory.shared)
        {
            self.check_aux_stack_of_thread(value);
            return;
        }
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

    /// The same with the bounds in the context.
    fn check_aux_stack_of_thread(&mut self, value: Value) {
        let limit = self.aux_stack_bound(Field::AuxStackLimit);
        let base = self.aux_stack_bound(Field::AuxStackBase);
        let value = self.extend_to_i64(value);
        let distance = self.builder.ins().isub(value, limit);
        let size = self.builder.ins().isub(base, limit);
        let outside = self
            .builder
            .ins()
            .icmp(IntCC::UnsignedGreaterThan, distance, size);
        let ask = self.builder.create_block();
        let next = self.builder.create_block();
        self.builder.set_cold_block(ask);
        self.builder.ins().brif(outside, ask, &[], next, &[]);
        self.builder.seal_block(ask);
        let recent = self.context.recent();
        self.builder.switch_to_block(ask);
        let code = self.call_libcall_for_result(Libcall::AuxStackBounds, &[value]);
        self.trap_if_code(code);
        self.builder.ins().jump(next, &[]);
        self.builder.seal_block(next);
        self.builder.switch_to_block(next);
        self.context.resume(recent);
    }

    /// A bound of the running thread's stack, as an `i64`.
    fn aux_stack_bound(&mut self, field: Field) -> Value {
        let context = self.context.get(&mut self.builder);
        let region = flags::region(self.builder.func, flags::Region::Context);
        let access = MemFlagsData::trusted().with_alias_region(region);
        let offset = field.offset(self.abi.width);
        let pointer = self.abi.pointer;
        let bound = self.builder.ins().load(pointer, access, context, offset);
        self.extend_to_i64(bound)
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
