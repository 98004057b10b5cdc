//! The Precast compiler: a wasm module becomes an artifact or an object file of native code.
//!
//! The whole pipeline is [`compile_to`]: parse the module, analyse it, translate its functions to
//! CLIF and that to machine code on several threads, link one text, write the artifact, and read
//! it again with the loader's reader. Data walks one way through the folders `module`, `analysis`,
//! `abi`, `translate`, `codegen`, `link`, `emit`.
//!
//! The compiler never runs what it makes and knows nothing of the loader's code; both rely on
//! `precast-format` alone.
#![forbid(unsafe_code)]

mod abi;
mod analysis;
mod codegen;
pub mod emit;
mod error;
mod limits;
mod link;
mod module;
mod options;
mod progress;
mod target;
mod translate;

pub use error::{CompileError, ErrorKind, Result};
pub use options::{ContextRegister, OptLevel, Options, WasmVersion};
pub use progress::{Progress, Silent};
pub use target::{ALIASES, Alias, KNOWN, KnownTarget, Support, Target, Tested};

use precast_format::features::WasmFeature;
use precast_format::tunables::RelocationModel;
use precast_format::types::MemoryType;

use crate::translate::Environment;

/// The outcome of a compilation.
#[derive(Debug, Clone)]
pub struct Compiled {
    /// The artifact's bytes.
    pub artifact: Vec<u8>,
    /// How many functions have code.
    pub functions: usize,
    /// Size of the text in bytes, adapters and trampolines included.
    pub text_bytes: usize,
}

/// The outcome of a compilation to an object file.
#[derive(Debug, Clone)]
pub struct CompiledObject {
    /// The object file's bytes.
    pub object: Vec<u8>,
    /// The artifact in the split form, as the object file has it.
    pub metadata: Vec<u8>,
    /// How many functions have code.
    pub functions: usize,
    /// Size of the text in bytes, adapters and trampolines included.
    pub text_bytes: usize,
}

/// Compiles a module to an artifact.
///
/// The same module and options give the same bytes on every host and with any number of threads.
///
/// # Errors
///
/// When the module is not valid, needs what is not supported, or is too large; see [`ErrorKind`].
pub fn compile(wasm: &[u8], options: &Options, progress: &dyn Progress) -> Result<Compiled> {
    compile_to(wasm, options, progress, |code| {
        let (functions, text_bytes) = (code.linked.functions.len(), code.linked.text.len());
        let (environment, stack_reserve) = (code.environment, code.stack_reserve);
        Ok(Compiled {
            artifact: emit::artifact(environment, code.linked, code.depths, stack_reserve)?,
            functions,
            text_bytes,
        })
    })
}

/// Compiles a module to an object file, which a linker puts into a program.
///
/// Whatever the options say, the code is executed in place, and nothing is aligned to pages.
///
/// # Errors
///
/// As [`compile`], and when there is no object file for the target.
pub fn compile_object(
    wasm: &[u8],
    options: &Options,
    object: &emit::ObjectOptions,
    progress: &dyn Progress,
) -> Result<CompiledObject> {
    let machine = emit::ObjectMachine::new(&options.target, object)?;
    let mut options = options.clone();
    options.relocation_model = RelocationModel::Xip;
    options.page_size_log2 = Some(0);
    options.function_depths = false;
    options.unwind_info = machine.has_frame_tables();
    compile_to(wasm, &options, progress, |code| {
        let (functions, text_bytes) = (code.linked.functions.len(), code.linked.text.len());
        let (object, metadata) = emit::object(code, &machine, &object.name)?;
        Ok(CompiledObject {
            object,
            metadata,
            functions,
            text_bytes,
        })
    })
}

/// Code that has its place, and all that is known of it.
pub(crate) struct Code<'a> {
    environment: &'a Environment<'a>,
    isa: &'a dyn cranelift_codegen::isa::TargetIsa,
    linked: link::Linked,
    depths: analysis::StackDepths,
    stack_reserve: u32,
}

/// Goes the way from a module to code, and on to what is made of it.
fn compile_to<T>(
    wasm: &[u8],
    options: &Options,
    progress: &dyn Progress,
    emit: impl FnOnce(Code<'_>) -> Result<T>,
) -> Result<T> {
    options.check()?;
    let isa = options.target.cranelift_isa(options)?;
    let plain = options.target.plain_cranelift_isa(options)?;
    let isas = codegen::Isas {
        chosen: &*isa,
        plain: &*plain,
    };
    let explain = |error| module::explain_body(wasm, options.wasm.features(), error);
    let (module, bodies) = parse(wasm, options)?;
    progress.begin(bodies.len(), bodies.iter().map(module::Body::size).sum());
    let environment = environment(&module, &bodies, options, &*isa).map_err(explain)?;
    let mut functions =
        codegen::compile_functions(&environment, isas, bodies, progress).map_err(explain)?;
    codegen::cover_functions(&environment, &*isa, &mut functions)?;
    let adapters = codegen::compile_adapters(&environment, &*isa, &functions)?;
    let frames = analysis::StackFrames::new(&environment, &functions, &adapters);
    let depths = analysis::StackDepths::new(&environment, &frames)?;
    if let Some(limit) = options.max_stack {
        analysis::check_stack_limit(&module, &depths, adapters.stack_reserve, limit)?;
    }
    let linked = link::link(&environment, &*isa, functions, adapters.by_type)?;
    emit(Code {
        environment: &environment,
        isa: &*isa,
        linked,
        depths,
        stack_reserve: adapters.stack_reserve,
    })
}

/// What the module says, with the memory that the options ask for.
fn parse<'a>(
    wasm: &'a [u8],
    options: &Options,
) -> Result<(module::Module<'a>, Vec<module::Body<'a>>)> {
    let (mut module, bodies) = module::parse(wasm, options.wasm.features())?;
    if options.shrink_memory {
        analysis::shrink_memory(&mut module, &bodies)
            .map_err(|error| module::explain_body(wasm, options.wasm.features(), error))?;
    }
    Ok((module, bodies))
}

fn environment<'a>(
    module: &'a module::Module<'a>,
    bodies: &[module::Body<'_>],
    options: &'a Options,
    isa: &dyn cranelift_codegen::isa::TargetIsa,
) -> Result<Environment<'a>> {
    let mut usage = analysis::Usage::new(module, bodies, options.thread_count())?;
    let calls = analysis::Calls::new(module, &usage.take_calls());
    let uses_threads = usage.features().contains(WasmFeature::Threads);
    translate::check_threads(module, uses_threads, options)?;
    let is_shared = |memory: &MemoryType| memory.shared;
    let interrupt_checks = options
        .interrupt_checks
        .unwrap_or_else(|| module.memories.iter().any(is_shared));
    options.target.require_options(options, interrupt_checks)?;
    let aux_stack = usage.aux_stack(module, options.aux_stack_checks);
    let records = analysis::FunctionRecords::new(module);
    let abi = abi::Abi::new(module, records.len(), options, isa)?;
    let covered = analysis::CoveredFunctions::new(module, calls.as_ref(), options.stack_checks);
    Ok(Environment {
        module,
        options,
        abi,
        usage,
        calls,
        aux_stack,
        interrupt_checks,
        records,
        covered,
    })
}
