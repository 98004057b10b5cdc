//! Names from modules, so that they can be printed.
//!
//! A name section may hold any text: line feeds, sequences that a terminal obeys, marks that turn the
//! direction of writing, a megabyte of it. What goes to people or into line-based files goes through
//! [`Printable`]; whoever takes frames as values gets names as they are.
#![forbid(unsafe_code)]

use core::fmt::{self, Write};

/// How many characters of a name are printed.
const MOST_CHARACTERS: usize = 240;

/// A name on one line: what has no shape of its own is written as an escape, as in Rust, and what is
/// longer than 240 characters ends with an ellipsis. Allocates nothing.
#[derive(Clone, Copy, Debug)]
pub struct Printable<'a>(pub &'a str);

impl fmt::Display for Printable<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, character) in self.0.chars().enumerate() {
            if index == MOST_CHARACTERS {
                return f.write_char('…');
            }
            match character {
                // Common in names of C++ and Rust, and harmless.
                '\'' | '"' => f.write_char(character)?,
                _ => write!(f, "{}", character.escape_debug())?,
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::{MOST_CHARACTERS, Printable};
    use std::string::ToString;

    #[test]
    fn ordinary_names_stay_what_they_are() {
        for name in ["_start", "std::vec<'a, \"x\">", "größe", "名前", "a b", ""] {
            assert_eq!(Printable(name).to_string(), name);
        }
    }

    #[test]
    fn what_a_terminal_obeys_is_escaped() {
        let text = Printable("a\n\u{1b}[31m\u{202e}\u{200b}\\\0").to_string();
        assert_eq!(text, "a\\n\\u{1b}[31m\\u{202e}\\u{200b}\\\\\\0");
    }

    #[test]
    fn long_names_end() {
        let text = Printable(&"x".repeat(100_000)).to_string();
        assert_eq!(text.chars().count(), MOST_CHARACTERS + 1);
        assert!(text.ends_with('…'));
    }
}
