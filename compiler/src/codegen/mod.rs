//! From CLIF to machine code, function by function.

mod cpu_features;
mod function;
mod parallel;
mod stack_stub;

pub(crate) use function::{Chunk, CompiledFunction, Relocation, RelocationTarget, compile_clif};
pub(crate) use parallel::compile_functions;

use cranelift_codegen::isa::TargetIsa;
use wasmparser::ExternalKind;

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

/// Compiles trampolines and adapters, indexed by canonical type.
///
/// # Errors
///
/// When Cranelift fails, which is a defect.
pub(crate) fn compile_adapters(
    environment: &Environment<'_>,
    isa: &dyn TargetIsa,
) -> Result<Vec<Adapters>> {
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
    let abi = &environment.abi;
    let mut all = Vec::with_capacity(count);
    let mut context = cranelift_codegen::Context::new();
    for (index, ty) in module.types.iter().enumerate() {
        let mut compile = |wanted: bool, build: fn(&abi::Abi, &_) -> _| {
            if !wanted {
                return Ok(None);
            }
            let function = build(abi, ty);
            check_vectors(&function, &environment.options.target)?;
            compile_clif(isa, &mut context, function).map(|code| Some(code.chunk))
        };
        all.push(Adapters {
            entry: compile(entered[index], abi::entry_trampoline)?,
            host: compile(imported[index], abi::host_adapter)?,
            switch: compile(shared[index], abi::switch_adapter)?,
        });
    }
    Ok(all)
}
