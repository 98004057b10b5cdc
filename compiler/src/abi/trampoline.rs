//! The code between compiled functions and everything else, one of each kind for a signature.
//!
//! - The **entry trampoline** is called by the host. It remembers where a trap resumes, switches
//!   to the context, unpacks the arguments, and packs the results.
//! - The **host adapter** is called by wasm code for a host function. It packs the arguments.
//! - The **switch adapter** is called by wasm code for a function of another instance. It switches
//!   the context for the duration of the call.
//!
//! Both adapters find the function record in the caller's `Callee` field. Whoever returns into an
//! instance restores that instance's stack limit and activation, because the calls in between may
//! have entered the instance again, with others.
//!
//! The frame pointers that are written to activations are what the instruction set has for them. On
//! s390x that is the word at the stack pointer, the back chain: the stack pointer that the caller has
//! again when the function returns. The distance from there to the stack pointer is the frame, as
//! elsewhere, so that handlers are found in the same way.

use cranelift_codegen::ir::condcodes::IntCC;
use cranelift_codegen::ir::{
    BlockArg, BlockCall, ExceptionTableData, ExceptionTableItem, Function, InstBuilder,
    MemFlagsData, StackSlotData, StackSlotKind, Type, UserFuncName, Value, types,
};
use cranelift_frontend::{FunctionBuilder, FunctionBuilderContext};
use precast_format::context::{ActivationField, Field, FunctionRecord, VALUE_SIZE};
use precast_format::libcall::Libcall;
use precast_format::target::Isa;
use precast_format::trap::TrapCode;
use precast_format::tunables::StackChecks;

use super::{Abi, Callee, Clause, ContextAccess, libcall, probe_stack};
use crate::module::FunctionType;
use crate::options::ContextRegister;

/// The fields that belong to an activation and are restored after a call that left the instance.
const ACTIVATION_STATE: [Field; 2] = [Field::StackLimit, Field::Activation];

/// What the adapter to another instance catches: everything, to throw it again.
const CAUGHT: Clause = Clause {
    tag: None,
    keeps: true,
};

/// Builds the entry trampoline of a function type.
pub(crate) fn entry_trampoline(abi: &Abi, ty: &FunctionType) -> Function {
    let mut function =
        Function::with_name_signature(UserFuncName::default(), abi.entry_signature());
    let mut builder_context = FunctionBuilderContext::new();
    let mut builder = FunctionBuilder::new(&mut function, &mut builder_context);
    let entry = builder.create_block();
    // The block that calls cannot be the entry block: its handler's address is taken.
    let calling = builder.create_block();
    let returned = builder.create_block();
    let trapped = builder.create_block();
    builder.append_block_params_for_function_params(entry);
    builder.switch_to_block(entry);
    let &[context, code, values, activation] = builder.block_params(entry) else {
        unreachable!("the entry signature has four parameters")
    };
    builder.ins().jump(calling, &[]);
    builder.switch_to_block(calling);
    let trusted = MemFlagsData::trusted();
    let stack_pointer = builder.ins().get_stack_pointer(abi.pointer);
    let frame_pointer = builder.ins().get_frame_pointer(abi.pointer);
    let handler = builder
        .ins()
        .get_exception_handler_address(abi.pointer, calling, 0);
    for (field, value) in [
        (ActivationField::EntryStackPointer, stack_pointer),
        (ActivationField::EntryFramePointer, frame_pointer),
        (ActivationField::HandlerAddress, handler),
    ] {
        builder
            .ins()
            .store(trusted, value, activation, field.offset(abi.width));
    }

    let callers = match abi.context_register {
        ContextRegister::Pinned => {
            let callers = builder.ins().get_pinned_reg(abi.pointer);
            builder.ins().set_pinned_reg(context);
            Some(callers)
        }
        ContextRegister::Parameter => None,
    };
    let mut arguments = Vec::new();
    if callers.is_none() {
        arguments.push(context);
    }
    arguments.extend(load_values(&mut builder, abi, &ty.params, values));
    let signature = builder.func.import_signature(abi.wasm_signature(ty));
    let mut results = Vec::new();
    let mut result_args = Vec::new();
    for (index, ty) in ty.results.iter().enumerate() {
        results.push(builder.append_block_param(returned, abi.value_type(*ty)));
        result_args.push(BlockArg::TryCallRet(index as u32));
    }
    let pool = &mut builder.func.dfg.value_lists;
    let normal = BlockCall::new(returned, result_args, pool);
    let exceptional = BlockCall::new(trapped, [], pool);
    let table = builder
        .func
        .dfg
        .exception_tables
        .push(ExceptionTableData::new(
            signature,
            normal,
            [ExceptionTableItem::Default(exceptional)],
        ));
    builder.ins().try_call_indirect(code, &arguments, table);

    for (block, status) in [(returned, 0), (trapped, 1)] {
        builder.switch_to_block(block);
        if block == returned {
            store_values(&mut builder, values, &results);
        }
        if let Some(callers) = callers {
            builder.ins().set_pinned_reg(callers);
        }
        let status = builder.ins().iconst(types::I32, status);
        builder.ins().return_(&[status]);
    }
    builder.seal_all_blocks();
    builder.finalize(abi.frontend);
    function
}

/// Builds the adapter through which wasm code calls a host function of this type.
pub(crate) fn host_adapter(abi: &Abi, ty: &FunctionType) -> Function {
    let mut function = adapter(abi, ty, |builder, context, record, arguments| {
        let slots = ty.params.len().max(ty.results.len()).max(1) as u32;
        let values = value_array(builder, abi, slots);
        store_values(builder, values, arguments);
        let state = save(builder, abi, context);
        let trusted = MemFlagsData::trusted();
        let frame_pointer = builder.ins().get_frame_pointer(abi.pointer);
        let exit = ActivationField::ExitFramePointer.offset(abi.width);
        let previous_exit = builder.ins().load(abi.pointer, trusted, state[1], exit);
        builder.ins().store(trusted, frame_pointer, state[1], exit);

        let object = FunctionRecord::Context.offset(abi.width);
        let object = builder.ins().load(abi.pointer, trusted, record, object);
        let call = libcall::call_host(builder, abi, context, object, values);
        let failed = builder.inst_results(call)[0];

        let failure = builder.create_block();
        let success = builder.create_block();
        builder.set_cold_block(failure);
        restore(builder, abi, context, state);
        // The host's error may be an exception, and then code of this activation can go on.
        builder.ins().store(trusted, previous_exit, state[1], exit);
        builder.ins().brif(failed, failure, &[], success, &[]);
        builder.switch_to_block(failure);
        libcall::raise(builder, abi, context, 0);
        builder.switch_to_block(success);
        context.forget();
        load_values(builder, abi, &ty.results, values)
    });
    if abi.stack_checks == StackChecks::Guard
        && let Some(entry) = function.layout.entry_block()
    {
        probe_stack(&mut function, entry, abi.pointer);
    }
    function
}

/// Room for so many values in the function's frame, aligned as the loader wants it.
fn value_array(builder: &mut FunctionBuilder<'_>, abi: &Abi, slots: u32) -> Value {
    // Stack pointers of z/Architecture are multiples of 8 only, and so is the address of any slot. So it is
    // where a frame pointer and a return address take 8 bytes.
    let padding = match abi.isa {
        Isa::S390x | Isa::Pulley32 => VALUE_SIZE / 2,
        _ => 0,
    };
    let slot = builder.create_sized_stack_slot(StackSlotData::new(
        StackSlotKind::ExplicitSlot,
        slots * VALUE_SIZE + padding,
        VALUE_SIZE.ilog2() as u8,
    ));
    let start = builder.ins().stack_addr(abi.pointer, slot, padding as i32);
    match padding {
        0 => start,
        _ => builder.ins().band_imm_s(start, -i64::from(VALUE_SIZE)),
    }
}

/// Builds the adapter through which wasm code calls a function of another instance. Where stacks are
/// compared with a limit, it knows the reserve of its module: the callee's limit lies above the floor
/// by that much, and the adapter goes on only if its own frame lies above the limit.
pub(crate) fn switch_adapter(abi: &Abi, ty: &FunctionType, reserve: Option<u32>) -> Function {
    adapter(abi, ty, |builder, context, record, arguments| {
        let trusted = MemFlagsData::trusted();
        let callee = FunctionRecord::Context.offset(abi.width);
        let callee = builder.ins().load(abi.pointer, trusted, record, callee);
        let code = FunctionRecord::Code.offset(abi.width);
        let code = builder.ins().load(abi.pointer, trusted, record, code);
        let state = save(builder, abi, context);
        let mut callees = state;
        if let Some(reserve) = reserve {
            let floor = ActivationField::StackFloor.offset(abi.width);
            let floor = builder.ins().load(abi.pointer, trusted, state[1], floor);
            let limit = builder.ins().iadd_imm_u(floor, i64::from(reserve));
            check_stack(builder, abi, context, limit);
            callees[0] = limit;
        }
        for (field, value) in ACTIVATION_STATE.into_iter().zip(callees) {
            builder
                .ins()
                .store(trusted, value, callee, field.offset(abi.width));
        }
        let signature = builder.func.import_signature(abi.wasm_signature(ty));
        let caller = context.get(builder);
        let mut all = Vec::with_capacity(arguments.len() + 1);
        match abi.context_register {
            ContextRegister::Pinned => {
                builder.ins().set_pinned_reg(callee);
            }
            ContextRegister::Parameter => all.push(callee),
        }
        all.extend_from_slice(arguments);
        let landing = builder.create_block();
        let exception = builder.append_block_param(landing, abi.pointer);
        builder.set_cold_block(landing);
        let handler = CAUGHT.item(builder.func, landing);
        let code = Callee::Address(signature, code);
        let results = code.try_call(builder, &all, [handler]);
        let returned = builder.current_block();
        // Whatever the callee throws goes on in the caller's instance, once that is back in place.
        builder.switch_to_block(landing);
        let back = |builder: &mut FunctionBuilder<'_>, context: &mut ContextAccess| {
            if abi.context_register == ContextRegister::Pinned {
                builder.ins().set_pinned_reg(caller);
            }
            context.resume(Some(caller));
            restore(builder, abi, context, state);
        };
        back(builder, context);
        libcall::throw(
            builder,
            abi,
            context,
            Libcall::Rethrow,
            exception,
            Vec::new(),
        );
        if let Some(returned) = returned {
            builder.switch_to_block(returned);
        }
        back(builder, context);
        results
    })
}

/// The common frame of both adapters: a wasm function that reads the record it was called for.
fn adapter(
    abi: &Abi,
    ty: &FunctionType,
    body: impl FnOnce(&mut FunctionBuilder<'_>, &mut ContextAccess, Value, &[Value]) -> Vec<Value>,
) -> Function {
    let mut function =
        Function::with_name_signature(UserFuncName::default(), abi.wasm_signature(ty));
    let mut builder_context = FunctionBuilderContext::new();
    let mut builder = FunctionBuilder::new(&mut function, &mut builder_context);
    let entry = builder.create_block();
    builder.append_block_params_for_function_params(entry);
    builder.switch_to_block(entry);
    let mut context = ContextAccess::new(abi, &builder, entry);
    let hidden = usize::from(abi.context_register == ContextRegister::Parameter);
    let arguments = builder.block_params(entry)[hidden..].to_vec();
    let here = context.get(&mut builder);
    let offset = Field::Callee.offset(abi.width);
    let record = builder
        .ins()
        .load(abi.pointer, MemFlagsData::trusted(), here, offset);
    let results = body(&mut builder, &mut context, record, &arguments);
    builder.ins().return_(&results);
    builder.seal_all_blocks();
    builder.finalize(abi.frontend);
    function
}

/// Raises a trap where the stack pointer is below the limit. Faults of adapters are not in the trap
/// table, so this is a call whatever the trap mode is.
fn check_stack(
    builder: &mut FunctionBuilder<'_>,
    abi: &Abi,
    context: &mut ContextAccess,
    limit: Value,
) {
    let pointer = builder.ins().get_stack_pointer(abi.pointer);
    let overflow = builder.ins().icmp(IntCC::UnsignedLessThan, pointer, limit);
    let (overflowing, fitting) = (builder.create_block(), builder.create_block());
    builder.set_cold_block(overflowing);
    builder.ins().brif(overflow, overflowing, &[], fitting, &[]);
    let recent = context.recent();
    builder.switch_to_block(overflowing);
    libcall::raise(builder, abi, context, TrapCode::StackOverflow as u32);
    builder.switch_to_block(fitting);
    context.resume(recent);
}

fn save(builder: &mut FunctionBuilder<'_>, abi: &Abi, context: &mut ContextAccess) -> [Value; 2] {
    ACTIVATION_STATE.map(|field| {
        let here = context.get(builder);
        let offset = field.offset(abi.width);
        builder
            .ins()
            .load(abi.pointer, MemFlagsData::trusted(), here, offset)
    })
}

fn restore(
    builder: &mut FunctionBuilder<'_>,
    abi: &Abi,
    context: &mut ContextAccess,
    state: [Value; 2],
) {
    for (field, value) in ACTIVATION_STATE.into_iter().zip(state) {
        let here = context.get(builder);
        builder.ins().store(
            MemFlagsData::trusted(),
            value,
            here,
            field.offset(abi.width),
        );
    }
}

fn value_offset(index: usize) -> i32 {
    // A function type has at most 1,000 parameters or results.
    index as i32 * VALUE_SIZE as i32
}

fn load_values(
    builder: &mut FunctionBuilder<'_>,
    abi: &Abi,
    types: &[wasmparser::ValType],
    values: Value,
) -> Vec<Value> {
    let types: Vec<Type> = types.iter().map(|ty| abi.value_type(*ty)).collect();
    let load = |(index, ty): (usize, &Type)| {
        builder
            .ins()
            .load(*ty, MemFlagsData::trusted(), values, value_offset(index))
    };
    types.iter().enumerate().map(load).collect()
}

fn store_values(builder: &mut FunctionBuilder<'_>, values: Value, sources: &[Value]) {
    for (index, source) in sources.iter().enumerate() {
        builder.ins().store(
            MemFlagsData::trusted(),
            *source,
            values,
            value_offset(index),
        );
    }
}
