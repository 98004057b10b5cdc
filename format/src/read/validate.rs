//! The one-time check of everything that instantiation and calls rely on.
//!
//! ```text
//! RULES, section by section --> each record: its fields, then what relates it to others
//! ```
//!
//! Work is linear in the size of the payload: records are read once; runs of shared records must
//! follow each other, so that nothing is read for two users; names may be shared, within a budget;
//! each expression belongs to one user, in order.

use core::str;

use crate::bytes::{Bytes, Record};
use crate::context::{ContextCounts, ContextLayout};
use crate::envelope::Parts;
use crate::error::{ErrorKind, FormatError};
use crate::layout::{self, SectionId, expression, function_type, module};
use crate::types::{ExternKind, ValueType};

use super::declarations::Declaration;
use super::header::{self, Form, Header, SectionTable};
use super::rules::{Check, POOLS, RULES, Rule};
use super::{Artifact, Facts};
use super::{
    aux_stack, data, elements, exports, expressions, functions, globals, handlers, image, imports,
    relocations, stack_depth, tables, types,
};

/// Checks a file of this form.
pub(super) fn parse(file: &[u8], form: Form) -> Result<Artifact<'_>, FormatError> {
    let parts = Parts::split(Bytes::new(file))?;
    let (record, payload) = (&parts.header, parts.payload);
    if form != Form::Whole && parts.trailer.is_some() {
        let end = payload.len() as u32;
        return Err(FormatError::at(ErrorKind::TrailingBytes, end));
    }
    header::check(record, form)?;
    let facts = Facts {
        header: Header::read(record),
        sections: SectionTable::read(record, payload, form)?,
        context_layout: ContextLayout::EMPTY,
    };
    let mut artifact = Artifact { payload, facts };
    if let Form::Split { text_size } = form
        && artifact.section(SectionId::Text).size as usize != text_size
    {
        return Err(artifact.error(ErrorKind::SectionSize, SectionId::Text, 0));
    }
    let [functions, tables, memories, globals, tags] =
        imports::count(&artifact).map_err(|kind| artifact.error(kind, SectionId::Imports, 0))?;
    artifact.facts.context_layout.counts = ContextCounts {
        imported_memories: memories,
        defined_memories: artifact.count(SectionId::Memories),
        imported_globals: globals,
        defined_globals: artifact.count(SectionId::Globals),
        imported_tables: tables,
        defined_tables: artifact.count(SectionId::Tables),
        imported_functions: functions,
        function_records: 0,
        imported_tags: tags,
        defined_tags: artifact.count(SectionId::Tags),
    };
    artifact.facts.context_layout.counts.function_records = check(&artifact)?;
    let width = artifact.header().isa.pointer_width();
    if !artifact.facts.context_layout.compute(width) {
        return Err(FormatError::at(ErrorKind::ContextTooLarge, 0));
    }
    Ok(artifact)
}

/// Checks the sections. Gives how many functions have a function record.
fn check(artifact: &Artifact<'_>) -> Result<u32, FormatError> {
    let strings = artifact.section_bytes(SectionId::Strings).as_slice();
    if str::from_utf8(strings).is_err() {
        return Err(artifact.error(ErrorKind::InvalidUtf8, SectionId::Strings, 0));
    }
    let mut checker = Checker {
        artifact,
        counts: [0; SectionId::ALL.len() + 1],
        next: [0; SectionId::ALL.len() + 1],
        names_left: artifact.payload.len() as u64 * layout::NAME_SHARING,
        text_size: artifact.section(SectionId::Text).size,
        function_records: 0,
        end: 0,
        counter: 0,
    };
    for id in SectionId::ALL {
        checker.counts[*id as usize] = artifact.count(*id);
    }
    checker.check_counts()?;
    for rules in RULES.chunk_by(|one, other| one.section == other.section) {
        checker.section(rules)?;
    }
    handlers::check(artifact)?;
    for pool in POOLS {
        let next = *checker.next(*pool);
        if next != checker.count(*pool) {
            return Err(artifact.error(ErrorKind::NotContiguous, *pool, next));
        }
    }
    Ok(checker.function_records)
}

/// How many records sections have that belong to others: as many as the other section, or none where
/// that may be; one at most where the other is the same.
const COUNTS: &[(SectionId, SectionId, bool)] = &[
    (SectionId::ImportOrder, SectionId::Imports, false),
    (SectionId::ExportOrder, SectionId::Exports, false),
    (SectionId::Module, SectionId::Module, true),
    (SectionId::AuxStack, SectionId::AuxStack, true),
    (SectionId::TrapIndex, SectionId::Functions, true),
    (SectionId::CallSiteIndex, SectionId::Functions, true),
    (SectionId::FunctionDepths, SectionId::Functions, true),
];

/// Bytes that are there if the words are that say where their parts end.
const PARTS: &[(SectionId, SectionId)] = &[
    (SectionId::TrapIndex, SectionId::Traps),
    (SectionId::CallSiteIndex, SectionId::CallSites),
];

/// What goes from record to record and from section to section during the check.
pub(super) struct Checker<'a> {
    pub(super) artifact: &'a Artifact<'a>,
    /// How many records each section has, by its id.
    counts: [u32; SectionId::ALL.len() + 1],
    /// Where the next run of records of each pool begins, by the pool's id.
    next: [u32; SectionId::ALL.len() + 1],
    names_left: u64,
    text_size: u32,
    /// How many functions have had a function record so far.
    pub(super) function_records: u32,
    /// Where the record before this one in its section ends, whatever it is a part of; zero at first.
    pub(super) end: u64,
    /// What the section counts; zero at first.
    pub(super) counter: u32,
}

impl Checker<'_> {
    /// How many records a section has.
    pub(super) const fn count(&self, id: SectionId) -> u32 {
        // Ids are 1, 2, 3, ...
        self.counts[id as usize]
    }

    /// Checks how many records sections have that belong to others.
    fn check_counts(&self) -> Result<(), FormatError> {
        let artifact = self.artifact;
        let error = |id| Err(artifact.error(ErrorKind::SectionSize, id, 0));
        for (id, other, can_be_absent) in COUNTS {
            let expected = if id == other { 1 } else { self.count(*other) };
            if self.count(*id) != expected && !(self.count(*id) == 0 && *can_be_absent) {
                return error(*id);
            }
        }
        for (ends, bytes) in PARTS {
            if (self.count(*ends) == 0) != (self.count(*bytes) == 0) {
                return error(*bytes);
            }
        }
        if self.count(SectionId::FunctionNames) > artifact.index_space(ExternKind::Function) {
            return error(SectionId::FunctionNames);
        }
        Ok(())
    }

    /// Checks each record of the section that the rules are for.
    fn section(&mut self, rules: &[Rule]) -> Result<(), FormatError> {
        let Some(Rule { section, .. }) = rules.first() else {
            return Ok(());
        };
        (self.end, self.counter) = (0, 0);
        let records = self.artifact.records(*section);
        for index in 0..records.len() {
            self.record(*section, rules, &records.get(index), index)
                .map_err(|kind| self.artifact.error(kind, *section, index))?;
        }
        Ok(())
    }

    /// Checks a record: its fields, then what relates it to others.
    #[inline(never)]
    fn record(
        &mut self,
        section: SectionId,
        rules: &[Rule],
        record: &Record,
        index: u32,
    ) -> Result<(), ErrorKind> {
        for rule in rules {
            self.field(rule, record)?;
        }
        let artifact = self.artifact;
        let define = |kind| Declaration::defined(kind, record).check(artifact);
        match section {
            SectionId::Types => types::check(self, record, index),
            SectionId::Imports => Declaration::imported(record).check(artifact),
            SectionId::ImportOrder => imports::check_order(self, record),
            SectionId::Functions => functions::check(self, record),
            SectionId::Memories => define(ExternKind::Memory),
            SectionId::Tables => {
                define(ExternKind::Table)?;
                tables::check(self, record)
            }
            SectionId::Globals => {
                define(ExternKind::Global)?;
                globals::check(self, record, index)
            }
            SectionId::Tags => define(ExternKind::Tag),
            SectionId::Elements => elements::check(self, record),
            SectionId::Data => data::check(self, record),
            SectionId::Image => image::check(self, record),
            SectionId::Exports => exports::check(artifact, record),
            SectionId::ExportOrder => exports::check_order(artifact, index),
            SectionId::Relocations => relocations::check(self, record),
            SectionId::AuxStack => aux_stack::check(artifact, record),
            SectionId::StackBounds => stack_depth::check(self, record),
            SectionId::Module => check_start(artifact, record),
            _ => Ok(()),
        }
    }

    /// Checks a field.
    #[inline(never)]
    fn field(&mut self, rule: &Rule, record: &Record) -> Result<(), ErrorKind> {
        let artifact = self.artifact;
        let word = record.word_at(usize::from(rule.offset));
        // The number of a smaller field, and the two of those that belong together.
        let unused = u64::BITS - 8 * u32::from(rule.size);
        let value = word.wrapping_shl(unused).wrapping_shr(unused);
        let (first, count) = (word as u32, (word >> 32) as u32);
        let (holds, error) = match rule.check {
            Check::Number(least, most) => (
                value >= u64::from(least) && value <= u64::from(most),
                ErrorKind::UnknownNumber,
            ),
            Check::Bits(known) => (value & !u64::from(known) == 0, ErrorKind::ReservedBits),
            Check::Index(space) => (first < self.count(space), ErrorKind::IndexOutOfRange),
            Check::Text => (
                first == layout::NONE || first < self.text_size,
                ErrorKind::RangeOutOfBounds,
            ),
            Check::Name => {
                artifact.find_name(first, count)?;
                let left = self.names_left.checked_sub(u64::from(count));
                self.names_left = left.unwrap_or(0);
                (left.is_some(), ErrorKind::TooManyNames)
            }
            Check::Run(pool) => return self.run(pool, first, count),
        };
        if holds { Ok(()) } else { Err(error) }
    }

    /// Takes the next records of a pool.
    pub(super) fn run(&mut self, pool: SectionId, first: u32, count: u32) -> Result<(), ErrorKind> {
        let end = first.checked_add(count);
        let end = end.filter(|end| *end <= self.count(pool));
        let end = end.ok_or(ErrorKind::RangeOutOfBounds)?;
        if first != core::mem::replace(self.next(pool), end) {
            return Err(ErrorKind::NotContiguous);
        }
        Ok(())
    }

    /// Where the next run of records of a pool begins.
    const fn next(&mut self, pool: SectionId) -> &mut u32 {
        // Ids are 1, 2, 3, ...
        &mut self.next[pool as usize]
    }

    /// Checks that a number is not below those before it, and how far above it the next one has to be.
    pub(super) fn ascend(&mut self, number: u64, distance: u64) -> Result<(), ErrorKind> {
        if number < self.end {
            return Err(ErrorKind::NotAscending);
        }
        self.end = number.saturating_add(distance);
        Ok(())
    }

    /// Checks that a range of the text is there, behind those before it.
    pub(super) fn text_range(&mut self, start: u32, size: u32) -> Result<(), ErrorKind> {
        let end = u64::from(start) + u64::from(size);
        if end > u64::from(self.text_size) {
            return Err(ErrorKind::RangeOutOfBounds);
        }
        self.ascend(u64::from(start), u64::from(size))
    }

    /// Checks an expression where it is used. Users come in the order of the expressions, so each
    /// expression is checked once, with the type and the globals of its one user.
    pub(super) fn expression(
        &mut self,
        index: u32,
        expected: ValueType,
        globals: u32,
    ) -> Result<(), ErrorKind> {
        if index >= self.count(SectionId::Expressions) {
            return Err(ErrorKind::IndexOutOfRange);
        }
        self.run(SectionId::Expressions, index, 1)?;
        let record = self.artifact.record(SectionId::Expressions, index);
        let first = record.u32(expression::FIRST_OPERATION);
        let count = record.u32(expression::OPERATION_COUNT);
        self.run(SectionId::Operations, first, count)?;
        expressions::check(self, first..first + count, expected, globals)
    }

    /// Checks the offset of a segment for this table or memory.
    pub(super) fn offset(
        &mut self,
        kind: ExternKind,
        index: u32,
        offset: u32,
    ) -> Result<(), ErrorKind> {
        self.artifact.find_in_space(kind, index)?;
        let ty = self.artifact.declaration(kind, index).index_type();
        self.expression(offset, ty, self.artifact.index_space(ExternKind::Global))
    }
}

/// The start function takes and returns nothing.
fn check_start(artifact: &Artifact<'_>, record: &Record) -> Result<(), ErrorKind> {
    let Some(start) = record.optional(module::START_FUNCTION) else {
        return Ok(());
    };
    artifact.find_in_space(ExternKind::Function, start)?;
    let ty = types::of_function(artifact, start);
    match ty.u32(function_type::PARAM_COUNT) | ty.u32(function_type::RESULT_COUNT) {
        0 => Ok(()),
        _ => Err(ErrorKind::TypeMismatch),
    }
}
