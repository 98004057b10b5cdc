//! Names from modules, so that they can be printed.
//!
//! A name section may hold any text: line feeds, sequences that a terminal obeys, marks that turn the
//! direction of writing, a megabyte of it. What goes to people or into line-based files goes through
//! [`Printable`]; whoever takes frames as values gets names as they are.
#![forbid(unsafe_code)]

use core::fmt::{self, Write};

use precast_format::brief::MESSAGES;
use precast_format::plain::HexDigits;

/// How many characters of a name are printed.
const MOST_CHARACTERS: usize = 240;

/// A name on one line: what has no shape of its own is written as an escape, as in Rust, and what is
/// longer than 240 characters ends with an ellipsis. Without the feature `messages`, whatever is not ASCII is
/// an escape. Allocates nothing.
#[derive(Clone, Copy, Debug)]
pub struct Printable<'a>(pub &'a str);

impl fmt::Display for Printable<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, character) in self.0.chars().enumerate() {
            if index == MOST_CHARACTERS {
                return f.write_char('…');
            }
            match character {
                '\0' => f.write_str("\\0")?,
                '\t' => f.write_str("\\t")?,
                '\n' => f.write_str("\\n")?,
                '\r' => f.write_str("\\r")?,
                '\\' => f.write_str("\\\\")?,
                _ if has_shape(character) => f.write_char(character)?,
                _ => write!(
                    f,
                    "\\u{{{}}}",
                    HexDigits(u64::from(u32::from(character)), 1)
                )?,
            }
        }
        Ok(())
    }
}

/// Characters that are not seen, or change how others are seen: controls, spaces that look like nothing
/// or like another, marks that join the character before, directions, what nobody has given a shape.
/// The library's list is longer and takes more room than all the rest of a backtrace; this one leaves
/// out marks of single scripts, which do no harm.
const SHAPELESS: &[(u32, u32)] = &[
    (0x00, 0x1f),
    (0x7f, 0xa0),
    (0xad, 0xad),
    (0x300, 0x36f),
    (0x483, 0x489),
    (0x600, 0x605),
    (0x61c, 0x61c),
    (0x6dd, 0x6dd),
    (0x70f, 0x70f),
    (0x115f, 0x1160),
    (0x1680, 0x1680),
    (0x17b4, 0x17b5),
    (0x180b, 0x180f),
    (0x1ab0, 0x1aff),
    (0x1dc0, 0x1dff),
    (0x2000, 0x200f),
    (0x2028, 0x202f),
    (0x205f, 0x206f),
    (0x20d0, 0x20ff),
    (0x3000, 0x3000),
    (0x3164, 0x3164),
    (0xd800, 0xf8ff),
    (0xfe00, 0xfe0f),
    (0xfe20, 0xfe2f),
    (0xfeff, 0xfeff),
    (0xffa0, 0xffa0),
    (0xfff0, 0xfffb),
    (0xfffe, 0xffff),
    (0x1bca0, 0x1bca3),
    (0x1d173, 0x1d17a),
    (0x40000, 0x10ffff),
];

/// Whether a character is seen as itself. Where there is no room for sentences there is none for the
/// list, and what is beyond ASCII is an escape.
fn has_shape(character: char) -> bool {
    if !MESSAGES {
        return matches!(character, ' '..='~');
    }
    let number = u32::from(character);
    let mut ranges = SHAPELESS.iter();
    !ranges.any(|(first, last)| (*first..=*last).contains(&number))
}

#[cfg(test)]
mod tests {
    use super::{MESSAGES, MOST_CHARACTERS, Printable};
    use std::string::ToString;

    #[test]
    fn ordinary_names_stay_what_they_are() {
        for name in ["_start", "std::vec<'a, \"x\">", "größe", "名前", "a b", ""] {
            let is_written = MESSAGES || name.is_ascii();
            assert_eq!(Printable(name).to_string() == name, is_written, "{name}");
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
