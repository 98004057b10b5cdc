//! References: null, and functions. A reference is a pointer to a function record, or an opaque
//! value of the host; null is zero.

use cranelift_codegen::ir::condcodes::IntCC;
use cranelift_codegen::ir::{InstBuilder, types};

use precast_format::trap::TrapCode;

use super::FunctionTranslator;
use crate::abi::flags;
use crate::error::{CompileError, Result};

impl FunctionTranslator<'_, '_> {
    pub(super) fn ref_null(&mut self) {
        let null = self.builder.ins().iconst(self.abi.pointer, 0);
        self.push(null);
    }

    pub(super) fn ref_is_null(&mut self) {
        self.unary(|t, operand| {
            let result = t.builder.ins().icmp_imm_s(IntCC::Equal, operand, 0);
            t.builder.ins().uextend(types::I32, result)
        });
    }

    pub(super) fn ref_as_non_null(&mut self) {
        let reference = self.pop();
        self.trap_if_zero(reference, TrapCode::NullReference);
        self.push(reference);
    }

    pub(super) fn ref_func(&mut self, function: u32) -> Result<()> {
        let context = self.context.get(&mut self.builder);
        let layout = &self.abi.layout;
        let record = if self.module.is_imported_function(function) {
            let offset = layout.imported_function(function);
            self.builder
                .ins()
                .load(self.abi.pointer, flags::readonly(), context, offset)
        } else {
            let number = self.environment.records.number(function).ok_or_else(|| {
                CompileError::internal("ref.func of a function that no one declares")
            })?;
            let offset = i64::from(layout.function_record(number));
            self.builder.ins().iadd_imm_s(context, offset)
        };
        self.push(record);
        Ok(())
    }
}
