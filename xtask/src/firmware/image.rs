//! What the linker made: how much of flash and RAM it takes, and the bytes of the flash.
//!
//! Both are read from the program's segments, the linker's last word: where a segment lies while the
//! program runs, and where its initial contents lie. Nothing of the file is trusted to be there.

use super::board::{Board, Flash};
use crate::Outcome;
use std::fs::{self, File};
use std::path::Path;

/// A program for a board, taken apart.
pub struct Image {
    /// Bytes of flash: code, constants, and initial values of variables.
    pub flash: usize,
    /// Bytes of RAM that are variables. The stack is in what is left.
    pub ram: u64,
    bytes: Vec<u8>,
}

/// What stands for memory that is left over, in the scripts of the crates that start processors.
const REST: [&str; 2] = [".stack", ".heap"];

/// No flash here is larger.
const LARGEST: usize = 64 << 20;

/// A part of the program that takes memory while it runs.
struct Section<'a> {
    name: &'a str,
    address: u64,
    size: u64,
}

/// Initial contents of memory: a part of the file, and where it lies in flash.
struct Segment {
    offset: usize,
    size: usize,
    address: u64,
}

impl Image {
    /// Takes the linker's file apart.
    pub fn read(path: &Path, board: &Board) -> Outcome<Image> {
        let failed = |message: &str| format!("{}: {message}", path.display());
        let file = fs::read(path).map_err(|error| failed(&error.to_string()))?;
        let sections = sections(&file).ok_or_else(|| failed("no program that was understood"))?;
        let mut bytes = Vec::new();
        let mut ram = 0;
        for section in &sections {
            if section.address >= board.ram_start && !REST.contains(&section.name) {
                ram += section.size;
            }
        }
        let segments = segments(&file).ok_or_else(|| failed("no program that was understood"))?;
        for segment in &segments {
            let contents = file
                .get(segment.offset..)
                .and_then(|rest| rest.get(..segment.size));
            let contents = contents.ok_or_else(|| failed("a segment ends beyond the file"))?;
            let outside = || failed("initial contents of memory that is not flash");
            let at = segment.address.checked_sub(board.flash_start);
            let at = at.and_then(|at| usize::try_from(at).ok());
            let at = at.filter(|at| *at < LARGEST).ok_or_else(outside)?;
            bytes.resize(bytes.len().max(at + contents.len()), 0xff);
            bytes[at..at + contents.len()].copy_from_slice(contents);
        }
        Ok(Image {
            flash: bytes.len(),
            ram,
            bytes,
        })
    }

    /// What the emulator is told, so that the program is in flash.
    pub fn arguments(&self, program: &Path, board: &Board) -> Outcome<Vec<String>> {
        let path = program.with_extension("flash");
        let size = match board.flash {
            Flash::Program => return Ok(vec!["-kernel".into(), program.display().to_string()]),
            Flash::Firmware => self.bytes.len() as u64,
            Flash::Chip(size) => size,
        };
        let written = fs::write(&path, &self.bytes)
            .and_then(|()| File::options().write(true).open(&path)?.set_len(size));
        written.map_err(|error| format!("{}: {error}", path.display()))?;
        let path = path.display();
        Ok(match board.flash {
            Flash::Chip(_) => vec![
                "-drive".into(),
                format!("if=pflash,unit=0,format=raw,readonly=on,file={path}"),
            ],
            _ => vec!["-bios".into(), path.to_string()],
        })
    }
}

/// A file of the format ELF with the least significant byte first.
struct Elf<'a> {
    file: &'a [u8],
    is_wide: bool,
}

/// The offset of a field and its size.
type Field = (usize, usize);

impl<'a> Elf<'a> {
    fn new(file: &'a [u8]) -> Option<Elf<'a>> {
        let is_wide = match file.get(..6)? {
            [0x7f, b'E', b'L', b'F', 1, 1] => false,
            [0x7f, b'E', b'L', b'F', 2, 1] => true,
            _ => return None,
        };
        Some(Elf { file, is_wide })
    }

    /// A field of the narrow or of the wide form.
    fn field(&self, base: usize, narrow: Field, wide: Field) -> Option<u64> {
        let (offset, size) = if self.is_wide { wide } else { narrow };
        let bytes = self.file.get(base.checked_add(offset)?..)?.get(..size)?;
        let bytes = bytes.iter().rev();
        Some(bytes.fold(0, |value, byte| value << 8 | u64::from(*byte)))
    }

    fn size(&self, base: usize, narrow: Field, wide: Field) -> Option<usize> {
        usize::try_from(self.field(base, narrow, wide)?).ok()
    }

    /// Where the entries of a table are, which the file's header describes.
    fn table(&self, start: (Field, Field), size: (Field, Field)) -> Option<Vec<usize>> {
        let first = self.size(0, start.0, start.1)?;
        let entry = self.size(0, size.0, size.1)?;
        let after = |field: Field| (field.0 + 2, 2);
        let count = self.size(0, after(size.0), after(size.1))?;
        let at = |number: usize| first.checked_add(number.checked_mul(entry)?);
        (0..count).map(at).collect()
    }
}

/// What is in memory while the program runs.
fn sections(file: &[u8]) -> Option<Vec<Section<'_>>> {
    const IN_MEMORY: u64 = 2;
    let elf = Elf::new(file)?;
    let headers = elf.table(((32, 4), (40, 8)), ((46, 2), (58, 2)))?;
    let names = elf.size(0, (50, 2), (62, 2))?;
    let names = elf.size(*headers.get(names)?, (16, 4), (24, 8))?;
    let mut sections = Vec::new();
    for at in headers {
        if elf.field(at, (8, 4), (8, 8))? & IN_MEMORY == 0 {
            continue;
        }
        let name = names.checked_add(elf.size(at, (0, 4), (0, 4))?)?;
        let name = file.get(name..)?.split(|byte| *byte == 0).next()?;
        sections.push(Section {
            name: std::str::from_utf8(name).ok()?,
            address: elf.field(at, (12, 4), (16, 8))?,
            size: elf.field(at, (20, 4), (32, 8))?,
        });
    }
    Some(sections)
}

/// What the program brings to memory.
fn segments(file: &[u8]) -> Option<Vec<Segment>> {
    const LOADED: u64 = 1;
    let elf = Elf::new(file)?;
    let mut segments = Vec::new();
    for at in elf.table(((28, 4), (32, 8)), ((42, 2), (54, 2)))? {
        let size = elf.size(at, (16, 4), (32, 8))?;
        if elf.field(at, (0, 4), (0, 4))? == LOADED && size != 0 {
            segments.push(Segment {
                offset: elf.size(at, (4, 4), (8, 8))?,
                size,
                address: elf.field(at, (12, 4), (24, 8))?,
            });
        }
    }
    Some(segments)
}
