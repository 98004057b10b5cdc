//! Calls: direct, indirect, and as tail calls.
//!
//! A function of this module is called by name. Everything else is called through its function
//! record: an import always by the record's `Foreign` code, a table's element by `Code` when it
//! belongs to this instance and by `Foreign` otherwise. Before a call by `Foreign` the record goes
//! into the context's `Callee` field, where the adapter finds it.

use cranelift_codegen::ir::condcodes::IntCC;
use cranelift_codegen::ir::{
    ExtFuncData, ExternalName, FuncRef, InstBuilder, MemFlagsData, SigRef, Value, types,
};
use precast_format::context::{Field, FunctionRecord};
use precast_format::trap::TrapCode;

use super::FunctionTranslator;
use super::trap::clif_code;
use crate::abi::{Abi, Callee, NAMESPACE_FUNCTION, flags};
use crate::options::ContextRegister;

impl FunctionTranslator<'_, '_> {
    /// The signature of a type, declared once in a function.
    fn signature(&mut self, ty: u32) -> SigRef {
        let ty = self.module.canonical_types[ty as usize];
        if let Some(signature) = self.signatures.get(&ty) {
            return *signature;
        }
        let signature = self.abi.wasm_signature(&self.module.types[ty as usize]);
        let signature = self.builder.func.import_signature(signature);
        self.signatures.insert(ty, signature);
        signature
    }

    /// A function of this module, declared once in a function.
    fn function_reference(&mut self, function: u32) -> FuncRef {
        if let Some(reference) = self.functions.get(&function) {
            return *reference;
        }
        let signature = self.signature(self.module.functions[function as usize]);
        let name = Abi::name(NAMESPACE_FUNCTION, function);
        let name = self.builder.func.declare_imported_user_function(name);
        let reference = self.builder.func.import_function(ExtFuncData {
            name: ExternalName::user(name),
            signature,
            colocated: true,
            patchable: false,
        });
        self.functions.insert(function, reference);
        reference
    }

    /// Pops the arguments for a type and puts the context in front, where it is a parameter.
    fn arguments(&mut self, ty: u32) -> Vec<Value> {
        let arguments = self.pop_many(self.module.types[ty as usize].params.len());
        if self.abi.context_register == ContextRegister::Pinned {
            return arguments;
        }
        let mut all = vec![self.context.get(&mut self.builder)];
        all.extend(arguments);
        all
    }

    fn emit_call(&mut self, callee: Callee, ty: u32, tail: bool) {
        if tail {
            self.leave_profile();
        }
        let arguments = self.arguments(ty);
        if tail {
            // The frame is gone, and its handlers with it.
            callee.return_call(&mut self.builder, &arguments);
            self.reachable = false;
            return;
        }
        let results = self.call_catching(callee, &arguments);
        self.stack.extend(results);
        self.refresh_memories();
    }

    pub(super) fn call(&mut self, function: u32, tail: bool) {
        let ty = self.module.functions[function as usize];
        let is_import = self.module.is_imported_function(function);
        if is_import && !tail {
            self.enter_import(function);
        }
        let callee = if is_import {
            let signature = self.signature(ty);
            let context = self.context.get(&mut self.builder);
            let offset = self.abi.layout.imported_function(function);
            let record =
                self.builder
                    .ins()
                    .load(self.abi.pointer, flags::readonly(), context, offset);
            let code = FunctionRecord::Foreign.offset(self.abi.width);
            let code = self
                .builder
                .ins()
                .load(self.abi.pointer, flags::readonly(), record, code);
            self.context
                .store_field(&mut self.builder, self.abi, Field::Callee, record);
            Callee::Address(signature, code)
        } else {
            Callee::Function(self.function_reference(function))
        };
        self.emit_call(callee, ty, tail);
        if is_import && !tail {
            self.leave_import();
        }
    }

    pub(super) fn call_indirect(&mut self, table: u32, ty: u32, tail: bool) {
        let index = self.pop();
        let address = self.element_address(table, index, TrapCode::UndefinedElement);
        let access = self.element_flags();
        let record = self
            .builder
            .ins()
            .load(self.abi.pointer, access, address, 0);
        let private = self.environment.usage.is_private_table(table);
        self.check_callee_type(record, ty, private);
        let code = self.callee_code(record, private);
        let signature = self.signature(ty);
        self.emit_call(Callee::Address(signature, code), ty, tail);
    }

    /// Calls what a reference refers to, which the validator knows to be of the type.
    pub(super) fn call_ref(&mut self, ty: u32, tail: bool) {
        let record = self.pop();
        self.trap_if_zero(record, TrapCode::NullFunctionReference);
        let code = self.callee_code(record, false);
        let signature = self.signature(ty);
        self.emit_call(Callee::Address(signature, code), ty, tail);
    }

    /// Traps where the record is null or of another type.
    fn check_callee_type(&mut self, record: Value, ty: u32, private: bool) {
        // Reading the type of a null record faults in the page at address zero. A read that could
        // move would do so before the check.
        let mut access = MemFlagsData::trusted();
        if self.faults_are_traps() {
            let code = clif_code(TrapCode::UninitializedElement);
            access = MemFlagsData::new()
                .with_aligned()
                .with_readonly()
                .with_trap_code(Some(code));
        } else {
            self.trap_if_zero(record, TrapCode::UninitializedElement);
        }
        let width = self.abi.width;
        let (actual, expected) = if private {
            let offset = FunctionRecord::local_type_offset(width);
            let actual = self.builder.ins().load(types::I32, access, record, offset);
            let expected = self.module.canonical_types[ty as usize];
            (
                actual,
                self.builder.ins().iconst(types::I32, i64::from(expected)),
            )
        } else {
            let offset = FunctionRecord::type_id_offset(width);
            let actual = self.builder.ins().load(types::I32, access, record, offset);
            let ids = self
                .context
                .load_field(&mut self.builder, self.abi, Field::TypeIds);
            // A module has at most a million types.
            let offset = 4 * ty as i32;
            (
                actual,
                self.builder
                    .ins()
                    .load(types::I32, flags::readonly(), ids, offset),
            )
        };
        let mismatch = self.builder.ins().icmp(IntCC::NotEqual, actual, expected);
        self.trap_if(mismatch, TrapCode::IndirectCallTypeMismatch);
    }

    /// The code to call for a record that is not null.
    fn callee_code(&mut self, record: Value, private: bool) -> Value {
        let (pointer, width) = (self.abi.pointer, self.abi.width);
        let access = MemFlagsData::trusted();
        let offset = FunctionRecord::Code.offset(width);
        let own = self.builder.ins().load(pointer, access, record, offset);
        if private {
            return own;
        }
        let offset = FunctionRecord::Foreign.offset(width);
        let foreign = self.builder.ins().load(pointer, access, record, offset);
        let offset = FunctionRecord::Context.offset(width);
        let callee = self.builder.ins().load(pointer, access, record, offset);
        let here = self.context.get(&mut self.builder);
        let same = self.builder.ins().icmp(IntCC::Equal, callee, here);
        self.context
            .store_field(&mut self.builder, self.abi, Field::Callee, record);
        self.builder.ins().select(same, own, foreign)
    }
}
