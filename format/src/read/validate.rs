//! The one-time check of everything that instantiation and calls rely on.
//!
//! Work is linear in the size of the payload: records are read once; ranges into shared bytes must
//! follow each other, so that no byte is read for two records; names may be shared, within a
//! budget; each expression belongs to one user, in order.

use core::str;

use crate::bytes::{Record, Records};
use crate::context::{ContextCounts, ContextLayout};
use crate::envelope::Envelope;
use crate::error::{ErrorKind, FormatError};
use crate::layout::{self, SectionId, function, import, module};
use crate::types::{ExternKind, MemoryType, TableType, ValueType};

use super::collection::string;
use super::expressions::Expression;
use super::header::{Form, Header, SectionTable};
use super::{Artifact, Bytes};
use super::{
    aux_stack, custom, data, elements, exports, functions, globals, handlers, image, imports,
    memories, names, relocations, stack_depth, tables, tags, traps, types,
};

/// Checks a payload.
pub(super) fn parse(envelope: Envelope<'_>, form: Form) -> Result<Artifact<'_>, FormatError> {
    let payload = Bytes::new(envelope.payload);
    let header = Header::read(payload, form)?;
    let sections = SectionTable::read(payload, header.page_size_log2, form)?;
    let bytes = |id| {
        let range = sections.range(id);
        payload.range(range.offset, range.size).unwrap_or_default()
    };
    let error =
        |kind, section| FormatError::in_section(kind, section, sections.range(section).offset);

    let strings = str::from_utf8(bytes(SectionId::Strings).as_slice())
        .map_err(|_| error(ErrorKind::InvalidUtf8, SectionId::Strings))?;
    let imported = count_imports(Records::new(bytes(SectionId::Imports), import::SIZE))
        .map_err(|kind| error(kind, SectionId::Imports))?;
    let count = |id: SectionId| Records::new(bytes(id), id.unit()).len();
    let [
        imported_functions,
        imported_tables,
        imported_memories,
        imported_globals,
        imported_tags,
    ] = imported;
    let counts = ContextCounts {
        imported_memories,
        defined_memories: count(SectionId::Memories),
        imported_globals,
        defined_globals: count(SectionId::Globals),
        imported_tables,
        defined_tables: count(SectionId::Tables),
        imported_functions,
        function_records: count_records(Records::new(bytes(SectionId::Functions), function::SIZE)),
        imported_tags,
        defined_tags: count(SectionId::Tags),
    };
    let context_layout = ContextLayout::new(header.isa.pointer_width(), counts)
        .ok_or(FormatError::at(ErrorKind::ContextTooLarge, 0))?;
    if count(SectionId::Module) > 1 {
        return Err(error(ErrorKind::SectionSize, SectionId::Module));
    }
    let (start_function, _) = match Record::at(bytes(SectionId::Module), 0, module::SIZE) {
        Some(record) => read_module(record, strings).map_err(|k| error(k, SectionId::Module))?,
        None => (None, None),
    };
    let artifact = Artifact {
        payload,
        header,
        sections,
        strings,
        start_function,
        context_layout,
    };
    check(&artifact)?;
    Ok(artifact)
}

/// Reads the module's start function and name.
pub(super) fn read_module<'a>(
    record: Record<'a>,
    strings: &'a str,
) -> Result<(Option<u32>, Option<&'a str>), ErrorKind> {
    let name = string(
        strings,
        record.u32(module::NAME_OFFSET),
        record.u32(module::NAME_SIZE),
    )?;
    Ok((
        record.optional(module::START_FUNCTION),
        Some(name).filter(|name| !name.is_empty()),
    ))
}

/// Counts the imports of each kind.
fn count_imports(records: Records<'_>) -> Result<[u32; ExternKind::ALL.len()], ErrorKind> {
    let mut counts = [0; ExternKind::ALL.len()];
    for index in 0..records.len() {
        let record = records.get(index).ok_or(ErrorKind::IndexOutOfRange)?;
        let kind = imports::kind(record)? as usize;
        *counts.get_mut(kind).ok_or(ErrorKind::UnknownNumber)? += 1;
    }
    Ok(counts)
}

/// Counts the functions that have a function record.
fn count_records(records: Records<'_>) -> u32 {
    (0..records.len())
        .filter_map(|index| records.get(index)?.optional(function::RECORD))
        .count() as u32
}

/// Checks the sections in an order in which each relies on those before it alone.
fn check(artifact: &Artifact<'_>) -> Result<(), FormatError> {
    let mut checker = Checker {
        next_expression: 0,
        next_operation: 0,
        names_left: artifact.payload.len() as u64 * layout::NAME_SHARING,
    };
    types::check(artifact)?;
    imports::check(artifact, &mut checker)?;
    functions::check(artifact)?;
    memories::check(artifact)?;
    tables::check(artifact, &mut checker)?;
    globals::check(artifact, &mut checker)?;
    tags::check(artifact)?;
    elements::check(artifact, &mut checker)?;
    data::check(artifact, &mut checker)?;
    image::check(artifact)?;
    exports::check(artifact, &mut checker)?;
    relocations::check(artifact)?;
    custom::check(artifact, &mut checker)?;
    aux_stack::check(artifact)?;
    stack_depth::check(artifact)?;
    handlers::check(artifact)?;
    traps::check(artifact)?;
    names::check(artifact)?;
    check_start(artifact).map_err(|kind| artifact.error(kind, SectionId::Module, 0))?;
    if checker.next_expression != artifact.expressions().len() {
        let place = checker.next_expression;
        return Err(artifact.error(ErrorKind::NotContiguous, SectionId::Expressions, place));
    }
    let operations = artifact.section(SectionId::Operations).size / layout::operation::SIZE as u32;
    if checker.next_operation != operations {
        let place = checker.next_operation;
        return Err(artifact.error(ErrorKind::NotContiguous, SectionId::Operations, place));
    }
    Ok(())
}

/// The start function takes and returns nothing.
fn check_start(artifact: &Artifact<'_>) -> Result<(), ErrorKind> {
    let Some(start) = artifact.start_function else {
        return Ok(());
    };
    let ty = artifact
        .function_type(start)
        .ok_or(ErrorKind::IndexOutOfRange)?;
    if ty.params().is_empty() && ty.results().is_empty() {
        Ok(())
    } else {
        Err(ErrorKind::TypeMismatch)
    }
}

/// What goes from section to section during the check.
pub(super) struct Checker {
    next_expression: u32,
    next_operation: u32,
    names_left: u64,
}

impl Checker {
    /// Checks an expression where it is used. Users come in the order of the expressions, so each
    /// expression is checked once, with the type and the globals of its one user.
    pub(super) fn expression<'a>(
        &mut self,
        artifact: &Artifact<'a>,
        expression: &Expression<'a>,
        expected: ValueType,
        globals: u32,
    ) -> Result<(), ErrorKind> {
        if expression.index != self.next_expression
            || expression.first_operation() != self.next_operation
        {
            return Err(ErrorKind::NotContiguous);
        }
        self.next_expression += 1;
        self.next_operation = expression.end_operation();
        expression.check(artifact, expected, globals)
    }

    /// Takes a name's length from the budget for shared names.
    pub(super) fn count_name(&mut self, name: &str) -> Result<(), ErrorKind> {
        self.names_left = self
            .names_left
            .checked_sub(name.len() as u64)
            .ok_or(ErrorKind::TooManyNames)?;
        Ok(())
    }
}

/// Checks a table's element type and limits.
pub(super) fn check_table_type(artifact: &Artifact<'_>, ty: &TableType) -> Result<(), ErrorKind> {
    if !ty.element.is_reference() {
        return Err(ErrorKind::TypeMismatch);
    }
    types::check_value_type(artifact, ty.element)?;
    let reachable = if ty.is_64 {
        u64::MAX
    } else {
        u64::from(u32::MAX)
    };
    if ty.limits.is_valid(reachable) {
        Ok(())
    } else {
        Err(ErrorKind::InvalidLimits)
    }
}

/// Checks a memory's limits; a shared one needs a maximum.
pub(super) fn check_memory_type(ty: &MemoryType) -> Result<(), ErrorKind> {
    let endless = ty.shared && ty.limits.max.is_none();
    if endless || !ty.limits.is_valid(ty.reachable_pages()) {
        return Err(ErrorKind::InvalidLimits);
    }
    Ok(())
}
