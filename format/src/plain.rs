//! Numbers and text in messages, written plainly.
//!
//! The library's own way of writing them can pad, align and sign, and whoever writes one number brings
//! all of that along: as much code as a trap's whole message. Messages of this crate and of the loader
//! need none of it, and devices have no room for it.

use core::fmt;

/// A number in decimal digits, as `{}` has it.
#[derive(Clone, Copy, Debug)]
pub struct Decimal(pub u64);

impl fmt::Display for Decimal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        digits(f, self.0, 10, 1)
    }
}

/// A number that may be negative, as `{}` has it.
#[derive(Clone, Copy, Debug)]
pub struct Signed(pub i64);

impl fmt::Display for Signed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0 < 0 {
            f.write_str("-")?;
        }
        digits(f, self.0.unsigned_abs(), 10, 1)
    }
}

/// A number in hexadecimal digits after `0x`, as `{:#x}` has it.
#[derive(Clone, Copy, Debug)]
pub struct Hexadecimal(pub u64);

impl fmt::Display for Hexadecimal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("0x")?;
        digits(f, self.0, 16, 1)
    }
}

/// So many hexadecimal digits at least, as `{:0n x}` has it for that many.
#[derive(Clone, Copy, Debug)]
pub struct HexDigits(pub u64, pub usize);

impl fmt::Display for HexDigits {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        digits(f, self.0, 16, self.1)
    }
}

/// Text as it is.
#[derive(Clone, Copy, Debug)]
pub struct Text<'a>(pub &'a str);

impl fmt::Display for Text<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

/// A line of a text; the last one where there is none with this index. So a list of names is one text
/// without a table of addresses, and no code for each name.
pub const fn line(text: &'static str, index: usize) -> &'static str {
    let (mut rest, mut index) = (text, index);
    let mut end = 0;
    while end < rest.len() {
        if rest.as_bytes()[end] != b'\n' {
            end += 1;
            continue;
        }
        // What is before and behind a line feed is text.
        let Some((line, behind)) = rest.split_at_checked(end) else {
            break;
        };
        let Some((_, behind)) = behind.split_at_checked(1) else {
            break;
        };
        if index == 0 || behind.is_empty() {
            return line;
        }
        (rest, index, end) = (behind, index - 1, 0);
    }
    rest
}

/// Writes the digits of a number, the lowest of which is found first.
fn digits(f: &mut fmt::Formatter<'_>, mut number: u64, base: u64, least: usize) -> fmt::Result {
    // As many as a number of 64 bits has.
    let mut text = [b'0'; 20];
    let mut start = text.len();
    for (index, place) in text.iter_mut().enumerate().rev() {
        let digit = number.checked_rem(base).unwrap_or(0) as u8;
        *place = if digit < 10 {
            b'0' + digit
        } else {
            b'a' - 10 + digit
        };
        number = number.checked_div(base).unwrap_or(0);
        start = index;
        if number == 0 {
            break;
        }
    }
    let start = start.min(text.len().saturating_sub(least));
    let text = text.get(start..).unwrap_or_default();
    // Digits are.
    f.write_str(core::str::from_utf8(text).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;
    extern crate std;
    use std::format;
    use std::string::ToString;

    #[test]
    fn numbers_look_as_the_library_writes_them() {
        for number in [0, 1, 9, 10, 15, 16, 255, 1 << 32, u64::MAX - 1, u64::MAX] {
            assert_eq!(Decimal(number).to_string(), format!("{number}"));
            assert_eq!(Hexadecimal(number).to_string(), format!("{number:#x}"));
            assert_eq!(HexDigits(number, 16).to_string(), format!("{number:016x}"));
            assert_eq!(HexDigits(number, 1).to_string(), format!("{number:x}"));
        }
        for number in [0, -1, 10, i64::MIN, i64::MAX] {
            assert_eq!(Signed(number).to_string(), format!("{number}"));
        }
        assert_eq!(Text("as it is").to_string(), "as it is");
    }

    #[test]
    fn lines_are_found() {
        let text = "first\n\nthird\n";
        let lines = [0, 1, 2, 3, 4].map(|index| line(text, index));
        assert_eq!(lines, ["first", "", "third", "third", "third"]);
        assert_eq!(line("", 0), "");
        assert_eq!(line("only", 0), "only");
    }
}
