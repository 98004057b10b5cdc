//! The text: functions in the order of their index, then trampolines and adapters.

use cranelift_codegen::binemit::Reloc;
use cranelift_codegen::control::ControlPlane;
use cranelift_codegen::isa::TargetIsa;
use precast_format::libcall::Libcall;
use precast_format::target::CpuFeatures;
use precast_format::write::{CallSite, TrapSite};

use crate::abi::{NAMESPACE_BODY, NAMESPACE_FUNCTION, NAMESPACE_LIBCALL};
use crate::codegen::{Adapters, Chunk, CompiledFunction, Handlers, Relocation, RelocationTarget};
use crate::error::{CompileError, Result};
use crate::options::OptLevel;
use crate::translate::Environment;

/// A linked text and its tables. Offsets count from the start of the text.
pub(crate) struct Linked {
    pub text: Vec<u8>,
    /// Defined functions in the order of their index.
    pub functions: Vec<LinkedFunction>,
    /// By canonical type.
    pub adapters: Vec<AdapterOffsets>,
    /// What is left for the loader.
    pub relocations: Vec<LoaderRelocation>,
    /// Where exceptions are caught.
    pub handlers: Handlers,
    /// CPU features that the code needs, where they can be read off it.
    pub cpu_features: CpuFeatures,
}

/// A function in the text.
pub(crate) struct LinkedFunction {
    pub offset: u32,
    pub size: u32,
    pub frame_size: u32,
    pub wasm_offset: u32,
    /// Offsets count from the start of the function.
    pub traps: Vec<TrapSite>,
    /// Offsets count from the start of the function.
    pub calls: Vec<CallSite>,
}

impl LinkedFunction {
    /// Adds the sites of a chunk that begins so far into the function. Nearly every function has one
    /// chunk, whose tables become the function's.
    fn add_sites(&mut self, start: u32, chunk: Chunk) {
        let (mut traps, mut calls) = (chunk.traps, chunk.calls);
        for trap in &mut traps {
            trap.code_offset += start;
            if trap.wasm_offset == 0 {
                trap.wasm_offset = self.wasm_offset;
            }
        }
        for call in &mut calls {
            call.code_offset += start;
        }
        if self.traps.is_empty() {
            self.traps = traps;
        } else {
            self.traps.extend(traps);
        }
        if self.calls.is_empty() {
            self.calls = calls;
        } else {
            self.calls.extend(calls);
        }
    }
}

/// Where the trampoline and adapters of a type are.
#[derive(Default)]
pub(crate) struct AdapterOffsets {
    pub entry: Option<u32>,
    pub host: Option<u32>,
    pub switch: Option<u32>,
}

/// A relocation against a libcall.
pub(crate) struct LoaderRelocation {
    pub offset: u32,
    pub kind: Reloc,
    pub libcall: Libcall,
    pub addend: i64,
}

/// A chunk that has its place, and the relocations that wait until all have.
struct Placed {
    offset: u64,
    label: usize,
    relocations: Vec<Relocation>,
}

/// Lays out the text and resolves what can be.
///
/// # Errors
///
/// When the text exceeds 2 GiB, or a relocation has a kind that the target should not have.
pub(crate) fn link(
    environment: &Environment<'_>,
    isa: &dyn TargetIsa,
    functions: Vec<CompiledFunction>,
    adapters: Vec<Adapters>,
) -> Result<Linked> {
    // Labels are numbered in the order of the chunks; the last chunk of a function is its body.
    let mut labels = Vec::with_capacity(functions.len());
    let mut label_count = 0;
    for function in &functions {
        labels.push((label_count, label_count + function.chunks.len() - 1));
        label_count += function.chunks.len();
    }
    for set in &adapters {
        label_count += [&set.entry, &set.host, &set.switch]
            .into_iter()
            .flatten()
            .count();
    }
    let mut builder = isa.text_section_builder(label_count);
    let mut control = ControlPlane::default();
    let alignments = isa.function_alignment();
    let function_alignment = match environment.options.opt_level {
        OptLevel::Size => alignments.minimum,
        OptLevel::None | OptLevel::Speed => alignments.preferred,
    };
    let mut placed = Vec::with_capacity(label_count);
    let mut cpu_features = CpuFeatures::default();
    let mut handlers = Handlers::default();
    let mut place = |mut chunk: Chunk| -> Result<(u32, Chunk)> {
        let align = chunk.alignment.max(function_alignment);
        let offset = builder.append(true, &chunk.code, align, &mut control);
        let end = offset + chunk.code.len() as u64;
        if end > i32::MAX as u64 {
            return Err(CompileError::limit("the text exceeds 2 GiB"));
        }
        cpu_features.0 |= chunk.cpu_features.0;
        handlers.append(offset as u32, std::mem::take(&mut chunk.handlers));
        placed.push(Placed {
            offset,
            label: placed.len(),
            relocations: std::mem::take(&mut chunk.relocations),
        });
        Ok((offset as u32, chunk))
    };

    let mut linked_functions = Vec::with_capacity(functions.len());
    for function in functions {
        let mut linked = LinkedFunction {
            offset: 0,
            size: 0,
            frame_size: function.frame_size,
            wasm_offset: function.wasm_offset,
            traps: Vec::new(),
            calls: Vec::new(),
        };
        for (index, chunk) in function.chunks.into_iter().enumerate() {
            let (offset, chunk) = place(chunk)?;
            if index == 0 {
                linked.offset = offset;
            }
            linked.size = offset + chunk.code.len() as u32 - linked.offset;
            linked.add_sites(offset - linked.offset, chunk);
        }
        linked_functions.push(linked);
    }
    let mut adapter_offsets = Vec::with_capacity(adapters.len());
    for set in adapters {
        let mut offset = |chunk: Option<Chunk>| -> Result<Option<u32>> {
            chunk
                .map(|chunk| place(chunk).map(|(offset, _)| offset))
                .transpose()
        };
        adapter_offsets.push(AdapterOffsets {
            entry: offset(set.entry)?,
            host: offset(set.host)?,
            switch: offset(set.switch)?,
        });
    }

    let imported = environment.module.imported_functions;
    let mut relocations = Vec::new();
    for chunk in placed {
        for relocation in chunk.relocations {
            let offset = chunk.offset + u64::from(relocation.offset);
            let (label, addend) = match relocation.target {
                RelocationTarget::Here(target) => {
                    (chunk.label, relocation.addend + i64::from(target))
                }
                RelocationTarget::Name(name) => match name.namespace {
                    NAMESPACE_FUNCTION => (
                        labels[(name.index - imported) as usize].0,
                        relocation.addend,
                    ),
                    NAMESPACE_BODY => (
                        labels[(name.index - imported) as usize].1,
                        relocation.addend,
                    ),
                    NAMESPACE_LIBCALL => {
                        let libcall = Libcall::from_index(name.index)
                            .ok_or_else(|| CompileError::internal("an unknown libcall"))?;
                        relocations.push(LoaderRelocation {
                            offset: offset as u32,
                            kind: relocation.kind,
                            libcall,
                            addend: relocation.addend,
                        });
                        continue;
                    }
                    _ => return Err(CompileError::internal("an unknown name in the text")),
                },
            };
            if !builder.resolve_reloc(offset, relocation.kind, addend, label) {
                return Err(CompileError::internal(format!(
                    "a relocation of the kind {:?} inside the text",
                    relocation.kind
                )));
            }
        }
    }
    relocations.sort_by_key(|relocation| relocation.offset);
    Ok(Linked {
        text: builder.finish(&mut control),
        functions: linked_functions,
        adapters: adapter_offsets,
        relocations,
        handlers,
        cpu_features,
    })
}
