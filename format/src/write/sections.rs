//! Sections from the description, and the file from the sections.

use alloc::borrow::Cow;
use alloc::collections::BTreeMap;
use alloc::vec::Vec;

use crate::layout::{
    self, FLAG_64, FLAG_HAS_MAX, FLAG_IN_IMAGE, FLAG_MUTABLE, FLAG_SHARED, SectionId, aux_stack,
    custom, data_segment, element, export, function, function_type, global, header, image, import,
    memory, module, relocation, section, table,
};
use crate::types::{GlobalType, ImportType, Limits, MemoryType, TableType};

use super::WriteError;
use super::builder::{ArtifactBuilder, DataMode, ElementItems, ElementMode};
use super::pools::{Expressions, Record, Sites, Strings, size};
use super::{handlers, stack_depth};

/// The contents of the sections; empty ones are left out of the file.
#[derive(Default)]
pub(super) struct Sections(BTreeMap<SectionId, Vec<u8>>);

impl Sections {
    fn get(&mut self, id: SectionId) -> &mut Vec<u8> {
        self.0.entry(id).or_default()
    }

    fn push_word(&mut self, id: SectionId, word: u32) {
        self.get(id).extend_from_slice(&word.to_le_bytes());
    }
}

/// Encodes the description, all but the text.
pub(super) fn encode(builder: &ArtifactBuilder) -> Result<Sections, WriteError> {
    let mut sections = Sections::default();
    let mut strings = Strings::default();
    // The reader wants expressions in the order of their users: tables, globals, elements, data.
    let mut expressions = Expressions::default();

    write_module(builder, &mut sections, &mut strings)?;
    write_types(builder, &mut sections)?;
    write_imports(builder, &mut sections, &mut strings)?;
    write_exports(builder, &mut sections, &mut strings)?;
    write_functions(builder, &mut sections)?;
    write_tables(builder, &mut sections, &mut expressions)?;
    write_memories(builder, &mut sections);
    write_globals(builder, &mut sections, &mut expressions)?;
    write_elements(builder, &mut sections, &mut expressions)?;
    write_data(builder, &mut sections, &mut expressions)?;
    write_image(builder, &mut sections)?;
    write_relocations(builder, &mut sections);
    write_names(builder, &mut sections)?;
    write_custom(builder, &mut sections, &mut strings)?;
    write_aux_stack(builder, &mut sections);
    handlers::write_tags(builder, sections.get(SectionId::Tags));
    write_handlers(builder, &mut sections)?;
    stack_depth::write_bounds(builder, sections.get(SectionId::StackBounds))?;
    stack_depth::write_functions(builder, sections.get(SectionId::FunctionDepths))?;
    *sections.get(SectionId::Strings) = strings.bytes;
    *sections.get(SectionId::Expressions) = expressions.expressions;
    *sections.get(SectionId::Operations) = expressions.operations;
    Ok(sections)
}

impl Sections {
    /// Places the sections, and puts header and section table before them. Each is freed when it is in
    /// its place.
    pub(super) fn assemble(
        self,
        builder: &ArtifactBuilder,
        text: Cow<'_, [u8]>,
        form: u8,
    ) -> Result<Vec<u8>, WriteError> {
        let mut sections: BTreeMap<_, Cow<'_, [u8]>> = self
            .0
            .into_iter()
            .map(|(id, bytes)| (id, Cow::Owned(bytes)))
            .collect();
        sections.insert(SectionId::Text, text);
        sections.retain(|_, bytes| !bytes.is_empty());
        assemble(builder, sections, form)
    }
}

fn assemble(
    builder: &ArtifactBuilder,
    sections: BTreeMap<SectionId, Cow<'_, [u8]>>,
    form: u8,
) -> Result<Vec<u8>, WriteError> {
    // A text that is elsewhere is listed and has no bytes here.
    let is_here = |id: SectionId| form != layout::FORM_SPLIT || id != SectionId::Text;
    // A page size that the reader refuses must not make us allocate.
    let page_size = 1u64
        << builder
            .target
            .page_size_log2
            .min(layout::MAX_PAGE_SIZE_LOG2);
    let count = size(sections.len())?;
    let mut table = Vec::new();
    let mut previous = None;
    let mut end = (header::SIZE + count as usize * section::SIZE) as u64;
    for (id, bytes) in &sections {
        let start = id.place(previous, end, page_size);
        if is_here(*id) {
            end = start
                .checked_add(bytes.len() as u64)
                .ok_or(WriteError::TooLarge)?;
            previous = Some(*id);
        }
        Record::<{ section::SIZE }>::new()
            .u32(section::ID, *id as u32)
            .u32(
                section::OFFSET,
                u32::try_from(start).map_err(|_| WriteError::TooLarge)?,
            )
            .u32(section::SIZE_IN_BYTES, size(bytes.len())?)
            .push_to(&mut table);
    }
    let payload_end = previous.map_or(end, |last| last.payload_end(end, page_size));
    let payload_size = u32::try_from(payload_end).map_err(|_| WriteError::TooLarge)?;

    let mut file = Vec::with_capacity(payload_size as usize);
    write_header(builder, payload_size, count, form, &mut file);
    file.extend_from_slice(&table);
    previous = None;
    for (id, bytes) in sections.into_iter().filter(|(id, _)| is_here(*id)) {
        let start = id.place(previous, file.len() as u64, page_size);
        file.resize(start as usize, 0);
        file.extend_from_slice(&bytes);
        previous = Some(id);
    }
    file.resize(payload_size as usize, 0);
    Ok(file)
}

fn write_header(
    builder: &ArtifactBuilder,
    payload_size: u32,
    count: u32,
    form: u8,
    file: &mut Vec<u8>,
) {
    let (target, tunables) = (&builder.target, &builder.tunables);
    Record::<{ header::SIZE }>::new()
        .array(header::MAGIC, layout::MAGIC)
        .u16(header::MAJOR, layout::VERSION.0)
        .u16(header::MINOR, layout::VERSION.1)
        .u32(header::PAYLOAD_SIZE, payload_size)
        .u32(header::SECTION_COUNT, count)
        .u8(header::ISA, target.isa as u8)
        .u8(
            header::POINTER_SIZE,
            target.isa.pointer_width().bytes() as u8,
        )
        .u8(header::ENDIANNESS, target.endianness as u8)
        .u8(header::HOST_ABI, target.host_abi as u8)
        .u8(header::PAGE_SIZE_LOG2, target.page_size_log2)
        .u8(header::BOUNDS_CHECKS, tunables.bounds_checks as u8)
        .u8(header::STACK_CHECKS, tunables.stack_checks as u8)
        .u8(header::TRAP_MODE, tunables.trap_mode as u8)
        .u8(header::RELOCATION_MODEL, tunables.relocation_model as u8)
        .u8(header::FORM, form)
        .u8(header::CALL_PROFILE, u8::from(tunables.call_profile))
        .u8(
            header::INTERRUPT_CHECKS,
            u8::from(tunables.interrupt_checks),
        )
        .u32(header::STACK_RESERVE, tunables.stack_reserve)
        .u64(header::ABI_HASH, builder.abi_hash)
        .u64(header::CPU_FEATURES, builder.cpu_features.0)
        .u64(header::WASM_FEATURES, builder.wasm_features.0)
        .u64(header::LIBCALLS, builder.libcalls.0)
        .u64(header::MEMORY_RESERVATION, tunables.memory_reservation)
        .u64(header::MEMORY_GUARD, tunables.memory_guard)
        .push_to(file);
}

fn write_module<'b>(
    builder: &'b ArtifactBuilder,
    sections: &mut Sections,
    strings: &mut Strings<'b>,
) -> Result<(), WriteError> {
    if builder.module_name.is_none() && builder.start_function.is_none() {
        return Ok(());
    }
    let (offset, length) = strings.add(builder.module_name.as_deref().unwrap_or(""))?;
    Record::<{ module::SIZE }>::new()
        .optional(module::START_FUNCTION, builder.start_function)
        .u32(module::NAME_OFFSET, offset)
        .u32(module::NAME_SIZE, length)
        .push_to(sections.get(SectionId::Module));
    Ok(())
}

fn write_aux_stack(builder: &ArtifactBuilder, sections: &mut Sections) {
    let Some(stack) = &builder.aux_stack else {
        return;
    };
    Record::<{ aux_stack::SIZE }>::new()
        .u32(aux_stack::GLOBAL, stack.global)
        .u8(aux_stack::EVIDENCE, stack.evidence as u8)
        .u8(aux_stack::BOUNDS, stack.bounds as u8)
        .u8(aux_stack::CHECKED, u8::from(stack.checked))
        .u64(aux_stack::LIMIT, stack.limit)
        .u64(aux_stack::BASE, stack.base)
        .push_to(sections.get(SectionId::AuxStack));
}

fn write_handlers(builder: &ArtifactBuilder, sections: &mut Sections) -> Result<(), WriteError> {
    let tables = handlers::encode(builder)?;
    *sections.get(SectionId::Handlers) = tables.sites;
    *sections.get(SectionId::HandlerLists) = tables.lists;
    *sections.get(SectionId::HandlerClauses) = tables.clauses;
    Ok(())
}

fn write_types(builder: &ArtifactBuilder, sections: &mut Sections) -> Result<(), WriteError> {
    for ty in &builder.types {
        let first = size(sections.get(SectionId::ValueTypes).len() / 4)?;
        let following = ty.following << layout::FORM_FOLLOWING_SHIFT;
        Record::<{ function_type::SIZE }>::new()
            .u32(function_type::FORM, layout::FORM_FUNCTION | following)
            .u32(function_type::CANONICAL, ty.canonical)
            .u32(function_type::FIRST_VALUE, first)
            .u32(function_type::PARAM_COUNT, size(ty.params.len())?)
            .u32(function_type::RESULT_COUNT, size(ty.results.len())?)
            .optional(function_type::ENTRY_TRAMPOLINE, ty.entry_trampoline)
            .optional(function_type::HOST_ADAPTER, ty.host_adapter)
            .optional(function_type::SWITCH_ADAPTER, ty.switch_adapter)
            .push_to(sections.get(SectionId::Types));
        for value in ty.params.iter().chain(&ty.results) {
            sections.push_word(SectionId::ValueTypes, value.raw());
        }
    }
    Ok(())
}

/// Flags of limits; the maximum is stored as zero where there is none.
fn limit_flags(limits: &Limits, is_64: bool) -> u32 {
    let max = if limits.max.is_some() {
        FLAG_HAS_MAX
    } else {
        0
    };
    max | if is_64 { FLAG_64 } else { 0 }
}

fn table_flags(ty: &TableType) -> u32 {
    limit_flags(&ty.limits, ty.is_64)
}

fn memory_flags(ty: &MemoryType) -> u32 {
    limit_flags(&ty.limits, ty.is_64) | if ty.shared { FLAG_SHARED } else { 0 }
}

fn global_flags(ty: &GlobalType) -> u32 {
    if ty.mutable { FLAG_MUTABLE } else { 0 }
}

fn write_imports<'b>(
    builder: &'b ArtifactBuilder,
    sections: &mut Sections,
    strings: &mut Strings<'b>,
) -> Result<(), WriteError> {
    for entry in &builder.imports {
        let (module_offset, module_size) = strings.add(&entry.module)?;
        let (name_offset, name_size) = strings.add(&entry.name)?;
        let record = Record::<{ import::SIZE }>::new()
            .u32(import::MODULE_OFFSET, module_offset)
            .u32(import::MODULE_SIZE, module_size)
            .u32(import::NAME_OFFSET, name_offset)
            .u32(import::NAME_SIZE, name_size)
            .u8(import::KIND, entry.ty.kind() as u8);
        let limited = |record: Record<{ import::SIZE }>, limits: &Limits| {
            record
                .u64(import::MIN, limits.min)
                .u64(import::MAX, limits.max.unwrap_or(0))
        };
        let record = match &entry.ty {
            ImportType::Function(ty) | ImportType::Tag(ty) => record.u32(import::TYPE, *ty),
            ImportType::Table(ty) => limited(record, &ty.limits)
                .u8(import::FLAGS, table_flags(ty) as u8)
                .u32(import::TYPE, ty.element.raw()),
            ImportType::Memory(ty) => limited(record, &ty.limits)
                .u8(import::FLAGS, memory_flags(ty) as u8)
                .u8(import::PAGE_SIZE_LOG2, ty.page_size_log2),
            ImportType::Global(ty) => record
                .u8(import::FLAGS, global_flags(ty) as u8)
                .u32(import::TYPE, ty.value.raw()),
        };
        record.push_to(sections.get(SectionId::Imports));
    }
    let mut order: Vec<_> = builder.imports.iter().enumerate().collect();
    order.sort_by_key(|(index, entry)| (entry.ty.kind(), *index));
    for (index, _) in order {
        sections.push_word(SectionId::ImportOrder, size(index)?);
    }
    Ok(())
}

fn write_exports<'b>(
    builder: &'b ArtifactBuilder,
    sections: &mut Sections,
    strings: &mut Strings<'b>,
) -> Result<(), WriteError> {
    for entry in &builder.exports {
        let (offset, length) = strings.add(&entry.name)?;
        Record::<{ export::SIZE }>::new()
            .u32(export::NAME_OFFSET, offset)
            .u32(export::NAME_SIZE, length)
            .u32(export::KIND, entry.kind as u32)
            .u32(export::INDEX, entry.index)
            .push_to(sections.get(SectionId::Exports));
    }
    let mut order: Vec<_> = builder.exports.iter().enumerate().collect();
    order.sort_by_key(|(index, entry)| (entry.name.as_str(), *index));
    for (index, _) in order {
        sections.push_word(SectionId::ExportOrder, size(index)?);
    }
    Ok(())
}

fn write_functions(builder: &ArtifactBuilder, sections: &mut Sections) -> Result<(), WriteError> {
    let (mut traps, mut calls) = (Sites::default(), Sites::default());
    for (index, entry) in builder.functions.iter().enumerate() {
        Record::<{ function::SIZE }>::new()
            .u32(function::TYPE, entry.type_index)
            .u32(function::TEXT_OFFSET, entry.text_offset)
            .u32(function::TEXT_SIZE, entry.text_size)
            .u32(function::FRAME_SIZE, entry.frame_size)
            .optional(function::RECORD, entry.record)
            .u32(function::WASM_OFFSET, entry.wasm_offset)
            .push_to(sections.get(SectionId::Functions));
        let function = size(index)?;
        traps
            .add_traps(entry)
            .ok_or(WriteError::Sites { function })?;
        calls
            .add_calls(entry)
            .ok_or(WriteError::Sites { function })?;
    }
    let (traps, calls) = (traps.finish(), calls.finish());
    *sections.get(SectionId::TrapIndex) = traps.ends;
    *sections.get(SectionId::Traps) = traps.stream;
    *sections.get(SectionId::CallSiteIndex) = calls.ends;
    *sections.get(SectionId::CallSites) = calls.stream;
    Ok(())
}

fn write_tables(
    builder: &ArtifactBuilder,
    sections: &mut Sections,
    expressions: &mut Expressions,
) -> Result<(), WriteError> {
    for entry in &builder.tables {
        let init = entry
            .init
            .as_ref()
            .map(|init| expressions.add(init))
            .transpose()?;
        Record::<{ table::SIZE }>::new()
            .u32(table::ELEMENT, entry.ty.element.raw())
            .u32(table::FLAGS, table_flags(&entry.ty))
            .u64(table::MIN, entry.ty.limits.min)
            .u64(table::MAX, entry.ty.limits.max.unwrap_or(0))
            .optional(table::INIT, init)
            .push_to(sections.get(SectionId::Tables));
    }
    Ok(())
}

fn write_memories(builder: &ArtifactBuilder, sections: &mut Sections) {
    for ty in &builder.memories {
        Record::<{ memory::SIZE }>::new()
            .u32(memory::FLAGS, memory_flags(ty))
            .u32(memory::PAGE_SIZE_LOG2, u32::from(ty.page_size_log2))
            .u64(memory::MIN, ty.limits.min)
            .u64(memory::MAX, ty.limits.max.unwrap_or(0))
            .push_to(sections.get(SectionId::Memories));
    }
}

fn write_globals(
    builder: &ArtifactBuilder,
    sections: &mut Sections,
    expressions: &mut Expressions,
) -> Result<(), WriteError> {
    for entry in &builder.globals {
        Record::<{ global::SIZE }>::new()
            .u32(global::TYPE, entry.ty.value.raw())
            .u32(global::FLAGS, global_flags(&entry.ty))
            .u32(global::INIT, expressions.add(&entry.init)?)
            .push_to(sections.get(SectionId::Globals));
    }
    Ok(())
}

fn write_elements(
    builder: &ArtifactBuilder,
    sections: &mut Sections,
    expressions: &mut Expressions,
) -> Result<(), WriteError> {
    for entry in &builder.elements {
        let (mode, table, offset) = match &entry.mode {
            ElementMode::Passive => (layout::MODE_PASSIVE, 0, None),
            ElementMode::Active { table, offset } => {
                (layout::MODE_ACTIVE, *table, Some(expressions.add(offset)?))
            }
            ElementMode::Declared => (layout::MODE_DECLARED, 0, None),
        };
        let first = size(sections.get(SectionId::ElementItems).len() / 4)?;
        let (kind, count) = match &entry.items {
            ElementItems::Functions(items) => {
                for item in items {
                    sections.push_word(SectionId::ElementItems, item.unwrap_or(layout::NONE));
                }
                (layout::ITEMS_FUNCTIONS, items.len())
            }
            ElementItems::Expressions(items) => {
                for item in items {
                    let index = expressions.add(item)?;
                    sections.push_word(SectionId::ElementItems, index);
                }
                (layout::ITEMS_EXPRESSIONS, items.len())
            }
        };
        Record::<{ element::SIZE }>::new()
            .u32(element::MODE, mode)
            .u32(element::ELEMENT, entry.element.raw())
            .u32(element::TABLE, table)
            .optional(element::OFFSET, offset)
            .u32(element::ITEM_KIND, kind)
            .u32(element::FIRST_ITEM, first)
            .u32(element::ITEM_COUNT, size(count)?)
            .push_to(sections.get(SectionId::Elements));
    }
    Ok(())
}

fn write_data(
    builder: &ArtifactBuilder,
    sections: &mut Sections,
    expressions: &mut Expressions,
) -> Result<(), WriteError> {
    for entry in &builder.data {
        let (mode, memory, offset) = match &entry.mode {
            DataMode::Passive => (layout::MODE_PASSIVE, 0, None),
            DataMode::Active { memory, offset } => {
                (layout::MODE_ACTIVE, *memory, Some(expressions.add(offset)?))
            }
        };
        let bytes = if entry.in_image {
            &[]
        } else {
            entry.bytes.as_slice()
        };
        let first = size(sections.get(SectionId::DataBytes).len())?;
        sections.get(SectionId::DataBytes).extend_from_slice(bytes);
        Record::<{ data_segment::SIZE }>::new()
            .u32(data_segment::MODE, mode)
            .u32(data_segment::MEMORY, memory)
            .optional(data_segment::OFFSET, offset)
            .u32(
                data_segment::FLAGS,
                if entry.in_image { FLAG_IN_IMAGE } else { 0 },
            )
            .u32(data_segment::FIRST_BYTE, first)
            .u32(data_segment::BYTE_COUNT, size(bytes.len())?)
            .push_to(sections.get(SectionId::Data));
    }
    Ok(())
}

fn write_image(builder: &ArtifactBuilder, sections: &mut Sections) -> Result<(), WriteError> {
    let page_size = 1usize
        << builder
            .target
            .page_size_log2
            .min(layout::MAX_PAGE_SIZE_LOG2);
    for part in &builder.image {
        let bytes = sections.get(SectionId::ImageBytes);
        let first = bytes.len();
        bytes.extend_from_slice(&part.bytes);
        bytes.resize(bytes.len().next_multiple_of(page_size), 0);
        let count = bytes.len() - first;
        Record::<{ image::SIZE }>::new()
            .u32(image::MEMORY, part.memory)
            .u64(image::ADDRESS, part.address)
            .u32(image::FIRST_BYTE, size(first)?)
            .u32(image::BYTE_COUNT, size(count)?)
            .push_to(sections.get(SectionId::Image));
    }
    Ok(())
}

fn write_relocations(builder: &ArtifactBuilder, sections: &mut Sections) {
    for entry in &builder.relocations {
        Record::<{ relocation::SIZE }>::new()
            .u32(relocation::OFFSET, entry.offset)
            .u8(relocation::KIND, entry.kind as u8)
            .u8(relocation::SYMBOL_KIND, entry.symbol_kind as u8)
            .u32(relocation::SYMBOL, entry.symbol)
            .u64(relocation::ADDEND, entry.addend as u64)
            .push_to(sections.get(SectionId::Relocations));
    }
}

fn write_names(builder: &ArtifactBuilder, sections: &mut Sections) -> Result<(), WriteError> {
    let named = builder
        .function_names
        .iter()
        .rposition(|name| name.is_some());
    let count = named.map_or(0, |last| last + 1);
    for name in builder.function_names.iter().take(count) {
        let bytes = sections.get(SectionId::NameBytes);
        bytes.extend_from_slice(name.as_deref().unwrap_or("").as_bytes());
        let end = size(bytes.len())?;
        sections.push_word(SectionId::FunctionNames, end);
    }
    Ok(())
}

fn write_custom<'b>(
    builder: &'b ArtifactBuilder,
    sections: &mut Sections,
    strings: &mut Strings<'b>,
) -> Result<(), WriteError> {
    for entry in &builder.custom_sections {
        let (name_offset, name_size) = strings.add(&entry.name)?;
        let first = size(sections.get(SectionId::CustomBytes).len())?;
        sections
            .get(SectionId::CustomBytes)
            .extend_from_slice(&entry.bytes);
        Record::<{ custom::SIZE }>::new()
            .u32(custom::NAME_OFFSET, name_offset)
            .u32(custom::NAME_SIZE, name_size)
            .u32(custom::FIRST_BYTE, first)
            .u32(custom::BYTE_COUNT, size(entry.bytes.len())?)
            .push_to(sections.get(SectionId::Custom));
    }
    Ok(())
}
