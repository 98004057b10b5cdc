//! What a wasm module says, in the form that every later step reads.
//!
//! Index spaces are WebAssembly's: imports first. Nothing here is about code generation.

mod collection;
mod constant;
mod groups;
mod parse;
mod refusal;
mod types;

pub(crate) use collection::{check_operator, check_type};
pub(crate) use parse::parse;
pub(crate) use refusal::explain_body;
pub(crate) use types::*;

use std::collections::BTreeMap;
use std::ops::Range;

use precast_format::types::MemoryType;
use wasmparser::{FuncToValidate, FunctionBody, ValidatorResources};

/// A parsed and validated module; its function bodies are validated as they are translated.
pub(crate) struct Module<'a> {
    /// Function types.
    pub types: Vec<FunctionType>,
    /// For each type the index of the first one that is equal.
    pub canonical_types: Vec<u32>,
    /// For each type how many types of its recursion group follow it.
    pub following_types: Vec<u32>,
    /// Imports in the order of the module.
    pub imports: Vec<Import<'a>>,
    /// Type index of every function, imported ones first.
    pub functions: Vec<u32>,
    /// How many functions are imported.
    pub imported_functions: u32,
    /// Every table, imported ones first.
    pub tables: Vec<Table>,
    /// How many tables are imported.
    pub imported_tables: u32,
    /// Every memory, imported ones first.
    pub memories: Vec<MemoryType>,
    /// How many memories are imported.
    pub imported_memories: u32,
    /// Every global, imported ones first.
    pub globals: Vec<Global>,
    /// How many globals are imported.
    pub imported_globals: u32,
    /// Type index of every tag, imported ones first.
    pub tags: Vec<u32>,
    /// How many tags are imported.
    pub imported_tags: u32,
    /// Exports in the order of the module.
    pub exports: Vec<Export<'a>>,
    /// The start function.
    pub start: Option<u32>,
    /// Element segments.
    pub elements: Vec<ElementSegment>,
    /// Data segments.
    pub data: Vec<DataSegment<'a>>,
    /// Names of functions, by function index.
    pub function_names: BTreeMap<u32, &'a str>,
    /// Names of globals, by global index; the index may be of none.
    pub global_names: Vec<(u32, &'a str)>,
    /// Name of the module.
    pub name: Option<&'a str>,
    /// Custom sections other than `name`.
    pub custom_sections: Vec<(&'a str, &'a [u8])>,
}

/// A function body and what its validation needs.
pub(crate) struct Body<'a> {
    /// Function index, imports included.
    pub function: u32,
    /// The bytes.
    pub body: FunctionBody<'a>,
    /// The validator for it.
    pub validation: FuncToValidate<ValidatorResources>,
}

impl Body<'_> {
    /// How many bytes the body has.
    pub fn size(&self) -> usize {
        let range = self.body.range();
        (range.end - range.start) as usize
    }
}

impl Module<'_> {
    /// The type of a function.
    pub fn function_type(&self, function: u32) -> &FunctionType {
        &self.types[self.functions[function as usize] as usize]
    }

    /// The type of a tag, imports first: its parameters are what an exception carries.
    pub fn tag_type(&self, tag: u32) -> &FunctionType {
        &self.types[self.tags[tag as usize] as usize]
    }

    /// The canonical type index of a function.
    pub fn canonical_type_of(&self, function: u32) -> u32 {
        self.canonical_types[self.functions[function as usize] as usize]
    }

    /// Whether the function is an import.
    pub fn is_imported_function(&self, function: u32) -> bool {
        function < self.imported_functions
    }

    /// Range of the indices of the defined functions.
    pub fn defined_functions(&self) -> Range<u32> {
        self.imported_functions..self.functions.len() as u32
    }
}
