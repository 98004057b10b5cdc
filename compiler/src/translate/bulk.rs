//! Bulk memory instructions: copies, fills and segments, done by the loader.

use cranelift_codegen::ir::{InstBuilder, Value, types};
use precast_format::libcall::Libcall;

use super::FunctionTranslator;
use crate::abi;

impl FunctionTranslator<'_, '_> {
    /// Calls a libcall that has a result.
    pub(super) fn call_libcall_for_result(
        &mut self,
        libcall: Libcall,
        arguments: &[Value],
    ) -> Value {
        self.makes_libcalls();
        let call = abi::call_libcall(
            &mut self.builder,
            self.abi,
            &mut self.context,
            libcall,
            arguments,
        );
        self.builder.inst_results(call)[0]
    }

    /// Calls a libcall that returns a trap code.
    fn call_trapping_libcall(&mut self, libcall: Libcall, arguments: &[Value]) {
        let code = self.call_libcall_for_result(libcall, arguments);
        self.trap_if_code(code);
    }

    fn index(&mut self, index: u32) -> Value {
        self.builder.ins().iconst(types::I32, i64::from(index))
    }

    /// `memory.copy` or `table.copy`.
    pub(super) fn copy(&mut self, libcall: Libcall, to: u32, from: u32) {
        let (destination, source, length) = self.pop3();
        let destination = self.extend_to_i64(destination);
        let source = self.extend_to_i64(source);
        let length = self.extend_to_i64(length);
        let (to, from) = (self.index(to), self.index(from));
        self.call_trapping_libcall(libcall, &[to, from, destination, source, length]);
    }

    /// `memory.fill` or `table.fill`.
    pub(super) fn fill(&mut self, libcall: Libcall, index: u32) {
        let (destination, value, length) = self.pop3();
        let destination = self.extend_to_i64(destination);
        let length = self.extend_to_i64(length);
        let index = self.index(index);
        self.call_trapping_libcall(libcall, &[index, destination, value, length]);
    }

    /// `memory.init` or `table.init`.
    pub(super) fn init(&mut self, libcall: Libcall, index: u32, segment: u32) {
        let (destination, source, length) = self.pop3();
        let destination = self.extend_to_i64(destination);
        let (index, segment) = (self.index(index), self.index(segment));
        self.call_trapping_libcall(libcall, &[index, segment, destination, source, length]);
    }

    /// `data.drop` or `elem.drop`.
    pub(super) fn drop_segment(&mut self, libcall: Libcall, segment: u32) {
        self.makes_libcalls();
        let segment = self.index(segment);
        abi::call_libcall(
            &mut self.builder,
            self.abi,
            &mut self.context,
            libcall,
            &[segment],
        );
    }

    pub(super) fn table_grow(&mut self, table: u32) {
        let (value, delta) = self.pop2();
        let delta = self.extend_to_i64(delta);
        let index = self.index(table);
        let previous = self.call_libcall_for_result(Libcall::TableGrow, &[index, delta, value]);
        let is_64 = self.module.tables[table as usize].ty.table64;
        let previous = self.index_result(previous, is_64);
        self.push(previous);
    }
}
