//! Errors in modules, shown where they are: a byte offset for binary modules, and for text
//! modules a caret under the line.
//!
//! The compiler sees the binary form only and names an offset in it. For a module that came from
//! text, the instruction at that offset is counted in the binary, and the assembler's list of
//! instructions says where in the text it stood.

use crate::Outcome;
use crate::failure::Failure;
use annotate_snippets::{AnnotationKind, Level, Renderer, Snippet};
use precast_compiler::CompileError;
use std::io::IsTerminal;
use std::ops::Range;
use wasmparser::{Parser, Payload};
use wast::core::{FuncKind, ModuleField, ModuleKind};
use wast::parser::{self, ParseBuffer};
use wast::{Error, Wat};

/// A text module, with the name to call it by.
pub struct TextSource {
    /// The file's name.
    pub name: String,
    /// The text.
    pub text: String,
}

impl TextSource {
    /// Turns the text into a binary module.
    pub fn assemble(&self) -> Outcome<Vec<u8>> {
        let buffer = ParseBuffer::new(&self.text).map_err(|error| self.failure(&error))?;
        let mut module = parser::parse::<Wat<'_>>(&buffer).map_err(|error| self.failure(&error))?;
        module.encode().map_err(|error| self.failure(&error))
    }

    fn failure(&self, error: &Error) -> Failure {
        let offset = error.span().offset();
        Failure::rendered(self.snippet(&error.message(), self.word(offset)))
    }

    /// The error with the line that it is about.
    fn snippet(&self, message: &str, place: Range<usize>) -> String {
        let annotation = AnnotationKind::Primary.span(place);
        let snippet = Snippet::source(self.text.as_str()).path(self.name.as_str());
        let report = &[Level::ERROR.primary_title(message).element(snippet.annotation(annotation))];
        let renderer = match std::io::stderr().is_terminal() {
            true => Renderer::styled(),
            false => Renderer::plain(),
        };
        renderer.render(report)
    }

    /// The word at an offset, as long as it stays on its line.
    fn word(&self, offset: usize) -> Range<usize> {
        let mut begin = offset.min(self.text.len());
        while !self.text.is_char_boundary(begin) {
            begin -= 1;
        }
        let rest = &self.text[begin..];
        let ends = |c: char| c.is_whitespace() || matches!(c, '(' | ')' | '"' | ';');
        let length = match rest.chars().next() {
            Some(first) if ends(first) => first.len_utf8(),
            _ => rest.find(ends).unwrap_or(rest.len()),
        };
        begin..begin + length
    }

    /// The offset in the text of the instruction at an offset of the binary module, or of the
    /// function that contains it.
    fn place_of(&self, wasm: &[u8], wasm_offset: usize) -> Option<usize> {
        let (function, instruction) = find_instruction(wasm, wasm_offset)?;
        let mut buffer = ParseBuffer::new(&self.text).ok()?;
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
        Some(spans.get(instruction).map_or(span.offset(), |span| span.offset()))
    }
}

/// The number of the defined function and of its instruction at an offset of the module.
fn find_instruction(wasm: &[u8], offset: usize) -> Option<(usize, usize)> {
    let offset = offset as u64;
    let mut function = 0;
    for payload in Parser::new(0).parse_all(wasm) {
        let Ok(Payload::CodeSectionEntry(body)) = payload else {
            // Sections before the code may be what is wrong; the code section itself is looked at
            // as far as it can be read.
            payload.ok()?;
            continue;
        };
        if body.range().contains(&offset) {
            let operators = body.get_operators_reader().ok()?;
            let before = operators
                .into_iter_with_offsets()
                .take_while(|item| matches!(item, Ok((_, at)) if *at <= offset))
                .count();
            return Some((function, before.saturating_sub(1)));
        }
        function += 1;
    }
    None
}

/// Shows an error of the compiler for a module, with a caret where the module came from text.
pub fn compile_failure(
    error: &CompileError,
    name: &str,
    wasm: &[u8],
    text: Option<&TextSource>,
) -> Failure {
    let place = match (text, error.offset) {
        (Some(text), Some(offset)) => text.place_of(wasm, offset).map(|place| (text, place)),
        _ => None,
    };
    match place {
        Some((text, place)) => {
            Failure::rendered(text.snippet(&error.to_string(), text.word(place)))
        }
        None => Failure::new(format_args!("{name}: {error}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn source(text: &str) -> TextSource {
        TextSource { name: "t.wat".into(), text: text.into() }
    }

    #[test]
    fn an_offset_becomes_a_place_in_the_text() {
        let source = source("(module (func) (func (param i32)\n (drop (i32.add (local.get 0)\n (i64.const 7)))))");
        let wasm = source.assemble().unwrap();
        let constant = wasm.windows(2).rposition(|bytes| bytes == [0x42, 7]).unwrap();
        assert_eq!(find_instruction(&wasm, constant), Some((1, 1)));
        let place = source.place_of(&wasm, constant).unwrap();
        assert_eq!(&source.text[source.word(place)], "i64.const");
        let addition = source.place_of(&wasm, constant + 2).unwrap();
        assert_eq!(&source.text[source.word(addition)], "i32.add");
    }

    #[test]
    fn words_end_at_punctuation() {
        let source = source("(a b)é");
        assert_eq!(source.word(0), 0..1);
        assert_eq!(source.word(3), 3..4);
        assert_eq!(source.word(6), 5..7);
        assert_eq!(source.word(99), 7..7);
    }
}
