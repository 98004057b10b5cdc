//! Formatted text on the board's console.

use super::chosen;
use core::fmt;

/// The console, which has no state of its own.
pub struct Console;

impl fmt::Write for Console {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        chosen::write(text.as_bytes());
        Ok(())
    }
}

/// Writes formatted text.
#[macro_export]
macro_rules! print {
    ($($argument:tt)*) => {{
        // A console has no errors to tell of.
        let _ = core::fmt::Write::write_fmt(&mut $crate::board::Console, format_args!($($argument)*));
    }};
}

/// Writes formatted text and ends the line.
#[macro_export]
macro_rules! println {
    ($($argument:tt)*) => {{
        $crate::print!($($argument)*);
        $crate::print!("\n");
    }};
}
