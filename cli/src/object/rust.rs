//! The declaration of an object file's symbol as Rust, for `include!` or a module of its own.

use super::Declaration;
use precast_format::static_module::SYMBOL_PREFIX;

/// The module.
pub fn text(declaration: &Declaration<'_>) -> String {
    let Declaration {
        source,
        name,
        command,
        metadata_bytes,
        text_bytes,
        ..
    } = declaration;
    let list = |title: &str, lines: &[String]| match lines {
        [] => String::new(),
        lines => format!("//\n// {title}:\n//   {}\n", lines.join("\n//   ")),
    };
    let exports = list("Exports", &declaration.exports);
    let imports = list("Imports", &declaration.imports);
    format!(
        "// The module of {source}, to be linked into a program.
// Written by: {command}
{exports}{imports}
unsafe extern \"C\" {{
    static {SYMBOL_PREFIX}{name}: precast_loader::StaticModule;
}}

/// The module, for `Module::from_static`.
pub fn module() -> &'static precast_loader::StaticModule {{
    // SAFETY: the symbol is that of the object file that was written with this file.
    unsafe {{ &{SYMBOL_PREFIX}{name} }}
}}

/// Bytes of code.
pub const TEXT_BYTES: usize = {text_bytes};

/// Bytes of everything else.
pub const METADATA_BYTES: usize = {metadata_bytes};
"
    )
}
