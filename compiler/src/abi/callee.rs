//! What is called, and the ways to call it: to go on behind the call, or to have exceptions caught.

use cranelift_codegen::ir::{
    BlockArg, BlockCall, ExceptionTableData, ExceptionTableItem, ExtFuncData, ExternalName,
    FuncRef, Inst, InstBuilder, SigRef, UserExternalName, Value,
};
use cranelift_frontend::FunctionBuilder;

/// A function with a name, in the text or the loader's, or an address with its signature. In bytecode,
/// addresses are those of bytecode.
#[derive(Clone, Copy)]
pub(crate) enum Callee {
    Function(FuncRef),
    Address(SigRef, Value),
}

impl Callee {
    /// A function of the loader's that is called by name: the linker knows what becomes of it. Native
    /// code has its address patched in; bytecode has its number.
    pub fn of_loader(
        builder: &mut FunctionBuilder<'_>,
        name: UserExternalName,
        signature: SigRef,
    ) -> Callee {
        let name = builder.func.declare_imported_user_function(name);
        Callee::Function(builder.func.import_function(ExtFuncData {
            name: ExternalName::user(name),
            signature,
            colocated: false,
            patchable: false,
        }))
    }

    /// Calls it.
    pub fn call(self, builder: &mut FunctionBuilder<'_>, arguments: &[Value]) -> Inst {
        match self {
            Callee::Function(function) => builder.ins().call(function, arguments),
            Callee::Address(signature, code) => {
                builder.ins().call_indirect(signature, code, arguments)
            }
        }
    }

    /// Calls it in place of the caller, and fills the block.
    pub fn return_call(self, builder: &mut FunctionBuilder<'_>, arguments: &[Value]) {
        match self {
            Callee::Function(function) => builder.ins().return_call(function, arguments),
            Callee::Address(signature, code) => builder
                .ins()
                .return_call_indirect(signature, code, arguments),
        };
    }

    /// Calls it; exceptions go where the items say. Fills the block and goes on in a new one, which
    /// only this call leads to. Returns the results.
    pub fn try_call(
        self,
        builder: &mut FunctionBuilder<'_>,
        arguments: &[Value],
        handlers: impl IntoIterator<Item = ExceptionTableItem>,
    ) -> Vec<Value> {
        let signature = match self {
            Callee::Function(function) => builder.func.dfg.ext_funcs[function].signature,
            Callee::Address(signature, _) => signature,
        };
        let returns = builder.func.dfg.signatures[signature].returns.iter();
        let returns: Vec<_> = returns.map(|result| result.value_type).collect();
        let next = builder.create_block();
        let mut forwarded = Vec::with_capacity(returns.len());
        for (index, ty) in returns.into_iter().enumerate() {
            builder.append_block_param(next, ty);
            forwarded.push(BlockArg::TryCallRet(index as u32));
        }
        let normal = BlockCall::new(next, forwarded, &mut builder.func.dfg.value_lists);
        let table = ExceptionTableData::new(signature, normal, handlers);
        let table = builder.func.dfg.exception_tables.push(table);
        match self {
            Callee::Function(function) => builder.ins().try_call(function, arguments, table),
            Callee::Address(_, code) => builder.ins().try_call_indirect(code, arguments, table),
        };
        builder.seal_block(next);
        builder.switch_to_block(next);
        builder.block_params(next).to_vec()
    }
}
