//! Interrupt checks: code looks whether the host wants it to stop, at the start of each function and
//! of each turn of a loop. No program runs for ever without passing one of these places.
//!
//! The flag changes while the code runs, which Cranelift must not reason away: two reads of one
//! address count as one where nothing was stored between them. Where the context is in the pinned
//! register, each check takes the address from there, and so has one of its own. Elsewhere the read
//! is atomic.

use cranelift_codegen::ir::{InstBuilder, MemFlagsData, Value};
use precast_format::context::Field;
use precast_format::trap::TrapCode;

use super::FunctionTranslator;
use crate::abi::flags;
use crate::options::ContextRegister;

impl FunctionTranslator<'_, '_> {
    /// Traps where the host wants the program to stop.
    pub(super) fn check_interrupt(&mut self) {
        if !self.environment.interrupt_checks {
            return;
        }
        let flag = self.interrupt_flag();
        self.trap_if(flag, TrapCode::Interrupted);
    }

    fn interrupt_flag(&mut self) -> Value {
        let offset = Field::Interrupt.offset(self.abi.width);
        let region = flags::region(self.builder.func, flags::Region::Context);
        let access = MemFlagsData::trusted().with_alias_region(region);
        let pointer = self.abi.pointer;
        if self.abi.context_register == ContextRegister::Pinned {
            let context = self.builder.ins().get_pinned_reg(pointer);
            return self.builder.ins().load(pointer, access, context, offset);
        }
        let context = self.context.get(&mut self.builder);
        let address = self.builder.ins().iadd_imm_s(context, i64::from(offset));
        self.builder.ins().atomic_load(pointer, access, address)
    }
}
