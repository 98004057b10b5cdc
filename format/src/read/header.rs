//! Header and section table: what the artifact is for, and where its parts are.

use crate::bytes::{Bytes, Record, Records};
use crate::error::{ErrorKind, FormatError};
use crate::features::WasmFeatures;
use crate::layout::{self, SectionId, header, section};
use crate::libcall::LibcallSet;
use crate::target::{CpuFeatures, Endianness, HostAbi, Isa};
use crate::tunables::{BoundsChecks, RelocationModel, StackChecks, TrapMode, Tunables};

/// The header's bytes.
type HeaderRecord = Record<{ header::SIZE }>;

/// What the code was compiled for and what it uses.
///
/// Reading a header does not compare it with a device; that is the loader's part.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
// As many bytes on 32-bit x86, whose 64-bit numbers are aligned to four, as everywhere else.
#[repr(align(8))]
pub struct Header {
    /// Version of the format: major, minor.
    pub version: (u16, u16),
    /// Instruction set of the text.
    pub isa: Isa,
    /// Byte order of data accesses.
    pub endianness: Endianness,
    /// Calling convention between code and loader.
    pub host_abi: HostAbi,
    /// Page size of the target as a power of two; zero where nothing is padded.
    pub page_size_log2: u8,
    /// Fingerprint of the context's layout; compare with [`crate::context::ABI_HASH`].
    pub abi_hash: u64,
    /// CPU features that the code uses.
    pub cpu_features: CpuFeatures,
    /// WebAssembly features that the code uses.
    pub wasm_features: WasmFeatures,
    /// Libcalls that the code uses.
    pub libcalls: LibcallSet,
    /// The strategies and sizes that the code relies on.
    pub tunables: Tunables,
}

impl Header {
    /// The target's page size in bytes; one where nothing is padded.
    pub const fn page_size(&self) -> u64 {
        1 << self.page_size_log2
    }

    /// Reads the header at the start of the payload, which has to be of this form.
    pub(crate) fn read(payload: Bytes<'_>, form: Form) -> Result<Header, FormatError> {
        let record = HeaderRecord::at(payload, 0, header::SIZE)
            .ok_or(FormatError::at(ErrorKind::Truncated, 0))?;
        let version = (record.u16(header::MAJOR), record.u16(header::MINOR));
        if version.0 != layout::VERSION.0 || version.1 > layout::VERSION.1 {
            let offset = header::MAJOR.offset() as u32;
            return Err(FormatError::at(ErrorKind::UnsupportedVersion, offset));
        }
        let reserved =
            record.u32(header::RESERVED_WORD) != 0 || record.u64(header::RESERVED_LONG) != 0;
        if reserved {
            let offset = header::RESERVED_WORD.offset() as u32;
            return Err(FormatError::at(ErrorKind::ReservedBits, offset));
        }
        form.check(record.u8(header::FORM))
            .map_err(|kind| FormatError::at(kind, header::FORM.offset() as u32))?;
        let header = Header {
            version,
            isa: number(&record, header::ISA, Isa::from_u8)?,
            endianness: number(&record, header::ENDIANNESS, Endianness::from_u8)?,
            host_abi: number(&record, header::HOST_ABI, HostAbi::from_u8)?,
            page_size_log2: record.u8(header::PAGE_SIZE_LOG2),
            abi_hash: record.u64(header::ABI_HASH),
            cpu_features: CpuFeatures(record.u64(header::CPU_FEATURES)),
            wasm_features: WasmFeatures(record.u64(header::WASM_FEATURES)),
            libcalls: LibcallSet(record.u64(header::LIBCALLS)),
            tunables: Tunables {
                bounds_checks: number(&record, header::BOUNDS_CHECKS, BoundsChecks::from_u8)?,
                stack_checks: number(&record, header::STACK_CHECKS, StackChecks::from_u8)?,
                trap_mode: number(&record, header::TRAP_MODE, TrapMode::from_u8)?,
                relocation_model: number(
                    &record,
                    header::RELOCATION_MODEL,
                    RelocationModel::from_u8,
                )?,
                interrupt_checks: number(&record, header::INTERRUPT_CHECKS, |byte| match byte {
                    0 => Some(false),
                    1 => Some(true),
                    _ => None,
                })?,
                call_profile: number(&record, header::CALL_PROFILE, |byte| match byte {
                    0 => Some(false),
                    1 => Some(true),
                    _ => None,
                })?,
                memory_reservation: record.u64(header::MEMORY_RESERVATION),
                memory_guard: record.u64(header::MEMORY_GUARD),
                stack_reserve: record.u32(header::STACK_RESERVE),
            },
        };
        header.check(record.u8(header::POINTER_SIZE))?;
        let patched = header.tunables.relocation_model != RelocationModel::Xip;
        if form == Form::Split && patched {
            let offset = header::RELOCATION_MODEL.offset() as u32;
            return Err(FormatError::at(ErrorKind::InconsistentHeader, offset));
        }
        Ok(header)
    }

    /// Checks what several fields say together.
    fn check(&self, pointer_size: u8) -> Result<(), FormatError> {
        let contradiction = |offset: usize| {
            Err(FormatError::at(
                ErrorKind::InconsistentHeader,
                offset as u32,
            ))
        };
        if u32::from(pointer_size) != self.isa.pointer_width().bytes() {
            return contradiction(header::POINTER_SIZE.offset());
        }
        if self
            .isa
            .endianness()
            .is_some_and(|endianness| endianness != self.endianness)
        {
            return contradiction(header::ENDIANNESS.offset());
        }
        if self.page_size_log2 > layout::MAX_PAGE_SIZE_LOG2 {
            return contradiction(header::PAGE_SIZE_LOG2.offset());
        }
        let tunables = &self.tunables;
        if tunables
            .memory_reservation
            .checked_add(tunables.memory_guard)
            .is_none()
        {
            return contradiction(header::MEMORY_RESERVATION.offset());
        }
        let unknown =
            |offset: usize| Err(FormatError::at(ErrorKind::UnknownFeature, offset as u32));
        if self.cpu_features.0 >> self.isa.features().len() != 0 {
            return unknown(header::CPU_FEATURES.offset());
        }
        if !self
            .wasm_features
            .missing_from(WasmFeatures::KNOWN)
            .is_empty()
        {
            return unknown(header::WASM_FEATURES.offset());
        }
        if self.libcalls.0 & !LibcallSet::ALL.0 != 0 {
            return unknown(header::LIBCALLS.offset());
        }
        Ok(())
    }
}

/// Reads a one-byte enumeration.
fn number<T>(
    record: &HeaderRecord,
    field: layout::RecordField<1>,
    from_u8: impl FnOnce(u8) -> Option<T>,
) -> Result<T, FormatError> {
    from_u8(record.u8(field)).ok_or(FormatError::at(
        ErrorKind::UnknownNumber,
        field.offset() as u32,
    ))
}

/// Where the text's bytes are.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Form {
    /// In the file.
    Whole,
    /// Elsewhere. The section table says how many they are.
    Split,
}

impl Form {
    /// Compares with the header's byte.
    fn check(self, byte: u8) -> Result<(), ErrorKind> {
        match (self, byte) {
            (Form::Whole, layout::FORM_WHOLE) | (Form::Split, layout::FORM_SPLIT) => Ok(()),
            (Form::Whole, layout::FORM_SPLIT) => Err(ErrorKind::TextElsewhere),
            (Form::Split, layout::FORM_WHOLE) => Err(ErrorKind::TextInFile),
            _ => Err(ErrorKind::ReservedBits),
        }
    }
}

/// Where a section is in the file. An absent section is empty.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct SectionRange {
    /// Offset of the first byte.
    pub offset: u32,
    /// Size in bytes, without padding.
    pub size: u32,
}

/// Where each section is, checked: in ascending order, in place, padded with zeros.
///
/// A loaded module holds one of these. Placement leaves no freedom, so the ends alone say where the
/// sections start.
#[derive(Clone, Copy, Debug)]
pub(crate) struct SectionTable {
    /// Where the first section starts.
    start: u32,
    page_size_log2: u8,
    /// Where each section ends; an absent one where the one before it does.
    ends: [u32; SectionId::ALL.len()],
}

impl SectionTable {
    /// Reads the section table. Placement leaves no freedom: an artifact with given sections has
    /// one form, so nothing can hide between them.
    pub(crate) fn read(
        payload: Bytes<'_>,
        page_size_log2: u8,
        form: Form,
    ) -> Result<SectionTable, FormatError> {
        let page_size = 1u64 << page_size_log2;
        let truncated = FormatError::at(ErrorKind::Truncated, 0);
        let header = HeaderRecord::at(payload, 0, header::SIZE).ok_or(truncated)?;
        let count = header.u32(header::SECTION_COUNT);
        let table_offset = header::SIZE as u32;
        // More sections than ids cannot be in order, so the product stays small.
        if count as usize > SectionId::ALL.len() {
            return Err(FormatError::at(ErrorKind::SectionOrder, table_offset));
        }
        let table_size = count * section::SIZE as u32;
        let table = payload.range(table_offset, table_size).ok_or(truncated)?;
        let mut sections = SectionTable {
            start: table_offset + table_size,
            page_size_log2,
            ends: [table_offset + table_size; SectionId::ALL.len()],
        };
        let mut previous = None;
        let mut end = u64::from(table_offset + table_size);
        let records = Records::new(table, section::SIZE);
        for index in 0..count {
            let error = |kind| FormatError::at(kind, table_offset + index * section::SIZE as u32);
            let record = records.get(index).ok_or(error(ErrorKind::Truncated))?;
            let id = SectionId::from_u32(record.u32(section::ID))
                .ok_or(error(ErrorKind::UnknownNumber))?;
            if previous.is_some_and(|previous| id <= previous) {
                return Err(error(ErrorKind::SectionOrder));
            }
            let range = SectionRange {
                offset: record.u32(section::OFFSET),
                size: record.u32(section::SIZE_IN_BYTES),
            };
            if u64::from(range.offset) != id.place(previous, end, page_size) {
                return Err(error(ErrorKind::SectionPlacement));
            }
            if range.size == 0 || !(range.size as usize).is_multiple_of(id.unit()) {
                return Err(error(ErrorKind::SectionSize));
            }
            if form == Form::Split && id == SectionId::Text {
                // Nothing comes after it, and of it nothing is here.
                if index + 1 != count {
                    return Err(error(ErrorKind::SectionOrder));
                }
                if range.offset.checked_add(range.size).is_none() {
                    return Err(error(ErrorKind::SectionSize));
                }
            } else {
                if payload.range(range.offset, range.size).is_none() {
                    return Err(error(ErrorKind::Truncated));
                }
                check_padding(payload, end, u64::from(range.offset))?;
                end = u64::from(range.offset) + u64::from(range.size);
                previous = Some(id);
            }
            // Ids are 1, 2, 3, ...; the sections after this one are absent so far.
            for slot in sections.ends.iter_mut().skip(id as usize - 1) {
                *slot = range.offset + range.size;
            }
        }
        let payload_end = previous.map_or(end, |last| last.payload_end(end, page_size));
        if payload_end != payload.len() as u64 {
            let offset = header::PAYLOAD_SIZE.offset() as u32;
            return Err(FormatError::at(ErrorKind::SectionPlacement, offset));
        }
        check_padding(payload, end, payload_end)?;
        Ok(sections)
    }

    /// Where the section is.
    pub(crate) fn range(&self, id: SectionId) -> SectionRange {
        let end_of = |id: SectionId| self.ends.get(id as usize - 1).copied().unwrap_or(0);
        let end_before = |id: SectionId| {
            let index = (id as usize).checked_sub(2);
            index.map_or(self.start, |index| {
                self.ends.get(index).copied().unwrap_or(0)
            })
        };
        let (before, end) = (end_before(id), end_of(id));
        if before == end {
            return SectionRange::default();
        }
        let text = SectionId::Text;
        let follows_text = id > text && before == end_of(text) && before != end_before(text);
        let previous = if follows_text { Some(text) } else { None };
        // It starts in the file, and not after its end.
        let offset = id.place(previous, u64::from(before), 1 << self.page_size_log2) as u32;
        SectionRange {
            offset,
            size: end.saturating_sub(offset),
        }
    }
}

/// Checks that the bytes between two sections are zero.
fn check_padding(payload: Bytes<'_>, start: u64, end: u64) -> Result<(), FormatError> {
    // Both lie in the file, which is smaller than 4 GiB.
    let (start, size) = (start as u32, end.saturating_sub(start) as u32);
    let padding = payload
        .range(start, size)
        .ok_or(FormatError::at(ErrorKind::Truncated, start))?;
    if padding.as_slice().iter().any(|byte| *byte != 0) {
        return Err(FormatError::at(ErrorKind::Padding, start));
    }
    Ok(())
}
