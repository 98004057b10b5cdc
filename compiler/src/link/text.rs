//! The text: functions in the order of their index, then trampolines and adapters.

use cranelift_codegen::binemit::Reloc;
use cranelift_codegen::isa::TargetIsa;
use cranelift_codegen::isa::unwind::UnwindInfo;
use precast_format::libcall::{HOST_ENTRY_NUMBER, Libcall};
use precast_format::target::CpuFeatures;
use precast_format::write::{CallSite, TrapSite};

use super::layout::Layout;
use crate::abi::{NAMESPACE_BODY, NAMESPACE_FUNCTION, NAMESPACE_HOST_ENTRY, NAMESPACE_LIBCALL};
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
    /// What the text consists of, in order, trampolines and adapters included.
    pub pieces: Vec<Piece>,
}

/// A piece of the text that is entered by calls and jumps, not by what is before it.
pub(crate) struct Piece {
    pub offset: u32,
    pub size: u32,
    /// How a stack is walked from within, where the options ask for it.
    pub unwind: Option<UnwindInfo>,
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

/// Lays out the text and resolves what can be.
///
/// # Errors
///
/// When calls do not reach from one end of the text to the other, or a relocation has a kind that the
/// target should not have.
pub(crate) fn link(
    environment: &Environment<'_>,
    isa: &dyn TargetIsa,
    functions: Vec<CompiledFunction>,
    adapters: Vec<Adapters>,
) -> Result<Linked> {
    let alignments = isa.function_alignment();
    let alignment = match environment.options.opt_level {
        OptLevel::Size => alignments.minimum,
        OptLevel::None | OptLevel::Speed => alignments.preferred,
    };
    let labels = Labels::new(environment.module.imported_functions, &functions, &adapters);
    let target = environment.options.target.isa();
    let layout = Layout::new(isa, target, labels.count, alignment);
    assemble(layout, labels, functions, adapters)
}

/// Fills a layout that is made for these labels.
///
/// # Errors
///
/// As [`link`].
pub(super) fn assemble(
    layout: Layout,
    labels: Labels,
    functions: Vec<CompiledFunction>,
    adapters: Vec<Adapters>,
) -> Result<Linked> {
    let mut text = Text {
        layout,
        labels,
        placed: 0,
        relocations: Vec::new(),
        handlers: Handlers::default(),
        cpu_features: CpuFeatures::default(),
        pieces: Vec::new(),
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
            let (offset, chunk) = text.place(chunk)?;
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
                .map(|chunk| text.place(chunk).map(|(offset, _)| offset))
                .transpose()
        };
        adapter_offsets.push(AdapterOffsets {
            entry: offset(set.entry)?,
            host: offset(set.host)?,
            switch: offset(set.switch)?,
        });
    }

    text.relocations.sort_by_key(|relocation| relocation.offset);
    Ok(Linked {
        text: text.layout.finish()?,
        functions: linked_functions,
        adapters: adapter_offsets,
        relocations: text.relocations,
        handlers: text.handlers,
        cpu_features: text.cpu_features,
        pieces: text.pieces,
    })
}

/// What chunks are called in the layout: numbered in the order in which they are placed.
pub(super) struct Labels {
    imported: u32,
    /// Of each defined function, its first chunk and its last, which is the body.
    functions: Vec<(usize, usize)>,
    pub count: usize,
}

impl Labels {
    /// For a module that imports so many functions.
    pub fn new(imported: u32, functions: &[CompiledFunction], adapters: &[Adapters]) -> Labels {
        let mut labels = Labels {
            imported,
            functions: Vec::with_capacity(functions.len()),
            count: 0,
        };
        for function in functions {
            let first = labels.count;
            labels.count += function.chunks.len();
            labels.functions.push((first, labels.count - 1));
        }
        for set in adapters {
            let set = [&set.entry, &set.host, &set.switch];
            labels.count += set.into_iter().flatten().count();
        }
        labels
    }

    /// The chunks of a function that is defined in the module.
    fn of(&self, function: u32) -> (usize, usize) {
        self.functions[(function - self.imported) as usize]
    }
}

/// The text so far.
struct Text {
    layout: Layout,
    labels: Labels,
    /// How many chunks have their place.
    placed: usize,
    relocations: Vec<LoaderRelocation>,
    handlers: Handlers,
    cpu_features: CpuFeatures,
    pieces: Vec<Piece>,
}

impl Text {
    /// Places a chunk; gives its offset, and the chunk without what is resolved.
    fn place(&mut self, mut chunk: Chunk) -> Result<(u32, Chunk)> {
        number_loader_calls(&mut chunk)?;
        let references = std::mem::take(&mut chunk.relocations);
        let offset = self
            .layout
            .place(&chunk.code, chunk.alignment, references.len())?;
        let label = self.placed;
        self.placed += 1;
        for relocation in references {
            self.refer(offset, label, relocation)?;
        }
        self.cpu_features.0 |= chunk.cpu_features.0;
        self.handlers
            .append(offset as u32, std::mem::take(&mut chunk.handlers));
        self.pieces.push(Piece {
            offset: offset as u32,
            size: chunk.code.len() as u32,
            unwind: chunk.unwind.take(),
        });
        Ok((offset as u32, chunk))
    }

    /// Resolves what the chunk with this offset and label refers to, or leaves it to the loader.
    fn refer(&mut self, chunk: u64, label: usize, relocation: Relocation) -> Result<()> {
        let offset = chunk + u64::from(relocation.offset);
        let (label, addend) = match relocation.target {
            RelocationTarget::Here(target) => (label, relocation.addend + i64::from(target)),
            RelocationTarget::Name(name) => match name.namespace {
                NAMESPACE_FUNCTION => (self.labels.of(name.index).0, relocation.addend),
                NAMESPACE_BODY => (self.labels.of(name.index).1, relocation.addend),
                NAMESPACE_LIBCALL => {
                    let libcall = libcall(name.index)?;
                    self.relocations.push(LoaderRelocation {
                        offset: offset as u32,
                        kind: relocation.kind,
                        libcall,
                        addend: relocation.addend,
                    });
                    return Ok(());
                }
                _ => return Err(CompileError::internal("an unknown name in the text")),
            },
        };
        self.layout.refer(offset, relocation.kind, addend, label)
    }
}

/// Where the number is in bytecode's call of the loader, counted from the instruction.
const NUMBER_OFFSET: usize = 3;

/// Writes numbers into bytecode's calls of the loader. Nothing is left of their relocations.
fn number_loader_calls(chunk: &mut Chunk) -> Result<()> {
    let is_number = |relocation: &Relocation| relocation.kind == Reloc::PulleyCallIndirectHost;
    if !chunk.relocations.iter().any(is_number) {
        return Ok(());
    }
    let mut others = Vec::new();
    for relocation in std::mem::take(&mut chunk.relocations) {
        if !is_number(&relocation) {
            others.push(relocation);
            continue;
        }
        let number = match &relocation.target {
            RelocationTarget::Name(name) if name.namespace == NAMESPACE_LIBCALL => {
                libcall(name.index)? as u8
            }
            RelocationTarget::Name(name) if name.namespace == NAMESPACE_HOST_ENTRY => {
                HOST_ENTRY_NUMBER
            }
            _ => return Err(CompileError::internal("bytecode calls what has no number")),
        };
        let place = relocation.offset as usize + NUMBER_OFFSET;
        let byte = chunk.code.get_mut(place);
        *byte.ok_or_else(|| CompileError::internal("a call beyond the end of a function"))? =
            number;
    }
    chunk.relocations = others;
    Ok(())
}

/// The libcall with this index in its name.
fn libcall(index: u32) -> Result<Libcall> {
    Libcall::from_index(index).ok_or_else(|| CompileError::internal("an unknown libcall"))
}
