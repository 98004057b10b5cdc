//! The rules that hold for single fields, as a table; what relates records to each other is code in
//! the files of the sections.
//!
//! The order is the one in which sections are checked: each relies on those before it alone.

use crate::aux_stack::{AuxStackBounds, AuxStackEvidence};
use crate::bytes::RECORD_ROOM;
use crate::layout::{self, RecordField, SectionId, WORD};
use crate::relocation::{RelocationKind, SymbolKind};
use crate::types::ExternKind;

/// What has to hold for a field.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Check {
    /// From the first number to the second; others have no meaning.
    Number(u8, u8),
    /// Bits outside of these are zero.
    Bits(u8),
    /// An index of a record of the section.
    Index(SectionId),
    /// An offset in the text, or none.
    Text,
    /// Where a name is in the strings; the next field is its size.
    Name,
    /// The first of a run of records of the section, where the run before it ends; the next field says
    /// how many they are.
    Run(SectionId),
}

/// A rule for a field.
#[derive(Clone, Copy)]
pub(super) struct Rule {
    pub(super) section: SectionId,
    pub(super) offset: u8,
    pub(super) size: u8,
    pub(super) check: Check,
}

impl Rule {
    const fn new<const N: usize>(section: SectionId, field: RecordField<N>, check: Check) -> Rule {
        Rule {
            section,
            offset: field.offset() as u8,
            size: N as u8,
            check,
        }
    }

    /// The rule for the lowest byte of the field alone.
    const fn low_byte(self) -> Rule {
        Rule { size: 1, ..self }
    }
}

/// Every rule.
#[rustfmt::skip]
pub(super) const RULES: &[Rule] = {
    use Check::{Bits, Index, Name, Number, Run, Text};
    use ExternKind as Kind;
    use SectionId as In;
    const FORM: u8 = layout::FORM_FUNCTION as u8;
    const HAS_MAX: u8 = layout::FLAG_HAS_MAX as u8;
    const SHARED: u8 = layout::FLAG_SHARED as u8;
    const IS_64: u8 = layout::FLAG_64 as u8;
    use layout::{
        aux_stack, custom, data_segment, element, export, function, function_type, global, image,
        import, memory, module, relocation, stack_bound, table, tag,
    };
    &[
        Rule::new(In::Types, function_type::FORM, Number(FORM, FORM)).low_byte(),
        Rule::new(In::Types, function_type::ENTRY_TRAMPOLINE, Text),
        Rule::new(In::Types, function_type::HOST_ADAPTER, Text),
        Rule::new(In::Types, function_type::SWITCH_ADAPTER, Text),
        Rule::new(In::Imports, import::MODULE_OFFSET, Name),
        Rule::new(In::Imports, import::NAME_OFFSET, Name),
        Rule::new(In::Imports, import::KIND, Number(0, Kind::ALL.len() as u8 - 1)),
        Rule::new(In::Imports, import::RESERVED, Bits(0)),
        Rule::new(In::ImportOrder, WORD, Index(In::Imports)),
        Rule::new(In::Functions, function::TYPE, Index(In::Types)),
        Rule::new(In::Memories, memory::FLAGS, Bits(HAS_MAX | SHARED | IS_64)),
        Rule::new(In::Tables, table::FLAGS, Bits(HAS_MAX | IS_64)),
        Rule::new(In::Tables, table::RESERVED, Bits(0)),
        Rule::new(In::Globals, global::FLAGS, Bits(layout::FLAG_MUTABLE as u8)),
        Rule::new(In::Tags, tag::TYPE, Index(In::Types)),
        Rule::new(In::Elements, element::MODE, Number(0, layout::MODE_DECLARED as u8)),
        Rule::new(In::Elements, element::ITEM_KIND, Number(0, layout::ITEMS_EXPRESSIONS as u8)),
        Rule::new(In::Elements, element::FIRST_ITEM, Run(In::ElementItems)),
        Rule::new(In::Data, data_segment::MODE, Number(0, layout::MODE_ACTIVE as u8)),
        Rule::new(In::Data, data_segment::FLAGS, Bits(layout::FLAG_IN_IMAGE as u8)),
        Rule::new(In::Data, data_segment::FIRST_BYTE, Run(In::DataBytes)),
        Rule::new(In::Image, image::RESERVED, Bits(0)),
        Rule::new(In::Image, image::FIRST_BYTE, Run(In::ImageBytes)),
        Rule::new(In::Exports, export::NAME_OFFSET, Name),
        Rule::new(In::Exports, export::KIND, Number(0, Kind::ALL.len() as u8 - 1)),
        Rule::new(In::ExportOrder, WORD, Index(In::Exports)),
        Rule::new(In::Relocations, relocation::KIND, Number(1, RelocationKind::ALL.len() as u8)),
        Rule::new(In::Relocations, relocation::SYMBOL_KIND, Number(1, SymbolKind::ALL.len() as u8)),
        Rule::new(In::Relocations, relocation::RESERVED, Bits(0)),
        Rule::new(In::Custom, custom::NAME_OFFSET, Name),
        Rule::new(In::Custom, custom::FIRST_BYTE, Run(In::CustomBytes)),
        Rule::new(In::AuxStack, aux_stack::EVIDENCE, Number(1, AuxStackEvidence::ALL.len() as u8)),
        Rule::new(In::AuxStack, aux_stack::BOUNDS, Number(0, AuxStackBounds::ALL.len() as u8 - 1)),
        Rule::new(In::AuxStack, aux_stack::CHECKED, Number(0, 1)),
        Rule::new(In::AuxStack, aux_stack::RESERVED, Bits(0)),
        Rule::new(In::StackBounds, stack_bound::KIND, Number(0, layout::BOUND_UNKNOWN_CALLEE)),
        Rule::new(In::Module, module::NAME_OFFSET, Name),
    ]
};

/// The sections whose records are all part of a run, in order and once.
pub(super) const POOLS: &[SectionId] = &[
    SectionId::ValueTypes,
    SectionId::Expressions,
    SectionId::Operations,
    SectionId::ElementItems,
    SectionId::DataBytes,
    SectionId::ImageBytes,
    SectionId::CustomBytes,
];

// Of each rule, eight bytes are read from the start of its field.
const _: () = {
    let mut index = 0;
    while index < RULES.len() {
        assert!(RULES[index].offset as usize + 8 <= RECORD_ROOM);
        assert!(RULES[index].size >= 1 && RULES[index].size <= 8);
        index += 1;
    }
    let mut index = 0;
    while index < layout::RECORDS.len() {
        let record = &layout::RECORDS[index];
        // The header and the trailer are read where they lie.
        assert!(record.size <= RECORD_ROOM || index == 0 || index == 2);
        index += 1;
    }
};
