//! Object files: an artifact in parts that a linker puts into a program.
//!
//! ```text
//!   precast_module_NAME   the one public symbol: a static module, in data that the linker fills in
//!      |        |
//!      |        '-------> text        code, executed where it lies; a local symbol for each function
//!      '----------------> metadata    the artifact in the split form, read-only; it holds the initial
//!                                     contents of memories, as data segments, since nothing is mapped
//!   frame tables          how debuggers and profilers walk the stack from the text
//! ```
//!
//! The text is linked already, so no section refers to another but for the two addresses in the static
//! module and those of the frame tables. Each section is of this module alone: a linker that drops what
//! nobody refers to keeps all of a module or nothing.
//!
//! This uses the writer below `cranelift-object` and not that itself, which compiles and places functions
//! one by one and leaves the calls between them to the system's linker. Then the code in the object file
//! would not be the code of the artifact, and relocations would remain in the text.

mod machine;
mod names;
mod unwind;

use object::write::{
    MachOBuildVersion, Object, Relocation, SectionId, Symbol, SymbolId, SymbolSection,
};
use object::{
    BinaryFormat, FileFlags, RelocationEncoding, RelocationFlags, RelocationKind, SectionKind,
    SymbolFlags, SymbolKind, SymbolScope,
};
use precast_format::Artifact;
use precast_format::layout::{SectionId as ArtifactSection, TEXT_ALIGNMENT};
use precast_format::static_module::{self, FIELDS, SYMBOL_PREFIX, StaticModule};
use precast_format::write::SplitArtifact;

use super::artifact::{describe, write_error};
use crate::Code;
use crate::error::{CompileError, Result};
use crate::link::Piece;

pub use machine::{ObjectMachine, ObjectOptions};

/// The version of macOS that linkers assume at least: 11, the first for aarch64.
const OLDEST_MACOS: u32 = 11 << 16;

/// Writes an object file; gives it and the metadata in it.
///
/// # Errors
///
/// When the module exceeds a limit of the format.
pub(crate) fn object(
    code: Code<'_>,
    machine: &ObjectMachine,
    name: &str,
) -> Result<(Vec<u8>, Vec<u8>)> {
    let mut linked = code.linked;
    let pieces = std::mem::take(&mut linked.pieces);
    let artifact = describe(code.environment, linked, code.depths, code.stack_reserve)?;
    let split = artifact.into_split().map_err(write_error)?;
    let parsed = Artifact::parse_split(&split.metadata, split.text.len())
        .map_err(|error| CompileError::internal(error.to_string()))?;
    let mut writer = Writer::new(machine, name);
    let text = writer.text(&split);
    writer.functions(&parsed, &pieces, text);
    let metadata = writer.metadata(&parsed, &split);
    writer.static_module(&parsed, &split, metadata, text)?;
    match machine.format {
        BinaryFormat::Coff => unwind::windows(&mut writer, &split.text, &pieces, text)?,
        _ if machine.has_frame_tables() => {
            unwind::eh_frame(&mut writer, code.isa, &pieces, text)?;
        }
        _ => {}
    }
    let bytes = writer.object.write().map_err(internal)?;
    Ok((bytes, split.metadata))
}

/// The writer's errors are about descriptions that nobody but us has made.
fn internal(error: object::write::Error) -> CompileError {
    CompileError::internal(format!("the object file: {error}"))
}

/// An object file in the making.
struct Writer<'a> {
    object: Object<'a>,
    machine: &'a ObjectMachine,
    /// The module's name, as symbols have it.
    name: &'a str,
}

/// A section and a local symbol at its start.
#[derive(Clone, Copy)]
struct Part {
    section: SectionId,
    symbol: SymbolId,
}

impl<'a> Writer<'a> {
    fn new(machine: &'a ObjectMachine, name: &'a str) -> Writer<'a> {
        let (format, architecture) = (machine.format, machine.architecture);
        let mut object = Object::new(format, architecture, machine.endianness);
        if format == BinaryFormat::Elf {
            object.flags = FileFlags::Elf {
                os_abi: object::elf::ELFOSABI_NONE,
                abi_version: 0,
                e_flags: machine.elf_flags,
            };
            // Without it, linkers of hosted systems make stacks executable.
            object.add_section(Vec::new(), b".note.GNU-stack".to_vec(), SectionKind::Other);
        }
        if format == BinaryFormat::MachO {
            let mut version = MachOBuildVersion::default();
            version.platform = object::macho::PLATFORM_MACOS;
            version.minos = OLDEST_MACOS;
            object.set_macho_build_version(version);
        }
        Writer {
            object,
            machine,
            name,
        }
    }

    /// Adds a section of the module's own, with a local symbol.
    fn part(&mut self, kind: SectionKind, what: &str, bytes: &[u8], alignment: u64) -> Part {
        let (segment, section) = self.section_name(kind, what);
        let section = self.object.add_section(segment, section, kind);
        self.object.append_section_data(section, bytes, alignment);
        // A label without a size: it is no function, and those begin where it does.
        let name = format!("{}${what}", self.name);
        let kind = match self.machine.format {
            // Symbols have no kinds there.
            BinaryFormat::MachO => SymbolKind::Data,
            _ => SymbolKind::Label,
        };
        let symbol = self.local(name, section, 0, 0, kind);
        Part { section, symbol }
    }

    /// What sections are called: what linkers and their scripts know, and the module's name where names
    /// can be as long as that.
    fn section_name(&self, kind: SectionKind, what: &str) -> (Vec<u8>, Vec<u8>) {
        let (segment, section) = match (self.machine.format, kind) {
            (BinaryFormat::MachO, SectionKind::Text) => ("__TEXT", "__text"),
            (BinaryFormat::MachO, SectionKind::ReadOnlyData) => ("__TEXT", "__const"),
            (BinaryFormat::MachO, _) => ("__DATA", "__const"),
            (BinaryFormat::Coff, SectionKind::Text) => ("", ".text$precast"),
            (BinaryFormat::Coff, _) => ("", ".rdata$precast"),
            (_, SectionKind::Text) => ("", ".text"),
            (_, SectionKind::ReadOnlyData) => ("", ".rodata"),
            (_, _) => ("", ".data.rel.ro"),
        };
        let section = match self.machine.format {
            BinaryFormat::Elf => format!("{section}.precast.{}.{what}", self.name),
            _ => section.to_owned(),
        };
        (segment.into(), section.into())
    }

    fn local(
        &mut self,
        name: String,
        section: SectionId,
        offset: u64,
        size: u64,
        kind: SymbolKind,
    ) -> SymbolId {
        self.object.add_symbol(Symbol {
            name: name.into_bytes(),
            value: offset,
            size,
            kind,
            scope: SymbolScope::Compilation,
            weak: false,
            section: SymbolSection::Section(section),
            flags: SymbolFlags::None,
        })
    }

    /// The code; bytecode is data to the machine.
    fn text(&mut self, split: &SplitArtifact) -> Part {
        let kind = match self.machine.is_bytecode {
            true => SectionKind::ReadOnlyData,
            false => SectionKind::Text,
        };
        self.part(kind, "text", &split.text, TEXT_ALIGNMENT)
    }

    /// A symbol for each function, trampoline and adapter.
    fn functions(&mut self, artifact: &Artifact<'_>, pieces: &[Piece], text: Part) {
        let kind = match self.machine.is_bytecode {
            true => SymbolKind::Data,
            false => SymbolKind::Text,
        };
        for function in names::functions(artifact, pieces, self.name) {
            let (offset, size) = (u64::from(function.offset), u64::from(function.size));
            self.local(function.name, text.section, offset, size, kind);
        }
    }

    /// Everything else that loading needs.
    fn metadata(&mut self, artifact: &Artifact<'_>, split: &SplitArtifact) -> Part {
        let part = self.part(SectionKind::ReadOnlyData, "metadata", &split.metadata, 8);
        let data = artifact.section(ArtifactSection::DataBytes);
        if data.size != 0 {
            let name = format!("{}$data", self.name);
            let (offset, size) = (u64::from(data.offset), u64::from(data.size));
            self.local(name, part.section, offset, size, SymbolKind::Data);
        }
        part
    }

    /// The structure that the public symbol names.
    fn static_module(
        &mut self,
        artifact: &Artifact<'_>,
        split: &SplitArtifact,
        metadata: Part,
        text: Part,
    ) -> Result<()> {
        let header = artifact.header();
        let width = header.isa.pointer_width();
        let sizes = [split.metadata.len(), split.text.len()].map(|size| size as u32);
        let bytes = static_module::template(width, header.endianness, sizes[0], sizes[1]);
        let size = StaticModule::size(width);
        // What holds addresses is written by dynamic linkers, where programs can lie anywhere.
        let kind = match self.machine.is_fixed {
            true => SectionKind::ReadOnlyData,
            false => SectionKind::ReadOnlyDataWithRel,
        };
        let (segment, section) = self.section_name(kind, "module");
        let section = self.object.add_section(segment, section, kind);
        let alignment = StaticModule::ALIGNMENT as u64;
        self.object
            .append_section_data(section, &bytes[..size], alignment);
        self.object.add_symbol(Symbol {
            name: format!("{SYMBOL_PREFIX}{}", self.name).into_bytes(),
            value: 0,
            size: size as u64,
            kind: SymbolKind::Data,
            scope: SymbolScope::Linkage,
            weak: false,
            section: SymbolSection::Section(section),
            flags: SymbolFlags::None,
        });
        for (field, part) in [("metadata", metadata), ("text", text)] {
            let field = FIELDS.iter().find(|it| it.name == field);
            let offset = field.map_or(0, |field| field.offset(width));
            let relocation = Relocation {
                offset: offset as u64,
                symbol: part.symbol,
                addend: 0,
                flags: RelocationFlags::Generic {
                    kind: RelocationKind::Absolute,
                    encoding: RelocationEncoding::Generic,
                    size: (8 * width.bytes()) as u8,
                },
            };
            self.object
                .add_relocation(section, relocation)
                .map_err(internal)?;
        }
        Ok(())
    }
}
