//! Frame tables: how debuggers, profilers and backtraces walk the stack from the text.
//!
//! | format | tables | what they say |
//! |---|---|---|
//! | ELF, Mach-O | `.eh_frame`, `__eh_frame` | prologues and saved registers, by Cranelift |
//! | COFF | `.pdata`, `.xdata` | the frame pointer, which all frames have |
//!
//! Windows restores all registers when it unwinds for an exception. Ours would not be right there, and
//! need not be: no exception of the system's goes through compiled code. Walking needs the frame
//! pointer alone.

use cranelift_codegen::isa::TargetIsa;
use cranelift_codegen::isa::unwind::UnwindInfo;
use gimli::write::{Address, EhFrame, EndianVec, FrameTable};
use gimli::{DwEhPe, RunTimeEndian};
use object::write::{Relocation, Symbol, SymbolSection};
use object::{
    Architecture, BinaryFormat, RelocationEncoding, RelocationFlags, RelocationKind, SectionFlags,
    SectionKind, SymbolFlags, SymbolKind, SymbolScope,
};

use super::{Part, Writer, internal};
use crate::error::{CompileError, Result};
use crate::link::Piece;

/// Adds call frame information: an entry for each piece of the text.
pub(super) fn eh_frame(
    writer: &mut Writer<'_>,
    isa: &dyn TargetIsa,
    pieces: &[Piece],
    text: Part,
) -> Result<()> {
    let Some(mut common) = isa.create_systemv_cie() else {
        return Ok(());
    };
    let macho = writer.machine.format == BinaryFormat::MachO;
    // Mach-O has differences of full width only.
    let pointer = match macho {
        true => gimli::DW_EH_PE_absptr,
        false => gimli::DW_EH_PE_sdata4,
    };
    common.fde_address_encoding = DwEhPe(gimli::DW_EH_PE_pcrel.0 | pointer.0);
    let mut table = FrameTable::default();
    let common = table.add_cie(common);
    for piece in pieces {
        if let Some(UnwindInfo::SystemV(info)) = &piece.unwind {
            let address = Address::Symbol {
                symbol: 0,
                addend: i64::from(piece.offset),
            };
            table.add_fde(common, info.to_fde(address));
        }
    }
    let endian = match writer.machine.endianness {
        object::Endianness::Little => RunTimeEndian::Little,
        object::Endianness::Big => RunTimeEndian::Big,
    };
    let mut frames = EhFrame(Frames {
        bytes: EndianVec::new(endian),
        places: Vec::new(),
    });
    table
        .write_eh_frame(&mut frames)
        .map_err(|error| CompileError::internal(format!("frame tables: {error}")))?;
    let Frames { bytes, places } = frames.0;
    add_eh_frame(writer, bytes.slice(), &places, text)
}

/// Adds the section, and what leads from it to the text.
fn add_eh_frame(
    writer: &mut Writer<'_>,
    bytes: &[u8],
    places: &[(usize, i64)],
    text: Part,
) -> Result<()> {
    use object::macho;
    let is_macho = writer.machine.format == BinaryFormat::MachO;
    let (segment, name) = match is_macho {
        true => ("__TEXT", "__eh_frame"),
        false => ("", ".eh_frame"),
    };
    let kind = SectionKind::ReadOnlyData;
    let section = writer.object.add_section(segment.into(), name.into(), kind);
    writer.object.append_section_data(section, bytes, 8);
    if is_macho {
        writer.object.section_mut(section).flags = SectionFlags::MachO {
            flags: macho::S_COALESCED
                | macho::S_ATTR_NO_TOC
                | macho::S_ATTR_STRIP_STATIC_SYMS
                | macho::S_ATTR_LIVE_SUPPORT,
        };
    }
    // Differences are taken from the place itself.
    let start = is_macho.then(|| {
        let name = format!("{}$frames", writer.name);
        writer.local(name, section, 0, bytes.len() as u64, SymbolKind::Data)
    });
    for (offset, target) in places {
        let (kind, size, addend) = match is_macho {
            true => (RelocationKind::Absolute, 64, *target - *offset as i64),
            false => (RelocationKind::Relative, 32, *target),
        };
        let relocation = Relocation {
            offset: *offset as u64,
            symbol: text.symbol,
            addend,
            flags: RelocationFlags::Generic {
                kind,
                encoding: RelocationEncoding::Generic,
                size,
            },
        };
        writer
            .object
            .add_relocation_with_subtractor(section, relocation, start)
            .map_err(internal)?;
    }
    Ok(())
}

/// Bytes of a section, with the places that lead to the text and where in it.
struct Frames {
    bytes: EndianVec<RunTimeEndian>,
    places: Vec<(usize, i64)>,
}

impl gimli::write::Writer for Frames {
    type Endian = RunTimeEndian;

    fn endian(&self) -> RunTimeEndian {
        self.bytes.endian()
    }

    fn len(&self) -> usize {
        self.bytes.len()
    }

    fn write(&mut self, bytes: &[u8]) -> gimli::write::Result<()> {
        self.bytes.write(bytes)
    }

    fn write_at(&mut self, offset: usize, bytes: &[u8]) -> gimli::write::Result<()> {
        self.bytes.write_at(offset, bytes)
    }

    fn write_eh_pointer(
        &mut self,
        address: Address,
        encoding: DwEhPe,
        size: u8,
    ) -> gimli::write::Result<()> {
        if let Address::Symbol { addend, .. } = address {
            self.places.push((self.len(), addend));
        }
        self.write_eh_pointer_data(0, encoding.format(), size)
    }
}

/// `push rbp; mov rbp, rsp`: the last instruction ends after four bytes.
const X86_64_PROLOGUE: &[u8] = &[0x55, 0x48, 0x89, 0xe5];
/// An `UNWIND_INFO`: version 1, a prologue of four bytes, two codes, frame register `rbp`. After four bytes
/// the frame register is set, after one byte `rbp` is saved.
const X86_64_UNWIND: &[u8] = &[1, 4, 2, 5, 4, 0x03, 1, 0x50];

/// `stp x29, x30, [sp, #-16]!; mov x29, sp`.
const AARCH64_PROLOGUE: &[u8] = &[0xfd, 0x7b, 0xbf, 0xa9, 0xfd, 0x03, 0x00, 0x91];
/// The codes for it, last instruction first: `set_fp`, `save_fplr_x 16`, `end`, `nop`.
const AARCH64_UNWIND: &[u8] = &[0xe1, 0x81, 0xe4, 0xe3];
/// The longest function that one record can have, in bytes.
const AARCH64_LONGEST: u32 = 1 << 20;

/// Adds the tables of Windows: an entry for each piece of the text that begins with a frame.
pub(super) fn windows(
    writer: &mut Writer<'_>,
    code: &[u8],
    pieces: &[Piece],
    text: Part,
) -> Result<()> {
    let (prologue, aarch64) = match writer.machine.architecture {
        Architecture::X86_64 => (X86_64_PROLOGUE, false),
        Architecture::Aarch64 => (AARCH64_PROLOGUE, true),
        _ => return Ok(()),
    };
    let framed = pieces.iter().filter(|piece| {
        let start = code.get(piece.offset as usize..);
        let short = !aarch64 || piece.size < AARCH64_LONGEST;
        short && start.is_some_and(|start| start.starts_with(prologue))
    });
    let (mut records, mut entries) = (Vec::new(), Vec::new());
    if !aarch64 {
        records.extend_from_slice(X86_64_UNWIND);
    }
    // Offset of a field, whether it leads to the records, and where there.
    let mut places: Vec<(u64, bool, u32)> = Vec::new();
    for piece in framed {
        let start = entries.len() as u64;
        places.push((start, false, piece.offset));
        if aarch64 {
            places.push((start + 4, true, records.len() as u32));
            // One word of codes, no epilogue, and the length in instructions.
            let header = (1 << 27) | (piece.size / 4);
            records.extend_from_slice(&header.to_le_bytes());
            records.extend_from_slice(AARCH64_UNWIND);
            entries.extend_from_slice(&[0; 8]);
        } else {
            places.push((start + 4, false, piece.offset + piece.size));
            places.push((start + 8, true, 0));
            entries.extend_from_slice(&[0; 12]);
        }
    }
    let kind = SectionKind::ReadOnlyData;
    let xdata = writer
        .object
        .add_section(Vec::new(), b".xdata".to_vec(), kind);
    writer.object.append_section_data(xdata, &records, 4);
    let pdata = writer
        .object
        .add_section(Vec::new(), b".pdata".to_vec(), kind);
    writer.object.append_section_data(pdata, &entries, 4);
    let unwind = writer.object.add_symbol(Symbol {
        name: format!("{}$unwind", writer.name).into_bytes(),
        value: 0,
        size: records.len() as u64,
        kind: SymbolKind::Data,
        scope: SymbolScope::Compilation,
        weak: false,
        section: SymbolSection::Section(xdata),
        flags: SymbolFlags::None,
    });
    for (offset, to_records, target) in places {
        let relocation = Relocation {
            offset,
            symbol: if to_records { unwind } else { text.symbol },
            addend: i64::from(target),
            flags: RelocationFlags::Generic {
                kind: RelocationKind::ImageOffset,
                encoding: RelocationEncoding::Generic,
                size: 32,
            },
        };
        writer
            .object
            .add_relocation(pdata, relocation)
            .map_err(internal)?;
    }
    Ok(())
}
