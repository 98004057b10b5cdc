//! From CLIF to machine code, function by function.

mod bytecode_traps;
mod cpu_features;
mod function;
mod outgoing_arguments;
mod parallel;
mod stack_cover;
mod stack_reserve;
mod stack_stub;

pub(crate) use function::{
    Chunk, CompiledFunction, Handlers, Relocation, RelocationTarget, compile_clif,
};
pub(crate) use outgoing_arguments::save_area;
pub(crate) use parallel::{Isas, compile_functions};
pub(crate) use stack_cover::cover_functions;

use cranelift_codegen::isa::TargetIsa;
use precast_format::tunables::StackChecks;
use wasmparser::ExternalKind;

use self::stack_reserve::LargestFrames;
use crate::abi;
use crate::error::Result;
use crate::module::ImportType;
use crate::translate::{Environment, check_vectors};

/// The trampoline and adapters of one function type; each only where something needs it.
#[derive(Default)]
pub(crate) struct Adapters {
    pub entry: Option<Chunk>,
    pub host: Option<Chunk>,
    pub switch: Option<Chunk>,
}

/// The frames of a type's trampoline and adapter, in bytes; zero where there is none.
#[derive(Clone, Copy, Default)]
pub(crate) struct AdapterFrames {
    pub entry: u32,
    pub host: u32,
}

/// All trampolines and adapters of an artifact.
pub(crate) struct AllAdapters {
    /// By canonical type.
    pub by_type: Vec<Adapters>,
    /// By canonical type.
    pub frames: Vec<AdapterFrames>,
    /// How far below the stack limit the artifact's code goes without asking, in bytes.
    pub stack_reserve: u32,
}

/// Compiles trampolines and adapters, knowing the functions.
///
/// # Errors
///
/// When Cranelift fails, which is a defect.
pub(crate) fn compile_adapters(
    environment: &Environment<'_>,
    isa: &dyn TargetIsa,
    functions: &[CompiledFunction],
) -> Result<AllAdapters> {
    let module = environment.module;
    let count = module.types.len();
    let (mut entered, mut imported, mut shared) =
        (vec![false; count], vec![false; count], vec![false; count]);
    for function in environment.records.functions() {
        let ty = module.canonical_type_of(*function) as usize;
        entered[ty] = true;
        shared[ty] = true;
    }
    if let Some(start) = module.start {
        entered[module.canonical_type_of(start) as usize] = true;
    }
    for export in module
        .exports
        .iter()
        .filter(|export| export.kind == ExternalKind::Func)
    {
        entered[module.canonical_type_of(export.index) as usize] = true;
    }
    for import in &module.imports {
        if let ImportType::Function(ty) = import.ty {
            imported[module.canonical_types[ty as usize] as usize] = true;
        }
    }
    if environment.options.host_references {
        // Types that are equal to an earlier one have that one's.
        for ty in &module.canonical_types {
            imported[*ty as usize] = true;
        }
    }
    let abi = &environment.abi;
    let mut context = function::CodeContext::new(isa);
    let mut compile = |function, frame_size: &mut u32| -> Result<Option<Chunk>> {
        check_vectors(&function, &environment.options.target)?;
        let code = compile_clif(isa, &mut context, function)?;
        *frame_size = code.frame_size;
        Ok(Some(code.chunk))
    };
    let unchecked = functions.iter();
    let unchecked = unchecked.map(|function| function.unchecked_size);
    let mut frames = LargestFrames {
        function: unchecked.max().unwrap_or(0),
        ..LargestFrames::default()
    };
    let mut by_type = Vec::with_capacity(count);
    let mut all_frames = Vec::with_capacity(count);
    for (index, ty) in module.types.iter().enumerate() {
        let mut adapters = Adapters::default();
        let mut sizes = AdapterFrames::default();
        if entered[index] {
            let trampoline = compile(abi::entry_trampoline(abi, ty), &mut sizes.entry)?;
            // Exceptions leave there: where the trampoline goes on is no handler of theirs.
            adapters.entry = trampoline.map(|chunk| Chunk {
                handlers: Handlers::default(),
                ..chunk
            });
        }
        if imported[index] {
            adapters.host = compile(abi::host_adapter(abi, ty), &mut sizes.host)?;
        }
        frames.entry = sizes.entry.max(frames.entry);
        frames.host = sizes.host.max(frames.host);
        by_type.push(adapters);
        all_frames.push(sizes);
    }
    let stack_reserve = stack_reserve::stack_reserve(environment, &frames);
    // These say how large the reserve is, and are no part of it.
    let checks = environment.options.stack_checks == StackChecks::Explicit;
    let checked_reserve = checks.then_some(stack_reserve);
    for (index, ty) in module.types.iter().enumerate() {
        if shared[index] {
            let mut frame_size = 0;
            let adapter = abi::switch_adapter(abi, ty, checked_reserve);
            by_type[index].switch = compile(adapter, &mut frame_size)?;
            stack_reserve::check_switch_adapter(environment.options.target.isa(), ty, frame_size)?;
        }
    }
    Ok(AllAdapters {
        by_type,
        frames: all_frames,
        stack_reserve,
    })
}
