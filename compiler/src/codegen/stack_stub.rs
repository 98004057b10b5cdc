//! The stack check of a function whose frame is larger than the reserve.
//!
//! The check at a function's entry runs when the frame is already taken and may be written. Where
//! the frame does not fit in the reserve below the limit, a stub in front of the function compares
//! first and then continues with a tail call, so that nothing is written beyond the limit.

use cranelift_codegen::ir::condcodes::IntCC;
use cranelift_codegen::ir::{ExtFuncData, ExternalName, Function, InstBuilder, UserFuncName};
use cranelift_frontend::{FunctionBuilder, FunctionBuilderContext};
use precast_format::context::Field;
use precast_format::trap::TrapCode;
use precast_format::tunables::{StackChecks, TrapMode};

use crate::abi::{self, Abi, ContextAccess, NAMESPACE_BODY};
use crate::options::Options;
use crate::translate::{Environment, clif_code};

/// Whether a frame of this size needs a check before it is taken.
pub(super) fn is_needed(options: &Options, frame_size: u32) -> bool {
    options.stack_checks == StackChecks::Explicit && frame_size > options.stack_reserve / 2
}

/// Builds the stub for a function with a frame of this size.
pub(super) fn build(environment: &Environment<'_>, function: u32, frame_size: u32) -> Function {
    let abi = &environment.abi;
    let signature = abi.wasm_signature(environment.module.function_type(function));
    let mut stub = Function::with_name_signature(UserFuncName::default(), signature.clone());
    let mut builder_context = FunctionBuilderContext::new();
    let mut builder = FunctionBuilder::new(&mut stub, &mut builder_context);
    let entry = builder.create_block();
    let overflowing = builder.create_block();
    let fitting = builder.create_block();
    builder.append_block_params_for_function_params(entry);
    builder.set_cold_block(overflowing);
    builder.switch_to_block(entry);
    let mut context = ContextAccess::new(abi, &builder, entry);
    let arguments = builder.block_params(entry).to_vec();
    let pointer = builder.ins().get_stack_pointer(abi.pointer);
    let limit = context.load_field(&mut builder, abi, Field::StackLimit);
    let needed = builder.ins().iadd_imm_u(limit, i64::from(frame_size));
    let overflow = builder.ins().icmp(IntCC::UnsignedLessThan, pointer, needed);
    builder.ins().brif(overflow, overflowing, &[], fitting, &[]);
    builder.switch_to_block(overflowing);
    match abi.trap_mode {
        TrapMode::Signals => {
            builder.ins().trap(clif_code(TrapCode::StackOverflow));
        }
        TrapMode::Explicit => {
            abi::raise(
                &mut builder,
                abi,
                &mut context,
                TrapCode::StackOverflow as u32,
            );
        }
    }
    builder.switch_to_block(fitting);
    let signature = builder.func.import_signature(signature);
    let name = builder
        .func
        .declare_imported_user_function(Abi::name(NAMESPACE_BODY, function));
    let body = builder.func.import_function(ExtFuncData {
        name: ExternalName::user(name),
        signature,
        colocated: true,
        patchable: false,
    });
    builder.ins().return_call(body, &arguments);
    builder.seal_all_blocks();
    builder.finalize(abi.frontend);
    stub
}
