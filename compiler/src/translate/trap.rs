//! Traps: by a faulting instruction, or by a compiled check and a call.

use cranelift_codegen::ir::condcodes::IntCC;
use cranelift_codegen::ir::{self, InstBuilder, Value};
use precast_format::trap::TrapCode;
use precast_format::tunables::TrapMode;

use super::FunctionTranslator;
use crate::abi;

/// Cranelift's form of a trap code.
pub(crate) fn clif_code(code: TrapCode) -> ir::TrapCode {
    ir::TrapCode::unwrap_user(code as u8)
}

impl FunctionTranslator<'_, '_> {
    /// Whether traps are faults that a signal handler finds.
    pub(super) fn faults_are_traps(&self) -> bool {
        self.abi.trap_mode == TrapMode::Signals
    }

    /// Traps where the condition is not zero.
    pub(super) fn trap_if(&mut self, condition: Value, code: TrapCode) {
        if self.faults_are_traps() {
            self.builder.ins().trapnz(condition, clif_code(code));
            return;
        }
        let trap = self.builder.create_block();
        let next = self.builder.create_block();
        self.builder.set_cold_block(trap);
        self.builder.ins().brif(condition, trap, &[], next, &[]);
        self.builder.seal_block(trap);
        self.builder.seal_block(next);
        let recent = self.context.recent();
        self.builder.switch_to_block(trap);
        abi::raise(&mut self.builder, self.abi, &mut self.context, code as u32);
        self.builder.switch_to_block(next);
        self.context.resume(recent);
        self.makes_libcalls();
    }

    /// Traps where the value is zero.
    pub(super) fn trap_if_zero(&mut self, value: Value, code: TrapCode) {
        if self.faults_are_traps() {
            self.builder.ins().trapz(value, clif_code(code));
        } else {
            let zero = self.builder.ins().icmp_imm_s(IntCC::Equal, value, 0);
            self.trap_if(zero, code);
        }
    }

    /// Traps with a code that a libcall returned; zero is success.
    pub(super) fn trap_if_code(&mut self, code: Value) {
        self.raise_if(code, |_| code);
    }

    /// Traps with a code that is computed, where the condition is not zero.
    pub(super) fn raise_if(&mut self, condition: Value, code: impl FnOnce(&mut Self) -> Value) {
        let trap = self.builder.create_block();
        let next = self.builder.create_block();
        self.builder.set_cold_block(trap);
        self.builder.ins().brif(condition, trap, &[], next, &[]);
        self.builder.seal_block(trap);
        self.builder.seal_block(next);
        let recent = self.context.recent();
        self.builder.switch_to_block(trap);
        let code = code(self);
        abi::call_libcall(
            &mut self.builder,
            self.abi,
            &mut self.context,
            precast_format::libcall::Libcall::Raise,
            &[code],
        );
        self.builder.ins().trap(clif_code(TrapCode::Unreachable));
        self.builder.switch_to_block(next);
        self.context.resume(recent);
        self.makes_libcalls();
    }

    /// Traps always, and ends the block.
    pub(super) fn trap_always(&mut self, code: TrapCode) {
        if self.faults_are_traps() {
            self.builder.ins().trap(clif_code(code));
        } else {
            abi::raise(&mut self.builder, self.abi, &mut self.context, code as u32);
            self.makes_libcalls();
        }
        self.reachable = false;
    }
}
