//! From an offset in a binary module back to its text.
//!
//! The binary says which item of which section is at the offset, and in code which instruction of
//! which function. The assembler keeps the order of items and instructions, so counting finds the
//! same one in the text.

use wasmparser::{FromReader, Parser, Payload, SectionLimited};
use wast::Wat;
use wast::core::{FuncKind, ModuleField, ModuleKind};
use wast::parser::{self, ParseBuffer};
use wast::token::Span;

/// What is at an offset of a binary module. Items are counted without imports.
#[derive(Debug, PartialEq, Eq)]
enum Item {
    /// An item of a section.
    Field(Kind, usize),
    /// An instruction of a defined function.
    Instruction(usize, usize),
}

/// Sections that correspond to fields of the text format.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Type,
    Import,
    Function,
    Table,
    Memory,
    Tag,
    Global,
    Export,
    Element,
    Data,
}

/// The offset in the text of what is at an offset of the binary module that was made of it.
pub fn in_text(text: &str, wasm: &[u8], offset: usize) -> Option<usize> {
    let item = find(wasm, offset as u64)?;
    let mut buffer = ParseBuffer::new(text).ok()?;
    buffer.track_instr_spans(true);
    let mut module = match parser::parse::<Wat<'_>>(&buffer).ok()? {
        Wat::Module(module) => module,
        _ => return None,
    };
    // Encoding puts folded instructions and inline declarations into their binary order.
    module.encode().ok()?;
    let ModuleKind::Text(fields) = &module.kind else {
        return None;
    };
    match item {
        Item::Field(kind, number) => {
            let mut spans = fields.iter().filter_map(|field| span_of(field, kind));
            spans.nth(number).map(|span| span.offset())
        }
        Item::Instruction(function, number) => instruction(fields, function, number),
    }
}

fn find(wasm: &[u8], offset: u64) -> Option<Item> {
    let mut function = 0;
    for payload in Parser::new(0).parse_all(wasm) {
        let field = match payload.ok()? {
            Payload::TypeSection(section) => in_section(Kind::Type, section, offset),
            Payload::ImportSection(section) => in_section(Kind::Import, section, offset),
            Payload::FunctionSection(section) => in_section(Kind::Function, section, offset),
            Payload::TableSection(section) => in_section(Kind::Table, section, offset),
            Payload::MemorySection(section) => in_section(Kind::Memory, section, offset),
            Payload::TagSection(section) => in_section(Kind::Tag, section, offset),
            Payload::GlobalSection(section) => in_section(Kind::Global, section, offset),
            Payload::ExportSection(section) => in_section(Kind::Export, section, offset),
            Payload::ElementSection(section) => in_section(Kind::Element, section, offset),
            Payload::DataSection(section) => in_section(Kind::Data, section, offset),
            Payload::CodeSectionEntry(body) if body.range().contains(&offset) => {
                let operators = body.get_operators_reader().ok()?.into_iter_with_offsets();
                let before =
                    operators.take_while(|item| matches!(item, Ok((_, at)) if *at <= offset));
                return Some(Item::Instruction(
                    function,
                    before.count().saturating_sub(1),
                ));
            }
            Payload::CodeSectionEntry(_) => {
                function += 1;
                None
            }
            _ => None,
        };
        if field.is_some() {
            return field;
        }
    }
    None
}

fn in_section<'a, T: FromReader<'a>>(
    kind: Kind,
    section: SectionLimited<'a, T>,
    offset: u64,
) -> Option<Item> {
    if !section.range().contains(&offset) {
        return None;
    }
    // An item that cannot be read is the one that is wrong: the one after those before it.
    let before = section
        .into_iter_with_offsets()
        .take_while(|item| !matches!(item, Ok((at, _)) if *at > offset))
        .count();
    Some(Item::Field(kind, before.saturating_sub(1)))
}

fn span_of(field: &ModuleField<'_>, kind: Kind) -> Option<Span> {
    match (field, kind) {
        (ModuleField::Type(item), Kind::Type) => Some(item.span),
        (ModuleField::Rec(item), Kind::Type) => Some(item.span),
        (ModuleField::Import(item), Kind::Import) => Some(item.span),
        (ModuleField::Func(item), Kind::Function) => Some(item.span),
        (ModuleField::Table(item), Kind::Table) => Some(item.span),
        (ModuleField::Memory(item), Kind::Memory) => Some(item.span),
        (ModuleField::Tag(item), Kind::Tag) => Some(item.span),
        (ModuleField::Global(item), Kind::Global) => Some(item.span),
        (ModuleField::Export(item), Kind::Export) => Some(item.span),
        (ModuleField::Elem(item), Kind::Element) => Some(item.span),
        (ModuleField::Data(item), Kind::Data) => Some(item.span),
        _ => None,
    }
}

fn instruction(fields: &[ModuleField<'_>], function: usize, number: usize) -> Option<usize> {
    let mut defined = fields.iter().filter_map(|field| match field {
        ModuleField::Func(function) => match &function.kind {
            FuncKind::Inline { expression, .. } => Some((function.span, expression)),
            FuncKind::Import(..) => None,
        },
        _ => None,
    });
    let (span, expression) = defined.nth(function)?;
    let spans = expression.instr_spans.as_deref().unwrap_or_default();
    // The closing `end` of a function has no place of its own in the text.
    Some(
        spans
            .get(number)
            .map_or(span.offset(), |span| span.offset()),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn assemble(text: &str) -> Vec<u8> {
        let buffer = ParseBuffer::new(text).unwrap();
        parser::parse::<Wat<'_>>(&buffer).unwrap().encode().unwrap()
    }

    /// The rest of the text from the place of the last such bytes in the binary.
    fn place_of<'a>(text: &'a str, bytes: &[u8]) -> &'a str {
        let wasm = assemble(text);
        let offset = wasm
            .windows(bytes.len())
            .rposition(|window| window == bytes)
            .unwrap();
        &text[in_text(text, &wasm, offset).unwrap()..]
    }

    #[test]
    fn instructions_are_found_although_folded() {
        let text = "(module (import \"a\" \"b\" (func)) (func) (func (param i32)
            (drop (i32.add (local.get 0) (i64.const 7)))))";
        assert!(place_of(text, &[0x42, 7]).starts_with("i64.const 7"));
        assert!(place_of(text, &[0x6a, 0x1a]).starts_with("i32.add"));
    }

    #[test]
    fn fields_are_found_by_section() {
        let text = "(module (global i32 (i32.const 1)) (global i32 (i64.const 99)) (memory 7 9))";
        assert!(place_of(text, &[0x7f, 0, 0x42]).starts_with("global i32 (i64"));
        assert!(place_of(text, &[1, 7, 9]).starts_with("memory 7"));
    }
}
