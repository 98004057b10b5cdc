//! Globals: a slot in the context, or in the context of the instance that defines it.

use cranelift_codegen::ir::{self, InstBuilder, MemFlagsData, Value};

use super::FunctionTranslator;
use crate::abi::flags;

impl FunctionTranslator<'_, '_> {
    /// The address of a global's slot as base and offset, its type, and the flags for access.
    fn global_place(&mut self, index: u32) -> (Value, i32, ir::Type, MemFlagsData) {
        let global = &self.module.globals[index as usize];
        let ty = self.abi.value_type(global.ty.content_type);
        let region = flags::region(self.builder.func, flags::Region::Global);
        let mut access = MemFlagsData::trusted().with_alias_region(region);
        if !global.ty.mutable {
            access = access.with_readonly().with_can_move();
        }
        let layout = &self.abi.layout;
        match index.checked_sub(self.module.imported_globals) {
            Some(defined) => {
                let context = self.context.get(&mut self.builder);
                (context, layout.defined_global(defined), ty, access)
            }
            None => {
                let context = self.context.get_shared(&mut self.builder);
                let offset = layout.imported_global(index);
                let slot =
                    self.builder
                        .ins()
                        .load(self.abi.pointer, flags::readonly(), context, offset);
                (slot, 0, ty, access)
            }
        }
    }

    pub(super) fn global_get(&mut self, index: u32) {
        let (base, offset, ty, flags) = self.global_place(index);
        let value = self.builder.ins().load(ty, flags, base, offset);
        self.push(value);
    }

    pub(super) fn global_set(&mut self, index: u32) {
        let value = self.pop();
        if let Some(stack) = &self.environment.aux_stack
            && stack.checked
            && stack.global == index
        {
            self.check_aux_stack(stack, value);
        }
        let (base, offset, _, flags) = self.global_place(index);
        self.builder.ins().store(flags, value, base, offset);
    }
}
