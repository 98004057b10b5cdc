//! From the linked text and the module's description to the bytes of an artifact.

use cranelift_codegen::binemit::Reloc;
use precast_format::libcall::LibcallSet;
use precast_format::relocation::{RelocationKind, SymbolKind};
use precast_format::target::{CpuFeatures, Isa};
use precast_format::tunables::Tunables;
use precast_format::types::{ConstOp, ExternKind, ImportType};
use precast_format::write::{self, ArtifactBuilder, WriteError};
use wasmparser::{ExternalKind, ValType};

use super::handlers;
use super::image::images;
use super::types::{global_type, reference_type, table_type, value_type};
use crate::analysis::StackDepths;
use crate::error::{CompileError, Result};
use crate::link::{Linked, LinkedFunction};
use crate::module::{self, ConstantExpression, ConstantOp, ElementItems, SegmentMode};
use crate::translate::Environment;

/// Writes the artifact.
///
/// # Errors
///
/// When the module exceeds a limit of the format, or uses a type that the format does not have.
pub(crate) fn artifact(
    environment: &Environment<'_>,
    linked: Linked,
    depths: StackDepths,
    stack_reserve: u32,
) -> Result<Vec<u8>> {
    let artifact = describe(environment, linked, depths, stack_reserve)?;
    // The writer reads what it wrote with the loader's reader.
    artifact.into_bytes().map_err(write_error)
}

/// What could not be written, or is refused by the loader's reader.
pub(super) fn write_error(error: WriteError) -> CompileError {
    match error {
        WriteError::TooLarge => CompileError::limit(error.to_string()),
        _ => CompileError::internal(error.to_string()),
    }
}

/// Describes the artifact.
///
/// # Errors
///
/// As [`artifact`].
pub(super) fn describe(
    environment: &Environment<'_>,
    linked: Linked,
    depths: StackDepths,
    stack_reserve: u32,
) -> Result<ArtifactBuilder> {
    let (module, options) = (environment.module, environment.options);
    let target = write::Target {
        isa: options.target.isa(),
        endianness: options.target.endianness(),
        host_abi: options.target.host_abi(),
        page_size_log2: options.page_size_log2(),
    };
    let tunables = Tunables {
        bounds_checks: options.bounds_checks,
        stack_checks: options.stack_checks,
        trap_mode: options.trap_mode,
        relocation_model: options.relocation_model(),
        call_profile: options.call_profile,
        interrupt_checks: environment.interrupt_checks,
        memory_reservation: options.memory_reservation,
        memory_guard: options.memory_guard,
        stack_reserve,
    };
    let mut artifact = ArtifactBuilder::new(target, tunables);
    artifact.wasm_features = environment.usage.features();
    artifact.libcalls = LibcallSet(environment.abi.libcalls_used());
    artifact.module_name = module.name.map(str::to_owned);
    artifact.start_function = module.start;
    artifact.types = types(environment, &linked)?;
    artifact.imports = imports(module)?;
    artifact.exports = exports(module)?;
    artifact.tables = module.tables[module.imported_tables as usize..]
        .iter()
        .map(|table| {
            let init = table.init.as_ref().map(expression).transpose()?;
            Ok(write::Table {
                ty: table_type(&table.ty)?,
                init,
            })
        })
        .collect::<Result<_>>()?;
    artifact.memories = module.memories[module.imported_memories as usize..].to_vec();
    artifact.globals = module.globals[module.imported_globals as usize..]
        .iter()
        .map(|global| {
            let init = global.init.as_ref().map_or(Ok(Vec::new()), expression)?;
            Ok(write::Global {
                ty: global_type(&global.ty)?,
                init,
            })
        })
        .collect::<Result<_>>()?;
    let tags = module.tags[module.imported_tags as usize..].iter();
    artifact.tags = tags.map(|ty| write::Tag { type_index: *ty }).collect();
    handlers::add_handlers(&mut artifact, &linked);
    artifact.elements = elements(module)?;
    add_data(&mut artifact, module, options.page_size_log2())?;
    artifact.relocations = relocations(&linked)?;
    artifact.cpu_features = match options.target.isa() {
        // Data between the code may look like features that are not allowed, and so not used.
        Isa::X86_64 => CpuFeatures(linked.cpu_features.0 & options.target.features().0),
        // No decoder: what was allowed stands for what is used.
        _ => options.target.features(),
    };
    if options.names {
        artifact.function_names = module
            .display_names()
            .into_iter()
            .map(|name| name.map(str::to_owned))
            .collect();
    }
    if options.custom_sections {
        artifact.custom_sections = module
            .custom_sections
            .iter()
            .filter(|(name, _)| !name.starts_with(".debug_") && *name != "sourceMappingURL")
            .map(|(name, bytes)| write::CustomSection {
                name: (*name).to_owned(),
                bytes: bytes.to_vec(),
            })
            .collect();
    }
    artifact.aux_stack = environment.aux_stack;
    artifact.stack_bounds = depths.bounds;
    if options.function_depths {
        artifact.function_depths = depths.functions;
    }
    artifact.functions = functions(environment, linked.functions);
    artifact.text = linked.text;
    Ok(artifact)
}

fn expression(expression: &ConstantExpression) -> Result<Vec<ConstOp>> {
    expression
        .ops
        .iter()
        .map(|op| {
            Ok(match *op {
                ConstantOp::I32(value) => ConstOp::I32Const(value),
                ConstantOp::I64(value) => ConstOp::I64Const(value),
                ConstantOp::F32(bits) => ConstOp::F32Const(bits),
                ConstantOp::F64(bits) => ConstOp::F64Const(bits),
                ConstantOp::V128(value) => ConstOp::V128Const(value.to_le_bytes()),
                ConstantOp::GlobalGet(global) => ConstOp::GlobalGet(global),
                ConstantOp::RefNull(ty) => ConstOp::RefNull(value_type(ty)?),
                ConstantOp::RefFunc(function) => ConstOp::RefFunc(function),
                ConstantOp::I32Add => ConstOp::I32Add,
                ConstantOp::I32Sub => ConstOp::I32Sub,
                ConstantOp::I32Mul => ConstOp::I32Mul,
                ConstantOp::I64Add => ConstOp::I64Add,
                ConstantOp::I64Sub => ConstOp::I64Sub,
                ConstantOp::I64Mul => ConstOp::I64Mul,
            })
        })
        .collect()
}

fn types(environment: &Environment<'_>, linked: &Linked) -> Result<Vec<write::FuncType>> {
    let module = environment.module;
    module
        .types
        .iter()
        .zip(&module.canonical_types)
        .zip(&module.following_types)
        .map(|((ty, canonical), following)| {
            let values = |types: &[ValType]| {
                let values = types.iter().map(|ty| value_type(*ty));
                values.collect::<Result<_>>()
            };
            let adapters = &linked.adapters[*canonical as usize];
            Ok(write::FuncType {
                params: values(&ty.params)?,
                results: values(&ty.results)?,
                canonical: *canonical,
                following: *following,
                entry_trampoline: adapters.entry,
                host_adapter: adapters.host,
                switch_adapter: adapters.switch,
            })
        })
        .collect()
}

fn imports(module: &module::Module<'_>) -> Result<Vec<write::Import>> {
    module
        .imports
        .iter()
        .map(|import| {
            let ty = match &import.ty {
                module::ImportType::Function(ty) => ImportType::Function(*ty),
                module::ImportType::Table(ty) => ImportType::Table(table_type(ty)?),
                module::ImportType::Memory(ty) => ImportType::Memory(*ty),
                module::ImportType::Global(ty) => ImportType::Global(global_type(ty)?),
                module::ImportType::Tag(ty) => ImportType::Tag(*ty),
            };
            Ok(write::Import {
                module: import.module.to_owned(),
                name: import.name.to_owned(),
                ty,
            })
        })
        .collect()
}

fn exports(module: &module::Module<'_>) -> Result<Vec<write::Export>> {
    module
        .exports
        .iter()
        .map(|export| {
            let kind = match export.kind {
                ExternalKind::Func | ExternalKind::FuncExact => ExternKind::Function,
                ExternalKind::Table => ExternKind::Table,
                ExternalKind::Memory => ExternKind::Memory,
                ExternalKind::Global => ExternKind::Global,
                ExternalKind::Tag => ExternKind::Tag,
            };
            Ok(write::Export {
                name: export.name.to_owned(),
                kind,
                index: export.index,
            })
        })
        .collect()
}

fn functions(environment: &Environment<'_>, linked: Vec<LinkedFunction>) -> Vec<write::Function> {
    let module = environment.module;
    let function = |(index, function): (u32, LinkedFunction)| {
        let call_sites = match environment.options.call_sites {
            true => function.calls,
            false => Vec::new(),
        };
        write::Function {
            type_index: module.functions[index as usize],
            text_offset: function.offset,
            text_size: function.size,
            frame_size: function.frame_size,
            record: environment.records.number(index),
            wasm_offset: function.wasm_offset,
            traps: function.traps,
            call_sites,
        }
    };
    module
        .defined_functions()
        .zip(linked)
        .map(function)
        .collect()
}

fn elements(module: &module::Module<'_>) -> Result<Vec<write::ElementSegment>> {
    module
        .elements
        .iter()
        .map(|segment| {
            let mode = match &segment.mode {
                SegmentMode::Active { index, offset } => write::ElementMode::Active {
                    table: *index,
                    offset: expression(offset)?,
                },
                SegmentMode::Passive => write::ElementMode::Passive,
                SegmentMode::Declared => write::ElementMode::Declared,
            };
            let items = match &segment.items {
                ElementItems::Functions(functions) => {
                    write::ElementItems::Functions(functions.iter().copied().map(Some).collect())
                }
                ElementItems::Expressions(items) => expressions_or_functions(items)?,
            };
            Ok(write::ElementSegment {
                mode,
                element: reference_type(segment.ty)?,
                items,
            })
        })
        .collect()
}

/// Expressions that only name functions or null are stored as the shorter form.
fn expressions_or_functions(items: &[ConstantExpression]) -> Result<write::ElementItems> {
    let function = |item: &ConstantExpression| match item.ops[..] {
        [ConstantOp::RefFunc(function)] => Some(Some(function)),
        [ConstantOp::RefNull(ValType::FUNCREF)] => Some(None),
        _ => None,
    };
    if let Some(functions) = items.iter().map(function).collect() {
        return Ok(write::ElementItems::Functions(functions));
    }
    let items = items.iter().map(expression).collect::<Result<_>>()?;
    Ok(write::ElementItems::Expressions(items))
}

fn add_data(
    artifact: &mut ArtifactBuilder,
    module: &module::Module<'_>,
    page_size_log2: u8,
) -> Result<()> {
    let images = images(module, page_size_log2);
    for segment in &module.data {
        let mode = match &segment.mode {
            SegmentMode::Active { index, offset } => write::DataMode::Active {
                memory: *index,
                offset: expression(offset)?,
            },
            _ => write::DataMode::Passive,
        };
        let in_image = images.is_some() && matches!(segment.mode, SegmentMode::Active { .. });
        // What the image holds is not stored again.
        let bytes = if in_image {
            Vec::new()
        } else {
            segment.bytes.to_vec()
        };
        artifact.data.push(write::DataSegment {
            mode,
            in_image,
            bytes,
        });
    }
    for image in images.into_iter().flatten() {
        artifact.image.push(write::ImagePart {
            memory: image.memory,
            address: image.address,
            bytes: image.bytes,
        });
    }
    Ok(())
}

fn relocations(linked: &Linked) -> Result<Vec<write::Relocation>> {
    linked
        .relocations
        .iter()
        .map(|relocation| {
            let kind = match relocation.kind {
                Reloc::Abs8 => RelocationKind::Abs8,
                kind => {
                    return Err(CompileError::unsupported(format!(
                        "the direct relocation model on this target (relocation {kind:?}); use xip"
                    )));
                }
            };
            Ok(write::Relocation {
                offset: relocation.offset,
                kind,
                symbol_kind: SymbolKind::Libcall,
                symbol: relocation.libcall as u32,
                addend: relocation.addend,
            })
        })
        .collect()
}
