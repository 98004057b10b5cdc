//! A plan as Rust constants, for `include!` or a module of its own.

use super::constants::{self, Constant};
use std::fmt::Write;

/// The constants; `command` is the line that made them.
pub fn text(artifact: &str, command: &str, constants: &[Constant]) -> String {
    let mut text = format!(
        "// Memory that {} takes, in bytes.\n// Written by: {command}\n",
        constants::quoted(artifact)
    );
    for Constant {
        name,
        meaning,
        bytes,
    } in constants
    {
        // Writing to a string does not fail.
        let _ = write!(
            text,
            "\n/// {meaning}\npub const {name}: usize = {bytes};\n"
        );
    }
    text
}
