//! Errors by their names, for devices without room for sentences.
//!
//! A sentence with its remedy is dozens of bytes, and as many again to put its numbers in. Without the
//! cargo feature `messages`, an error is written as the documentation calls it, such as
//! `LoadError::GuardPages`; what it carries is in its fields all the same.

use core::fmt;

use crate::plain::line;

/// Whether errors are written as sentences: the feature `messages`.
pub const MESSAGES: bool = cfg!(feature = "messages");

/// An error with a name. [`brief!`](crate::brief!) implements it.
pub trait Brief {
    /// The type and its variants in the order of their numbers, a line each.
    const NAMES: &'static str;

    /// The variant's number, from zero.
    fn number(&self) -> usize;
}

/// Implements [`Brief`] for an enumeration: its name, a colon, and all of its variants.
#[macro_export]
macro_rules! brief {
    ($error:ident: $($variant:ident)*) => {
        impl $crate::brief::Brief for $error {
            const NAMES: &'static str =
                concat!(stringify!($error) $(, "\n", stringify!($variant))*);

            fn number(&self) -> usize {
                enum Which {
                    $($variant,)*
                }
                match self {
                    $($error::$variant { .. } => Which::$variant as usize,)*
                }
            }
        }
    };
}

/// Writes an error by its name.
pub fn write<E: Brief>(error: &E, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    write_name(E::NAMES, error.number(), f)
}

fn write_name(names: &'static str, number: usize, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    f.write_str(line(names, 0))?;
    f.write_str("::")?;
    f.write_str(line(names, number.saturating_add(1)))
}

#[cfg(test)]
mod tests {
    use super::*;
    extern crate std;
    use std::string::ToString;

    #[allow(dead_code)]
    enum Example {
        First,
        Second(u8),
        Third { field: u8 },
    }
    brief!(Example: First Second Third);

    impl fmt::Display for Example {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            write(self, f)
        }
    }

    #[test]
    fn errors_are_written_as_they_are_called() {
        assert_eq!(Example::First.to_string(), "Example::First");
        assert_eq!(Example::Second(1).to_string(), "Example::Second");
        assert_eq!(Example::Third { field: 1 }.to_string(), "Example::Third");
    }
}
