//! From wasm instructions to CLIF, one concept of WebAssembly per file.
//!
//! A function is validated and translated in one pass. Each file adds methods to
//! [`FunctionTranslator`]; `operator.rs` says which instruction goes where.

mod atomic;
mod aux_stack;
mod bounds;
mod bulk;
mod call;
mod control;
mod conversion;
mod exception;
mod global;
mod interrupt;
mod legacy_try;
mod local;
mod memory;
mod numeric;
mod operator;
mod profile;
mod reference;
mod relaxed_simd;
mod simd;
mod stack_check;
mod table;
mod trap;
mod wide_arithmetic;

pub(crate) use atomic::check_threads;
pub(crate) use simd::check_vectors;
pub(crate) use trap::clif_code;

use std::collections::HashMap;

use cranelift_codegen::ir::{self, FuncRef, Function, InstBuilder, SigRef, SourceLoc};
use cranelift_codegen::ir::{UserFuncName, Value};
use cranelift_codegen::ir::{immediates::Ieee32, immediates::Ieee64, types};
use cranelift_frontend::{FunctionBuilder, FunctionBuilderContext};
use precast_format::aux_stack::AuxStack;
use precast_format::tunables::StackChecks;
use wasmparser::{FuncValidator, FuncValidatorAllocations, FunctionBody, ValidatorResources};

use self::bounds::{CheckedAddresses, MemoryPlan};
use self::control::Frame;
use self::exception::Handlers;
use self::legacy_try::LegacyTries;
use self::local::Locals;
use self::profile::ProfileFrames;
use crate::abi::{Abi, ContextAccess};
use crate::analysis::{Calls, CoveredFunctions, FunctionRecords, Usage};
use crate::error::{CompileError, Result};
use crate::limits::Shape;
use crate::module::{Body, Module};
use crate::options::Options;

/// Everything about the module and the artifact that a function's translation reads.
pub(crate) struct Environment<'a> {
    pub module: &'a Module<'a>,
    pub options: &'a Options,
    pub abi: Abi,
    pub usage: Usage,
    /// Who calls whom; not known where a body is not valid.
    pub calls: Option<Calls>,
    pub aux_stack: Option<AuxStack>,
    /// Whether code looks for interruptions.
    pub interrupt_checks: bool,
    pub records: FunctionRecords,
    pub covered: CoveredFunctions,
}

/// Allocations that one thread reuses from function to function.
#[derive(Default)]
pub(crate) struct Scratch {
    builder: FunctionBuilderContext,
    validator: FuncValidatorAllocations,
}

/// The state of one function's translation.
struct FunctionTranslator<'a, 'b> {
    environment: &'a Environment<'a>,
    abi: &'a Abi,
    module: &'a Module<'a>,
    builder: FunctionBuilder<'b>,
    context: ContextAccess,
    /// The wasm operand stack.
    stack: Vec<Value>,
    /// The wasm control stack, the function itself at the bottom.
    control: Vec<Frame>,
    /// Whether the current instruction can be executed.
    reachable: bool,
    locals: Locals,
    memories: Vec<MemoryPlan>,
    checked: CheckedAddresses,
    results: Vec<ir::Type>,
    handlers: Handlers,
    legacy_tries: LegacyTries,
    body: &'a FunctionBody<'a>,
    profile: ProfileFrames,
    /// The signatures that are declared, by canonical type.
    signatures: HashMap<u32, SigRef>,
    /// The functions that are declared, by index.
    functions: HashMap<u32, FuncRef>,
    /// Whether the function looks for stack.
    looks_for_stack: bool,
    makes_libcalls: bool,
    shape: Shape,
}

/// Validates and translates one function body into `function`, whose allocations are reused. Returns
/// how deep it goes.
///
/// # Errors
///
/// When the body is invalid, or uses what is not supported.
pub(crate) fn translate(
    environment: &Environment<'_>,
    body: Body<'_>,
    scratch: &mut Scratch,
    function: &mut Function,
) -> Result<Shape> {
    let Body {
        function: index,
        body,
        validation,
    } = body;
    let ty = environment.module.function_type(index);
    function.clear();
    // Clearing a function leaves these.
    function.dfg.exception_tables.clear();
    function.name = UserFuncName::user(crate::abi::NAMESPACE_FUNCTION, index);
    function.signature = environment.abi.wasm_signature(ty);
    let mut validator = validation.into_validator(std::mem::take(&mut scratch.validator));
    let builder = FunctionBuilder::new(function, &mut scratch.builder);
    let shape = translate_body(environment, builder, index, &body, &mut validator)
        .map_err(|error| error.in_function(index))?;
    scratch.validator = validator.into_allocations();
    check_vectors(function, &environment.options.target)
        .map_err(|error| error.in_function(index))?;
    Ok(shape)
}

fn translate_body<'a>(
    environment: &'a Environment<'a>,
    mut builder: FunctionBuilder<'_>,
    index: u32,
    body: &'a FunctionBody<'a>,
    validator: &mut FuncValidator<ValidatorResources>,
) -> Result<Shape> {
    let ty = environment.module.function_type(index);
    let entry = builder.create_block();
    builder.append_block_params_for_function_params(entry);
    builder.switch_to_block(entry);
    builder.seal_block(entry);
    let abi = &environment.abi;
    let context = ContextAccess::new(abi, &builder, entry);
    let mut translator = FunctionTranslator {
        environment,
        abi,
        module: environment.module,
        builder,
        context,
        stack: Vec::new(),
        control: Vec::new(),
        reachable: true,
        locals: Locals::Variables(Vec::new()),
        memories: Vec::new(),
        checked: CheckedAddresses::default(),
        results: ty.results.iter().map(|ty| abi.value_type(*ty)).collect(),
        handlers: Handlers::default(),
        legacy_tries: LegacyTries::default(),
        body,
        profile: ProfileFrames::default(),
        signatures: HashMap::new(),
        functions: HashMap::new(),
        looks_for_stack: environment.options.stack_checks == StackChecks::Explicit
            && !environment.covered.contains(index),
        makes_libcalls: false,
        shape: Shape::default(),
    };
    translator.at_offset(body.range().start);
    translator.begin_stack_check();
    let mut reader = body.get_binary_reader();
    translator.declare_locals(entry, ty, &mut reader, validator)?;
    translator.enter_profile(index);
    translator.plan_memories();
    translator.check_interrupt();
    translator.enter_function();
    let mut operators = wasmparser::OperatorsReader::new(reader);
    while !operators.eof() {
        let (operator, offset) = operators.read_with_offset()?;
        validator.op(offset, &operator)?;
        translator.at_offset(offset);
        translator
            .operator(&operator)
            .map_err(|error| error.at(offset as usize))?;
        translator.shape.note_operands(translator.stack.len());
        translator
            .shape
            .note_nesting(translator.control.len().saturating_sub(1))
            .and_then(|()| translator.shape.check_handlers())
            .map_err(|error| error.at(offset as usize))?;
    }
    operators.finish()?;
    translator.end_stack_check(entry);
    let shape = translator.shape;
    translator.builder.finalize(abi.frontend);
    Ok(shape)
}

impl FunctionTranslator<'_, '_> {
    /// Attributes what follows to the instruction at this offset of the module.
    fn at_offset(&mut self, offset: u64) {
        // The validator accepts modules of less than 4 GiB only.
        self.builder.set_srcloc(SourceLoc::new(offset as u32));
    }

    /// The zero or null of a type.
    fn zero(&mut self, ty: ir::Type) -> Value {
        match ty {
            types::F32 => self.builder.ins().f32const(Ieee32::with_bits(0)),
            types::F64 => self.builder.ins().f64const(Ieee64::with_bits(0)),
            types::I8X16 => self.v128_constant([0; 16]),
            _ => self.builder.ins().iconst(ty, 0),
        }
    }

    fn v128_constant(&mut self, bytes: [u8; 16]) -> Value {
        let constant = self
            .builder
            .func
            .dfg
            .constants
            .insert(bytes.to_vec().into());
        self.builder.ins().vconst(types::I8X16, constant)
    }

    /// Remembers that the function calls the loader, for its check of the stack.
    fn makes_libcalls(&mut self) {
        self.makes_libcalls = true;
    }

    fn push(&mut self, value: Value) {
        self.stack.push(value);
    }

    /// Pops an operand that the validator has seen.
    fn pop(&mut self) -> Value {
        self.stack
            .pop()
            .expect("the validator checks the depth of the operand stack")
    }

    fn pop2(&mut self) -> (Value, Value) {
        let second = self.pop();
        (self.pop(), second)
    }

    fn pop3(&mut self) -> (Value, Value, Value) {
        let third = self.pop();
        let (first, second) = self.pop2();
        (first, second, third)
    }

    /// Pops as many operands as there are, in the order in which they were pushed.
    fn pop_many(&mut self, count: usize) -> Vec<Value> {
        self.stack.split_off(self.stack.len() - count)
    }

    fn unsupported<T>(&self, what: &str) -> Result<T> {
        Err(CompileError::unsupported(format!(
            "the module needs {what}"
        )))
    }
}
