//! Calls of the loader's helpers.

use cranelift_codegen::ir::{ExtFuncData, ExternalName, Inst, InstBuilder, Value, types};
use cranelift_frontend::FunctionBuilder;
use precast_format::context::Field;
use precast_format::libcall::Libcall;
use precast_format::trap::TrapCode;
use precast_format::tunables::RelocationModel;

use super::{Abi, ContextAccess, NAMESPACE_LIBCALL, flags};

/// Emits a call of a libcall. `arguments` leave out the context.
pub(crate) fn call_libcall(
    builder: &mut FunctionBuilder<'_>,
    abi: &Abi,
    context: &mut ContextAccess,
    libcall: Libcall,
    arguments: &[Value],
) -> Inst {
    abi.note_libcall(libcall);
    let signature = builder
        .func
        .import_signature(abi.libcall_signature(libcall));
    let mut all = Vec::with_capacity(arguments.len() + 1);
    if libcall.takes_context() {
        all.push(context.get(builder));
    }
    all.extend_from_slice(arguments);
    let call = match abi.relocation_model {
        RelocationModel::Direct => {
            let name = Abi::name(NAMESPACE_LIBCALL, libcall as u32);
            let name = builder.func.declare_imported_user_function(name);
            let function = builder.func.import_function(ExtFuncData {
                name: ExternalName::user(name),
                signature,
                colocated: false,
                patchable: false,
            });
            builder.ins().call(function, &all)
        }
        RelocationModel::Xip => {
            let table = context.load_field(builder, abi, Field::Libcalls);
            let offset = libcall as i32 * abi.width.bytes() as i32;
            let address = builder
                .ins()
                .load(abi.pointer, flags::readonly(), table, offset);
            builder.ins().call_indirect(signature, address, &all)
        }
    };
    context.forget();
    call
}

/// Emits the call that ends the activation with a trap code, and fills the block.
pub(crate) fn raise(
    builder: &mut FunctionBuilder<'_>,
    abi: &Abi,
    context: &mut ContextAccess,
    code: u32,
) {
    let code = builder.ins().iconst(types::I32, i64::from(code));
    call_libcall(builder, abi, context, Libcall::Raise, &[code]);
    let never = cranelift_codegen::ir::TrapCode::unwrap_user(TrapCode::Unreachable as u8);
    builder.ins().trap(never);
}
