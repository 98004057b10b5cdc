//! What `precast compile --emit object` writes beside the object file: a header and a Rust module that
//! declare its symbol.

mod header;
mod rust;

use crate::failure::Failure;
use crate::memory::constants;
use crate::{Outcome, output};
use clap::Args;
use precast_compiler::emit::ObjectOptions;
use precast_format::Artifact;
use precast_format::types::{ExternKind, ImportType};
use std::path::{Path, PathBuf};

/// The arguments of object files.
#[derive(Args)]
#[command(next_help_heading = "Object file")]
pub struct ObjectFlags {
    /// The module's name in the symbol `precast_module_NAME`. The default is the input's name.
    #[arg(long, value_name = "NAME")]
    symbol: Option<String>,
    /// The machine of the object file, where the code is bytecode: thumbv7em-none-eabihf,
    /// riscv32imac-unknown-none-elf …
    #[arg(long, value_name = "TRIPLE")]
    object_target: Option<String>,
    /// Write a C header that declares the symbol; `-` is standard output.
    #[arg(long, value_name = "FILE")]
    emit_header: Option<PathBuf>,
    /// Write a Rust module that declares the symbol; `-` is standard output.
    #[arg(long, value_name = "FILE")]
    emit_rust: Option<PathBuf>,
}

/// What header and Rust module tell of an object file.
struct Declaration<'a> {
    /// The file that the module came from.
    source: String,
    /// The module's name in symbols.
    name: &'a str,
    /// The line that made it.
    command: String,
    metadata_bytes: usize,
    text_bytes: usize,
    /// The exports, a line for each.
    exports: Vec<String>,
    /// The imports, a line for each.
    imports: Vec<String>,
}

impl ObjectFlags {
    /// Refuses the flags where no object file is written.
    pub fn check_unused(&self) -> Outcome<()> {
        let used = [
            (self.symbol.is_some(), "--symbol"),
            (self.object_target.is_some(), "--object-target"),
            (self.emit_header.is_some(), "--emit-header"),
            (self.emit_rust.is_some(), "--emit-rust"),
        ];
        match used.into_iter().find(|(used, _)| *used) {
            Some((_, flag)) => Err(Failure::usage(format_args!(
                "{flag} is for object files; add --emit object"
            ))),
            None => Ok(()),
        }
    }

    /// How many of the files go to standard output.
    pub fn on_standard_output(&self) -> usize {
        let files = [&self.emit_header, &self.emit_rust];
        let files = files.into_iter().flatten();
        files.filter(|path| *path == Path::new("-")).count()
    }

    /// The compiler's options.
    pub fn options(&self, input: &Path) -> ObjectOptions {
        ObjectOptions {
            name: self.symbol.clone().unwrap_or_else(|| symbol(input)),
            machine: self.object_target.clone(),
        }
    }

    /// Writes the files that are wanted.
    pub fn write(
        &self,
        input: &Path,
        name: &str,
        artifact: &Artifact<'_>,
        sizes: [usize; 2],
    ) -> Outcome<()> {
        let file = input.file_name().unwrap_or_default();
        let declaration = Declaration {
            source: constants::quoted(&file.to_string_lossy()),
            name,
            command: constants::command_line(),
            metadata_bytes: sizes[0],
            text_bytes: sizes[1],
            exports: exports(artifact),
            imports: imports(artifact),
        };
        if let Some(path) = &self.emit_header {
            output::write(path, header::text(&declaration).as_bytes())?;
        }
        if let Some(path) = &self.emit_rust {
            output::write(path, rust::text(&declaration).as_bytes())?;
        }
        Ok(())
    }
}

/// A name for symbols from the name of a file: what C does not allow becomes `_`.
fn symbol(path: &Path) -> String {
    let stem = path.file_stem().unwrap_or_default().to_string_lossy();
    let is_plain = |character: char| character.is_ascii_alphanumeric();
    let plain = stem.chars();
    let plain = plain.map(|character| if is_plain(character) { character } else { '_' });
    let name: String = plain.collect();
    match name.trim_matches('_') {
        "" => "app".to_owned(),
        _ if name.starts_with(|first: char| first.is_ascii_digit()) => format!("_{name}"),
        _ => name,
    }
}

fn exports(artifact: &Artifact<'_>) -> Vec<String> {
    let exports = artifact.exports().into_iter();
    let lines = exports.map(|export| {
        let ty = match export.kind {
            ExternKind::Function => signature(artifact, artifact.function_type_index(export.index)),
            kind => kind.name().to_owned(),
        };
        format!("{}: {ty}", constants::quoted(export.name))
    });
    lines.collect()
}

fn imports(artifact: &Artifact<'_>) -> Vec<String> {
    let imports = artifact.imports().into_iter();
    let lines = imports.map(|import| {
        let ty = match import.ty {
            ImportType::Function(ty) => signature(artifact, Some(ty)),
            ty => ty.kind().name().to_owned(),
        };
        let (module, name) = (import.module, import.name);
        format!(
            "{} {}: {ty}",
            constants::quoted(module),
            constants::quoted(name)
        )
    });
    lines.collect()
}

/// A function type as the WebAssembly specification writes it.
fn signature(artifact: &Artifact<'_>, index: Option<u32>) -> String {
    let Some(ty) = index.and_then(|index| artifact.types().get(index)) else {
        return "func".to_owned();
    };
    let list = |types: precast_format::read::ValueTypes<'_>| {
        let names: Vec<String> = types.iter().map(|ty| ty.to_string()).collect();
        names.join(", ")
    };
    format!("({}) -> ({})", list(ty.params()), list(ty.results()))
}

#[cfg(test)]
mod tests {
    use super::symbol;
    use std::path::Path;

    #[test]
    fn names_of_files_become_names_of_symbols() {
        for (file, name) in [
            ("app.wasm", "app"),
            ("dir/My-app 2.wat", "My_app_2"),
            ("7seg.wasm", "_7seg"),
            ("-", "app"),
        ] {
            assert_eq!(symbol(Path::new(file)), name, "{file}");
        }
    }
}
