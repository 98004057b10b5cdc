//! Loads, stores, `memory.size` and `memory.grow`.

use cranelift_codegen::ir::{self, InstBuilder, types};
use precast_format::libcall::Libcall;
use wasmparser::MemArg;

use super::FunctionTranslator;
use crate::error::Result;

impl FunctionTranslator<'_, '_> {
    pub(super) fn load(&mut self, ty: ir::Type, memarg: &MemArg) -> Result<()> {
        let (address, offset, flags) = self.checked_address(memarg, ty.bytes())?;
        let value = self.builder.ins().load(ty, flags, address, offset);
        self.push(value);
        Ok(())
    }

    /// A load of fewer bits than the result has.
    pub(super) fn load_extended(
        &mut self,
        to: ir::Type,
        from: ir::Type,
        signed: bool,
        memarg: &MemArg,
    ) -> Result<()> {
        let (address, offset, flags) = self.checked_address(memarg, from.bytes())?;
        let value = self.builder.ins().load(from, flags, address, offset);
        let value = match signed {
            true => self.builder.ins().sextend(to, value),
            false => self.builder.ins().uextend(to, value),
        };
        self.push(value);
        Ok(())
    }

    /// A store of the low bits of the operand.
    pub(super) fn store(&mut self, ty: ir::Type, memarg: &MemArg) -> Result<()> {
        let mut value = self.pop();
        let (address, offset, flags) = self.checked_address(memarg, ty.bytes())?;
        if self.builder.func.dfg.value_type(value) != ty {
            value = self.builder.ins().ireduce(ty, value);
        }
        self.builder.ins().store(flags, value, address, offset);
        Ok(())
    }

    pub(super) fn memory_size(&mut self, memory: u32) {
        let description = self.module.memories[memory as usize];
        let length = self.memory_length(memory);
        let page = i64::from(description.page_size_log2);
        let pages = self.builder.ins().ushr_imm_u(length, page);
        let pages = self.index_result(pages, description.is_64);
        self.push(pages);
    }

    pub(super) fn memory_grow(&mut self, memory: u32) {
        let delta = self.pop();
        let delta = self.extend_to_i64(delta);
        let index = self.builder.ins().iconst(types::I32, i64::from(memory));
        let previous = self.call_libcall_for_result(Libcall::MemoryGrow, &[index, delta]);
        let is_64 = self.module.memories[memory as usize].is_64;
        let previous = self.index_result(previous, is_64);
        self.push(previous);
        self.refresh_memories();
    }
}
