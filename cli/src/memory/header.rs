//! A plan as a C header.

use super::constants::{self, Constant};
use std::fmt::Write;

/// The header; `name` is the artifact's, in capitals, and `command` the line that made it.
pub fn text(artifact: &str, name: &str, command: &str, constants: &[Constant]) -> String {
    let mut text = format!(
        "/* Memory that {} takes, in bytes.\n   Written by: {command} */\n\n\
         #ifndef PRECAST_{name}_MEMORY_H\n#define PRECAST_{name}_MEMORY_H\n",
        constants::quoted(artifact)
    );
    for Constant {
        name: end,
        meaning,
        bytes,
    } in constants
    {
        // Without a suffix, C takes the first type that holds the number. Writing to a string does
        // not fail.
        let _ = write!(
            text,
            "\n/* {meaning} */\n#define PRECAST_{name}_{end} {bytes}\n"
        );
    }
    text.push_str("\n#endif\n");
    text
}
