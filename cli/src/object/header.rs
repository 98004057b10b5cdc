//! The declaration of an object file's symbol as a C header.

use super::Declaration;
use precast_format::static_module::SYMBOL_PREFIX;

/// The header.
pub fn text(declaration: &Declaration<'_>) -> String {
    let Declaration {
        source,
        name,
        command,
        metadata_bytes,
        text_bytes,
        ..
    } = declaration;
    let capitals = name.to_ascii_uppercase();
    let list = |title: &str, lines: &[String]| match lines {
        [] => String::new(),
        lines => format!("\n/* {title}:\n     {} */\n", lines.join("\n     ")),
    };
    let exports = list("Exports", &declaration.exports);
    let imports = list("Imports", &declaration.imports);
    format!(
        "/* The module of {source}, to be linked into a program.
   Written by: {command} */

#ifndef PRECAST_MODULE_{capitals}_H
#define PRECAST_MODULE_{capitals}_H

#include <stddef.h>
#include <stdint.h>

#ifndef PRECAST_STATIC_MODULE
#define PRECAST_STATIC_MODULE
/* A module that is linked into the program; the loader takes its address. */
struct precast_static_module {{
    unsigned char magic[8];
    uint32_t version;
    uint32_t reserved;
    const void *metadata;
    size_t metadata_size;
    const void *text;
    size_t text_size;
}};
#endif

/* Code, and everything else, in bytes. */
#define PRECAST_{capitals}_TEXT_BYTES {text_bytes}
#define PRECAST_{capitals}_METADATA_BYTES {metadata_bytes}
{exports}{imports}
#ifdef __cplusplus
extern \"C\" {{
#endif

extern const struct precast_static_module {SYMBOL_PREFIX}{name};

#ifdef __cplusplus
}}
#endif

#endif
"
    )
}
