//! Tables: `table.get`, `table.set`, `table.size`, and the way to an element.

use cranelift_codegen::ir::condcodes::IntCC;
use cranelift_codegen::ir::{InstBuilder, MemFlagsData, Value, types};
use precast_format::trap::TrapCode;

use super::FunctionTranslator;
use crate::abi::flags;

impl FunctionTranslator<'_, '_> {
    /// Where the (base, length) pair of a table is, and the flags to read it with.
    fn table_pair(&mut self, table: u32) -> (Value, i32, MemFlagsData) {
        let layout = &self.abi.layout;
        let region = flags::region(self.builder.func, flags::Region::Context);
        let changing = MemFlagsData::trusted().with_alias_region(region);
        match table.checked_sub(self.module.imported_tables) {
            Some(defined) => {
                let offset = layout.defined_table(defined);
                let fixed = self.environment.usage.is_fixed_table(table);
                let flags = if fixed { flags::readonly() } else { changing };
                (self.context.get(&mut self.builder), offset, flags)
            }
            None => {
                let offset = layout.imported_table(table);
                let context = self.context.get_shared(&mut self.builder);
                let pair =
                    self.builder
                        .ins()
                        .load(self.abi.pointer, flags::readonly(), context, offset);
                (pair, 0, changing)
            }
        }
    }

    /// The number of elements, in the pointer's type.
    fn table_length(&mut self, table: u32) -> Value {
        let ty = &self.module.tables[table as usize].ty;
        if self.environment.usage.is_fixed_table(table) {
            let initial = ty.initial as i64;
            return self.builder.ins().iconst(self.abi.pointer, initial);
        }
        let (pair, offset, flags) = self.table_pair(table);
        let offset = offset + self.abi.width.bytes() as i32;
        self.builder
            .ins()
            .load(self.abi.pointer, flags, pair, offset)
    }

    /// The address of an element; traps with the code where there is no such element.
    pub(super) fn element_address(&mut self, table: u32, index: Value, code: TrapCode) -> Value {
        let mut wide = self.extend_to_i64(index);
        let length = self.table_length(table);
        if let Some(exceeds) = self.exceeds_pointer(wide) {
            self.trap_if(exceeds, code);
            wide = self.builder.ins().ireduce(self.abi.pointer, wide);
        }
        let outside = self
            .builder
            .ins()
            .icmp(IntCC::UnsignedGreaterThanOrEqual, wide, length);
        self.trap_if(outside, code);
        let (pair, offset, flags) = self.table_pair(table);
        let base = self
            .builder
            .ins()
            .load(self.abi.pointer, flags, pair, offset);
        let scale = i64::from(self.abi.width.bytes().trailing_zeros());
        let offset = self.builder.ins().ishl_imm_u(wide, scale);
        self.builder.ins().iadd(base, offset)
    }

    /// The flags of an access to a table's elements.
    pub(super) fn element_flags(&mut self) -> MemFlagsData {
        let region = flags::region(self.builder.func, flags::Region::Table);
        MemFlagsData::trusted().with_alias_region(region)
    }

    pub(super) fn table_get(&mut self, table: u32) {
        let index = self.pop();
        let address = self.element_address(table, index, TrapCode::TableOutOfBounds);
        let flags = self.element_flags();
        let value = self.builder.ins().load(self.abi.pointer, flags, address, 0);
        self.push(value);
    }

    pub(super) fn table_set(&mut self, table: u32) {
        let (index, value) = self.pop2();
        let address = self.element_address(table, index, TrapCode::TableOutOfBounds);
        let flags = self.element_flags();
        self.builder.ins().store(flags, value, address, 0);
    }

    pub(super) fn table_size(&mut self, table: u32) {
        let length = self.table_length(table);
        let is_64 = self.module.tables[table as usize].ty.table64;
        let ty = if is_64 { types::I64 } else { types::I32 };
        let have = self.abi.pointer;
        let length = match (have.bits(), ty.bits()) {
            (32, 64) => self.builder.ins().uextend(ty, length),
            (64, 32) => self.builder.ins().ireduce(ty, length),
            _ => length,
        };
        self.push(length);
    }
}
