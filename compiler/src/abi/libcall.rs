//! Calls of the loader's helpers.

use cranelift_codegen::ir::{ExceptionTableItem, Inst, InstBuilder, MemFlagsData, Value, types};
use cranelift_frontend::FunctionBuilder;
use precast_format::context::Field;
use precast_format::libcall::Libcall;
use precast_format::trap::TrapCode;
use precast_format::tunables::RelocationModel;

use super::{Abi, Callee, ContextAccess, NAMESPACE_HOST_ENTRY, NAMESPACE_LIBCALL, flags};

/// What to call for a libcall, with all arguments. `arguments` leave out the context.
pub(crate) fn libcall(
    builder: &mut FunctionBuilder<'_>,
    abi: &Abi,
    context: &mut ContextAccess,
    libcall: Libcall,
    arguments: &[Value],
) -> (Callee, Vec<Value>) {
    abi.note_libcall(libcall);
    let signature = builder
        .func
        .import_signature(abi.libcall_signature(libcall));
    let mut all = Vec::with_capacity(arguments.len() + 1);
    if libcall.takes_context() {
        all.push(context.get(builder));
    }
    all.extend_from_slice(arguments);
    let callee = match (abi.relocation_model, abi.is_bytecode) {
        (RelocationModel::Direct, _) | (_, true) => {
            let name = Abi::name(NAMESPACE_LIBCALL, libcall as u32);
            Callee::of_loader(builder, name, signature)
        }
        (RelocationModel::Xip, false) => {
            let table = context.load_field(builder, abi, Field::Libcalls);
            let offset = libcall as i32 * abi.width.bytes() as i32;
            let address = builder
                .ins()
                .load(abi.pointer, flags::readonly(), table, offset);
            Callee::Address(signature, address)
        }
    };
    (callee, all)
}

/// Emits a call of a libcall. `arguments` leave out the context.
pub(crate) fn call_libcall(
    builder: &mut FunctionBuilder<'_>,
    abi: &Abi,
    context: &mut ContextAccess,
    called: Libcall,
    arguments: &[Value],
) -> Inst {
    let (callee, arguments) = libcall(builder, abi, context, called, arguments);
    let call = callee.call(builder, &arguments);
    context.forget();
    call
}

/// Emits the call of a host object's entry: with the object, the caller's context and the values.
pub(crate) fn call_host(
    builder: &mut FunctionBuilder<'_>,
    abi: &Abi,
    context: &mut ContextAccess,
    object: Value,
    values: Value,
) -> Inst {
    let signature = builder.func.import_signature(abi.host_signature());
    let entry = if abi.is_bytecode {
        Callee::of_loader(builder, Abi::name(NAMESPACE_HOST_ENTRY, 0), signature)
    } else {
        let trusted = MemFlagsData::trusted();
        let address = builder.ins().load(abi.pointer, trusted, object, 0);
        Callee::Address(signature, address)
    };
    let caller = context.get(builder);
    let call = entry.call(builder, &[object, caller, values]);
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
    never(builder);
}

/// Emits the call that throws an exception, `Throw` or `Rethrow`, and fills the block. The items say
/// where the exception goes in this function.
pub(crate) fn throw(
    builder: &mut FunctionBuilder<'_>,
    abi: &Abi,
    context: &mut ContextAccess,
    thrower: Libcall,
    exception: Value,
    handlers: Vec<ExceptionTableItem>,
) {
    let (callee, arguments) = libcall(builder, abi, context, thrower, &[exception]);
    if handlers.is_empty() {
        callee.call(builder, &arguments);
    } else {
        callee.try_call(builder, &arguments, handlers);
    }
    context.forget();
    never(builder);
}

/// Fills the block behind a call that does not return.
fn never(builder: &mut FunctionBuilder<'_>) {
    let never = cranelift_codegen::ir::TrapCode::unwrap_user(TrapCode::Unreachable as u8);
    builder.ins().trap(never);
}
