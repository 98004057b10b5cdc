//! The description of an artifact: plain values with public fields.
//!
//! Index spaces put imports first, as in WebAssembly. Text offsets count from the start of the
//! text, unless a field says otherwise.

use alloc::borrow::Cow;
use alloc::string::String;
use alloc::vec::Vec;

use crate::aux_stack::AuxStack;
use crate::context::ABI_HASH;
use crate::features::WasmFeatures;
use crate::layout::{FORM_SPLIT, FORM_WHOLE};
use crate::libcall::LibcallSet;
use crate::read::Artifact;
use crate::relocation::{RelocationKind, SymbolKind};
use crate::stack_depth::{FunctionDepth, StackBound};
use crate::target::{CpuFeatures, Endianness, HostAbi, Isa};
use crate::trap::TrapCode;
use crate::tunables::Tunables;
use crate::types::{ConstOp, ExternKind, GlobalType, ImportType, MemoryType, TableType, ValueType};

use super::{WriteError, sections};

/// What machine the code is for.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Target {
    /// Instruction set.
    pub isa: Isa,
    /// Byte order of data accesses.
    pub endianness: Endianness,
    /// Calling convention between code and loader.
    pub host_abi: HostAbi,
    /// Page size as a power of two; zero means that nothing is padded.
    pub page_size_log2: u8,
}

/// Everything that goes into an artifact.
#[derive(Clone, PartialEq, Debug)]
pub struct ArtifactBuilder {
    /// What machine the code is for.
    pub target: Target,
    /// The strategies and sizes that the code relies on.
    pub tunables: Tunables,
    /// Fingerprint of the context's layout; [`ABI_HASH`] unless a test needs another.
    pub abi_hash: u64,
    /// CPU features that the code uses.
    pub cpu_features: CpuFeatures,
    /// WebAssembly features that the code uses.
    pub wasm_features: WasmFeatures,
    /// Libcalls that the code uses, through relocations or through the context.
    pub libcalls: LibcallSet,
    /// The module's name.
    pub module_name: Option<String>,
    /// The function to call at the end of instantiation, imports first.
    pub start_function: Option<u32>,
    /// The function types.
    pub types: Vec<FuncType>,
    /// The imports in the module's order.
    pub imports: Vec<Import>,
    /// The exports in the module's order.
    pub exports: Vec<Export>,
    /// The defined functions; text offsets ascend.
    pub functions: Vec<Function>,
    /// The defined tables.
    pub tables: Vec<Table>,
    /// The defined memories.
    pub memories: Vec<MemoryType>,
    /// The defined globals.
    pub globals: Vec<Global>,
    /// The defined tags.
    pub tags: Vec<Tag>,
    /// The element segments.
    pub elements: Vec<ElementSegment>,
    /// The data segments.
    pub data: Vec<DataSegment>,
    /// The initial contents of memories, ascending by memory and address.
    pub image: Vec<ImagePart>,
    /// The machine code: functions, then trampolines and adapters.
    pub text: Vec<u8>,
    /// The relocations, ascending by offset.
    pub relocations: Vec<Relocation>,
    /// Function names by index, imports first; may be shorter than the index space.
    pub function_names: Vec<Option<String>>,
    /// Custom sections to carry through.
    pub custom_sections: Vec<CustomSection>,
    /// The auxiliary stack, where one was recognised.
    pub aux_stack: Option<AuxStack>,
    /// The stack that calls of exported functions and of the start function take, ascending by
    /// function.
    pub stack_bounds: Vec<StackBound>,
    /// How deep each defined function can go, or nothing.
    pub function_depths: Vec<FunctionDepth>,
    /// The calls at which exceptions are caught, ascending by return address.
    pub handlers: Vec<HandlerSite>,
    /// Where exceptions go from these calls; the same for several calls, as a rule.
    pub handler_lists: Vec<HandlerList>,
}

impl ArtifactBuilder {
    /// An artifact without contents.
    pub fn new(target: Target, tunables: Tunables) -> ArtifactBuilder {
        ArtifactBuilder {
            target,
            tunables,
            abi_hash: ABI_HASH,
            cpu_features: CpuFeatures::default(),
            wasm_features: WasmFeatures::default(),
            libcalls: LibcallSet::default(),
            module_name: None,
            start_function: None,
            types: Vec::new(),
            imports: Vec::new(),
            exports: Vec::new(),
            functions: Vec::new(),
            tables: Vec::new(),
            memories: Vec::new(),
            globals: Vec::new(),
            tags: Vec::new(),
            elements: Vec::new(),
            data: Vec::new(),
            image: Vec::new(),
            text: Vec::new(),
            relocations: Vec::new(),
            function_names: Vec::new(),
            custom_sections: Vec::new(),
            aux_stack: None,
            stack_bounds: Vec::new(),
            function_depths: Vec::new(),
            handlers: Vec::new(),
            handler_lists: Vec::new(),
        }
    }

    /// The bytes of the artifact, without a signature. What comes out has passed
    /// [`Artifact::parse`] and [`Artifact::validate_diagnostics`].
    pub fn write(&self) -> Result<Vec<u8>, WriteError> {
        let sections = sections::encode(self)?;
        checked(sections.assemble(self, Cow::Borrowed(&self.text), FORM_WHOLE)?)
    }

    /// The same bytes as [`ArtifactBuilder::write`]. The description is freed as early as may be,
    /// so that a large text is in memory twice and not more often.
    pub fn into_bytes(mut self) -> Result<Vec<u8>, WriteError> {
        let text = core::mem::take(&mut self.text);
        let sections = sections::encode(&self)?;
        self.functions = Vec::new();
        self.image = Vec::new();
        self.data = Vec::new();
        checked(sections.assemble(&self, Cow::Owned(text), FORM_WHOLE)?)
    }

    /// The artifact in the split form, for linking into a program. Depths of functions, which serve
    /// reports about files, are left out. What comes out has passed [`Artifact::parse_split`] and
    /// [`Artifact::validate_diagnostics`].
    pub fn into_split(mut self) -> Result<SplitArtifact, WriteError> {
        self.function_depths = Vec::new();
        let sections = sections::encode(&self)?;
        let metadata = sections.assemble(&self, Cow::Borrowed(&self.text), FORM_SPLIT)?;
        let text = core::mem::take(&mut self.text);
        Artifact::parse_split(&metadata, text.len())
            .and_then(|artifact| artifact.validate_diagnostics())
            .map_err(WriteError::Rejected)?;
        Ok(SplitArtifact { metadata, text })
    }
}

/// An artifact whose text is apart from the rest.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SplitArtifact {
    /// The file without its text.
    pub metadata: Vec<u8>,
    /// The machine code.
    pub text: Vec<u8>,
}

/// Reads what was written.
fn checked(bytes: Vec<u8>) -> Result<Vec<u8>, WriteError> {
    let artifact = Artifact::parse(&bytes).map_err(WriteError::Rejected)?;
    artifact
        .validate_diagnostics()
        .map_err(WriteError::Rejected)?;
    Ok(bytes)
}

/// A function type and the code that goes with it.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct FuncType {
    /// The parameter types.
    pub params: Vec<ValueType>,
    /// The result types.
    pub results: Vec<ValueType>,
    /// Index of the first type that is equal: with the same parameters and results, at the same place
    /// of an equal recursion group.
    pub canonical: u32,
    /// How many types of its recursion group follow it.
    pub following: u32,
    /// Text offset of the entry trampoline.
    pub entry_trampoline: Option<u32>,
    /// Text offset of the host adapter.
    pub host_adapter: Option<u32>,
    /// Text offset of the switch adapter.
    pub switch_adapter: Option<u32>,
}

/// An import.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Import {
    /// The name of the module that it comes from.
    pub module: String,
    /// Its name there.
    pub name: String,
    /// What it has to be.
    pub ty: ImportType,
}

/// An export.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Export {
    /// Its name.
    pub name: String,
    /// What it is.
    pub kind: ExternKind,
    /// Its index in the index space of its kind.
    pub index: u32,
}

/// A defined function.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Function {
    /// Its type.
    pub type_index: u32,
    /// Where its code starts in the text.
    pub text_offset: u32,
    /// Size of its code in bytes.
    pub text_size: u32,
    /// Size of its stack frame in bytes.
    pub frame_size: u32,
    /// The number of its function record: 0, 1, 2, ... over the functions that have one.
    pub record: Option<u32>,
    /// File offset of its body in the wasm module.
    pub wasm_offset: u32,
    /// Its trap sites, ascending.
    pub traps: Vec<TrapSite>,
    /// Its call sites, ascending.
    pub call_sites: Vec<CallSite>,
}

/// An instruction that can trap.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct TrapSite {
    /// Where it is, from the start of the function.
    pub code_offset: u32,
    /// What it means if it traps.
    pub code: TrapCode,
    /// File offset of the wasm instruction.
    pub wasm_offset: u32,
}

/// A call that can appear in a backtrace.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct CallSite {
    /// Its return address, from the start of the function.
    pub code_offset: u32,
    /// File offset of the wasm instruction.
    pub wasm_offset: u32,
}

/// A defined table.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Table {
    /// Its type.
    pub ty: TableType,
    /// The initial value of its elements; null where there is none.
    pub init: Option<Vec<ConstOp>>,
}

/// A defined global.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Global {
    /// Its type.
    pub ty: GlobalType,
    /// Its initial value.
    pub init: Vec<ConstOp>,
}

/// A defined tag.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Tag {
    /// Its type; without results.
    pub type_index: u32,
}

/// A call at which exceptions are caught.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct HandlerSite {
    /// Its return address in the text.
    pub return_offset: u32,
    /// Index of its list of handlers.
    pub list: u32,
}

/// Where exceptions go from some calls.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct HandlerList {
    /// Distance of the stack pointer below the frame pointer, at the call and in the handlers.
    pub frame_offset: u32,
    /// The clauses, innermost first; at least one.
    pub clauses: Vec<HandlerClause>,
}

/// Where exceptions of a tag go.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct HandlerClause {
    /// The tag, imports first; none for exceptions of any tag, which comes last.
    pub tag: Option<u32>,
    /// Where control goes in the text.
    pub text_offset: u32,
    /// Whether the handler goes on to refer to the exception.
    pub keeps: bool,
}

/// An element segment.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ElementSegment {
    /// What happens to it.
    pub mode: ElementMode,
    /// The type of its items.
    pub element: ValueType,
    /// The items.
    pub items: ElementItems,
}

/// What happens to an element segment.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum ElementMode {
    /// Copied by instructions.
    Passive,
    /// Copied at instantiation.
    Active {
        /// The table, imports first.
        table: u32,
        /// Where in the table.
        offset: Vec<ConstOp>,
    },
    /// Never copied.
    Declared,
}

/// The items of an element segment.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum ElementItems {
    /// Function indices, imports first; `None` is null.
    Functions(Vec<Option<u32>>),
    /// One expression for each item.
    Expressions(Vec<Vec<ConstOp>>),
}

/// A data segment.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct DataSegment {
    /// What happens to it.
    pub mode: DataMode,
    /// Whether the image holds its bytes; then they are not written again.
    pub in_image: bool,
    /// Its bytes.
    pub bytes: Vec<u8>,
}

/// What happens to a data segment.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum DataMode {
    /// Copied by instructions.
    Passive,
    /// Copied at instantiation.
    Active {
        /// The memory, imports first.
        memory: u32,
        /// Where in the memory.
        offset: Vec<ConstOp>,
    },
}

/// Initial contents of a range of a defined memory.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ImagePart {
    /// The memory, imports first.
    pub memory: u32,
    /// Where the range starts in the memory: a multiple of the page size.
    pub address: u64,
    /// Its bytes; the writer adds zeros up to a whole page.
    pub bytes: Vec<u8>,
}

/// A relocation.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Relocation {
    /// The place in the text.
    pub offset: u32,
    /// What to compute and how to store it.
    pub kind: RelocationKind,
    /// What the symbol is.
    pub symbol_kind: SymbolKind,
    /// Which one.
    pub symbol: u32,
    /// Added to the symbol's address.
    pub addend: i64,
}

/// A custom section.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct CustomSection {
    /// Its name.
    pub name: String,
    /// Its contents.
    pub bytes: Vec<u8>,
}
