//! Reading: bytes to [`Artifact`], and from there to views of its parts.
//!
//! [`Artifact::parse`] checks everything once. Views are small `Copy` values that borrow from the
//! file; they decode a record each time they are asked, so nothing is allocated.

mod aux_stack;
mod collection;
mod custom;
mod data;
mod elements;
mod exports;
mod expressions;
mod functions;
mod globals;
mod handlers;
mod header;
mod image;
mod imports;
mod memories;
mod names;
mod outline;
mod relocations;
mod stack_depth;
mod tables;
mod tags;
mod text;
mod traps;
mod types;
mod validate;

use crate::aux_stack::AuxStack;
use crate::bytes::{Bytes, Record, Records, Words};
use crate::context::{ContextCounts, ContextLayout};
use crate::envelope::Envelope;
use crate::error::{ErrorKind, FormatError};
use crate::layout::{SectionId, module, operation};
use crate::stack_depth::StackDepth;
use crate::types::{ExternKind, GlobalType, ImportType, MemoryType, TableType};

pub use collection::{Collection, Items};
pub use custom::{CustomSection, CustomSections};
pub use data::{DataMode, DataSegment, DataSegments};
pub use elements::{ElementItem, ElementItems, ElementMode, ElementSegment, ElementSegments};
pub use exports::{Export, Exports};
pub use expressions::{Expression, Expressions, Operations};
pub use functions::{Function, Functions};
pub use globals::{Global, Globals};
pub use handlers::{HandlerClause, HandlerList, HandlerSite, Handlers};
pub use header::{Header, SectionRange};
pub use image::{ImagePart, ImageParts};
pub use imports::{Import, Imports};
pub use memories::{Memories, Memory};
pub use outline::Outline;
pub use relocations::{Relocation, Relocations};
pub use stack_depth::{FunctionDepths, StackBounds};
pub use tables::{Table, Tables};
pub use tags::{Tag, Tags};
pub use traps::{CallSite, CallSites, FunctionCallSites, FunctionTrapSites, TrapSite, TrapSites};
pub use types::{FuncType, FuncTypes, ValueTypes};

use header::{Form, SectionTable};

/// A checked artifact.
///
/// Having a value of this type means: the file is whole; sections lie where they must; every
/// index is in its index space, every range inside the section it points into, every name UTF-8;
/// constant expressions are well typed; function ranges are disjoint, ascending and inside the
/// text, and so are relocations; images are page-aligned and inside the initial size of their
/// memories; the instance context has a layout. It does *not* mean that the code is harmless or
/// that this machine can run it.
///
/// Trap sites, call sites, function names and depths of functions are checked by [`Artifact::validate_diagnostics`];
/// lookups in them are bounded and may find nothing, whether it was called or not. So loading does
/// not pay for tables as long as the code itself.
#[derive(Clone, Copy, Debug)]
pub struct Artifact<'a> {
    payload: Bytes<'a>,
    header: Header,
    sections: SectionTable,
    strings: &'a str,
    start_function: Option<u32>,
    context_layout: ContextLayout,
}

impl<'a> Artifact<'a> {
    /// Checks a file, with or without a signature, and gives access to it. The signature is not
    /// verified here; [`Envelope::split`] gives it.
    pub fn parse(file: &'a [u8]) -> Result<Artifact<'a>, FormatError> {
        validate::parse(Envelope::split(file)?, Form::Whole)
    }

    /// Checks an artifact in the split form, whose text has this many bytes and is elsewhere.
    ///
    /// What having an artifact means holds for it, too: ranges are inside a text of that size. A
    /// signature is refused, since it could not cover the text. [`Artifact::text`] is empty.
    pub fn parse_split(metadata: &'a [u8], text_size: usize) -> Result<Artifact<'a>, FormatError> {
        let envelope = Envelope::split(metadata)?;
        if envelope.signature.is_some() {
            let end = envelope.payload.len() as u32;
            return Err(FormatError::at(ErrorKind::TrailingBytes, end));
        }
        let artifact = validate::parse(envelope, Form::Split)?;
        let range = artifact.section(SectionId::Text);
        if range.size as usize != text_size {
            let (kind, section) = (ErrorKind::SectionSize, SectionId::Text);
            return Err(FormatError::in_section(kind, section, range.offset));
        }
        Ok(artifact)
    }

    /// Checks the lookup tables that serve traps, backtraces and reports: trap sites, call sites,
    /// function names, depths of functions. Linear in their size.
    pub fn validate_diagnostics(&self) -> Result<(), FormatError> {
        traps::validate(self)?;
        names::validate(self)?;
        stack_depth::validate(self)
    }

    /// What the artifact is for.
    pub const fn header(&self) -> &Header {
        &self.header
    }

    /// Everything that a signature covers; its beginning, where the artifact is one over that
    /// ([`Outline::over`]).
    pub const fn payload(&self) -> &'a [u8] {
        self.payload.as_slice()
    }

    /// Where a section is in the file; empty where there is none.
    pub fn section(&self, id: SectionId) -> SectionRange {
        self.sections.range(id)
    }

    fn section_bytes(&self, id: SectionId) -> Bytes<'a> {
        let range = self.sections.range(id);
        self.payload
            .range(range.offset, range.size)
            .unwrap_or_default()
    }

    fn section_words(&self, id: SectionId) -> Words<'a> {
        Words::new(self.section_bytes(id))
    }

    /// The function types.
    pub fn types(&self) -> FuncTypes<'a> {
        Collection::new(self, self.section_words(SectionId::ValueTypes))
    }

    /// The imports in the module's order.
    pub fn imports(&self) -> Imports<'a> {
        Collection::new(self, self.strings)
    }

    /// The exports in the module's order.
    pub fn exports(&self) -> Exports<'a> {
        Collection::new(
            self,
            (self.strings, self.section_words(SectionId::ExportOrder)),
        )
    }

    /// The defined functions.
    pub fn functions(&self) -> Functions<'a> {
        Collection::new(self, ())
    }

    /// The defined tables.
    pub fn tables(&self) -> Tables<'a> {
        Collection::new(self, self.expressions())
    }

    /// The defined memories.
    pub fn memories(&self) -> Memories<'a> {
        Collection::new(self, ())
    }

    /// The defined globals.
    pub fn globals(&self) -> Globals<'a> {
        Collection::new(self, self.expressions())
    }

    /// The defined tags.
    pub fn tags(&self) -> Tags<'a> {
        Collection::new(self, ())
    }

    /// The constant expressions in the order of their use.
    pub fn expressions(&self) -> Expressions<'a> {
        let operations = self.section_bytes(SectionId::Operations);
        Collection::new(self, Records::new(operations, operation::SIZE))
    }

    /// The element segments.
    pub fn elements(&self) -> ElementSegments<'a> {
        Collection::new(
            self,
            (
                self.section_words(SectionId::ElementItems),
                self.expressions(),
            ),
        )
    }

    /// The data segments.
    pub fn data(&self) -> DataSegments<'a> {
        Collection::new(
            self,
            (self.section_bytes(SectionId::DataBytes), self.expressions()),
        )
    }

    /// The initial contents of memories, ascending by memory and address.
    pub fn image(&self) -> ImageParts<'a> {
        let range = self.section(SectionId::ImageBytes);
        Collection::new(
            self,
            (self.section_bytes(SectionId::ImageBytes), range.offset),
        )
    }

    /// The relocations, ascending by offset.
    pub fn relocations(&self) -> Relocations<'a> {
        Collection::new(self, ())
    }

    /// The custom sections that were carried through.
    pub fn custom_sections(&self) -> CustomSections<'a> {
        Collection::new(
            self,
            (self.strings, self.section_bytes(SectionId::CustomBytes)),
        )
    }

    /// The auxiliary stack, where the compiler recognised one.
    pub fn aux_stack(&self) -> Option<AuxStack> {
        aux_stack::AuxStacks::new(self, ()).get(0)
    }

    /// The stack that calls of exported functions and of the start function take.
    pub fn stack_bounds(&self) -> StackBounds<'a> {
        Collection::new(self, ())
    }

    /// The stack that a call of this function by the host takes, imports first; logarithmic in the
    /// number of exports. `None` for an import, and for what is neither exported nor the start
    /// function.
    pub fn stack_depth(&self, function: u32) -> Option<StackDepth> {
        self.stack_bounds().lookup(function)
    }

    /// How deep each defined function can go; empty where that was left out.
    pub fn function_depths(&self) -> FunctionDepths<'a> {
        Collection::new(self, ())
    }

    /// The module's name from its name section.
    pub fn module_name(&self) -> Option<&'a str> {
        let record = Record::at(self.section_bytes(SectionId::Module), 0, module::SIZE)?;
        validate::read_module(record, self.strings).ok()?.1
    }

    /// The function to call at the end of instantiation, imports first.
    pub const fn start_function(&self) -> Option<u32> {
        self.start_function
    }

    /// How many imports there are of a kind; the first indices of its index space.
    pub fn imported_count(&self, kind: ExternKind) -> u32 {
        let counts = self.counts();
        match kind {
            ExternKind::Function => counts.imported_functions,
            ExternKind::Table => counts.imported_tables,
            ExternKind::Memory => counts.imported_memories,
            ExternKind::Global => counts.imported_globals,
            ExternKind::Tag => counts.imported_tags,
        }
    }

    /// The size of an index space: imports and definitions.
    pub fn index_space(&self, kind: ExternKind) -> u32 {
        let defined = match kind {
            ExternKind::Function => self.functions().len(),
            ExternKind::Table => self.tables().len(),
            ExternKind::Memory => self.memories().len(),
            ExternKind::Global => self.globals().len(),
            ExternKind::Tag => self.tags().len(),
        };
        self.imported_count(kind).saturating_add(defined)
    }

    /// What the size of the instance context depends on.
    pub const fn counts(&self) -> &ContextCounts {
        self.context_layout.counts()
    }

    /// Where everything is in the instance context.
    pub const fn context_layout(&self) -> &ContextLayout {
        &self.context_layout
    }

    /// The import with this index in the index space of its kind.
    pub fn import_of(&self, kind: ExternKind, index: u32) -> Option<Import<'a>> {
        if index >= self.imported_count(kind) {
            return None;
        }
        let kinds = ExternKind::ALL.iter().take(kind as usize);
        let before = kinds.map(|kind| self.imported_count(*kind)).sum::<u32>();
        let order = self.section_words(SectionId::ImportOrder);
        self.imports().get(order.get(before.checked_add(index)?)?)
    }

    /// The type index of a function, imports first.
    pub fn function_type_index(&self, index: u32) -> Option<u32> {
        match index.checked_sub(self.imported_count(ExternKind::Function)) {
            Some(defined) => Some(self.functions().get(defined)?.type_index),
            None => match self.import_of(ExternKind::Function, index)?.ty {
                ImportType::Function(ty) => Some(ty),
                _ => None,
            },
        }
    }

    /// The type of a function, imports first.
    pub fn function_type(&self, index: u32) -> Option<FuncType<'a>> {
        self.types().get(self.function_type_index(index)?)
    }

    /// The definition of a function, imports first; `None` for an import.
    pub fn defined_function(&self, index: u32) -> Option<Function> {
        self.functions()
            .get(index.checked_sub(self.imported_count(ExternKind::Function))?)
    }

    /// The type of a table, imports first.
    pub fn table_type(&self, index: u32) -> Option<TableType> {
        match index.checked_sub(self.imported_count(ExternKind::Table)) {
            Some(defined) => Some(self.tables().get(defined)?.ty),
            None => match self.import_of(ExternKind::Table, index)?.ty {
                ImportType::Table(ty) => Some(ty),
                _ => None,
            },
        }
    }

    /// The type of a memory, imports first.
    pub fn memory_type(&self, index: u32) -> Option<MemoryType> {
        match index.checked_sub(self.imported_count(ExternKind::Memory)) {
            Some(defined) => Some(self.memories().get(defined)?.ty),
            None => match self.import_of(ExternKind::Memory, index)?.ty {
                ImportType::Memory(ty) => Some(ty),
                _ => None,
            },
        }
    }

    /// The type of a global, imports first.
    pub fn global_type(&self, index: u32) -> Option<GlobalType> {
        match index.checked_sub(self.imported_count(ExternKind::Global)) {
            Some(defined) => Some(self.globals().get(defined)?.ty),
            None => match self.import_of(ExternKind::Global, index)?.ty {
                ImportType::Global(ty) => Some(ty),
                _ => None,
            },
        }
    }

    /// The type index of a tag, imports first.
    pub fn tag_type_index(&self, index: u32) -> Option<u32> {
        match index.checked_sub(self.imported_count(ExternKind::Tag)) {
            Some(defined) => Some(self.tags().get(defined)?.type_index),
            None => match self.import_of(ExternKind::Tag, index)?.ty {
                ImportType::Tag(ty) => Some(ty),
                _ => None,
            },
        }
    }

    /// The type of a tag, imports first: its parameters are what an exception carries.
    pub fn tag_type(&self, index: u32) -> Option<FuncType<'a>> {
        self.types().get(self.tag_type_index(index)?)
    }

    fn error(&self, kind: ErrorKind, section: SectionId, record: u32) -> FormatError {
        let start = self.sections.range(section).offset;
        let offset = start.saturating_add(record.saturating_mul(section.unit() as u32));
        FormatError::in_section(kind, section, offset)
    }
}
