//! Frame sizes in the form of compilers' stack-usage files: `file:line:column:function`, a tab, the
//! size in bytes, a tab, `static`. A module has no lines: as in source maps, all of it is line 1, and
//! the column is the offset in the file.

use super::model::Model;
use std::fmt::Write;

/// One line for each defined function.
pub fn lines(model: &Model) -> String {
    let mut text = String::new();
    for function in &model.functions {
        if let Some(defined) = &function.defined {
            // Tabs and line feeds would end the field.
            let name: String = function
                .name
                .chars()
                .map(|character| {
                    if character.is_control() {
                        '?'
                    } else {
                        character
                    }
                })
                .collect();
            let (offset, frame) = (defined.wasm_offset, defined.frame);
            // Writing to a string does not fail.
            let _ = writeln!(text, "{}:1:{offset}:{name}\t{frame}\tstatic", model.name);
        }
    }
    text
}
