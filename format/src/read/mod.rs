//! Reading: bytes to [`Artifact`], and from there to views of its parts.
//!
//! [`Artifact::parse`] checks everything once. Views are small `Copy` values that borrow from the
//! file; they decode a record each time they are asked, so nothing is allocated.

mod aux_stack;
mod collection;
mod custom;
mod data;
mod declarations;
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
mod rules;
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
use crate::error::{ErrorKind, FormatError};
use crate::layout::{SectionId, WORD, module};
use crate::stack_depth::StackDepth;
use crate::types::{ExternKind, GlobalType, MemoryType, TableType};

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
    facts: Facts,
}

/// What is known of an artifact apart from its bytes.
#[derive(Clone, Copy, Debug)]
struct Facts {
    header: Header,
    sections: SectionTable,
    context_layout: ContextLayout,
}

impl<'a> Artifact<'a> {
    /// Checks a file, with or without a signature, and gives access to it. The signature is not
    /// verified here; [`Envelope::split`](crate::envelope::Envelope::split) gives it.
    pub fn parse(file: &'a [u8]) -> Result<Artifact<'a>, FormatError> {
        validate::parse(file, Form::Whole)
    }

    /// Checks an artifact in the split form, whose text has this many bytes and is elsewhere.
    ///
    /// What having an artifact means holds for it, too: ranges are inside a text of that size. A
    /// signature is refused, since it could not cover the text. [`Artifact::text`] is empty.
    pub fn parse_split(metadata: &'a [u8], text_size: usize) -> Result<Artifact<'a>, FormatError> {
        validate::parse(metadata, Form::Split { text_size })
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
        &self.facts.header
    }

    /// Everything that a signature covers; its beginning, where the artifact is one over that
    /// ([`Outline::over`]).
    pub const fn payload(&self) -> &'a [u8] {
        self.payload.as_slice()
    }

    /// Where a section is in the file; empty where there is none.
    pub fn section(&self, id: SectionId) -> SectionRange {
        self.facts.sections.range(id)
    }

    fn section_bytes(&self, id: SectionId) -> Bytes<'a> {
        let range = self.facts.sections.range(id);
        self.payload
            .range(range.offset, range.size)
            .unwrap_or_default()
    }

    fn section_words(&self, id: SectionId) -> Words<'a> {
        Words::new(self.section_bytes(id))
    }

    fn records(&self, id: SectionId) -> Records<'a> {
        let range = self.facts.sections.range(id);
        let size = self.payload.len() as u32;
        let bytes = self
            .payload
            .range(range.offset, size.saturating_sub(range.offset));
        // Where the bytes are others than those that were checked, the section may end early.
        let bytes = bytes.unwrap_or_default();
        Records::new(bytes, range.size.min(bytes.len() as u32), id.unit())
    }

    /// How many records a section has, where it is all there.
    fn count(&self, id: SectionId) -> u32 {
        self.records(id).len()
    }

    /// Refuses an index that is not one of the section.
    fn find(&self, id: SectionId, index: u32) -> Result<(), ErrorKind> {
        if self.records(id).has(index) {
            Ok(())
        } else {
            Err(ErrorKind::IndexOutOfRange)
        }
    }

    /// A record of a section; some bytes where there is none.
    // Everything that is read is read by this function; a copy in each of its callers is more than all
    // of them.
    #[inline(never)]
    fn record(&self, id: SectionId, index: u32) -> Record {
        self.records(id).get(index)
    }

    /// A record of a section, if there is one with this index.
    fn get(&self, id: SectionId, index: u32) -> Option<Record> {
        let records = self.records(id);
        records.has(index).then(|| records.get(index))
    }

    /// A number of a section that is an array of them.
    fn word(&self, id: SectionId, index: u32) -> Option<u32> {
        Some(self.get(id, index)?.u32(WORD))
    }

    /// Bytes of a section; none where they are not all there.
    fn bytes_of(&self, id: SectionId, first: u32, count: u32) -> &'a [u8] {
        let bytes = self.section_bytes(id).range(first, count);
        bytes.unwrap_or_default().as_slice()
    }

    /// The name at a place in the strings.
    fn find_name(&self, offset: u32, size: u32) -> Result<&'a str, ErrorKind> {
        let name = self.section_bytes(SectionId::Strings).range(offset, size);
        let name = name.ok_or(ErrorKind::RangeOutOfBounds)?.as_slice();
        core::str::from_utf8(name).map_err(|_| ErrorKind::InvalidUtf8)
    }

    /// As `find_name`, of a name that has been checked.
    fn name(&self, offset: u32, size: u32) -> &'a str {
        self.find_name(offset, size).unwrap_or_default()
    }

    /// The function types.
    pub const fn types(&self) -> FuncTypes<'_> {
        Collection::new(self)
    }

    /// The imports in the module's order.
    pub const fn imports(&self) -> Imports<'_> {
        Collection::new(self)
    }

    /// The exports in the module's order.
    pub const fn exports(&self) -> Exports<'_> {
        Collection::new(self)
    }

    /// The defined functions.
    pub const fn functions(&self) -> Functions<'_> {
        Collection::new(self)
    }

    /// The defined tables.
    pub const fn tables(&self) -> Tables<'_> {
        Collection::new(self)
    }

    /// The defined memories.
    pub const fn memories(&self) -> Memories<'_> {
        Collection::new(self)
    }

    /// The defined globals.
    pub const fn globals(&self) -> Globals<'_> {
        Collection::new(self)
    }

    /// The defined tags.
    pub const fn tags(&self) -> Tags<'_> {
        Collection::new(self)
    }

    /// The constant expressions in the order of their use.
    pub const fn expressions(&self) -> Expressions<'_> {
        Collection::new(self)
    }

    /// The element segments.
    pub const fn elements(&self) -> ElementSegments<'_> {
        Collection::new(self)
    }

    /// The data segments.
    pub const fn data(&self) -> DataSegments<'_> {
        Collection::new(self)
    }

    /// The initial contents of memories, ascending by memory and address.
    pub const fn image(&self) -> ImageParts<'_> {
        Collection::new(self)
    }

    /// The relocations, ascending by offset.
    pub const fn relocations(&self) -> Relocations<'_> {
        Collection::new(self)
    }

    /// The custom sections that were carried through.
    pub const fn custom_sections(&self) -> CustomSections<'_> {
        Collection::new(self)
    }

    /// The auxiliary stack, where the compiler recognised one.
    pub fn aux_stack(&self) -> Option<AuxStack> {
        aux_stack::AuxStacks::new(self).get(0)
    }

    /// The stack that calls of exported functions and of the start function take.
    pub const fn stack_bounds(&self) -> StackBounds<'_> {
        Collection::new(self)
    }

    /// The stack that a call of this function by the host takes, imports first; logarithmic in the
    /// number of exports. `None` for an import, and for what is neither exported nor the start
    /// function.
    pub fn stack_depth(&self, function: u32) -> Option<StackDepth> {
        self.stack_bounds().lookup(function)
    }

    /// How deep each defined function can go; empty where that was left out.
    pub const fn function_depths(&self) -> FunctionDepths<'_> {
        Collection::new(self)
    }

    /// The module's name from its name section.
    pub fn module_name(&self) -> Option<&'a str> {
        let record = self.get(SectionId::Module, 0)?;
        let name = self.name(
            record.u32(module::NAME_OFFSET),
            record.u32(module::NAME_SIZE),
        );
        Some(name).filter(|name| !name.is_empty())
    }

    /// The function to call at the end of instantiation, imports first.
    pub fn start_function(&self) -> Option<u32> {
        self.get(SectionId::Module, 0)?
            .optional(module::START_FUNCTION)
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
        let defined = self.count(declarations::DEFINITIONS[kind as usize]);
        self.imported_count(kind).saturating_add(defined)
    }

    /// Refuses an index that is not one of the index space.
    fn find_in_space(&self, kind: ExternKind, index: u32) -> Result<(), ErrorKind> {
        if index < self.index_space(kind) {
            Ok(())
        } else {
            Err(ErrorKind::IndexOutOfRange)
        }
    }

    /// What the size of the instance context depends on.
    pub const fn counts(&self) -> &ContextCounts {
        self.facts.context_layout.counts()
    }

    /// Where everything is in the instance context.
    pub const fn context_layout(&self) -> &ContextLayout {
        &self.facts.context_layout
    }

    /// The import with this index in the index space of its kind.
    pub fn import_of(&self, kind: ExternKind, index: u32) -> Option<Import<'_>> {
        self.imports().get(self.import_index(kind, index)?)
    }

    /// The index of such an import among all imports.
    fn import_index(&self, kind: ExternKind, index: u32) -> Option<u32> {
        if index >= self.imported_count(kind) {
            return None;
        }
        let kinds = ExternKind::ALL.iter().take(kind as usize);
        let before = kinds.map(|kind| self.imported_count(*kind)).sum::<u32>();
        self.word(SectionId::ImportOrder, before.checked_add(index)?)
    }

    /// The type index of a function, imports first.
    pub fn function_type_index(&self, index: u32) -> Option<u32> {
        self.find_in_space(ExternKind::Function, index).ok()?;
        Some(self.declaration(ExternKind::Function, index).ty)
    }

    /// The type of a function, imports first.
    pub fn function_type(&self, index: u32) -> Option<FuncType<'_>> {
        self.types().get(self.function_type_index(index)?)
    }

    /// The definition of a function, imports first; `None` for an import.
    pub fn defined_function(&self, index: u32) -> Option<Function> {
        self.functions()
            .get(index.checked_sub(self.imported_count(ExternKind::Function))?)
    }

    /// The type of a table, imports first.
    pub fn table_type(&self, index: u32) -> Option<TableType> {
        self.find_in_space(ExternKind::Table, index).ok()?;
        Some(self.declaration(ExternKind::Table, index).table())
    }

    /// The type of a memory, imports first.
    pub fn memory_type(&self, index: u32) -> Option<MemoryType> {
        self.find_in_space(ExternKind::Memory, index).ok()?;
        Some(self.declaration(ExternKind::Memory, index).memory())
    }

    /// The type of a global, imports first.
    // One place for all that ask.
    #[inline(never)]
    pub fn global_type(&self, index: u32) -> Option<GlobalType> {
        self.find_in_space(ExternKind::Global, index).ok()?;
        Some(self.declaration(ExternKind::Global, index).global())
    }

    /// The type index of a tag, imports first.
    pub fn tag_type_index(&self, index: u32) -> Option<u32> {
        self.find_in_space(ExternKind::Tag, index).ok()?;
        Some(self.declaration(ExternKind::Tag, index).ty)
    }

    /// The type of a tag, imports first: its parameters are what an exception carries.
    pub fn tag_type(&self, index: u32) -> Option<FuncType<'_>> {
        self.types().get(self.tag_type_index(index)?)
    }

    fn error(&self, kind: ErrorKind, section: SectionId, record: u32) -> FormatError {
        let start = self.facts.sections.range(section).offset;
        let offset = start.saturating_add(record.saturating_mul(section.unit() as u32));
        FormatError::in_section(kind, section, offset)
    }
}
