//! The check for stack overflow at a function's entry.
//!
//! The check compares the stack pointer, the frame already taken, with the limit in the context:
//! one load, one compare, one branch. What a frame writes before the check lies in the reserve
//! below the limit; a function whose frame is larger than the reserve is checked by a stub in
//! front of it (see `codegen`). Covered functions (`analysis/covered.rs`), above all those that call
//! nothing, run in the reserve unchecked. How large the reserve is says `codegen/stack_reserve.rs`.
//!
//! Where the end of the stack is a guard page, functions that call the loader look for the room that
//! it needs; all others just run into the page.

use cranelift_codegen::cursor::{Cursor, FuncCursor};
use cranelift_codegen::ir::condcodes::IntCC;
use cranelift_codegen::ir::{Block, InstBuilder, SourceLoc};
use precast_format::context::Field;
use precast_format::trap::TrapCode;
use precast_format::tunables::StackChecks;

use super::FunctionTranslator;
use super::trap::clif_code;
use crate::abi::{self, flags};
use crate::options::ContextRegister;

impl FunctionTranslator<'_, '_> {
    /// Emits the check where it needs control flow of its own.
    pub(super) fn begin_stack_check(&mut self) {
        if !self.looks_for_stack || self.faults_are_traps() {
            return;
        }
        let pointer = self.builder.ins().get_stack_pointer(self.abi.pointer);
        let limit = self
            .context
            .load_field(&mut self.builder, self.abi, Field::StackLimit);
        let overflow = self
            .builder
            .ins()
            .icmp(IntCC::UnsignedLessThan, pointer, limit);
        self.trap_if(overflow, TrapCode::StackOverflow);
    }

    /// Emits the check where it is a trapping instruction, and the probe where there is a guard page.
    pub(super) fn end_stack_check(&mut self, entry: Block) {
        if self.environment.options.stack_checks == StackChecks::Guard && self.makes_libcalls {
            abi::probe_stack(self.builder.func, entry, self.abi.pointer);
        }
        if !self.looks_for_stack || !self.faults_are_traps() {
            return;
        }
        let context = match self.abi.context_register {
            ContextRegister::Parameter => Some(self.builder.block_params(entry)[0]),
            ContextRegister::Pinned => None,
        };
        let first = self.builder.func.layout.first_inst(entry);
        let location = first.map_or(SourceLoc::default(), |inst| self.builder.func.srcloc(inst));
        let mut cursor = FuncCursor::new(self.builder.func)
            .at_first_insertion_point(entry)
            .with_srcloc(location);
        let pointer = cursor.ins().get_stack_pointer(self.abi.pointer);
        let context = context.unwrap_or_else(|| cursor.ins().get_pinned_reg(self.abi.pointer));
        let offset = Field::StackLimit.offset(self.abi.width);
        let limit = cursor
            .ins()
            .load(self.abi.pointer, flags::readonly(), context, offset);
        let overflow = cursor.ins().icmp(IntCC::UnsignedLessThan, pointer, limit);
        cursor
            .ins()
            .trapnz(overflow, clif_code(TrapCode::StackOverflow));
    }
}
