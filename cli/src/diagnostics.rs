//! Errors in modules, shown where they are: a byte offset for binary modules, and for text
//! modules a caret under the line.
//!
//! The compiler sees the binary form only and names an offset in it; for a module that came from
//! text, [`crate::place`] finds the way back.

use crate::Outcome;
use crate::failure::Failure;
use annotate_snippets::{AnnotationKind, Level, Renderer, Snippet};
use std::io::IsTerminal;
use std::ops::Range;
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
        self.failure_at(error.span().offset(), &error.message())
    }

    /// An error about what is at an offset of the text.
    pub fn failure_at(&self, offset: usize, message: &str) -> Failure {
        Failure::rendered(self.snippet(message, self.word(offset)))
    }

    /// The error with the line that it is about.
    fn snippet(&self, message: &str, place: Range<usize>) -> String {
        let annotation = AnnotationKind::Primary.span(place);
        let snippet = Snippet::source(self.text.as_str()).path(self.name.as_str());
        let report = &[Level::ERROR
            .primary_title(message)
            .element(snippet.annotation(annotation))];
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
}

#[cfg(test)]
mod tests {
    use super::*;

    fn source(text: &str) -> TextSource {
        TextSource {
            name: "t.wat".into(),
            text: text.into(),
        }
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
